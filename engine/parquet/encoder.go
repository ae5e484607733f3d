package parquet

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/delta"
)

// An Encoder writes one file. It belongs to one goroutine at a time.
//
// It holds the compressed pages of the row group being filled, at most Options.RowGroup bytes and a page of
// each column, and for each column the page being filled and a dictionary. What it has written to w it
// forgets, but for some hundred bytes a row group and column.
type Encoder struct {
	w      io.Writer
	schema column.Schema
	layout layout
	opt    Options
	press  *press
	chunks []*chunk // one a leaf
	rows   int64    // of the row group
	stats  *delta.Stats
	meta   format.FileMetaData
	at     int64                 // bytes written
	runs   []run                 // scratch
	parts  []delta.ColumnSummary // scratch
	err    error                 // what has ended the file early
}

// run is rows that follow each other: from to to, without to.
type run struct{ from, to int }

// count is the number of rows.
func count(runs []run) int {
	n := 0
	for _, r := range runs {
		n += r.to - r.from
	}
	return n
}

// Summary is what Close says of a file.
type Summary struct {
	Rows  int64
	Bytes int64  // the file's size
	Stats string // statistics of its rows, as delta.Stats.JSON has them
}

// NewEncoder begins a file of columns of the schema. The options must be valid; of those that concern
// a Writer none is used. An error in writing to w is the error of all later calls.
func NewEncoder(w io.Writer, schema column.Schema, opt Options) (*Encoder, error) {
	c, err := newCodec(opt.Compression)
	if err != nil {
		return nil, err
	}
	e, err := newEncoder(schema, opt, &c, &memory{})
	if err != nil {
		return nil, err
	}
	e.begin(w)
	return e, nil
}

// newEncoder makes an encoder without a file.
func newEncoder(schema column.Schema, opt Options, c *codec, m *memory) (*Encoder, error) {
	if len(schema) == 0 {
		return nil, errors.New("a Parquet file needs at least one column")
	}
	opt = opt.filled()
	e := &Encoder{schema: schema, opt: opt, press: newPress(c, m), stats: delta.NewStats(schema, opt.Indexed)}
	var err error
	if e.layout, err = layOut(schema); err != nil {
		return nil, err
	}
	limit := limits{page: opt.Page, rows: opt.PageRows, dictionary: opt.Dictionary}
	for _, l := range e.layout.leaves {
		e.chunks = append(e.chunks, newChunk(l, limit, e.press))
	}
	return e, nil
}

// begin begins a file. What the encoder learnt about the columns in the last one it keeps.
func (e *Encoder) begin(w io.Writer) {
	e.w, e.at, e.err = w, 0, nil
	e.stats.Reset()
	e.meta = format.FileMetaData{Version: 1, CreatedBy: e.opt.CreatedBy}
	e.meta.Schema = append(e.meta.Schema, format.SchemaElement{Name: "schema", NumChildren: thrift.New(int32(len(e.schema)))})
	e.meta.Schema = append(e.meta.Schema, e.layout.elements...)
	for _, k := range e.chunks {
		k.beginFile()
		e.meta.ColumnOrders = append(e.meta.ColumnOrders, format.ColumnOrder{Value: &format.TypeDefinedOrder{}})
	}
}

// strip is how many rows are taken through all columns before the next ones, so that the limits hold for
// batches of any size.
const strip = 4096

// Write adds the rows sel of cols, which are those of the schema in its order; all n rows when sel is nil.
// The columns are lent. A null in a required column is an error.
func (e *Encoder) Write(cols []column.Column, sel column.Selection, n int) error {
	if e.err == nil {
		e.err = e.check(cols, sel, n)
	}
	if sel == nil {
		for from := 0; from < n && e.err == nil; from += strip {
			e.runs = append(e.runs[:0], run{from, min(n, from+strip)})
			e.err = e.writeRuns(cols)
		}
		return e.err
	}
	for len(sel) > 0 && e.err == nil {
		k := min(strip, len(sel))
		e.runs = appendRuns(e.runs[:0], sel[:k])
		e.err = e.writeRuns(cols)
		sel = sel[k:]
	}
	return e.err
}

