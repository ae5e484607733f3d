package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/file"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/spec"
)

// The scripts run the program in processes of their own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"millrace": main, "maketable": maketable, "keepbroker": keepBroker})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// exits runs a command and asks for its exit code: exits CODE COMMAND ARGS…
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARGS…")
	}
	want := args[0]
	got := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		got = err.Error()
	}
	if want != "0" {
		want = "exit status " + want
	}
	if got != want {
		ts.Fatalf("ended with %s, want %s", got, want)
	}
}

// maketable DIR makes the table of the scripts.
func maketable() {
	if err := makeTable(context.Background(), os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// pinSchema has every type, and a partition column in the middle.

func pinSchema() column.Schema {
	return column.Schema{
		{Name: "ind", Type: column.Of(column.Long), Required: true},
		{Name: "title", Type: column.Of(column.String)},
		{Name: "category", Type: column.Of(column.String)},
		{Name: "at", Type: column.Of(column.Timestamp)},
		{Name: "day", Type: column.Of(column.Date)},
		{Name: "ratio", Type: column.Of(column.Double)},
		{Name: "good", Type: column.Of(column.Bool)},
		{Name: "coordinates", Type: column.ArrayOf(column.Double)},
		{Name: "bytes", Type: column.Of(column.Binary)},
	}
}

// pinRow adds row ind of the table: of every fifth row only ind has a value.
func pinRow(cols []column.Column, ind int64) {
	cols[0].(*column.Longs).Append(ind)
	if ind%5 == 4 {
		for _, c := range cols[1:] {
			c.AppendNull()
		}
		return
	}
	cols[1].(*column.Texts).AppendString(fmt.Sprintf("pin, the \"%d.\"\nof many", ind))
	cols[2].(*column.Texts).AppendString([]string{"art", "food/drink"}[ind%2])
	cols[3].(*column.Longs).Append(1_700_000_000_000_000 + ind)
	cols[4].(*column.Ints).Append(int32(19_000 + ind))
	cols[5].(*column.Doubles).Append(float64(ind) / 4)
	cols[6].(*column.Bools).Append(ind%2 == 0)
	list := cols[7].(*column.List)
	list.Elem.(*column.Doubles).Append(float64(ind))
	list.Elem.AppendNull()
	list.Close()
	cols[8].(*column.Texts).Append([]byte{0xff, byte(ind)})
}

// makeTable makes a table of rows 0 to 29, partitioned by category, in three commits of ten.
func makeTable(ctx context.Context, dir string) error {
	lake, err := file.New(filepath.Dir(dir))
	if err != nil {
		return err
	}
	t := spec.Table{Path: filepath.Base(dir), PartitionBy: []string{"category"}, Compression: "snappy", TargetFile: 1 << 20, Schema: pinSchema()}
	def := &spec.Definition{Plan: engine.Plan{Pipeline: "test"}}
	table, err := newDeltaTable(lake, def, "pins", t, "", nil)
	if err != nil {
		return err
	}
	state, err := table.Open(ctx, "a")
	if err != nil {
		return err
	}
	for epoch := engine.Epoch(1); epoch <= 3; epoch++ {
		p := engine.Prepared{Table: "pins", ID: state.ID, Prev: epoch - 1, Epoch: epoch}
		if epoch == 1 {
			p.Prev = engine.NoEpoch
		}
		if p.Files, err = writePins(ctx, table.Writer(0), 10*int64(epoch-1)); err != nil {
			return err
		}
		if _, err := table.Commit(ctx, p, engine.CommitInfo{Pipeline: "test", Epoch: epoch}); err != nil {
			return err
		}
	}
	return nil
}

func writePins(ctx context.Context, w engine.TableWriter, first int64) ([]engine.File, error) {
	b := &engine.Batch{Schema: pinSchema(), Rows: 10, Arena: column.NewArena()}
	for _, f := range b.Schema {
		b.Columns = append(b.Columns, column.New(f.Type))
	}
	for i := range int64(b.Rows) {
		pinRow(b.Columns, first+i)
	}
	if err := w.Write(ctx, b); err != nil {
		return nil, err
	}
	return w.Cut().Seal(ctx)
}

// pinTable makes the table of the scripts for a test in this process.
func pinTable(t *testing.T) (blob.Store, *delta.Snapshot) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "pins")
	if err := makeTable(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	s, store, err := latest(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return store, s
}

// millrace runs a command line in this process.
func millrace(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = execute(ctx, args, &out, &errs)
	return code, out.String(), errs.String()
}
