package delta

import (
	"fmt"
	"maps"
)

// A state is what the log entries up to a version add up to. It moves forward only.
type state struct {
	version  int64 // -1: no entry yet
	size     int64 // of the version's entry, in bytes: another size means that the table was made anew; -1: unknown
	protocol *Protocol
	metadata *Metadata
	schema   Schema // metadata's
	txns     map[string]txnAt
	files    *files // nil: not kept
	changed  int64  // the newest version known to have added rows; -1: none is known
	base     int64  // the version of the checkpoint that it began at; -1: at entry 0
}

// txnAt is an application's last txn and the version that has it, or, of one that was read from a
// checkpoint, the checkpoint's version, which is that or a later one.
type txnAt struct {
	Txn
	at int64
}

func newState(keepFiles bool) *state {
	s := &state{version: -1, changed: -1, base: -1, txns: map[string]txnAt{}}
	if keepFiles {
		s.files = newFiles()
	}
	return s
}

func (s *state) clone() *state {
	c := *s
	c.txns = maps.Clone(s.txns)
	if s.files != nil {
		c.files = s.files.clone()
	}
	return &c
}

// apply takes the next entry of the log. After an error the state is of no use.
func (s *state) apply(data []byte) error {
	next := s.version + 1
	err := eachAction(data, s.files != nil, func(a action) error { return s.take(a, next) })
	if err != nil {
		return fmt.Errorf("version %d, %w", next, err)
	}
	s.version, s.size = next, int64(len(data))
	return nil
}

// take takes in one action of a version.
func (s *state) take(a action, version int64) error {
	switch {
	case a.Protocol != nil:
		s.protocol = a.Protocol
	case a.Metadata != nil:
		return s.setMetadata(a.Metadata)
	case a.Txn != nil:
		s.txns[a.Txn.AppID] = txnAt{*a.Txn, version}
	case s.files != nil && a.Add != nil:
		s.files.add(a.Add)
		if a.Add.DataChange {
			s.changed = version
		}
	case s.files != nil && a.Remove != nil:
		s.files.remove(a.Remove)
	}
	return nil
}

func (s *state) setMetadata(m *Metadata) error {
	schema, err := ParseSchema(m.SchemaString)
	if err != nil {
		return err
	}
	s.metadata, s.schema = m, schema
	return nil
}

// complete says what a log must have said by now.
func (s *state) complete() error {
	switch {
	case s.protocol == nil:
		return fmt.Errorf("the log up to version %d has no protocol action", s.version)
	case s.metadata == nil:
		return fmt.Errorf("the log up to version %d has no metaData action", s.version)
	}
	return nil
}

// writable says why nothing can be appended.
func (s *state) writable() error {
	if err := s.protocol.writable(); err != nil {
		return err
	}
	for _, f := range s.schema {
		if f.invariant != "" {
			return fmt.Errorf("column %s has the invariant %s, which can't be checked: %w", f.Name, f.invariant, ErrUnsupported)
		}
	}
	return nil
}
