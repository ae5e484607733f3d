package dedupe

import (
	"cmp"
	"slices"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// A chunk holds rows in the order they came. Rows go from it one by one, and their memory when all are gone.
type chunk struct {
	rows
	left  int   // rows held
	saved bool  // its rows are in saved state; if not, none is
	bytes int64 // its part of held.bytes
}

// held holds rows until their time has come.
type held struct {
	schema engine.Schema
	queue  queue    // has a ref for each row held
	chunks []*chunk // by number; nil: none has it
	unused []uint32 // numbers that no chunk has
	spare  []*chunk // empty ones
	open   int      // the chunk that takes rows; -1: none

	origins []engine.PartitionID
	numbers map[engine.PartitionID]uint32 // of origins

	slack int   // rows that may be gone besides as many as are held before memory is taken back
	count int   // rows held
	gone  int   // rows that are not held any more, in chunks that hold others
	bytes int64 // memory of chunks

	view rows // scratch: a batch
	sel  column.Selection
	refs []ref // scratch, with its spare
	more []ref
}

func newHeld(schema engine.Schema) *held {
	return &held{schema: schema, open: -1, slack: 16 * chunkRows, numbers: map[engine.PartitionID]uint32{}}
}

// number names an origin.
func (h *held) number(id engine.PartitionID) uint32 {
	n, ok := h.numbers[id]
	if !ok {
		n = uint32(len(h.origins))
		h.origins = append(h.origins, id)
		h.numbers[id] = n
	}
	return n
}

// batch holds copies of the rows sel of a batch.
func (h *held) batch(in *engine.Batch, sel column.Selection, keys []column.Key) {
	origin, numbers := h.number(in.Origin), slices.Grow(h.view.origin[:0], in.Rows)[:in.Rows]
	for i := range numbers {
		numbers[i] = origin
	}
	h.view = rows{in.Columns, in.At, in.Offset, keys, numbers}
	h.refs = h.add(&h.view, sel, h.refs[:0])
	for _, r := range h.refs {
		h.queue.add(r)
	}
	h.view = rows{origin: numbers}
}

// add holds copies of the rows sel. It adds their refs, which belong in the queue, to refs.
func (h *held) add(from *rows, sel column.Selection, refs []ref) []ref {
	for len(sel) > 0 {
		n, c := h.room()
		first := len(c.at)
		run := sel[:min(len(sel), runRows)]
		sel = sel[len(run):]
		c.take(from, run)
		c.left += len(run)
		for row := first; row < len(c.at); row++ {
			refs = append(refs, ref{rank(c.at[row]), uint32(n), uint32(row)})
		}
		h.count += len(run)
		h.measure(c)
	}
	return refs
}

// measure brings the memory of a chunk up to date.
func (h *held) measure(c *chunk) {
	size := c.size()
	h.bytes += size - c.bytes
	c.bytes = size
}

// room gives the chunk that takes rows.
func (h *held) room() (number int, c *chunk) {
	if h.open >= 0 {
		if c := h.chunks[h.open]; !c.full() {
			return h.open, c
		}
		h.shut()
	}
	if n := len(h.spare); n > 0 {
		c = h.spare[n-1]
		h.spare = h.spare[:n-1]
	} else {
		c = &chunk{rows: newRows(h.schema)}
	}
	if n := len(h.unused); n > 0 {
		h.open = int(h.unused[n-1])
		h.unused = h.unused[:n-1]
	} else {
		h.open = len(h.chunks)
		h.chunks = append(h.chunks, nil)
	}
	h.chunks[h.open] = c
	return h.open, c
}

// shut has the open chunk take no more rows.
func (h *held) shut() {
	if n := h.open; n >= 0 {
		h.open = -1
		h.clear(uint32(n))
	}
}

// let has the row of a ref, which is in no queue, held no more. Its values stay where they are until clear.
func (h *held) let(r ref) {
	h.chunks[r.chunk].left--
	h.count--
	h.gone++
}

// clear takes back the memory of a chunk if it holds nothing and does not take rows.
func (h *held) clear(number uint32) {
	c := h.chunks[number]
	if c == nil || c.left > 0 || int(number) == h.open {
		return
	}
	h.gone -= len(c.at)
	h.chunks[number] = nil
	h.unused = append(h.unused, number)
	const most = 4 * chunkBytes // one that large rows have made larger is given up, and what a burst leaves behind
	if c.bytes > most || len(h.spare) > len(h.chunks)-len(h.unused)+2 {
		h.bytes -= c.bytes
		return
	}
	c.reset()
	c.saved = false
	h.spare = append(h.spare, c)
}

// due gives the refs of the rows before upto, by time; those of one time and key by position. They are in no queue any more,
// and valid until the next call of a method but let and pack.
func (h *held) due(upto engine.Time) []ref {
	h.refs = sorted(h.queue.due(upto, h.refs[:0]), &h.more)
	eachRun(h.refs, func(run []ref) {
		if len(run) == 1 {
			return
		}
		for i, r := range run { // nobody cares which of two keys comes first
			run[i].by = h.chunks[r.chunk].keys[r.row].Lo
		}
		slices.SortFunc(run, func(a, b ref) int { return cmp.Compare(a.by, b.by) })
		eachRun(run, func(same []ref) {
			if len(same) > 1 {
				slices.SortFunc(same, h.compare)
			}
		})
	})
	return h.refs
}

// eachRun calls do for the runs of refs that are equal by what they are sorted by.
func eachRun(refs []ref, do func(run []ref)) {
	for len(refs) > 0 {
		end := 1
		for end < len(refs) && refs[end].by == refs[0].by {
			end++
		}
		run := refs[:end]
		refs = refs[end:]
		do(run)
	}
}

// compare orders rows of one time by position, and those of one position (as rows that a window made have, and rows made of
// one record) by their values.
func (h *held) compare(a, b ref) int {
	x, y := h.chunks[a.chunk], h.chunks[b.chunk]
	if o, p := x.origin[a.row], y.origin[b.row]; o != p {
		return h.origins[o].Compare(h.origins[p])
	}
	if c := cmp.Compare(x.offset[a.row], y.offset[b.row]); c != 0 {
		return c
	}
	for i := range x.columns {
		if c := compareValues(x.columns[i], int(a.row), y.columns[i], int(b.row)); c != 0 {
			return c
		}
	}
	return 0
}

// pack adds to copies of the rows of refs, as many as it has room for and as agree in the upper half of what they are
// sorted by. It gives their number, which is not 0. The refs of one chunk are together.
func (h *held) pack(to *rows, refs []ref) int {
	n := 0
	for n < len(refs) && refs[n].by>>32 == refs[0].by>>32 && !to.full() {
		h.sel = h.sel[:0]
		chunk := refs[n].chunk
		for len(h.sel) < runRows && n < len(refs) && refs[n].chunk == chunk && refs[n].by>>32 == refs[0].by>>32 {
			h.sel = append(h.sel, int32(refs[n].row))
			n++
		}
		to.take(&h.chunks[chunk].rows, h.sel)
	}
	return n
}

// tidy takes back memory, when rows that are gone have more of it than those that are held.
func (h *held) tidy() {
	h.refs, h.more = emptied(h.refs), emptied(h.more)
	if h.count == 0 {
		h.shut()
	}
	if h.gone <= h.count+h.slack && len(h.origins) <= h.count+h.slack {
		return
	}
	h.shut()
	refs := h.queue.drain(nil)
	for i, r := range refs {
		refs[i].by = uint64(r.chunk)
		if !h.chunks[r.chunk].saved {
			refs[i].by |= 1 << 32 // what is saved and what is not don't mix
		}
	}
	refs = sorted(refs, &h.more)
	before := h.origins
	h.origins, h.numbers = nil, map[engine.PartitionID]uint32{}
	half := uint64(0)
	eachRun(refs, func(run []ref) {
		if run[0].by>>32 != half {
			h.shut()
			half = run[0].by >> 32
		}
		h.move(run, before)
	})
	h.shut()
	h.more = emptied(h.more)
}

// move copies what one chunk holds to the open one; the numbers of its origins are those before.
func (h *held) move(refs []ref, before []engine.PartitionID) {
	from := h.chunks[refs[0].chunk]
	h.sel = h.sel[:0]
	for _, r := range refs {
		h.sel = append(h.sel, int32(r.row))
		from.origin[r.row] = h.number(before[from.origin[r.row]])
	}
	h.refs = h.add(&from.rows, h.sel, h.refs[:0])
	for _, r := range h.refs {
		h.chunks[r.chunk].saved = from.saved
		h.queue.add(r)
	}
	for _, r := range refs {
		h.let(r)
	}
	h.clear(refs[0].chunk)
}
