package delta

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/millrace-io/millrace/engine/blob"
)

// A state is what the log entries up to a version add up to. It moves forward only.
type state struct {
	version  int64 // -1: no entry yet
	size     int64 // of the version's entry, in bytes: another size means that the table was made anew
	protocol *Protocol
	metadata *Metadata
	schema   Schema // metadata's
	txns     map[string]txnAt
	files    *files // nil: not kept
}

// txnAt is an application's last txn and the version that has it.
type txnAt struct {
	Txn
	at int64
}

func newState(keepFiles bool) *state {
	s := &state{version: -1, txns: map[string]txnAt{}}
	if keepFiles {
		s.files = &files{live: map[fileKey]liveFile{}}
	}
	return s
}

func (s *state) clone() *state {
	c := *s
	c.txns = maps.Clone(s.txns)
	if s.files != nil {
		c.files = &files{live: maps.Clone(s.files.live), next: s.files.next}
	}
	return &c
}

// apply takes the next entry of the log. After an error the state is of no use.
func (s *state) apply(data []byte) error {
	next := s.version + 1
	err := eachAction(data, s.files != nil, func(a action) error {
		switch {
		case a.Protocol != nil:
			s.protocol = a.Protocol
		case a.Metadata != nil:
			schema, err := ParseSchema(a.Metadata.SchemaString)
			if err != nil {
				return err
			}
			s.metadata, s.schema = a.Metadata, schema
		case a.Txn != nil:
			s.txns[a.Txn.AppID] = txnAt{*a.Txn, next}
		case s.files != nil && a.Add != nil:
			s.files.add(a.Add)
		case s.files != nil && a.Remove != nil:
			s.files.remove(a.Remove)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("version %d, %w", next, err)
	}
	s.version, s.size = next, int64(len(data))
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

// advance reads the log's entries up to a version, Latest for all there are.
func (s *state) advance(ctx context.Context, store blob.Store, upto int64) error {
	last, err := s.last(ctx, store)
	if err != nil {
		return err
	}
	if upto == Latest {
		upto = last
	}
	if upto > last {
		return fmt.Errorf("read %s: there is no version %d, the newest is %d", store.URL(), upto, last)
	}
	return s.read(ctx, store, upto, last)
}

// errMadeAnew: the entries that the state was made from are not there any more.
var errMadeAnew = errors.New("the log was replaced by another since it was read")

// last is the log's newest version as a list shows it, which begins with the state's own entry.
func (s *state) last(ctx context.Context, store blob.Store) (int64, error) {
	after := ""
	if s.version > 0 {
		after = entryName(s.version - 1)
	}
	first, last, size, checkpoint := int64(-1), int64(-1), int64(0), ""
	for info, err := range store.List(ctx, logDir, after) {
		if err != nil {
			return 0, fmt.Errorf("list the log of %s: %w", store.URL(), err)
		}
		if v, ok := entryVersion(info.Name); ok {
			if first < 0 {
				first, size = v, info.Size
			}
			last = v
		} else if strings.Contains(info.Name, ".checkpoint.") {
			checkpoint = info.Name
		}
	}
	switch {
	case s.version >= 0 && (first != s.version || size != s.size):
		return 0, fmt.Errorf("read %s: version %d: %w", store.URL(), s.version, errMadeAnew)
	case s.version < 0 && first > 0:
		return 0, fmt.Errorf("read %s: the log begins at version %d, what came before is in a checkpoint, and reading checkpoints is %w", store.URL(), first, ErrUnsupported)
	case last < 0 && checkpoint != "":
		return 0, fmt.Errorf("read %s: the log has a checkpoint, %s, and no entry beside it: it is broken", store.URL(), checkpoint)
	case last < 0:
		return 0, fmt.Errorf("%s: %w: it has no log entries in %s", store.URL(), ErrNotTable, logDir)
	}
	return last, nil
}

// read applies the entries up to upto of a log that goes to last. It goes by numbers, not by what a list
// showed: a list of a folder may miss an entry that came while it ran and still show a later one.
func (s *state) read(ctx context.Context, store blob.Store, upto, last int64) error {
	for s.version < upto {
		next := s.version + 1
		data, err := readEntry(ctx, store, next)
		if errors.Is(err, blob.ErrNotFound) {
			return fmt.Errorf("read %s: version %d is missing from the log, which goes up to version %d", store.URL(), next, last)
		}
		if err != nil {
			return err
		}
		if err := s.apply(data); err != nil {
			return fmt.Errorf("read %s: %w", store.URL(), err)
		}
	}
	if err := s.complete(); err != nil {
		return fmt.Errorf("read %s: %w", store.URL(), err)
	}
	return nil
}
