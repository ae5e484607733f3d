package maintenance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/checkpoint"
	"github.com/millrace-io/millrace/engine/delta"
)

// SafeRetention is the retention below which a Vacuum must be told that this is meant: a reader of an older
// version, and a file of another writer that is uploaded and not committed yet, must be able to grow so old.
const SafeRetention = 7 * 24 * time.Hour

// A Vacuum deletes files below a table that it needs no more. A file stays if
//
//   - the newest version has it,
//   - or a version had it until less than the retention ago,
//   - or it is itself younger than the retention: it may be on its way into the table,
//   - or a checkpoint of a pipeline that writes to the table names it: it will be committed,
//   - or a part of its path begins with "_" or ".", as the log's does, unless it is a partition's folder.
type Vacuum struct {
	Retention time.Duration // 0: what the table says, a week unless told otherwise
	DryRun    bool          // deletes nothing
	Unsafe    bool          // allows a Retention below SafeRetention, and pipelines whose checkpoints can't be read
	DataOnly  bool          // looks at files whose names end in .parquet only

	// Open opens the place of a pipeline's checkpoints, which the table names by its URL.
	Open func(url string) (blob.Store, error)
}

// A Vacuumed is what a Vacuum did, or would do.
type Vacuumed struct {
	Version int64    `json:"version"` // of the table that was looked at
	Files   []string `json:"files"`   // deleted, or with DryRun to be deleted
	Bytes   int64    `json:"bytes"`   // of these
	Kept    int64    `json:"kept"`    // files that stay though the newest version has them not
	Swept   int      `json:"swept"`   // beginnings of files whose writers died
}

// Run vacuums a table.
func (v Vacuum) Run(ctx context.Context, t Table) (done Vacuumed, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("vacuum %s: %w", t.Store.URL(), err)
		}
	}()
	s, err := delta.Load(ctx, t.Store, delta.Latest)
	if err == nil {
		err = s.Writable()
	}
	if err != nil {
		return done, err
	}
	retention, err := v.retention(s)
	if err != nil {
		return done, err
	}
	limit := time.Now().Add(-retention)
	// Invariant: first the files, then what is about to be committed, then the log. What is committed meanwhile is
	// in the log by then, and what is not was in the checkpoint.
	found, err := v.list(ctx, t.Store, s.Metadata().PartitionBy)
	if err != nil {
		return done, err
	}
	onTheWay, err := v.prepared(ctx, s)
	if err == nil {
		err = s.Advance(ctx)
	}
	if err != nil {
		return done, err
	}
	done.Version, done.Files = s.Version(), []string{}
	keep, err := needed(s, onTheWay, limit)
	if err != nil {
		return done, err
	}
	for _, f := range found {
		switch needed, isLive := keep[f.Name]; {
		case isLive && needed == live:
		case isLive || f.ModifiedMillis >= limit.UnixMilli():
			done.Kept++
		default:
			done.Files = append(done.Files, f.Name)
			done.Bytes += f.Size
		}
	}
	if v.DryRun {
		return done, nil
	}
	if err := blob.DeleteAll(ctx, t.Store, done.Files); err != nil {
		return done, err
	}
	done.Swept, err = blob.Sweep(ctx, t.Store, "", limit)
	return done, err
}

// list is the files that a vacuum may delete: those of the table by, its partition columns, may have, and of no other
// table whose folder lies below it.
func (v Vacuum) list(ctx context.Context, store blob.Store, by []string) ([]blob.Info, error) {
	var found []blob.Info
	var others []string // folders of other tables, in order
	for info, err := range store.List(ctx, "", "") {
		if err != nil {
			return nil, err
		}
		if folder, _, ok := strings.Cut(info.Name, "/_delta_log/"); ok {
			if folder += "/"; !slices.Contains(others, folder) {
				others = append(others, folder)
			}
			continue
		}
		if !hidden(info.Name, by) && (!v.DataOnly || strings.HasSuffix(info.Name, ".parquet")) {
			found = append(found, info)
		}
	}
	return slices.DeleteFunc(found, func(f blob.Info) bool {
		return slices.ContainsFunc(others, func(folder string) bool { return strings.HasPrefix(f.Name, folder) })
	}), nil
}

