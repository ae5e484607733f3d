package dedupe

import (
	"bytes"
	"cmp"
	"math"

	"github.com/millrace-io/millrace/engine/column"
)

// compareValues is an order of all values of a type. It means nothing but that it is one: nulls come first, and what differs
// in any bit differs.
func compareValues(a column.Column, i int, b column.Column, j int) int {
	if x, y := a.Nulls().Null(i), b.Nulls().Null(j); x || y {
		return one(y) - one(x)
	}
	switch a := a.(type) {
	case *column.Bools:
		return one(a.Values[i]) - one(b.(*column.Bools).Values[j])
	case *column.Bytes:
		return cmp.Compare(a.Values[i], b.(*column.Bytes).Values[j])
	case *column.Shorts:
		return cmp.Compare(a.Values[i], b.(*column.Shorts).Values[j])
	case *column.Ints:
		return cmp.Compare(a.Values[i], b.(*column.Ints).Values[j])
	case *column.Longs:
		return cmp.Compare(a.Values[i], b.(*column.Longs).Values[j])
	case *column.Floats:
		return cmp.Compare(math.Float32bits(a.Values[i]), math.Float32bits(b.(*column.Floats).Values[j]))
	case *column.Doubles:
		return cmp.Compare(math.Float64bits(a.Values[i]), math.Float64bits(b.(*column.Doubles).Values[j]))
	case *column.Decimals:
		return a.Values[i].Cmp(b.(*column.Decimals).Values[j])
	case *column.Texts:
		return bytes.Compare(a.At(i), b.(*column.Texts).At(j))
	case *column.Structs:
		for f := range a.Fields {
			if c := compareValues(a.Fields[f], i, b.(*column.Structs).Fields[f], j); c != 0 {
				return c
			}
		}
		return 0
	case *column.List:
		return compareLists(a, i, b.(*column.List), j)
	}
	panic("dedupe: no such column")
}

func compareLists(a *column.List, i int, b *column.List, j int) int {
	x, y := int(a.Offsets[i]), int(b.Offsets[j])
	n, m := int(a.Offsets[i+1])-x, int(b.Offsets[j+1])-y
	for k := range min(n, m) {
		if c := compareValues(a.Elem, x+k, b.Elem, y+k); c != 0 {
			return c
		}
	}
	return n - m
}

// used is the bytes of a column's values, about.
func used(c column.Column) int {
	switch c := c.(type) {
	case *column.Bools:
		return len(c.Values)
	case *column.Bytes:
		return len(c.Values)
	case *column.Shorts:
		return 2 * len(c.Values)
	case *column.Ints:
		return 4 * len(c.Values)
	case *column.Longs:
		return 8 * len(c.Values)
	case *column.Floats:
		return 4 * len(c.Values)
	case *column.Doubles:
		return 8 * len(c.Values)
	case *column.Decimals:
		return 16 * len(c.Values)
	case *column.Texts:
		return 4*c.Len() + len(c.Data)
	case *column.List:
		return 4*c.Len() + used(c.Elem)
	case *column.Structs:
		n := 0
		for _, f := range c.Fields {
			n += used(f)
		}
		return n
	}
	panic("dedupe: no such column")
}

// sizeOf is the bytes of one value, about.
func sizeOf(c column.Column, row int) int {
	switch c := c.(type) {
	case *column.Bools, *column.Bytes:
		return 1
	case *column.Shorts:
		return 2
	case *column.Ints, *column.Floats:
		return 4
	case *column.Longs, *column.Doubles:
		return 8
	case *column.Decimals:
		return 16
	case *column.Texts:
		return 4 + len(c.At(row))
	case *column.List:
		n := 4
		for i := c.Offsets[row]; i < c.Offsets[row+1]; i++ {
			n += sizeOf(c.Elem, int(i))
		}
		return n
	case *column.Structs:
		n := 0
		for _, f := range c.Fields {
			n += sizeOf(f, row)
		}
		return n
	}
	panic("dedupe: no such column")
}
