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

// A block is held rows in saved state, integers little endian:
//
//	0  uint32  rows: n
//	4  uint32  bytes that follow
//	8  uint32  origins, of which each is
//	       uint32  bytes of the source's name, and these
//	       uint32  bytes of the partition's name, and these
//	…  n int64   event time, microseconds since 1970 UTC
//	…  n int64   offset
//	…  n uint64  key, high half; its highest 8 bits are the slot
//	…  n uint64  key, low half
//	…  n uint32  number of the origin
//	…  the columns, in the schema's order
//
// A column of n values is
//
//	0  uint8   1: some are null, 0: none is
//	1  if some are: a bit for each, the lowest first, that is set where there is a value; in whole bytes
//	…  numbers and times: the values one after the other, of 1, 2, 4, 8 or 16 bytes; a bool is a byte, 0 or 1
//	   texts: n uint32 lengths, and the bytes of all
//	   lists and maps: n uint32 lengths, and a column of all elements
//	   structs: a column for each field
const blockHead = 8

// appendBlock writes rows.
func (o *ordered) appendBlock(b []byte, r *rows) []byte {
	begin := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(r.at)))
	b = binary.LittleEndian.AppendUint32(b, 0)
	if len(r.at) == 0 {
		return b
	}
	b = o.appendOrigins(b, r.origin)
	for _, at := range r.at {
		b = binary.LittleEndian.AppendUint64(b, uint64(at))
	}
	for _, offset := range r.offset {
		b = binary.LittleEndian.AppendUint64(b, uint64(offset))
	}
	for _, k := range r.keys {
		b = binary.LittleEndian.AppendUint64(b, k.Hi)
	}
	for _, k := range r.keys {
		b = binary.LittleEndian.AppendUint64(b, k.Lo)
	}
	for _, n := range r.origin {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	for _, c := range r.columns {
		b = appendColumn(b, c, len(r.at))
	}
	binary.LittleEndian.PutUint32(b[begin+4:], uint32(len(b)-begin-blockHead))
	return b
}

// appendOrigins writes the origins that there are and numbers them anew.
func (o *ordered) appendOrigins(b []byte, numbers []uint32) []byte {
	begin := len(b)
	b = binary.LittleEndian.AppendUint32(b, 0)
	there := map[uint32]uint32{}
	for i, n := range numbers {
		if i > 0 && n == numbers[i-1] {
			continue
		}
		if _, ok := there[n]; !ok {
			there[n] = uint32(len(there))
			b = appendText(b, o.held.origins[n].Source)
			b = appendText(b, o.held.origins[n].Partition)
		}
	}
	last, its := numbers[0], there[numbers[0]]
	for i, n := range numbers {
		if n != last {
			last, its = n, there[n]
		}
		numbers[i] = its
	}
	binary.LittleEndian.PutUint32(b[begin:], uint32(len(there)))
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
}

// appendColumn writes the first n values.
func appendColumn(b []byte, c column.Column, n int) []byte {
	b = appendValidity(b, c.Nulls().Words(), n)
	switch c := c.(type) {
	case *column.Bools:
		return appendNumbers(b, c.Values[:n])
	case *column.Bytes:
		return appendNumbers(b, c.Values[:n])
	case *column.Shorts:
		return appendNumbers(b, c.Values[:n])
	case *column.Ints:
		return appendNumbers(b, c.Values[:n])
	case *column.Longs:
		return appendNumbers(b, c.Values[:n])
	case *column.Floats:
		return appendNumbers(b, c.Values[:n])
	case *column.Doubles:
		return appendNumbers(b, c.Values[:n])
	case *column.Decimals:
		for _, v := range c.Values[:n] {
			b = binary.LittleEndian.AppendUint64(b, v.Lo)
			b = binary.LittleEndian.AppendUint64(b, uint64(v.Hi))
		}
		return b
	case *column.Texts:
		return append(appendLengths(b, c.Offsets[:n+1]), c.Data[:c.Offsets[n]]...)
	case *column.List:
		return appendColumn(appendLengths(b, c.Offsets[:n+1]), c.Elem, int(c.Offsets[n]))
	case *column.Structs:
		for _, f := range c.Fields {
			b = appendColumn(b, f, n)
		}
		return b
	}
	panic("dedupe: no such column")
}

func appendValidity(b []byte, words []uint64, n int) []byte {
	if words == nil {
		return append(b, 0)
	}
	b = append(b, 1)
	for i := range (n + 7) / 8 {
		b = append(b, byte(words[i/8]>>(i%8*8)))
	}
	return b
}

func appendNumbers[T column.Native](b []byte, values []T) []byte {
	b, err := binary.Append(b, binary.LittleEndian, values)
	if err != nil {
		panic(err) // it knows all of these types
	}
	return b
}

func appendLengths(b []byte, offsets []int32) []byte {
	for i := range len(offsets) - 1 {
		b = binary.LittleEndian.AppendUint32(b, uint32(offsets[i+1]-offsets[i]))
	}
	return b
}

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
