package parquet

import (
	"bytes"
	"encoding/binary"

	"github.com/millrace-io/millrace/engine/column"
)

// A page is the page of a column that is being filled. Its body, a data page v1, is
//
//	repetition levels   uint32 length, hybrid         arrays only
//	definition levels   uint32 length, hybrid         unless the column is required
//	values              those that are not null, encoded
//
// and is compressed as one piece. Values are appended as they come; what the levels will take is known at
// the end only, so the body begins with a gap and the levels are put before the values.
type page struct {
	mem  *memory
	body []byte // gap bytes of unspecified content, then values
	rows int
	flat bitmap // definition levels of a column that is no array
	list levels // levels of an array
}

// gap has room for the levels of 20,000 rows of a column that is no array, whatever they are.
const gap = 4 << 10

// levels are those of an array's elements. An array without elements, or that is null, takes one level.
type levels struct {
	repetition bitmap // 0 for the first of an array
	definition []byte
	nulls      int // arrays that are null
}

// reserve makes room for n more bytes.
func (p *page) reserve(n int) {
	if p.body == nil {
		p.body = p.mem.get(gap + n)[:gap]
	}
	p.body = p.mem.grow(p.body, n)
}

// size is the bytes of values.
func (p *page) size() int { return max(0, len(p.body)-gap) }

// entries is the number of levels: what Parquet calls the page's values, nulls among them.
func (p *page) entries() int {
	if n := len(p.list.definition); n > 0 {
		return n
	}
	return p.rows
}

// values is the number of entries that are not null.
func (p *page) values(l *leaf) int {
	switch {
	case l.array:
		return bytes.Count(p.list.definition, []byte{l.defined})
	case l.optional:
		return p.flat.ones
	default:
		return p.rows
	}
}

// clear empties the page and keeps its memory.
func (p *page) clear() {
	if p.body != nil {
		p.body = p.body[:gap]
	}
	p.rows = 0
	p.flat.reset()
	p.list.repetition.reset()
	p.list.definition, p.list.nulls = p.list.definition[:0], 0
}

// free gives the memory back.
func (p *page) free() {
	p.clear()
	p.mem.put(p.body)
	p.body = nil
}

// finish puts the levels before the values and gives the whole body. scratch is overwritten and returned
// for the next time.
func (p *page) finish(l *leaf, scratch []byte) (body, _ []byte) {
	p.reserve(0)
	scratch = scratch[:0]
	if l.array {
		scratch = appendSized(scratch, p.list.repetition.appendHybrid)
		scratch = appendSized(scratch, func(b []byte) []byte {
			return appendHybrid(b, p.list.definition, definitionWidth)
		})
	} else if l.optional {
		scratch = appendSized(scratch, p.flat.appendHybrid)
	}
	if more := len(scratch) - gap; more > 0 {
		p.reserve(more)
		p.body = p.body[:len(p.body)+more]
		copy(p.body[gap+more:], p.body[gap:])
		copy(p.body, scratch)
		return p.body, scratch
	}
	start := gap - len(scratch)
	copy(p.body[start:], scratch)
	return p.body[start:], scratch
}

// appendSized puts the length of what write appends before it, as four bytes.
func appendSized(dst []byte, write func([]byte) []byte) []byte {
	at := len(dst)
	dst = write(append(dst, 0, 0, 0, 0))
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

// addArrays adds the levels of rows from to to of an array column.
func (p *page) addArrays(l *leaf, c *column.List, from, to int) {
	words := c.Elem.Nulls().Words()
	for row := from; row < to; row++ {
		first, end := int(c.Offsets[row]), int(c.Offsets[row+1])
		switch {
		case c.Valid.Null(row):
			p.list.add(0, 0)
			p.list.nulls++
		case first == end:
			p.list.add(0, l.defined-2)
		default:
			p.list.addElements(words, first, end, l.defined)
		}
	}
}

// add adds one entry.
func (s *levels) add(repetition uint64, definition byte) {
	s.repetition.appendWord(repetition, 1)
	s.definition = append(s.definition, definition)
}

// addElements adds an array's elements first to end, at least one, of which words says which are null.
// defined is the definition level of one that is not.
func (s *levels) addElements(words []uint64, first, end int, defined byte) {
	s.repetition.appendWord(0, 1)
	s.repetition.appendOnes(end - first - 1)
	for i := first; i < end; i++ {
		d := defined
		if words != nil {
			d -= 1 - byte(words[i/64]>>(i%64)&1)
		}
		s.definition = append(s.definition, d)
	}
}
