package parquet

import (
	"encoding/binary"
	"math/bits"

	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace-io/millrace/engine/column"
)

// values takes the values of a column into its page, encoded in one way. Calls cover many rows, as runs.
type values interface {
	// bytes bounds from above what the rows of c add to the page before compression.
	bytes(c column.Column, runs []run) int
	// add appends the rows of c that have a value.
	add(p *page, c column.Column, runs []run)
	// finish completes the page's values.
	finish(p *page)
	// encoding is how finished pages are encoded.
	encoding() format.Encoding
	// bounds are the least and the greatest value of finished pages since the last reset, as statistics have
	// them; ok is false if there are none.
	bounds() (lower, upper []byte, ok bool)
	// appendEnds adds to a column of the values' type the least and the greatest of what bounds speaks of, as
	// they are, and a NaN if there was one.
	appendEnds(to column.Column)
	// reset forgets all values.
	reset()
}

// newValues makes what encodes values of a type plainly, one that pages take (narrow).
func newValues(t column.Type) values {
	switch t.Kind {
	case column.Bool:
		return &bools{}
	case column.Int, column.Date:
		return &numbers[int32]{}
	case column.Long, column.Timestamp, column.TimestampNTZ:
		return &numbers[int64]{}
	case column.Float:
		return &numbers[float32]{}
	case column.Double:
		return &numbers[float64]{}
	case column.Decimal:
		return &decimals{size: column.DecimalSize(t.Precision())}
	default:
		return &texts{utf8: t.Kind == column.String}
	}
}

// numbers is fixed-width values as they are in memory.
type numbers[T number] struct {
	seen numberBounds[T]
}

func (x *numbers[T]) bytes(_ column.Column, runs []run) int { return count(runs) * width[T]() }

func (x *numbers[T]) add(p *page, c column.Column, runs []run) {
	f := c.(*column.Fixed[T])
	p.reserve(x.bytes(c, runs))
	words := f.Valid.Words()
	for _, r := range runs {
		for at := r.from; at < r.to; {
			from, end := nextRun(words, at, r.to)
			p.body = appendRaw(p.body, f.Values[from:end])
			x.seen.add(f.Values[from:end])
			at = end
		}
	}
}

// nextRun gives the next rows in a row, of those from to to, that have a value. If none has, both are to.
// words is a bit a row, 1 for a value; nil: all have one.
func nextRun(words []uint64, from, to int) (first, end int) {
	if words == nil {
		return from, to
	}
	first = nextBit(words, 0, from, to)
	return first, nextBit(words, ^uint64(0), first, to)
}

// nextBit is the first place in from to to where words, with flip applied, has a 1; to if there is none.
func nextBit(words []uint64, flip uint64, from, to int) int {
	for from < to {
		if w := (words[from/64] ^ flip) >> (from % 64); w != 0 {
			return min(from+bits.TrailingZeros64(w), to)
		}
		from += 64 - from%64
	}
	return to
}

func (x *numbers[T]) finish(*page) {}

func (x *numbers[T]) encoding() format.Encoding { return format.Plain }

func (x *numbers[T]) bounds() (lower, upper []byte, ok bool) { return x.seen.bytes() }

func (x *numbers[T]) appendEnds(to column.Column) { x.seen.appendEnds(to) }

func (x *numbers[T]) reset() { x.seen = numberBounds[T]{} }

// bools is a bit a value.
type bools struct {
	page    bitmap
	yes, no bool // there was a true, a false, since the reset
}

func (x *bools) bytes(_ column.Column, runs []run) int { return count(runs)/8 + 1 }

func (x *bools) add(_ *page, c column.Column, runs []run) {
	b := c.(*column.Bools)
	for _, r := range runs {
		for row := r.from; row < r.to; row++ {
			if b.Valid.Null(row) {
				continue
			}
			bit := uint64(0)
			if b.Values[row] {
				bit = 1
			}
			x.page.appendWord(bit, 1)
		}
	}
}

func (x *bools) finish(p *page) {
	x.yes = x.yes || x.page.ones > 0
	x.no = x.no || !x.page.whole()
	p.reserve(x.page.n/8 + 8)
	p.body = x.page.appendPacked(p.body)
	x.page.reset()
}

func (x *bools) encoding() format.Encoding { return format.Plain }

func (x *bools) bounds() (lower, upper []byte, ok bool) {
	lower, upper = []byte{1}, []byte{0}
	if x.no {
		lower[0] = 0
	}
	if x.yes {
		upper[0] = 1
	}
	return lower, upper, x.yes || x.no
}

func (x *bools) appendEnds(to column.Column) {
	b := to.(*column.Bools)
	if x.no {
		b.Append(false)
	}
	if x.yes {
		b.Append(true)
	}
}

func (x *bools) reset() {
	x.yes, x.no = false, false
	x.page.reset()
}

// texts is strings and binaries: four bytes of length before each.
type texts struct {
	utf8 bool
	seen textBounds
}

// slack is what appendTexts may write behind the last value.
const slack = 16

func (x *texts) bytes(c column.Column, runs []run) int { return textBytes(c.(*column.Texts), runs) }

func textBytes(t *column.Texts, runs []run) int {
	n := slack
	for _, r := range runs {
		n += int(t.Offsets[r.to]-t.Offsets[r.from]) + 4*(r.to-r.from)
	}
	return n
}

func (x *texts) add(p *page, c column.Column, runs []run) {
	t := c.(*column.Texts)
	p.reserve(textBytes(t, runs))
	words := t.Valid.Words()
	for _, r := range runs {
		for at := r.from; at < r.to; {
			from, end := nextRun(words, at, r.to)
			p.body = appendTexts(p.body, t.Data, t.Offsets[from:end+1])
			x.seen.add(t, from, end)
			at = end
		}
	}
}

// appendTexts appends the texts that offsets cut out of data. dst must have room for them and slack more
// bytes. Most texts are short: copying 16 bytes is then cheaper than finding out how many there are.
func appendTexts(dst, data []byte, offsets []int32) []byte {
	p, d := len(dst), dst[:cap(dst)]
	lo := int(offsets[0])
	for _, end := range offsets[1:] {
		hi := int(end)
		n := hi - lo
		binary.LittleEndian.PutUint32(d[p:], uint32(n))
		p += 4
		if n <= 16 && lo+16 <= len(data) {
			*(*[16]byte)(d[p:]) = *(*[16]byte)(data[lo:])
		} else {
			copy(d[p:p+n], data[lo:hi])
		}
		p, lo = p+n, hi
	}
	return d[:p]
}

func (x *texts) finish(*page) {}

func (x *texts) encoding() format.Encoding { return format.Plain }

func (x *texts) bounds() (lower, upper []byte, ok bool) { return x.seen.bytes(x.utf8) }

func (x *texts) appendEnds(to column.Column) { x.seen.appendEnds(to) }

func (x *texts) reset() { x.seen.reset() }
