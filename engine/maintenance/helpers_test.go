package maintenance_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/checkpoint"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
	"github.com/millrace-io/millrace/engine/maintenance"
	"github.com/millrace-io/millrace/engine/parquet"
)

const target = 1 << 20

// A writing is a pipeline that writes to a table.
type writing struct {
	t      testing.TB
	table  *delta.Table
	store  blob.Store
	schema engine.Schema
	id     string
	prev   engine.Epoch
	total  int64 // rows written by this pipeline
}

// write begins to write to the table in store, as pipeline p, whose checkpoints are at mem:p.
func write(t testing.TB, store blob.Store, pipeline, schema string, by ...string) *writing {
	t.Helper()
	return writeAs(t, store, pipeline, schema, "", by...)
}

// writeDeduped is write by pipeline p to a table whose rows are deduped.
func writeDeduped(t testing.TB, store blob.Store, schema, dedupe string) *writing {
	t.Helper()
	return writeAs(t, store, "p", schema, dedupe)
}

func writeAs(t testing.TB, store blob.Store, pipeline, schema, dedupe string, by ...string) *writing {
	t.Helper()
	w := &writing{t: t, store: store, schema: optest.Schema(schema)}
	var err error
	w.table, err = delta.NewTable(delta.Config{
		Name: "t", Pipeline: pipeline, Store: store, Schema: w.schema, PartitionBy: by, Evolve: true, CheckpointsURL: "mem:" + pipeline, Dedupe: dedupe,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		NewWriter: func(_ int, which delta.Indexing) engine.TableWriter {
			w, err := parquet.NewWriter(store, w.schema, by, parquet.Options{Indexed: which}, time.Now)
			if err != nil {
				t.Error(err)
			}
			return w
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	state, err := w.table.Open(t.Context(), "line")
	if err != nil {
		t.Fatal(err)
	}
	w.id, w.prev = state.ID, state.Epoch
	for _, a := range load(t, store).Files() {
		rows, _ := a.Rows()
		w.total += rows
	}
	return w
}

// seal writes rows into files that are not committed yet.
func (w *writing) seal(rows ...string) engine.Prepared {
	w.t.Helper()
	out := w.table.Writer(0)
	if err := out.Write(w.t.Context(), optest.Batch(w.schema, rows...)); err != nil {
		w.t.Fatal(err)
	}
	files, err := out.Cut().Seal(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return engine.Prepared{Table: "t", ID: w.id, Prev: w.prev, Epoch: w.prev + 1, Files: files}
}

func (w *writing) commit(p engine.Prepared) {
	w.t.Helper()
	for _, f := range p.Files {
		w.total += f.Rows
	}
	if _, err := w.table.Commit(w.t.Context(), p, engine.CommitInfo{Pipeline: "p", Epoch: p.Epoch, Ledger: engine.Count{In: w.total, Out: w.total}}); err != nil {
		w.t.Fatal(err)
	}
	w.prev = p.Epoch
}

// rows makes rows an epoch.
func (w *writing) rows(rows ...string) { w.t.Helper(); w.commit(w.seal(rows...)) }

func optimize() maintenance.Optimize {
	return maintenance.Optimize{TargetFile: target, EngineInfo: "millrace/test"}
}

func table(store blob.Store) maintenance.Table { return maintenance.Table{Name: "t", Store: store} }

func load(t testing.TB, store blob.Store) *delta.Snapshot {
	t.Helper()
	s, err := delta.Load(context.Background(), store, delta.Latest)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// rowsOf reads all rows of a table, sorted. It checks what the log says of each file.
func rowsOf(t testing.TB, store blob.Store) []string {
	t.Helper()
	for _, a := range load(t, store).Files() {
		name, err := a.Name()
		if err != nil {
			t.Fatal(err)
		}
		info, err := store.Stat(context.Background(), name)
		if err != nil || info.Size != a.Size {
			t.Fatalf("%s has %d bytes, the log says %d: %v", name, info.Size, a.Size, err)
		}
		f, err := parquet.Open(context.Background(), store, name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if n, ok := a.Rows(); !ok || n != f.Rows() {
			t.Errorf("%s has %d rows, the log says %d", name, f.Rows(), n)
		}
	}
	rows, err := plainRows(store)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// plainRows reads all rows of a table, sorted.
func plainRows(store blob.Store) ([]string, error) {
	s, err := delta.Load(context.Background(), store, delta.Latest)
	if err != nil {
		return nil, err
	}
	schema, err := s.Schema().Columns()
	if err != nil {
		return nil, err
	}
	rows := []string{}
	for _, a := range s.Files() {
		name, err := a.Name()
		if err != nil {
			return nil, err
		}
		f, err := parquet.Open(context.Background(), store, name, schema)
		if err != nil {
			return nil, err
		}
		for i := range f.RowGroups() {
			columns, err := f.ReadRowGroup(context.Background(), i, nil)
			if err != nil {
				return nil, err
			}
			for _, by := range s.Metadata().PartitionBy {
				at := schema.Index(by)
				columns[at] = column.New(schema[at].Type)
				for range f.RowGroupRows(i) {
					if err := delta.AppendPartition(columns[at], a.PartitionValues[by]); err != nil {
						return nil, err
					}
				}
			}
			for row := range f.RowGroupRows(i) {
				rows = append(rows, string(column.AppendRowJSON(nil, schema, columns, row)))
			}
		}
	}
	slices.Sort(rows)
	return rows, nil
}

// numbered makes rows of ids from ≤ id < to.
func numbered(from, to int) []string {
	var rows []string
	for id := from; id < to; id++ {
		rows = append(rows, fmt.Sprintf(`{"id":%d,"city":"city %d"}`, id, id%3))
	}
	return rows
}

// A lake holds the checkpoints of pipelines by URL.
type lake map[string]*mem.Store

// open implements Vacuum.Open.
func (l lake) open(url string) (blob.Store, error) {
	if s, ok := l[url]; ok {
		return s, nil
	}
	return nil, fmt.Errorf("no place %s", url)
}

// prepares puts a checkpoint that names p where the pipeline's are.
func (l lake) prepares(t testing.TB, pipeline string, prepared ...engine.Prepared) {
	t.Helper()
	url := "mem:" + pipeline
	if l[url] == nil {
		l[url] = mem.New()
	}
	c := &engine.Checkpoint{
		Format: engine.CheckpointFormat, Pipeline: pipeline, Task: "all", Incarnation: "line", Attempt: "a", Epoch: 1 + newest(t, l[url]), Tables: prepared,
		Prev: map[string]engine.Epoch{}, Ledger: engine.Ledger{}, State: []engine.StateRef{},
	}
	for i := range c.Tables {
		c.Tables[i].Epoch, c.Tables[i].Prev = c.Epoch, c.Epoch-1
	}
	if err := checkpoint.New(l[url]).Write(context.Background(), c); err != nil {
		t.Fatal(err)
	}
}

func newest(t testing.TB, store blob.Store) engine.Epoch {
	c, err := checkpoint.New(store).Newest(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if c == nil {
		return 0
	}
	return c.Epoch
}
