package delta_test

import (
	"archive/tar"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/parquet"
)

// unpackGolden gives the files of one of Spark's tables: delta/ is the table, expected/ its rows.
func unpackGolden(t *testing.T, name string) *mem.Store {
	t.Helper()
	f, err := os.Open(filepath.Join(os.Getenv("MILLRACE_TESTDATA"), "delta-golden", name+".tar.zst"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := zstd.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	store := mem.New()
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return store
		}
		if err != nil {
			t.Fatal(err)
		}
		_, path, ok := strings.Cut(filepath.ToSlash(filepath.Clean(h.Name)), "/")
		if h.Typeflag != tar.TypeReg || !ok {
			continue
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Put(t.Context(), path, data); err != nil {
			t.Fatal(err)
		}
	}
}

// TestGoldenRows: the rows of Spark's tables of all types, old and new forms of them, are those expected.
func TestGoldenRows(t *testing.T) {
	if os.Getenv("MILLRACE_TESTDATA") == "" {
		t.Skip("set MILLRACE_TESTDATA to the folder that holds delta-golden")
	}
	for _, name := range []string{
		"124-decimal-decode-bug", "basic-decimal-table-legacy", "data-reader-array-complex-objects", "data-reader-date-types-Jst", "data-reader-map",
		"data-reader-nullable-field-invalid-schema-key", "data-reader-primitives", "data-skipping-basic-stats-all-types-checkpoint",
		"decimal-various-scale-precision", "kernel-timestamp-int96", "kernel-timestamp-timestamp_micros", "parquet-all-types-legacy-format",
		"time-travel-schema-changes-b",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := unpackGolden(t, name)
			table := blob.Sub(root, "delta")
			s, err := delta.Load(t.Context(), table, delta.Latest)
			if err != nil {
				t.Fatal(err)
			}
			schema, err := s.Schema().Columns()
			if err != nil {
				t.Fatal(err)
			}
			got, want := rowsOf(t, table, schema), expectedRows(t, root, schema)
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
				t.Errorf("%d rows: %s", len(want), diff)
			}
		})
	}
}

// expectedRows reads the files that have a table's rows by themselves.
func expectedRows(t *testing.T, root *mem.Store, schema column.Schema) []string {
	t.Helper()
	var rows []string
	for info, err := range root.List(t.Context(), "expected/", "") {
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(info.Name, ".parquet") {
			continue
		}
		f, err := parquet.Open(t.Context(), root, info.Name, schema)
		if err != nil {
			t.Fatal(err)
		}
		for i := range f.RowGroups() {
			cols, err := f.ReadRowGroup(t.Context(), i, nil)
			if err != nil {
				t.Fatal(err)
			}
			for row := range f.RowGroupRows(i) {
				rows = append(rows, string(column.AppendRowJSON(nil, schema, cols, row)))
			}
		}
	}
	return rows
}
