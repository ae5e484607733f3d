package enginetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/checkpoint"
	"github.com/millrace-io/millrace/engine/delta"
)

// promises is every commit that a checkpoint has ever prepared, though the checkpoint is long gone.
type promises struct {
	mu       sync.Mutex
	prepared map[string][]engine.Prepared // by the txn's appId
}

// note keeps what a checkpoint prepared.
func (r *promises) note(data []byte) {
	c, err := checkpoint.Decode(data)
	if err != nil {
		return // of no use to a start either
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.prepared == nil {
		r.prepared = map[string][]engine.Prepared{}
	}
	for _, p := range c.Tables {
		app := "millrace/" + c.Pipeline + "/" + c.Incarnation + "/" + p.Table
		r.prepared[app] = append(r.prepared[app], p)
	}
}

// recorded is a store whose checkpoints are noted.
type recorded struct {
	blob.Store
	to *promises
}

// PutIfAbsent implements blob.Store.
func (s *recorded) PutIfAbsent(ctx context.Context, name string, data []byte) error {
	err := s.Store.PutIfAbsent(ctx, name, data)
	if err == nil && strings.HasPrefix(name, home+"/checkpoints/") {
		s.to.note(data)
	}
	return err
}

// chain says whether each of the pipeline's commits in a table is one that a checkpoint prepared: the same files, on
// top of the epoch that was there.
func (r *promises) chain(ctx context.Context, table string, store blob.Store) error {
	last := map[string]engine.Epoch{}
	for e, err := range delta.Entries(ctx, store) {
		if err != nil {
			return err
		}
		var files []string
		for _, a := range e.Adds {
			name, err := a.Name()
			if err != nil {
				return err
			}
			files = append(files, name)
		}
		slices.Sort(files)
		for _, txn := range e.Txns {
			prev, ok := last[txn.AppID]
			if !ok {
				prev = engine.NoEpoch
			}
			last[txn.AppID] = engine.Epoch(txn.Version)
			if !r.has(txn, prev, files) {
				return fmt.Errorf("table %s, version %d: no checkpoint prepared epoch %d on top of %d with %d files", table, e.Version, txn.Version, prev, len(files))
			}
		}
	}
	return nil
}

func (r *promises) has(txn delta.Txn, prev engine.Epoch, files []string) bool {
	return slices.ContainsFunc(r.prepared[txn.AppID], func(p engine.Prepared) bool {
		return p.Prev == prev && int64(p.Epoch) == txn.Version && slices.EqualFunc(p.Files, files, func(f engine.File, name string) bool { return f.Path == name })
	})
}
