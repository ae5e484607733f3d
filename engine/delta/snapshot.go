package delta

import (
	"context"
	"fmt"

	"github.com/millrace-io/millrace/engine/blob"
)

// A Snapshot is a table at one version. It belongs to one goroutine as long as Advance is called; else any
// number may read it.
type Snapshot struct {
	store blob.Store
	state *state
}

// Load reads the log of the table at the root of store up to a version, or Latest. ErrNotTable: there is no
// table. ErrUnsupported: it can't be read; the error says why.
func Load(ctx context.Context, store blob.Store, version int64) (*Snapshot, error) {
	s := &Snapshot{store, newState(true)}
	if err := s.state.advance(ctx, store, version); err != nil {
		return nil, err
	}
	return s, s.check()
}

// Advance moves the snapshot on to the newest version. After an error the snapshot is where it was.
func (s *Snapshot) Advance(ctx context.Context) error {
	next := &Snapshot{s.store, s.state.clone()}
	if err := next.state.follow(ctx, s.store); err != nil {
		return err
	}
	if err := next.check(); err != nil {
		return err
	}
	s.state = next.state
	return nil
}

func (s *Snapshot) check() error {
	if err := s.state.protocol.readable(); err != nil {
		return fmt.Errorf("read %s: %w", s.store.URL(), err)
	}
	return nil
}

// Version is the number of the snapshot's last commit.
func (s *Snapshot) Version() int64 { return s.state.version }

// Protocol says what programs must know to use the table. It is lent, as is all that follows.
func (s *Snapshot) Protocol() *Protocol { return s.state.protocol }

// Metadata is the table's id, name, partition columns and configuration.
func (s *Snapshot) Metadata() *Metadata { return s.state.metadata }

// Schema is the table's columns.
func (s *Snapshot) Schema() Schema { return s.state.schema }

// Files is the table's data files, in the order in which they were added.
func (s *Snapshot) Files() []*Add { return s.state.files.sorted() }

// Tombstones is the files that were removed and not added again, as far as the log tells, by path.
func (s *Snapshot) Tombstones() []*Remove { return s.state.files.tombstones() }

// Writable says why nothing can be written to the table.
func (s *Snapshot) Writable() error { return s.state.writable() }

// Txn is the last txn of an application.
func (s *Snapshot) Txn(appID string) (t Txn, ok bool) {
	at, ok := s.state.txns[appID]
	return at.Txn, ok
}

// Txns is the last txn of every application.
func (s *Snapshot) Txns() []Txn {
	txns := make([]Txn, 0, len(s.state.txns))
	for _, t := range s.state.txns {
		txns = append(txns, t.Txn)
	}
	return txns
}
