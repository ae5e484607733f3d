package delta

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/millrace-io/millrace/engine/blob"
)

// A LogEntry is all that an entry of a log says of rows and of who wrote them.
type LogEntry struct {
	Version int64
	Info    CommitInfo // zero where the entry says nothing of itself
	Txns    []Txn
	Adds    []*Add
	Removes []*Remove
}

// ChangesData says whether the entry changed the table's rows, and not only the files that they are in.
func (e *LogEntry) ChangesData() bool {
	return slices.ContainsFunc(e.Adds, func(a *Add) bool { return a.DataChange }) ||
		slices.ContainsFunc(e.Removes, func(r *Remove) bool { return r.DataChange })
}

// Entries yields the entries that the log of the table at the root of store still has, oldest first. A gap
// between two of them is an error. It ends with the first error it yields.
func Entries(ctx context.Context, store blob.Store) iter.Seq2[*LogEntry, error] {
	return func(yield func(*LogEntry, error) bool) {
		l, err := listLog(ctx, store, 0)
		if err == nil && len(l.entries) == 0 {
			err = errNoLog(store)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		for i, e := range l.entries {
			if want := l.entries[0].version + int64(i); e.version != want {
				yield(nil, fmt.Errorf("%s: version %d is missing from the log, which goes from %d to %d", store.URL(), want, l.entries[0].version, l.newest()))
				return
			}
			entry, err := readLogEntry(ctx, store, e.version)
			if !yield(entry, err) || err != nil {
				return
			}
		}
	}
}

func readLogEntry(ctx context.Context, store blob.Store, version int64) (*LogEntry, error) {
	data, err := readEntry(ctx, store, version)
	if err != nil {
		return nil, err
	}
	e := &LogEntry{Version: version}
	if i := info(data); i != nil {
		e.Info = *i
	}
	err = eachAction(data, true, func(a action) error {
		switch {
		case a.Txn != nil:
			e.Txns = append(e.Txns, *a.Txn)
		case a.Add != nil:
			e.Adds = append(e.Adds, a.Add)
		case a.Remove != nil:
			e.Removes = append(e.Removes, a.Remove)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s: version %d, %w", store.URL(), version, err)
	}
	return e, nil
}
