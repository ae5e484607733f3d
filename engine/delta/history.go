package delta

import (
	"context"
	"encoding/json"
	"errors"
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
		l, err := listLog(ctx, store, 0)
		if err == nil && len(l.entries) == 0 {
			err = errNoLog(store)
		}
		if err != nil {
			yield(Version{}, err)
			return
		}
		for i := len(l.entries) - 1; i >= 0; i-- {
			v, err := readVersion(ctx, store, l.entries[i])
			if errors.Is(err, blob.ErrNotFound) {
				continue // cleaned up since it was listed
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

func readVersion(ctx context.Context, store blob.Store, entry logEntry) (Version, error) {
	data, err := readEntry(ctx, store, entry.version)
	if err != nil {
		return Version{}, err
	}
	v := Version{Number: entry.version, Millis: entry.millis}
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
