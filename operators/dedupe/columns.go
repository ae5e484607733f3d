package dedupe

import (
	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// rows are rows by column, as a batch has them.
type rows struct {
	columns []column.Column
	at      []engine.Time
	offset  []engine.Offset
	keys    []column.Key
	origin  []uint32 // numbers in held.origins
}

func newRows(schema engine.Schema) rows {
	var r rows
	for _, f := range schema {
		r.columns = append(r.columns, column.New(f.Type))
	}
	return r
}

// take adds copies of the rows sel of from.
func (r *rows) take(from *rows, sel column.Selection) {
	for i, c := range r.columns {
		c.AppendRows(from.columns[i], sel, len(from.at))
	}
	for _, row := range sel {
		r.at = append(r.at, from.at[row])
		r.offset = append(r.offset, from.offset[row])
		r.keys = append(r.keys, from.keys[row])
		r.origin = append(r.origin, from.origin[row])
	}
}

func (r *rows) reset() {
	for _, c := range r.columns {
		c.Reset()
	}
	r.at, r.offset, r.keys, r.origin = r.at[:0], r.offset[:0], r.keys[:0], r.origin[:0]
}

// besides is what a row takes besides its columns, in bytes.
const besides = 8 + 8 + 16 + 4

// size is the memory held, in bytes.
func (r *rows) size() int64 {
	n := cap(r.at) * besides
	for _, c := range r.columns {
		n += c.Size()
	}
	return int64(n)
}

// The bounds of what is copied at once. Memory is looked at after each run, so that a chunk or batch has at most a run of
// rows too many, of whatever size they are.
const (
	runRows    = 64
	chunkRows  = 4096 // of a chunk, and of a batch
	chunkBytes = 1 << 20
)

// full says whether no more rows should be added.
func (r *rows) full() bool {
	if len(r.at) >= chunkRows {
		return true
	}
	n := 0
	for _, c := range r.columns {
		n += used(c)
	}
	return n >= chunkBytes
}