// appendRuns appends the rows of sel as runs.
func appendRuns(dst []run, sel column.Selection) []run {
	for i := 0; i < len(sel); {
		k := i + 1
		for k < len(sel) && sel[k] == sel[k-1]+1 {
			k++
		}
		dst = append(dst, run{int(sel[i]), int(sel[k-1]) + 1})
		i = k
	}
	return dst
}

// writeRuns adds the rows of e.runs, and ends the row group if it is full.
func (e *Encoder) writeRuns(cols []column.Column) error {
	for _, k := range e.chunks {
		if err := k.append(cols[k.leaf.column], e.runs); err != nil {
			return err
		}
	}
	e.rows += int64(count(e.runs))
	if int64(e.press.stash.kept) >= e.opt.RowGroup {
		return e.endRowGroup()
	}
	return nil
}

// size is about how large the file will be if it is closed now.
func (e *Encoder) size() int64 {
	n := e.at + int64(e.press.stash.kept)
	for _, k := range e.chunks {
		n += int64(k.page.size())
	}
	return n
}

// rowGroups is how many row groups have ended.
func (e *Encoder) rowGroups() int { return len(e.meta.RowGroups) }

// held is the memory taken, in bytes.
func (e *Encoder) held() int64 {
	n := e.press.stash.capacity()
	for _, k := range e.chunks {
		n += k.size()
	}
	return int64(n)
}

// endRowGroup writes what is held.
func (e *Encoder) endRowGroup() error {
	if e.rows == 0 {
		return nil
	}
	if len(e.meta.RowGroups) == math.MaxInt16 {
		return fmt.Errorf("a Parquet file has at most %d row groups", math.MaxInt16)
	}
	g := format.RowGroup{NumRows: e.rows, Ordinal: int16(len(e.meta.RowGroups))}
	if err := e.writeMagic(); err != nil {
		return err
	}
	g.FileOffset = e.at
	e.parts = e.parts[:0]
	for _, k := range e.chunks {
		if err := k.finish(); err != nil {
			return err
		}
		if k.leaf.lead {
			e.parts = append(e.parts, k.summary())
		}
		m := k.metadata(e.at)
		for _, p := range k.pages {
			if err := e.write(p); err != nil {
				return err
			}
		}
		k.begin()
		g.Columns = append(g.Columns, format.ColumnChunk{FileOffset: m.DataPageOffset, MetaData: m})
		g.TotalByteSize += m.TotalUncompressedSize
		g.TotalCompressedSize += m.TotalCompressedSize
	}
	e.meta.RowGroups = append(e.meta.RowGroups, g)
	e.meta.NumRows += e.rows
	e.stats.Add(e.rows, e.parts)
	e.rows = 0
	e.press.stash.reset()
	return nil
}

// Close ends the file. It does not close what the file is written to.
func (e *Encoder) Close() (Summary, error) {
	if e.err == nil {
		e.err = e.endRowGroup()
	}
	if e.err == nil {
		e.err = e.writeFooter()
	}
	e.free()
	if e.err != nil {
		return Summary{}, e.err
	}
	e.err = errors.New("the file is closed")
	return Summary{Rows: e.meta.NumRows, Bytes: e.at, Stats: e.stats.JSON()}, nil
}

// free gives up the file and the memory held.
func (e *Encoder) free() {
	for _, k := range e.chunks {
		k.end()
	}
	e.press.stash.reset()
	e.w, e.rows = nil, 0
}

// release ends the row group and gives all memory back, so that held is 0.
func (e *Encoder) release() error {
	if e.err == nil {
		e.err = e.endRowGroup()
	}
	for _, k := range e.chunks {
		k.release()
	}
	return e.err
}
