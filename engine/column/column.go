package column

import (
	"fmt"
	"unsafe"
)

// A Column is one of *Bools, *Bytes, *Shorts, *Ints, *Longs, *Floats, *Doubles, *Decimals, *Texts, *List or
// *Structs. Code that walks values switches on the concrete type once a column; the methods here serve code
// that moves whole columns.
//
// A Column is not safe for concurrent change. Once its batch has been emitted nobody changes it, and any
// number may read.
type Column interface {
	Type() Type
	Len() int                                    // rows
	Nulls() *Validity                            // which rows have a value; shared with the column
	AppendNull()                                 // adds a row without a value
	AppendRow(src Column, row int)               // adds a copy of src's row; src has the same type
	AppendRows(src Column, sel Selection, n int) // adds src's rows sel, or its first n when sel is nil
	Truncate(n int)                              // drops all rows from n on
	Reset()                                      // empties the column and keeps its memory
	Size() int                                   // bytes held, capacity included
	sealed()
}

// Native is a Go type that holds a fixed-width value.
type Native interface {
	bool | int8 | int16 | int32 | int64 | float32 | float64 | Int128
}

// Fixed is a column of fixed-width values. The value of a null row is unspecified.
type Fixed[T Native] struct {
	typ    Type
	Values []T // one a row
	Valid  Validity
}

// The fixed-width columns by what they hold. A Date is in Ints, a Timestamp and a TimestampNTZ in Longs; Bytes
// are numbers of 8 bits (bytes of a Binary are in Texts).
type (
	Bools    = Fixed[bool]
	Bytes    = Fixed[int8]
	Shorts   = Fixed[int16]
	Ints     = Fixed[int32]
	Longs    = Fixed[int64]
	Floats   = Fixed[float32]
	Doubles  = Fixed[float64]
	Decimals = Fixed[Int128]
)

// Type is what the column holds.
func (c *Fixed[T]) Type() Type { return c.typ }

// Len is the number of rows.
func (c *Fixed[T]) Len() int { return len(c.Values) }

// Nulls is shared with the column.
func (c *Fixed[T]) Nulls() *Validity { return &c.Valid }

// Append adds a row with the value v.
func (c *Fixed[T]) Append(v T) {
	c.Values = append(c.Values, v)
	c.Valid.Append()
}

// AppendNull adds a row without a value.
func (c *Fixed[T]) AppendNull() {
	var zero T
	c.Values = append(c.Values, zero)
	c.Valid.AppendNull()
}

// AppendRow adds a copy of src's row.
func (c *Fixed[T]) AppendRow(src Column, row int) {
	s := src.(*Fixed[T])
	c.Values = append(c.Values, s.Values[row])
	if s.Valid.Null(row) {
		c.Valid.AppendNull()
	} else {
		c.Valid.Append()
	}
}

// AppendRows adds src's rows sel, or its first n rows when sel is nil.
func (c *Fixed[T]) AppendRows(src Column, sel Selection, n int) {
	s := src.(*Fixed[T])
	if sel == nil {
		c.Values = append(c.Values, s.Values[:n]...)
	} else {
		for _, i := range sel {
			c.Values = append(c.Values, s.Values[i])
		}
	}
	c.Valid.appendRows(&s.Valid, sel, n)
}

// Truncate drops all rows from n on.
func (c *Fixed[T]) Truncate(n int) {
	c.Values = c.Values[:n]
	c.Valid.Truncate(n)
}

// Reset empties the column and keeps its memory.
func (c *Fixed[T]) Reset() {
	c.Values = c.Values[:0]
	c.Valid.Reset()
}

// Size is the memory held, in bytes.
func (c *Fixed[T]) Size() int {
	var zero T
	return cap(c.Values)*int(unsafe.Sizeof(zero)) + cap(c.Valid.words)*8
}

func (c *Fixed[T]) sealed() {}

// Texts is a column of strings or binaries: row i is Data[Offsets[i]:Offsets[i+1]].
//
// Invariant: len(Offsets) is Len()+1 and Offsets[0] is 0. The bytes of a null row are unspecified, they
// need not be empty.
type Texts struct {
	typ     Type
	Offsets []int32
	Data    []byte
	Valid   Validity

	warmed byte // keeps the compiler from leaving out loads
}

