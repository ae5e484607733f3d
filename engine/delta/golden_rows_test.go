package delta_test

import (
	"archive/tar"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/column"
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
