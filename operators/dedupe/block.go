package dedupe

import (
	"encoding/binary"

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
