package dedupe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// A blockReader reads what follows the head of a block. After a fault it gives zeros.
type blockReader struct {
	b     []byte
	fault error
}

var errBlock = errors.New("state has a block of rows that ends too soon")

// take is the next n of the bytes, or nil: that fault ends reading.
func (r *blockReader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		if r.fault == nil {
			r.fault = errBlock
		}
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *blockReader) number() int {
	if b := r.take(4); b != nil {
		return int(binary.LittleEndian.Uint32(b))
	}
	return 0
}

// rows reads n rows of a slot.
func (r *blockReader) rows(to *rows, slot, n int, number func(engine.PartitionID) uint32) error {
	origins := r.origins(number)
	at, offset, hi, lo, origin := r.take(8*n), r.take(8*n), r.take(8*n), r.take(8*n), r.take(4*n)
	if r.fault != nil {
		return r.fault
	}
	for i := range n {
		to.at = append(to.at, engine.Time(binary.LittleEndian.Uint64(at[8*i:])))
		to.offset = append(to.offset, engine.Offset(binary.LittleEndian.Uint64(offset[8*i:])))
		k := column.Key{Hi: binary.LittleEndian.Uint64(hi[8*i:]), Lo: binary.LittleEndian.Uint64(lo[8*i:])}
		if k.Slot() != slot {
			return fmt.Errorf("state of slot %d has a row of slot %d", slot, k.Slot())
		}
		to.keys = append(to.keys, k)
		its := binary.LittleEndian.Uint32(origin[4*i:])
		if int(its) >= len(origins) {
			return fmt.Errorf("state has a row of origin %d, of %d", its, len(origins))
		}
		to.origin = append(to.origin, origins[its])
	}
	for _, c := range to.columns {
		r.column(c, n)
	}
	if r.fault == nil && len(r.b) > 0 {
		r.fault = fmt.Errorf("state has a block of rows with %d bytes too many", len(r.b))
	}
	return r.fault
}

// origins reads the origins and gives their numbers.
func (r *blockReader) origins(number func(engine.PartitionID) uint32) []uint32 {
	var all []uint32
	for n := r.number(); n > 0 && r.fault == nil; n-- {
		id := engine.PartitionID{Source: string(r.take(r.number())), Partition: string(r.take(r.number()))}
		all = append(all, number(id))
	}
	return all
}

// column adds n values to an empty column. After a fault they may be fewer.
func (r *blockReader) column(c column.Column, n int) {
	there := r.validity(n)
	switch c := c.(type) {
	case *column.Bools:
		readNumbers(r, c, there, n, 1)
	case *column.Bytes:
		readNumbers(r, c, there, n, 1)
	case *column.Shorts:
		readNumbers(r, c, there, n, 2)
	case *column.Ints:
		readNumbers(r, c, there, n, 4)
	case *column.Longs:
		readNumbers(r, c, there, n, 8)
	case *column.Floats:
		readNumbers(r, c, there, n, 4)
	case *column.Doubles:
		readNumbers(r, c, there, n, 8)
	case *column.Decimals:
		for b := r.take(16 * n); len(b) > 0; b = b[16:] {
			c.Values = append(c.Values, column.Int128{Lo: binary.LittleEndian.Uint64(b), Hi: int64(binary.LittleEndian.Uint64(b[8:]))})
		}
		there.mark(&c.Valid, len(c.Values))
	case *column.Texts:
		c.Offsets = r.lengths(c.Offsets, n)
		c.Data = append(c.Data, r.take(int(c.Offsets[len(c.Offsets)-1]))...)
		there.mark(&c.Valid, c.Len())
	case *column.List:
		c.Offsets = r.lengths(c.Offsets, n)
		r.column(c.Elem, int(c.Offsets[len(c.Offsets)-1]))
		there.mark(&c.Valid, c.Len())
	case *column.Structs:
		for _, f := range c.Fields {
			r.column(f, n)
		}
		if r.fault == nil {
			there.mark(&c.Valid, n)
		}
	}
}

// A bitmap says which values there are; nil: all.
type bitmap []byte

func (r *blockReader) validity(n int) bitmap {
	if some := r.take(1); some == nil || some[0] == 0 {
		return nil
	}
	return r.take((n + 7) / 8)
}

// mark adds to a column's validity what the first n bits say.
func (b bitmap) mark(v *column.Validity, n int) {
	if b == nil {
		v.AppendN(n)
		return
	}
	for i := range n {
		if b[i/8]>>(i%8)&1 == 1 {
			v.Append()
		} else {
			v.AppendNull()
		}
	}
}

func readNumbers[T column.Native](r *blockReader, c *column.Fixed[T], there bitmap, n, size int) {
	b := r.take(size * n)
	if b == nil {
		return
	}
	c.Values = slices.Grow(c.Values[:0], n)[:n]
	if _, err := binary.Decode(b, binary.LittleEndian, c.Values); err != nil {
		panic(err) // it knows all of these types, and has bytes for all values
	}
	there.mark(&c.Valid, n)
}

// lengths reads n lengths of what lies together, as offsets behind the one that is there. After a fault there are none. A
// value takes at least one byte, so that there are no more than bytes.
func (r *blockReader) lengths(offsets []int32, n int) []int32 {
	b := r.take(4 * n)
	sum, first := 0, len(offsets)
	for ; len(b) > 0; b = b[4:] {
		if sum += int(binary.LittleEndian.Uint32(b)); sum > min(len(r.b), math.MaxInt32) {
			r.take(-1)
			return offsets[:first]
		}
		offsets = append(offsets, int32(sum))
	}
	return offsets
}
