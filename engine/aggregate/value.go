package aggregate

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/millrace-io/millrace/engine/column"
)

// Values of any type as bytes that compare as the values do: null first, numbers by size with -0 before 0 and NaN behind
// all, texts byte by byte, lists and structs by their first difference. A value ends where it ends: others may follow.
//
//	null     0
//	bool     1, 0 or 1
//	number   1, as many bytes as its type has, the highest first; the sign's bit turned, of a negative float all bits
//	text     1, bytes of which a 0 has a 255 behind it, 0 0
//	list     1, each element as it is here behind a 1, 0
//	struct   1, each field as it is here

// A zeros says what becomes of -0, which SQL does not tell from 0.
type zeros bool

const (
	twoZeros zeros = false // it stays, and is before 0
	oneZero  zeros = true  // it becomes 0
)

// appendOrdered appends the value of a row.
func appendOrdered(b []byte, c column.Column, row int, z zeros) []byte {
	if c.Nulls().Null(row) {
		return append(b, 0)
	}
	b = append(b, 1)
	switch c := c.(type) {
	case *column.Bools:
		if c.Values[row] {
			return append(b, 1)
		}
		return append(b, 0)
	case *column.Bytes:
		return append(b, byte(c.Values[row])^1<<7)
	case *column.Shorts:
		return binary.BigEndian.AppendUint16(b, uint16(c.Values[row])^1<<15)
	case *column.Ints:
		return binary.BigEndian.AppendUint32(b, uint32(c.Values[row])^1<<31)
	case *column.Longs:
		return binary.BigEndian.AppendUint64(b, uint64(c.Values[row])^1<<63)
	case *column.Floats:
		return binary.BigEndian.AppendUint64(b, orderedBits(float64(c.Values[row]), z))
	case *column.Doubles:
		return binary.BigEndian.AppendUint64(b, orderedBits(c.Values[row], z))
	case *column.Decimals:
		v := c.Values[row]
		b = binary.BigEndian.AppendUint64(b, uint64(v.Hi)^1<<63)
		return binary.BigEndian.AppendUint64(b, v.Lo)
	case *column.Texts:
		return appendOrderedText(b, c.At(row))
	case *column.Structs:
		for _, f := range c.Fields {
			b = appendOrdered(b, f, row, z)
		}
		return b
	case *column.List:
		for i := c.Offsets[row]; i < c.Offsets[row+1]; i++ {
			b = appendOrdered(append(b, 1), c.Elem, int(i), z)
		}
		return append(b, 0)
	}
	panic("aggregate: no such column")
}

func appendOrderedText(b, text []byte) []byte {
	for {
		i := bytes.IndexByte(text, 0)
		if i < 0 {
			return append(append(b, text...), 0, 0)
		}
		b = append(append(b, text[:i]...), 0, 255)
		text = text[i+1:]
	}
}

// orderedBits are bits of f that compare as f does, with -0 before 0 and one NaN behind all.
func orderedBits(f float64, z zeros) uint64 {
	if z == oneZero && f == 0 {
		f = 0
	}
	u := math.Float64bits(oneNaN(f))
	if u>>63 != 0 {
		return ^u
	}
	return u | 1<<63
}

func fromOrderedBits(u uint64) float64 {
	if u>>63 != 0 {
		return math.Float64frombits(u &^ (1 << 63))
	}
	return math.Float64frombits(^u)
}

// readOrdered takes a value off r and appends it to out. If r is damaged, out may have rows of which a part is missing.
func readOrdered(r *reader, out column.Column) {
	if !r.flag() {
		out.AppendNull()
		return
	}
	switch c := out.(type) {
	case *column.Bools:
		c.Append(r.flag())
	case *column.Bytes:
		c.Append(int8(r.byte() ^ 1<<7))
	case *column.Shorts:
		c.Append(int16(r.big(2) ^ 1<<15))
	case *column.Ints:
		c.Append(int32(r.big(4) ^ 1<<31))
	case *column.Longs:
		c.Append(int64(r.big(8) ^ 1<<63))
	case *column.Floats:
		c.Append(float32(fromOrderedBits(r.big(8))))
	case *column.Doubles:
		c.Append(fromOrderedBits(r.big(8)))
	case *column.Decimals:
		hi := int64(r.big(8) ^ 1<<63)
		c.Append(column.Int128{Lo: r.big(8), Hi: hi})
	case *column.Texts:
		c.Data = r.text(c.Data)
		c.Close()
	case *column.Structs:
		for _, f := range c.Fields {
			readOrdered(r, f)
		}
		c.Close()
	case *column.List:
		for r.flag() {
			readOrdered(r, c.Elem)
		}
		c.Close()
	}
}

// big is a number of size bytes, the highest first.
func (r *reader) big(size int) (v uint64) {
	if len(r.rest) < size {
		r.fail()
		return 0
	}
	for _, c := range r.rest[:size] {
		v = v<<8 | uint64(c)
	}
	r.rest = r.rest[size:]
	return v
}

// text appends a text to b.
func (r *reader) text(b []byte) []byte {
	for {
		i := bytes.IndexByte(r.rest, 0)
		if i < 0 || i+1 == len(r.rest) {
			r.fail()
			return b
		}
		b = append(b, r.rest[:i]...)
		end := r.rest[i+1]
		r.rest = r.rest[i+2:]
		switch end {
		case 0:
			return b
		case 255:
			b = append(b, 0)
		default:
			r.fail()
			return b
		}
	}
}

// soundOrdered says whether b is one value of scratch's type.
func soundOrdered(b []byte, scratch column.Column) bool {
	scratch.Reset()
	r := reader{rest: b}
	readOrdered(&r, scratch)
	return r.err == nil && len(r.rest) == 0
}
