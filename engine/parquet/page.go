package parquet

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// A page is the page of a column that is being filled. Its body, a data page v1, is
//
//	repetition levels   uint32 length, hybrid         arrays and maps only
//	definition levels   uint32 length, hybrid         unless the column is required
//	values              those that are not null, encoded
//
// and is compressed as one piece. Values are appended as they come; what the levels will take is known at
// the end only, so the body begins with a gap and the levels are put before the values.
type page struct {
	mem  *memory
	body []byte // gap bytes of unspecified content, then values
	rows int
	flat bitmap // definition levels of a column without parts
	list levels // levels of one with parts
}

// gap has room for the levels of 20,000 rows of a column without parts, whatever they are.
const gap = 4 << 10

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
	case l.nested():
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
	p.list.clear()
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
	if l.nested() {
		scratch = appendLevels(scratch, p.list.repetition, l.lists)
		scratch = appendLevels(scratch, p.list.definition, l.defined)
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

// appendLevels appends levels of at most greatest; where that is 0 there are none.
func appendLevels(dst, levels []byte, greatest byte) []byte {
	if greatest == 0 {
		return dst
	}
	return appendSized(dst, func(b []byte) []byte { return appendHybrid(b, levels, bits.Len8(greatest)) })
}
