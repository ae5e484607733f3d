package delta_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/file"
	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/enginetest/tabletest"
	"github.com/millrace-io/millrace/engine/parquet"
)

func TestConforms(t *testing.T) {
	small := parquet.Options{TargetFile: 1 << 10, RowGroup: 512, Page: 64, OpenFiles: 3, Memory: 2 << 10}
	for name, c := range map[string]struct {
		open func(t *testing.T) blob.Store
		opt  parquet.Options
	}{
		"mem":         {func(*testing.T) blob.Store { return mem.New() }, parquet.Options{}},
		"small files": {func(*testing.T) blob.Store { return mem.New() }, small},
		"file": {func(t *testing.T) blob.Store {
			s, err := file.New(filepath.Join(t.TempDir(), "lake"))
			if err != nil {
				t.Fatal(err)
			}
			return s
		}, parquet.Options{}},
	} {
		t.Run(name, func(t *testing.T) {
			tabletest.Run(t, func(t *testing.T) tabletest.Harness { return harness(t, c.open(t), c.opt) })
		})
	}
}

// harness is a Delta table of Parquet files, as a pipeline has it.
func harness(t *testing.T, store blob.Store, opt parquet.Options) tabletest.Harness {
	return tabletest.Harness{
		Files: store, EmptyIsNull: true,
		Table: func(files blob.Store, c tabletest.Config) engine.Table {
			table, err := delta.NewTable(delta.Config{
				Name: "t", Pipeline: c.Pipeline, Store: files, Schema: c.Schema, PartitionBy: c.PartitionBy,
				Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
				NewWriter: func(int, delta.Indexing) engine.TableWriter {
					w, err := parquet.NewWriter(files, c.Schema, c.PartitionBy, opt, time.Now)
					if err != nil {
						t.Error(err)
					}
					return w
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			return table
		},
		Rows: func(schema engine.Schema) []string { return rowsOf(t, store, schema) },
	}
}

// rowsOf reads a table as anybody would: the files that its log names, and the partition values from there.
func rowsOf(t *testing.T, store blob.Store, schema engine.Schema) []string {
	t.Helper()
	s, err := delta.Load(t.Context(), store, delta.Latest)
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, add := range s.Files() {
		name, err := add.Name()
		if err != nil {
			t.Fatal(err)
		}
		f, err := parquet.Open(t.Context(), store, name, schema)
		if err != nil {
			t.Fatal(err)
		}
		for i := range f.RowGroups() {
			cols, err := f.ReadRowGroup(t.Context(), i, nil)
			if err != nil {
				t.Fatal(err)
			}
			fillPartitions(t, s.Metadata().PartitionBy, add, schema, cols, f.RowGroupRows(i))
			for row := range f.RowGroupRows(i) {
				rows = append(rows, string(column.AppendRowJSON(nil, schema, cols, row)))
			}
		}
	}
	return rows
}

// fillPartitions puts in the columns that are not in the file.
func fillPartitions(t *testing.T, by []string, add *delta.Add, schema engine.Schema, cols []column.Column, rows int) {
	t.Helper()
	for _, name := range by {
		at := schema.Index(name)
		cols[at] = column.New(schema[at].Type)
		for range rows {
			if err := delta.AppendPartition(cols[at], add.PartitionValues[name]); err != nil {
				t.Fatal(err)
			}
		}
	}
}