// hidden says whether a name is none of a data file: a part of it begins with "_" or ".". The folder of a partition,
// column=value, is none of those, whatever the column's name.
func hidden(name string, by []string) bool {
	return slices.ContainsFunc(strings.Split(name, "/"), func(part string) bool {
		return (part[0] == '_' || part[0] == '.') && !slices.ContainsFunc(by, func(column string) bool { return delta.InPartition(part, column) })
	})
}

// retention is how long what was removed is kept.
func (v Vacuum) retention(s *delta.Snapshot) (time.Duration, error) {
	p, err := s.Metadata().Properties()
	if err != nil {
		return 0, err
	}
	if v.Retention == 0 {
		return p.FileRetention, nil
	}
	if v.Retention < SafeRetention && v.Retention < p.FileRetention && !v.Unsafe {
		return 0, fmt.Errorf("a retention of %v is less than %v: readers of older versions would fail, and files could be deleted that another writer "+
			"has uploaded and is about to commit. If no other writer works on the table, say --unsafe", v.Retention, min(SafeRetention, p.FileRetention))
	}
	return v.Retention, nil
}

// need is why a file stays.
type need uint8

const (
	live     need = iota + 1 // the newest version has it
	lately                   // a version had it that is younger than the retention
	prepared                 // a checkpoint names it
)

// needed is the files that the table needs, by name.
func needed(s *delta.Snapshot, onTheWay []string, limit time.Time) (map[string]need, error) {
	keep := map[string]need{}
	for _, name := range onTheWay {
		keep[name] = prepared
	}
	for _, d := range s.Tombstones() {
		if d.DeletedMillis >= limit.UnixMilli() {
			name, err := d.Name()
			if err != nil {
				return nil, err
			}
			keep[name] = lately
		}
	}
	for _, a := range s.Files() {
		name, err := a.Name()
		if err != nil {
			return nil, err
		}
		keep[name] = live
	}
	return keep, nil
}

// prepared is the files that checkpoints of the table's pipelines name: they are to be committed.
func (v Vacuum) prepared(ctx context.Context, s *delta.Snapshot) ([]string, error) {
	urls := map[string]string{} // by pipeline
	for key, url := range s.Metadata().Configuration {
		if pipeline, ok := strings.CutPrefix(key, delta.CheckpointsKey); ok {
			urls[pipeline] = url
		}
	}
	for _, t := range s.Txns() {
		if rest, ok := strings.CutPrefix(t.AppID, "millrace/"); ok {
			pipeline, _, _ := strings.Cut(rest, "/")
			if _, known := urls[pipeline]; !known && !v.Unsafe {
				return nil, fmt.Errorf("pipeline %s has written to the table, and the table does not say where its checkpoints are, so files that it is about "+
					"to commit can't be told: run it once, or, if it is gone for good, say --unsafe", pipeline)
			}
		}
	}
	var names []string
	for pipeline, url := range urls {
		found, err := v.preparedBy(ctx, url, s.Metadata().ID)
		if err != nil && !v.Unsafe {
			return nil, fmt.Errorf("the checkpoints of pipeline %s at %s can't be read, so files that it is about to commit can't be told: bring them back, or, "+
				"if the pipeline is gone for good, say --unsafe: %w", pipeline, url, err)
		}
		names = append(names, found...)
	}
	return names, nil
}

var errNoCheckpoint = errors.New("there is none")

// preparedBy is the files of a table that the newest checkpoint of a pipeline names. Those of the one before
// are committed: it is followed by another only then.
func (v Vacuum) preparedBy(ctx context.Context, url, table string) ([]string, error) {
	store, err := v.Open(url)
	if err != nil {
		return nil, err
	}
	c, err := checkpoint.New(store).Newest(ctx)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, errNoCheckpoint
	}
	var names []string
	for _, p := range c.Tables {
		if p.ID != table {
			continue
		}
		for _, f := range p.Files {
			names = append(names, f.Path)
		}
	}
	return names, nil
}
