package parquet

import (
	"bytes"
	"context"
	"strings"
	"testing"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"

	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/column"
)

// small is a file of every type that we write.
func small(t testing.TB, opt Options, schema column.Schema, rows int) []byte {
	var b bytes.Buffer
	e, err := NewEncoder(&b, schema, opt)
	if err != nil {
		t.Fatal(err)
	}
	r := random(rows)
	var cols []column.Column
	for _, f := range schema {
		cols = append(cols, r.column(f, shape{nulls: 0.2, distinct: 7, longest: 9}, rows))
	}
	if err := e.Write(cols, nil, rows); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// FuzzOpen reads bytes that need be no Parquet file: there may be an error, never a panic.
func FuzzOpen(f *testing.F) {
	types := allTypes()
	for i := range types {
		f.Add(small(f, Options{Compression: Compression(i % 3), Page: 100}, types[i:i+1], 40))
	}
	for _, c := range foreignColumns() {
		for version, codec := range []compress.Codec{&pq.Gzip, &pq.Uncompressed} {
			f.Add(writeForeign(f, []foreign{c}, 10, pq.DataPageVersion(version+1), pq.Compression(codec)))
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		store := mem.New()
		if err := store.Put(context.Background(), "f", file); err != nil {
			t.Fatal(err)
		}
		r, err := Open(context.Background(), store, "f", nil)
		for i := 0; err == nil && i < min(3, r.RowGroups()); i++ {
			if r.RowGroupRows(i) > 1<<20 { // such a file takes long to read, and may be right
				break
			}
			_, err = r.ReadRowGroup(context.Background(), i, nil)
		}
		if err != nil && strings.Contains(err.Error(), "runtime error") {
			t.Error(err)
		}
	})
}
