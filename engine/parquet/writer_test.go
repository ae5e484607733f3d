package parquet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/delta"
)

var _ = errors.New
var _ = bytes.NewReader

// noon is the wall clock of these tests.
func noon() time.Time { return time.UnixMilli(1_700_000_000_000) }

// cities makes a batch of the columns city, n and tag: n counts from first, the others come around.
func cities(first, rows int, names ...string) *engine.Batch {
	schema := column.Schema{field("city", column.String), {Name: "n", Type: column.Of(column.Long), Required: true}, field("tag", column.String)}
	b := &engine.Batch{Schema: schema, Rows: rows}
	for _, f := range schema {
		b.Columns = append(b.Columns, column.New(f.Type))
	}
	for i := range rows {
		if name := names[i%len(names)]; name == "null" {
			b.Columns[0].AppendNull()
		} else {
			b.Columns[0].(*column.Texts).AppendString(name)
		}
		b.Columns[1].(*column.Longs).Append(int64(first + i))
		b.Columns[2].(*column.Texts).AppendString(strings.Repeat("t", i%7))
	}
	return b
}

func newWriter(t *testing.T, store blob.Store, opt Options, partitionBy ...string) *Writer {
	t.Helper()
	w, err := NewWriter(store, cities(0, 0).Schema, partitionBy, opt, noon)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func write(t *testing.T, w *Writer, batches ...*engine.Batch) {
	t.Helper()
	for _, b := range batches {
		if err := w.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
}

func seal(t *testing.T, w *Writer) []engine.File {
	t.Helper()
	files, err := w.Cut().Seal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// rowsOf reads the rows of files as "n city", sorted, the city from the log's action.
func rowsOf(t *testing.T, store blob.Store, files []engine.File) []string {
	t.Helper()
	var rows []string
	for _, f := range files {
		r, err := Open(t.Context(), store, f.Path, nil)
		if err != nil {
			t.Fatal(err)
		}
		var add struct{ Add delta.Add }
		if err := json.Unmarshal(f.Add, &add); err != nil {
			t.Fatal(err)
		}
		if name, err := add.Add.Name(); err != nil || name != f.Path {
			t.Errorf("the log has file %q (%v), written is %q", name, err, f.Path)
		}
		if n, _ := add.Add.Rows(); n != f.Rows || n != r.Rows() || add.Add.Size != f.Size {
			t.Errorf("%s has %d rows; the log says %d rows and %d bytes, the writer %d and %d", f.Path, r.Rows(), n, add.Add.Size, f.Rows, f.Size)
		}
		suffix := ""
		for _, v := range add.Add.PartitionValues {
			if suffix = " null"; v != nil {
				suffix = " " + *v
			}
		}
		for i := range r.RowGroups() {
			cols, err := r.ReadRowGroup(t.Context(), i, nil)
			if err != nil {
				t.Fatal(err)
			}
			at := r.Schema().Index("n")
			for _, n := range cols[at].(*column.Longs).Values {
				rows = append(rows, fmt.Sprintf("%05d%s", n, suffix))
			}
		}
	}
	slices.Sort(rows)
	return rows
}

// wanted is what rowsOf gives for a batch.
func wanted(batches ...*engine.Batch) []string {
	var rows []string
	for _, b := range batches {
		for i := range b.Sel.All(b.Rows) {
			v := delta.PartitionText(b.Columns[0], i)
			if v == nil {
				v = new("null")
			}
			rows = append(rows, fmt.Sprintf("%05d %s", b.Columns[1].(*column.Longs).Values[i], *v))
		}
	}
	slices.Sort(rows)
	return rows
}

// nasty are partition values that folders, URLs and Hive make something of.
var nasty = []string{"Oslo", "a/b", "null", "", "x=y", "ä b", "100%", "%2F", "..", ".", "q?#", "tab\t", "a:b", "{z}", strings.Repeat("long", 200), "__HIVE_DEFAULT_PARTITION__"}

func TestPartitions(t *testing.T) {
	store := mem.New()
	w := newWriter(t, store, Options{}, "city")
	a, b := cities(0, 100, nasty...), cities(100, 500, nasty...)
	b = b.Select(column.Selection{0, 3, 4, 5, 99, 100, 499})
	write(t, w, a, b)
	files := seal(t, w)
	if diff := cmp.Diff(wanted(a, b), rowsOf(t, store, files)); diff != "" {
		t.Error(diff)
	}
	if got := len(files); got != len(nasty) {
		t.Errorf("%d files for %d values", got, len(nasty))
	}
	for _, f := range files {
		r, err := Open(t.Context(), store, f.Path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := r.Schema().String(), "n: long!, tag: string"; got != want {
			t.Errorf("file has columns %s, want %s", got, want)
		}
	}
}

func TestFileNames(t *testing.T) {
	for opt, suffix := range map[Compression]string{Snappy: ".snappy.parquet", Zstd: ".zstd.parquet", None: ".parquet"} {
		store := mem.New()
		w := newWriter(t, store, Options{Compression: opt}, "city")
		write(t, w, cities(0, 1, "Oslo"))
		got := seal(t, w)[0].Path
		dir, name, _ := strings.Cut(got, "/")
		parts := strings.Split(name, "-")
		if dir != "city=Oslo" || len(parts) != 8 || parts[0] != "part" || parts[1] != "00000" || parts[7] != "c000"+suffix {
			t.Errorf("file is %s", got)
		}
	}
}

func TestNoRowsNoFile(t *testing.T) {
	store := mem.New()
	for _, by := range [][]string{nil, {"city"}} {
		w := newWriter(t, store, Options{}, by...)
		if s := w.Cut(); s != nil {
			t.Error("a sealing without rows")
		}
		b := cities(0, 5, "a")
		write(t, w, cities(0, 0), b.Select(column.Selection{}))
		if s := w.Cut(); s != nil {
			t.Error("a sealing without selected rows")
		}
	}
	if n := len(store.Snapshot()); n != 0 {
		t.Errorf("%d objects", n)
	}
}

// TestRolls ends files at their size, and keeps what waits for Cut bounded.
func TestRolls(t *testing.T) {
	store := mem.New()
	w := newWriter(t, store, Options{TargetFile: 2000, Compression: None, Dictionary: -1})
	var batches []*engine.Batch
	for i := range 200 {
		batches = append(batches, cities(i*20, 20, "a", "b"))
	}
	write(t, w, batches...)
	if n := len(store.Snapshot()); n == 0 {
		t.Error("no ended file is visible before Cut")
	}
	files := seal(t, w)
	if len(files) < 20 || len(files) > 60 {
		t.Errorf("%d files", len(files))
	}
	for _, f := range files {
		if f.Size > 5000 {
			t.Errorf("%s has %d bytes", f.Path, f.Size)
		}
	}
	var got, want []string
	for _, r := range rowsOf(t, store, files) {
		got = append(got, r[:5])
	}
	for _, r := range wanted(batches...) {
		want = append(want, r[:5])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestManyPartitions has more values than may be open, and less memory than they would take.
func TestManyPartitions(t *testing.T) {
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprint("city ", i*37%100))
	}
	for _, opt := range []Options{{OpenFiles: 7}, {Memory: 1}, {Memory: 300_000}, {OpenFiles: 1, TargetFile: 1}} {
		store := mem.New()
		w := newWriter(t, store, opt, "city")
		batches := []*engine.Batch{cities(0, 1000, names...), cities(1000, 1000, names[:50]...), cities(2000, 10, names[3])}
		write(t, w, batches...)
		if n := len(w.filling); n > w.opt.OpenFiles {
			t.Errorf("%d files are open", n)
		}
		if diff := cmp.Diff(wanted(batches...), rowsOf(t, store, seal(t, w))); diff != "" {
			t.Errorf("%+v: %s", opt, diff)
		}
	}
}

// TestEpochs writes an epoch while the one before is sealed.
func TestEpochs(t *testing.T) {
	store := mem.New()
	w := newWriter(t, store, Options{Compression: Zstd}, "city")
	type result struct {
		files []engine.File
		err   error
	}
	var batches []*engine.Batch
	results := make(chan result)
	for epoch := range 5 {
		b := cities(epoch*1000, 1000, nasty...)
		batches = append(batches, b)
		write(t, w, b)
		s := w.Cut()
		go func() {
			files, err := s.Seal(context.Background())
			results <- result{files, err}
		}()
	}
	var files []engine.File
	for range 5 {
		r := <-results
		if r.err != nil {
			t.Fatal(r.err)
		}
		files = append(files, r.files...)
	}
	if diff := cmp.Diff(wanted(batches...), rowsOf(t, store, files)); diff != "" {
		t.Error(diff)
	}
}

func TestDiscard(t *testing.T) {
	store := mem.New()
	w := newWriter(t, store, Options{}, "city")
	write(t, w, cities(0, 10, "a", "b"))
	w.Discard()
	write(t, w, cities(10, 10, "a", "b"))
	w.Cut().Discard()
	if n := len(store.Snapshot()); n != 0 {
		t.Errorf("%d objects", n)
	}
	b := cities(20, 10, "a", "b")
	write(t, w, b)
	if diff := cmp.Diff(wanted(b), rowsOf(t, store, seal(t, w))); diff != "" {
		t.Error(diff)
	}
}

// TestStatsInTheLog compares what the log says of a file with its rows.
func TestStatsInTheLog(t *testing.T) {
	store := mem.New()
	w := newWriter(t, store, Options{}, "city")
	write(t, w, cities(3, 10, "a").Select(column.Selection{1, 2, 5}))
	f := seal(t, w)[0]
	want := fmt.Sprintf(`{"add":{"path":%q,"partitionValues":{"city":"a"},"size":%d,"modificationTime":1700000000000,"dataChange":true,`+
		`"stats":"{\"numRecords\":3,\"minValues\":{\"n\":4,\"tag\":\"t\"},\"maxValues\":{\"n\":8,\"tag\":\"ttttt\"},\"nullCount\":{\"n\":0,\"tag\":0}}"}}`, f.Path, f.Size)
	if diff := cmp.Diff(want, string(f.Add)); diff != "" {
		t.Error(diff)
	}
}
