package delta

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/millrace-io/millrace/engine/blob"
)

// ErrConflict: another writer took one of the files out of the table that a Rewrite is about. Nothing was
// changed; the caller may look at the table again and make another Rewrite.
var ErrConflict = errors.New("the files were changed by another writer")

// A Rewrite replaces files of a table by others with the same rows, as compaction does. For readers of rows
// it is no change (PROTOCOL.md, Add File and Remove File: dataChange is false on both sides).
type Rewrite struct {
	Removes []*Add // of a Snapshot; not none
	Adds    []*Add // files that are in the store. DataChange is set by Commit

	Operation  string            // of commitInfo: "OPTIMIZE"
	Parameters map[string]string // of commitInfo
	Metrics    map[string]string // of commitInfo
	EngineInfo string            // "millrace/<version>"
}

// Commit makes the rewrite the next entry of the log, behind those of others that came since the snapshot s,
// and gives its version. Appends do not conflict with it, nor it with them. ErrConflict: one of the files is
// no longer part of the table. After another error it may be in the log or not: Advance shows which.
func (r *Rewrite) Commit(ctx context.Context, store blob.Store, s *Snapshot) (version int64, err error) {
	next := s.state.clone()
	c := committer{store: store, sleep: sleep}
	err = c.commit(ctx, next, proposal{build: func(s *state) (draft, error) { return r.draft(s) }})
	switch {
	case errors.Is(err, errDone):
		return next.version, nil
	case err != nil:
		return 0, fmt.Errorf("commit %s to %s: %w", r.Operation, store.URL(), err)
	}
	return next.version, nil
}

// draft is the entry behind s.
func (r *Rewrite) draft(s *state) (draft, error) {
	if err := s.writable(); err != nil {
		return draft{}, err
	}
	if r.in(s) {
		return draft{}, errDone
	}
	for _, a := range r.Removes {
		if !s.files.has(a) {
			return draft{}, fmt.Errorf("%w: %s is no longer part of the table", ErrConflict, a.Path)
		}
	}
	d := draft{info: CommitInfo{
		Operation: r.Operation, Parameters: texts(r.Parameters), Metrics: texts(r.Metrics), EngineInfo: r.EngineInfo,
		IsolationLevel: "SnapshotIsolation", BlindAppend: new(false),
	}}
	now := time.Now().UnixMilli()
	for _, a := range r.Removes {
		d.lines = append(append(d.lines, line(action{Remove: a.remove(now, false)})...), '\n')
	}
	for _, a := range r.Adds {
		add := *a
		add.DataChange = false
		d.lines = append(append(d.lines, line(action{Add: &add})...), '\n')
	}
	return d, nil
}

// in says whether the log has the rewrite: its put landed and the answer was lost, also when asked again.
func (r *Rewrite) in(s *state) bool {
	for _, a := range r.Adds {
		if !s.files.has(a) {
			return false
		}
	}
	return len(r.Adds) > 0
}
