package parquet

import (
	"github.com/millrace-io/millrace/engine/column"
)

// narrow is the type as which pages take values of t: numbers of 8 and 16 bits, and decimals of few digits,
// are numbers of 32 and 64 bits (LogicalTypes.md, "Numeric Types").
func narrow(t column.Type) column.Type {
	switch {
	case t.Kind == column.Byte || t.Kind == column.Short:
		return column.Of(column.Int)
	case t.Kind == column.Decimal && t.Precision() <= 9:
		return column.Of(column.Int)
	case t.Kind == column.Decimal && t.Precision() <= 18:
		return column.Of(column.Long)
	}
	return t
}

// convert makes dst, a column of the narrow type, hold rows of c.
func convert(dst, c column.Column, runs []run) {
	dst.Reset()
	switch c := c.(type) {
	case *column.Bytes:
		convertInts(dst.(*column.Ints), c, runs)
	case *column.Shorts:
		convertInts(dst.(*column.Ints), c, runs)
	case *column.Decimals:
		if ints, ok := dst.(*column.Ints); ok {
			convertDecimals(ints, c, runs)
		} else {
			convertDecimals(dst.(*column.Longs), c, runs)
		}
	}
}

func convertInts[T int8 | int16](dst *column.Ints, c *column.Fixed[T], runs []run) {
	for _, r := range runs {
		for row := r.from; row < r.to; row++ {
			if c.Valid.Null(row) {
				dst.AppendNull()
			} else {
				dst.Append(int32(c.Values[row]))
			}
		}
	}
}

func convertDecimals[T int32 | int64](dst *column.Fixed[T], c *column.Decimals, runs []run) {
	for _, r := range runs {
		for row := r.from; row < r.to; row++ {
			if c.Valid.Null(row) {
				dst.AppendNull()
			} else {
				dst.Append(T(c.Values[row].Lo))
			}
		}
	}
}

// widen appends to dst the values of c, which is of the narrow type.
func widen(dst, c column.Column) {
	switch c := c.(type) {
	case *column.Ints:
		for _, v := range c.Values {
			switch dst := dst.(type) {
			case *column.Bytes:
				dst.Append(int8(v))
			case *column.Shorts:
				dst.Append(int16(v))
			case *column.Decimals:
				dst.Append(column.Int128Of(int64(v)))
			}
		}
	case *column.Longs:
		for _, v := range c.Values {
			dst.(*column.Decimals).Append(column.Int128Of(v))
		}
	}
}
