package delta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"github.com/millrace-io/millrace/engine/blob"
)

// A Version is a commit of a table as History tells it.
type Version struct {
	Number int64
	Millis int64      // when, since 1970 UTC: what the commit says, else when its entry was written
	Info   CommitInfo // zero where the commit says nothing of itself
}

// History yields the versions of the table at the root of store, newest first, as far as their log entries
// are kept. It works for tables that can't be read. It ends with the first error it yields.
func History(ctx context.Context, store blob.Store) iter.Seq2[Version, error] {
	return func(yield func(Version, error) bool) {
		entries, err := listEntries(ctx, store)
		if err != nil {
			yield(Version{}, err)
			return
		}
		for i := len(entries) - 1; i >= 0; i-- {
			v, err := readVersion(ctx, store, entries[i])
			if errors.Is(err, blob.ErrNotFound) {
				continue // cleaned up since it was listed
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

func listEntries(ctx context.Context, store blob.Store) ([]blob.Info, error) {
	var entries []blob.Info
	for info, err := range store.List(ctx, logDir, "") {
		if err != nil {
			return nil, fmt.Errorf("list the log of %s: %w", store.URL(), err)
		}
		if _, ok := entryVersion(info.Name); ok {
			entries = append(entries, info)
		}
	}
	if len(entries) == 0 {
		return nil, fmt.Errorf("%s: %w: it has no log entries in %s", store.URL(), ErrNotTable, logDir)
	}
	return entries, nil
}

func readVersion(ctx context.Context, store blob.Store, entry blob.Info) (Version, error) {
	number, _ := entryVersion(entry.Name)
	data, err := readEntry(ctx, store, number)
	if err != nil {
		return Version{}, err
	}
	v := Version{Number: number, Millis: entry.ModifiedMillis}
	if i := info(data); i != nil {
		v.Info = *i
		if i.Millis > 0 {
			v.Millis = i.Millis
		}
	}
	return v, nil
}

// Text is a parameter or metric for people: a JSON string without its quotes, other JSON as it is.
func Text(raw []byte) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}
