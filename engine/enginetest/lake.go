package enginetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/checkpoint"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/maintenance"
	"github.com/millrace-io/millrace/engine/parquet"
)

// A lakeTable is a Delta table of a simulation.
type lakeTable struct {
	name   string
	schema engine.Schema
	by     []string
}

// tables are those of the case, and the quarantine.
func (l *lives) tables() []lakeTable {
	all := []lakeTable{{name: QuarantineName, schema: engine.QuarantineSchema}}
	for _, t := range l.c.Tables {
		all = append(all, lakeTable{t.Name, l.schemaOf(t.From), t.PartitionBy})
	}
	return all
}

// schemaOf is the columns that leave a stream or the source.
func (l *lives) schemaOf(from string) engine.Schema {
	i := slices.IndexFunc(l.c.Streams, func(s engine.StreamPlan) bool { return s.Name == from })
	if i < 0 {
		return InputSchema
	}
	schema := l.schemaOf(l.c.Streams[i].From[0])
	for _, step := range l.c.Streams[i].Steps {
		_, out, err := step.Config.Bind(schema)
		if err != nil {
			panic(fmt.Sprintf("case %s, step %s: %v", l.c.Name, step.Name, err))
		}
		schema = out
	}
	return schema
}

// open makes the table's port. With small its files hold a few rows each.
func (t lakeTable) open(blobs blob.Store, small bool) (engine.Table, error) {
	store := blob.Sub(blobs, t.name)
	var opt parquet.Options
	if small {
		opt = parquet.Options{TargetFile: 1 << 10, RowGroup: 512, Page: 64, OpenFiles: 3, Memory: 2 << 10}
	}
	return delta.NewTable(delta.Config{
		Name: t.name, Pipeline: pipeline, Store: store, Schema: t.schema, PartitionBy: t.by, CheckpointsURL: "mem:" + home,
		NewWriter: func(int, delta.Indexing) engine.TableWriter {
			w, err := parquet.NewWriter(store, t.schema, t.by, opt, time.Now)
			if err != nil {
				panic(fmt.Sprintf("table %s: %v", t.name, err))
			}
			return w
		},
	})
}

// rows is what a reader of the table sees, as JSON.
func (t lakeTable) rows(ctx context.Context, blobs blob.Store) ([]string, error) {
	store := blob.Sub(blobs, t.name)
	s, err := delta.Load(ctx, store, delta.Latest)
	if err != nil {
		return nil, err
	}
	var rows []string
	for _, a := range s.Files() {
		name, err := a.Name()
		if err != nil {
			return nil, err
		}
		f, err := parquet.Open(ctx, store, name, t.schema)
		if err != nil {
			return nil, err
		}
		for i := range f.RowGroups() {
			columns, err := f.ReadRowGroup(ctx, i, nil)
			if err != nil {
				return nil, err
			}
			for _, by := range t.by {
				at := t.schema.Index(by)
				columns[at] = column.New(t.schema[at].Type)
				for range f.RowGroupRows(i) {
					if err := delta.AppendPartition(columns[at], a.PartitionValues[by]); err != nil {
						return nil, err
					}
				}
			}
			for row := range f.RowGroupRows(i) {
				rows = append(rows, string(column.AppendRowJSON(nil, t.schema, columns, row)))
			}
		}
	}
	return rows, nil
}

// outcome reads what the lives have left, in the shape and order of want.
func (l *lives) outcome(ctx context.Context, want Outcome) Outcome {
	got := Outcome{Tables: map[string][]string{}, Ledger: engine.Ledger{}}
	for _, t := range l.tables() {
		rows, err := t.rows(ctx, l.store)
		if err != nil {
			rows = []string{err.Error()}
		}
		slices.Sort(rows)
		slices.Sort(want.Tables[t.name])
		got.Tables[t.name] = rows
		if len(rows) == 0 && len(want.Tables[t.name]) == 0 {
			got.Tables[t.name] = want.Tables[t.name]
		}
	}
	for name := range got.Tables {
		if _, asked := want.Tables[name]; !asked && len(got.Tables[name]) == 0 {
			delete(got.Tables, name)
		}
	}
	c, err := checkpoint.New(blob.Sub(l.store, home)).Newest(ctx)
	if err == nil && c != nil {
		got.Ledger = c.Ledger
	}
	return got
}

// agree looks whether all that is written down agrees: each table proves itself, no file was ever added twice, and
// vacuum, long after, takes every file that no table has, and none that one has.
func (l *lives) agree(ctx context.Context) error {
	for _, t := range l.tables() {
		table := maintenance.Table{Name: t.name, Store: blob.Sub(l.store, t.name)}
		if err := addedOnce(ctx, table.Store); err != nil {
			return err
		}
		if err := l.written.chain(ctx, t.name, table.Store); err != nil {
			return err
		}
		before, err := maintenance.Verify(ctx, table)
		if err != nil {
			return err
		}
		if before.Ledger == nil && before.Rows > 0 {
			return fmt.Errorf("table %s: its rows are not those of a ledger: %v", t.name, before.Unprovable)
		}
		if err := l.vacuum(ctx, table); err != nil {
			return err
		}
		after, err := maintenance.Verify(ctx, table)
		if err != nil {
			return fmt.Errorf("after vacuum: %w", err)
		}
		if files := len(names(l.store, t.name+"/")) - len(names(l.store, t.name+"/_delta_log/")); files != after.Files {
			return fmt.Errorf("table %s has %d files, and after vacuum %d are there", t.name, after.Files, files)
		}
	}
	return nil
}

// addedOnce says whether a file was made part of a table twice.
func addedOnce(ctx context.Context, store blob.Store) error {
	added := map[string]int64{}
	for e, err := range delta.Entries(ctx, store) {
		if err != nil {
			return err
		}
		for _, a := range e.Adds {
			if before, ok := added[a.Path]; ok {
				return fmt.Errorf("%s: file %s was added by version %d and again by version %d", store.URL(), a.Path, before, e.Version)
			}
			added[a.Path] = e.Version
		}
	}
	return nil
}

// vacuum runs two weeks later: what was removed and what never came in goes.
func (l *lives) vacuum(ctx context.Context, t maintenance.Table) error {
	time.Sleep(14 * 24 * time.Hour)
	v := maintenance.Vacuum{Open: func(string) (blob.Store, error) { return blob.Sub(l.store, home), nil }}
	if l.mutant.Vacuum != nil {
		l.mutant.Vacuum(&v)
	}
	_, err := v.Run(ctx, t)
	return err
}

// maintain does between two lives what a mishap says.
func (l *lives) maintain(ctx context.Context, kind Kind) error {
	for _, t := range l.tables() {
		table := maintenance.Table{Name: t.name, Store: blob.Sub(l.store, t.name)}
		var err error
		if kind == Vacuumed {
			err = l.vacuum(ctx, table)
		} else {
			_, err = maintenance.Optimize{TargetFile: 1 << 20}.Run(ctx, table)
		}
		if err != nil && !errors.Is(err, delta.ErrNotTable) && !strings.Contains(err.Error(), "there is none") { // no checkpoint yet
			return err
		}
	}
	return nil
}
