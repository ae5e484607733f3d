package window

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/millrace-io/millrace/engine/column"
)

// How a value of a key is written, integers little endian:
//
//	null                                  0
//	bool, byte                            1, 1 byte
//	short                                 1, 2 bytes
//	int, date, float                      1, 4 bytes
//	long, timestamp, timestamp_ntz, double  1, 8 bytes
//	decimal                               1, the low 8 bytes, the high ones
//	string, binary                        1, uvarint length, bytes
//	array                                 1, uvarint elements, each as above
//	struct                                1, each field as above

// appendValue writes the value of a row.
func appendValue(b []byte, c column.Column, row int) []byte {
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
		return append(b, byte(c.Values[row]))
	case *column.Shorts:
		return binary.LittleEndian.AppendUint16(b, uint16(c.Values[row]))
	case *column.Ints:
		return binary.LittleEndian.AppendUint32(b, uint32(c.Values[row]))
	case *column.Floats:
		return binary.LittleEndian.AppendUint32(b, math.Float32bits(c.Values[row]))
	case *column.Longs:
		return binary.LittleEndian.AppendUint64(b, uint64(c.Values[row]))
	case *column.Doubles:
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(c.Values[row]))
	case *column.Decimals:
		b = binary.LittleEndian.AppendUint64(b, c.Values[row].Lo)
		return binary.LittleEndian.AppendUint64(b, uint64(c.Values[row].Hi))
	case *column.Texts:
		v := c.At(row)
		return append(binary.AppendUvarint(b, uint64(len(v))), v...)
	case *column.Structs:
		for _, f := range c.Fields {
			b = appendValue(b, f, row)
		}
		return b
	case *column.List:
		from, to := c.Offsets[row], c.Offsets[row+1]
		b = binary.AppendUvarint(b, uint64(to-from))
		for i := from; i < to; i++ {
			b = appendValue(b, c.Elem, int(i))
		}
		return b
	}
	panic("window: a key of " + c.Type().String())
}

// errCut is what is said of values that are no values.
var errCut = errors.New("a key's value is cut short or can't be")

// loadValue appends a value that appendValue has written to c, and gives the rest of b. After an error c is unspecified.
func loadValue(c column.Column, b []byte, required bool) (rest []byte, err error) {
	if len(b) == 0 || b[0] > 1 || b[0] == 0 && required {
		return nil, errCut
	}
	if b[0] == 0 {
		c.AppendNull()
		return b[1:], nil
	}
	b = b[1:]
	switch c := c.(type) {
	case *column.Texts:
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)-size) {
			return nil, errCut
		}
		c.Append(b[size : size+int(n)])
		return b[size+int(n):], nil
	case *column.Structs:
		for i, f := range c.Schema() {
			if b, err = loadValue(c.Fields[i], b, f.Required); err != nil {
				return nil, err
			}
		}
		c.Close()
		return b, nil
	case *column.List:
		n, size := binary.Uvarint(b)
		if size <= 0 || n > uint64(len(b)) { // an element has a byte at least
			return nil, errCut
		}
		b = b[size:]
		for range n {
			if b, err = loadValue(c.Elem, b, false); err != nil {
				return nil, err
			}
		}
		c.Close()
		return b, nil
	}
	return loadFixed(c, b)
}

// loadFixed is loadValue for values of a fixed width.
func loadFixed(c column.Column, b []byte) (rest []byte, err error) {
	n := width(c)
	if len(b) < n {
		return nil, errCut
	}
	switch c := c.(type) {
	case *column.Bools:
		c.Append(b[0] != 0)
	case *column.Bytes:
		c.Append(int8(b[0]))
	case *column.Shorts:
		c.Append(int16(binary.LittleEndian.Uint16(b)))
	case *column.Ints:
		c.Append(int32(binary.LittleEndian.Uint32(b)))
	case *column.Floats:
		c.Append(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	case *column.Longs:
		c.Append(int64(binary.LittleEndian.Uint64(b)))
	case *column.Doubles:
		c.Append(math.Float64frombits(binary.LittleEndian.Uint64(b)))
	case *column.Decimals:
		c.Append(column.Int128{Lo: binary.LittleEndian.Uint64(b), Hi: int64(binary.LittleEndian.Uint64(b[8:]))})
	}
	return b[n:], nil
}

// width is the bytes of a value of a fixed width.
func width(c column.Column) int {
	switch c.(type) {
	case *column.Bools, *column.Bytes:
		return 1
	case *column.Shorts:
		return 2
	case *column.Ints, *column.Floats:
		return 4
	case *column.Longs, *column.Doubles:
		return 8
	}
	return 16
}
