//go:build real

package realtest_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/file"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
	"github.com/millrace-io/millrace/engine/enginetest/tabletest"
	"github.com/millrace-io/millrace/engine/maintenance"
	"github.com/millrace-io/millrace/engine/parquet"
	"github.com/millrace-io/millrace/scripts/realtest"
)

// TestJudgedByOthers: every table that the conformance suite of tables writes, and tables that were
// checkpointed and cleaned, evolved and replaced, are to delta-rs, DuckDB and Spark what they are to us: all
// rows, the history, the protocol. Then Spark appends to some and compacts them, and we read that and append
// again.
func TestJudgedByOthers(t *testing.T) {
	root := t.TempDir()
	folders := &suiteFolders{root: root}
	t.Run("suite", func(t *testing.T) {
		tabletest.Run(t, func(t *testing.T) tabletest.Harness { return folders.harness(t) })
	})
	special := specialTables(t, root)
	var tables []realtest.Judged
	for _, path := range append(folders.tables(t), special...) {
		j := realtest.Judge(t, path, root)
		j.Change = strings.HasPrefix(filepath.Base(path), "special-")
		tables = append(tables, j)
	}
	if len(tables) < 20 {
		t.Errorf("only %d tables", len(tables))
	}
	realtest.JudgeAll(t, tables, false)
	realtest.JudgeAll(t, tables, true)

	var again []realtest.Judged
	for _, j := range tables {
		if j.Change {
			again = append(again, goOn(t, root, j))
		}
	}
	realtest.JudgeAll(t, again, false)
}

// goOn appends an epoch to a table that Spark has changed, and compares what was there with what millrace said
// before, each row twice.
func goOn(t *testing.T, root string, before realtest.Judged) realtest.Judged {
	t.Helper()
	after := realtest.Judge(t, before.Path, t.TempDir())
	count := map[string]int{}
	before.EachRow(t, func(line []byte) { count[string(line)] += 2 })
	after.EachRow(t, func(line []byte) { count[string(line)]-- })
	for line, n := range count {
		if n != 0 {
			t.Errorf("%s: Spark's append and OPTIMIZE left %d too few of %s", before.Path, n, line)
		}
	}
	w := writerOf(t, before.Path, "id: long!, city: string", false)
	w.commit(t, `{"id":900,"city":"after Spark"}`)
	return realtest.Judge(t, before.Path, root)
}

// suiteFolders keeps the tables of the suite.
type suiteFolders struct {
	root string
	mu   sync.Mutex
	all  []string
}

// harness is a place for one test of the suite.
func (f *suiteFolders) harness(t *testing.T) tabletest.Harness {
	path := filepath.Join(f.root, filepath.Base(t.Name()))
	f.mu.Lock()
	f.all = append(f.all, path)
	f.mu.Unlock()
	store, err := file.New(path)
	if err != nil {
		t.Fatal(err)
	}
	return tabletest.Harness{
		Files: store, EmptyIsNull: true,
		Table: func(files blob.Store, c tabletest.Config) engine.Table {
			return newTable(t, files, delta.Config{Name: "t", Pipeline: c.Pipeline, Schema: c.Schema, PartitionBy: c.PartitionBy})
		},
		Rows: func(engine.Schema) []string {
			j := realtest.Judge(t, path, t.TempDir())
			var rows []string
			j.EachRow(t, func(line []byte) { rows = append(rows, string(line)) })
			return rows
		},
	}
}

// tables are those that came to be: some tests are about tables that do not.
func (f *suiteFolders) tables(t *testing.T) []string {
	var there []string
	for _, path := range f.all {
		if _, err := os.Stat(filepath.Join(path, "_delta_log")); err == nil {
			there = append(there, path)
		} else {
			t.Logf("no table of %s", filepath.Base(path))
		}
	}
	return there
}

