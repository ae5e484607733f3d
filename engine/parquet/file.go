package parquet

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/column"
)

// A File is a file of any writer, read a row group at a time. It belongs to one goroutine.
type File struct {
	store  blob.Store
	name   string
	size   int64
	meta   format.FileMetaData
	schema column.Schema
	from   []reading // where the columns of schema come from
	leaves []*source

	unpress decompressor
}

// Open reads the footer of a file of the store. The File gives the columns of wanted, in its order; one
// that the file lacks is null in every row. A nil wanted means the columns that the file has and the engine
// has a type for. An error of the store is wrapped; any other says what is wrong with the file, or that a
// column can't be read as what is wanted.
func Open(ctx context.Context, store blob.Store, name string, wanted column.Schema) (f *File, err error) {
	defer guard(name, &err)
	f = &File{store: store, name: name}
	if err := f.readFooter(ctx); err != nil {
		return nil, err
	}
	var sources []source
	if sources, f.leaves, err = sourcesOf(f.meta.Schema); err != nil {
		return nil, err
	}
	if wanted == nil {
		wanted = readable(sources)
	}
	f.schema = wanted
	if f.from, err = match(wanted, sources); err != nil {
		return nil, err
	}
	return f, f.checkRowGroups(len(f.leaves))
}

// guard puts the file's name before an error and makes one of a panic: the libraries that decode pages are
// not always careful with bytes that no writer wrote.
func guard(name string, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("it is corrupt: %v", p)
	}
	if *err != nil {
		*err = fmt.Errorf("read %s: %w", name, *err)
	}
}

// Schema is the columns that ReadRowGroup gives.
func (f *File) Schema() column.Schema { return f.schema }

// Rows is the number of rows in the file.
func (f *File) Rows() int64 { return f.meta.NumRows }

// RowGroups is the number of row groups.
func (f *File) RowGroups() int { return len(f.meta.RowGroups) }

// RowGroupRows is the number of rows of row group i.
func (f *File) RowGroupRows(i int) int { return int(f.meta.RowGroups[i].NumRows) }

// CreatedBy names the program that wrote the file.
func (f *File) CreatedBy() string { return f.meta.CreatedBy }

// tail is what is read from a file's end before its footer's length is known: most footers are shorter.
const tail = 64 << 10

// largestFooter bounds what a footer may take.
const largestFooter = 256 << 20

var errNotParquet = errors.New("it is no Parquet file")

// readFooter reads the metadata from the end of the file: metadata, length as four bytes, magic.
func (f *File) readFooter(ctx context.Context) error {
	info, err := f.store.Stat(ctx, f.name)
	if err != nil {
		return err
	}
	f.size = info.Size
	end, err := f.store.Range(ctx, f.name, -min(tail, max(f.size, 1)), tail)
	if err != nil {
		return err
	}
	if f.size < 12 || len(end) < 12 || string(end[len(end)-4:]) != magic {
		return errNotParquet
	}
	length := int64(binary.LittleEndian.Uint32(end[len(end)-8:]))
	if length > f.size-12 || length > largestFooter {
		return fmt.Errorf("it is corrupt: a footer of %d bytes in a file of %d", length, f.size)
	}
	if length+8 > int64(len(end)) {
		if end, err = f.store.Range(ctx, f.name, -(length + 8), length+8); err != nil {
			return err
		}
	}
	footer := end[int64(len(end))-8-length : len(end)-8]
	return decodeThrift(footer, &f.meta)
}

// decodeThrift decodes a struct that b begins with.
func decodeThrift(b []byte, v any) error {
	n, err := skim(b)
	if err == nil {
		err = thrift.Unmarshal(new(thrift.CompactProtocol), b[:n], v)
	}
	if err != nil {
		return fmt.Errorf("it is corrupt: %w", err)
	}
	return nil
}

// largestRowGroup bounds the rows of a row group, which are in memory together.
const largestRowGroup = 1 << 28

// checkRowGroups refuses what would not fit into columns or lies outside the file.
func (f *File) checkRowGroups(leaves int) error {
	for i := range f.meta.RowGroups {
		g := &f.meta.RowGroups[i]
		if g.NumRows < 0 || g.NumRows > largestRowGroup {
			return fmt.Errorf("row group %d has %d rows: at most %d can be read", i, g.NumRows, largestRowGroup)
		}
		if len(g.Columns) != leaves {
			return fmt.Errorf("it is corrupt: row group %d has %d columns, the schema %d", i, len(g.Columns), leaves)
		}
	}
	return nil
}

// ReadRowGroup reads row group i. The columns live as long as the arena; with a nil arena they are new.
func (f *File) ReadRowGroup(ctx context.Context, i int, arena *column.Arena) (cols []column.Column, err error) {
	defer guard(f.name, &err)
	if i < 0 || i >= len(f.meta.RowGroups) {
		return nil, fmt.Errorf("there is no row group %d, there are %d", i, len(f.meta.RowGroups))
	}
	cols = make([]column.Column, len(f.schema))
	for k, field := range f.schema {
		if arena != nil {
			cols[k] = arena.Column(field.Type)
		} else {
			cols[k] = column.New(field.Type)
		}
		if f.from[k].source == nil {
			continue
		}
		if err := f.readColumn(ctx, i, &f.from[k], cols[k]); err != nil {
			return nil, fmt.Errorf("row group %d, column %s: %w", i, field.Name, err)
		}
		if got, want := cols[k].Len(), f.RowGroupRows(i); got != want {
			return nil, fmt.Errorf("it is corrupt: row group %d has %d rows, column %s of it %d", i, want, field.Name, got)
		}
	}
	for k := range cols { // last, when the number of rows has proved true if any column is there
		for f.from[k].source == nil && cols[k].Len() < f.RowGroupRows(i) {
			cols[k].AppendNull()
		}
	}
	return cols, nil
}

// readColumn reads a column of row group i.
func (f *File) readColumn(ctx context.Context, i int, r *reading, dst column.Column) error {
	if r.source.flat() {
		return f.readChunk(ctx, i, r.source, dst, nil)
	}
	types := map[int]column.Type{}
	r.wantLeaves(types)
	a := assembly{leaves: map[int]*entries{}}
	for _, leaf := range slices.Sorted(maps.Keys(types)) {
		e, t := &entries{}, types[leaf]
		if t.Kind != column.Invalid {
			e.values = column.New(t)
		}
		if err := f.readChunk(ctx, i, f.leaves[leaf], e.values, e); err != nil {
			return err
		}
		a.leaves[leaf] = e
	}
	return a.column(dst, r, f.RowGroupRows(i))
}