// Type is String or Binary.
func (c *Texts) Type() Type { return c.typ }

// Len is the number of rows.
func (c *Texts) Len() int { return len(c.Offsets) - 1 }

// Nulls is shared with the column.
func (c *Texts) Nulls() *Validity { return &c.Valid }

// At is the bytes of row i, lent until the column changes.
func (c *Texts) At(i int) []byte { return c.Data[c.Offsets[i]:c.Offsets[i+1]] }

// Append adds a row with a copy of v.
func (c *Texts) Append(v []byte) {
	c.Data = append(c.Data, v...)
	c.Close()
}

// AppendString adds a row with a copy of v.
func (c *Texts) AppendString(v string) {
	c.Data = append(c.Data, v...)
	c.Close()
}

// Close ends a row whose bytes the caller has appended to Data.
func (c *Texts) Close() {
	c.Offsets = append(c.Offsets, int32(len(c.Data)))
	c.Valid.Append()
}

// AppendNull adds a row without a value.
func (c *Texts) AppendNull() {
	c.Offsets = append(c.Offsets, int32(len(c.Data)))
	c.Valid.AppendNull()
}

// AppendRow adds a copy of src's row.
func (c *Texts) AppendRow(src Column, row int) {
	s := src.(*Texts)
	if s.Valid.Null(row) {
		c.AppendNull()
		return
	}
	c.Append(s.At(row))
}

// AppendRows adds src's rows sel, or its first n rows when sel is nil.
func (c *Texts) AppendRows(src Column, sel Selection, n int) {
	s := src.(*Texts)
	if sel == nil {
		base := int32(len(c.Data)) - s.Offsets[0]
		c.Data = append(c.Data, s.Data[s.Offsets[0]:s.Offsets[n]]...)
		for _, end := range s.Offsets[1 : n+1] {
			c.Offsets = append(c.Offsets, base+end)
		}
	} else {
		for at, i := range sel {
			if at%warmRows == 0 {
				c.warm(s, sel[at:min(len(sel), at+warmRows)])
			}
			c.Data = append(c.Data, s.Data[s.Offsets[i]:s.Offsets[i+1]]...)
			c.Offsets = append(c.Offsets, int32(len(c.Data)))
		}
	}
	c.Valid.appendRows(&s.Valid, sel, n)
}

// warmRows is for how many rows memory is asked before it is needed.
const warmRows = 128

// warm loads where rows of s, which may lie anywhere, begin. The loads do not wait for one another, as copies do: without this each
// row of a large column costs the time of main memory.
func (c *Texts) warm(s *Texts, rows Selection) {
	sum := byte(0)
	for _, i := range rows {
		if from := int(s.Offsets[i]); from < len(s.Data) {
			sum += s.Data[from]
		}
	}
	c.warmed = sum
}

// Truncate drops all rows from n on.
func (c *Texts) Truncate(n int) {
	c.Offsets = c.Offsets[:n+1]
	c.Data = c.Data[:c.Offsets[n]]
	c.Valid.Truncate(n)
}

// Reset empties the column and keeps its memory.
func (c *Texts) Reset() {
	c.Offsets = append(c.Offsets[:0], 0)
	c.Data = c.Data[:0]
	c.Valid.Reset()
}

// Size is the memory held, in bytes.
func (c *Texts) Size() int { return cap(c.Data) + cap(c.Offsets)*4 + cap(c.Valid.words)*8 }

func (c *Texts) sealed() {}

// New makes an empty column of type t. It panics on the zero Type: types are checked where they enter.
func New(t Type) Column {
	switch t.Kind {
	case Bool:
		return &Bools{typ: t}
	case Byte:
		return &Bytes{typ: t}
	case Short:
		return &Shorts{typ: t}
	case Int, Date:
		return &Ints{typ: t}
	case Long, Timestamp, TimestampNTZ:
		return &Longs{typ: t}
	case Float:
		return &Floats{typ: t}
	case Double:
		return &Doubles{typ: t}
	case Decimal:
		return &Decimals{typ: t}
	case String, Binary:
		return &Texts{typ: t, Offsets: []int32{0}}
	case Array, Map:
		return &List{typ: t, Offsets: []int32{0}, Elem: New(t.Elem())}
	case Struct:
		return newStructs(t)
	}
	panic(fmt.Sprintf("column: no column of type %v", t))
}