func newTable(t testing.TB, files blob.Store, c delta.Config) *delta.Table {
	c.Store, c.EngineInfo = files, "millrace/test"
	c.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	c.NewWriter = func(int, delta.Indexing) engine.TableWriter {
		w, err := parquet.NewWriter(files, c.Schema, c.PartitionBy, parquet.Options{}, time.Now)
		if err != nil {
			t.Error(err)
		}
		return w
	}
	table, err := delta.NewTable(c)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// A writing is a pipeline that writes to a table.
type writing struct {
	table  *delta.Table
	store  blob.Store
	schema engine.Schema
	state  engine.TableState
	prev   engine.Epoch
	all    bool // each epoch replaces the one before
}

func writerOf(t *testing.T, path, schema string, replace bool) *writing {
	t.Helper()
	store, err := file.New(path)
	if err != nil {
		t.Fatal(err)
	}
	w := &writing{store: store, schema: optest.Schema(schema), all: replace}
	w.table = newTable(t, store, delta.Config{Name: "t", Pipeline: "p", Schema: w.schema, Evolve: true, CheckpointsURL: "file:///nowhere"})
	if w.state, err = w.table.Open(t.Context(), "line"); err != nil {
		t.Fatal(err)
	}
	w.prev = w.state.Epoch
	return w
}

// commit makes rows an epoch.
func (w *writing) commit(t *testing.T, rows ...string) {
	t.Helper()
	files := w.table.Writer(0)
	if err := files.Write(t.Context(), optest.Batch(w.schema, rows...)); err != nil {
		t.Fatal(err)
	}
	sealed, err := files.Cut().Seal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := engine.Prepared{Table: "t", ID: w.state.ID, Prev: w.prev, Epoch: w.prev + 1, Files: sealed, Replace: w.all}
	if _, err := w.table.Commit(t.Context(), p, engine.CommitInfo{Pipeline: "p", Epoch: p.Epoch}); err != nil {
		t.Fatal(err)
	}
	w.prev++
}

// specialTables are tables with a history.
func specialTables(t *testing.T, root string) []string {
	paths := map[string]func(t *testing.T, path string){
		"special-checkpoint": checkpointed, "special-evolved": evolved, "special-replaced": replaced, "special-optimized": optimized,
		"all-types": allTypes,
	}
	var all []string
	for name, write := range paths {
		path := filepath.Join(root, name)
		write(t, path)
		all = append(all, path)
	}
	return all
}

// checkpointed is a table of 25 epochs whose first entries are gone: two checkpoints stand for them.
func checkpointed(t *testing.T, path string) {
	w := writerOf(t, path, "id: long!, city: string", false)
	for i := range 25 {
		w.commit(t, fmt.Sprintf(`{"id":%d,"city":"Oslo"}`, i), fmt.Sprintf(`{"id":%d,"city":null}`, 100+i))
		if i == 9 || i == 19 {
			s, err := delta.Load(t.Context(), w.store, delta.Latest)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.WriteCheckpoint(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for v := range 20 {
		if err := w.store.Delete(t.Context(), fmt.Sprintf("_delta_log/%020d.json", v)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.store.Delete(t.Context(), fmt.Sprintf("_delta_log/%020d.checkpoint.parquet", 10)); err != nil {
		t.Fatal(err)
	}
}

// optimized is a table whose small files were put together twice, the second time with some that were put together
// before.
func optimized(t *testing.T, path string) {
	w := writerOf(t, path, "id: long!, city: string", false)
	for i := range 9 {
		w.commit(t, fmt.Sprintf(`{"id":%d,"city":"Oslo"}`, i), fmt.Sprintf(`{"id":%d,"city":null}`, 100+i))
		if i%4 == 3 {
			done, err := maintenance.Optimize{TargetFile: 1 << 20, EngineInfo: "millrace/test"}.Run(t.Context(), maintenance.Table{Name: "t", Store: w.store})
			if err != nil || done.Commits != 1 {
				t.Fatalf("%+v, %v", done, err)
			}
		}
	}
}

// allTypes is a table with columns of types that have parts or digits: evolved, put together, known by its checkpoint only.
func allTypes(t *testing.T, path string) {
	const schema = "id: long!, b: byte, s: short!, price: decimal(10,2), much: decimal(38,10), at: timestamp_ntz, day: date, " +
		"who: struct<name: string!, tags: array<string>, more: struct<x: decimal(20,0)>>, rates: map<string, decimal(5,1)>, grid: array<array<short>>"
	w := writerOf(t, path, schema, false)
	w.commit(t, `{"id":1,"b":-128,"s":32767,"price":-12.50,"much":1234567890123456789012345678.0123456789,"at":"2026-01-02T03:04:05.000001","day":"1969-12-31",`+
		`"who":{"name":"a","tags":["x",null],"more":{"x":12345678901234567890}},"rates":{"k":1.5,"l":null},"grid":[[1,null],null,[]]}`,
		`{"id":2,"s":0}`)
	w = writerOf(t, path, schema+", late: map<int, struct<y: byte!>>", false)
	w.commit(t, `{"id":3,"s":-1,"who":{"name":""},"rates":{},"grid":[],"late":[[7,{"y":1}],[8,null]]}`)
	done, err := maintenance.Optimize{TargetFile: 1 << 20, EngineInfo: "millrace/test"}.Run(t.Context(), maintenance.Table{Name: "t", Store: w.store})
	if err != nil || done.Commits != 1 || done.Rows != 3 {
		t.Fatalf("%+v, %v", done, err)
	}
	s, err := delta.Load(t.Context(), w.store, delta.Latest)
	if err == nil {
		err = s.WriteCheckpoint(t.Context())
	}
	for v := int64(0); err == nil && v < s.Version(); v++ {
		err = w.store.Delete(t.Context(), fmt.Sprintf("_delta_log/%020d.json", v))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// evolved is a table that got columns twice.
func evolved(t *testing.T, path string) {
	writerOf(t, path, "id: long!, city: string", false).commit(t, `{"id":1,"city":"Oslo"}`)
	writerOf(t, path, "id: long!, city: string, at: timestamp!", false).commit(t, `{"id":2,"city":null,"at":"2024-02-29T12:00:00.000001Z"}`)
	writerOf(t, path, "id: long!, tags: array<string>, city: string", false).commit(t, `{"id":3,"tags":["a",null],"city":"Bergen"}`)
}

// replaced is a table whose rows were replaced.
func replaced(t *testing.T, path string) {
	w := writerOf(t, path, "id: long!, city: string", true)
	for i := range 4 {
		w.commit(t, fmt.Sprintf(`{"id":%d,"city":"Oslo"}`, i), fmt.Sprintf(`{"id":%d,"city":"Bergen"}`, i))
	}
}
