package expr

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"github.com/millrace-io/millrace/engine/column"
)

// asDecimal is the type of decimals that has room for all numbers of a whole type, t itself if it is one.
func asDecimal(t column.Type) column.Type {
	switch t.Kind {
	case column.Byte:
		return column.DecimalOf(3, 0)
	case column.Short:
		return column.DecimalOf(5, 0)
	case column.Int:
		return column.DecimalOf(10, 0)
	case column.Long:
		return column.DecimalOf(20, 0)
	}
	return t
}

// commonDecimal is common for numbers of which one is a decimal. With a float they are doubles.
func commonDecimal(a, b column.Type) (t column.Type, ok bool) {
	if k := max(a.Kind, b.Kind); k == column.Decimal {
		k = min(a.Kind, b.Kind)
		if k == column.Float || k == column.Double {
			return column.Of(column.Double), true
		}
	}
	a, b = asDecimal(a), asDecimal(b)
	scale := max(a.Scale(), b.Scale())
	digits := max(a.Precision()-a.Scale(), b.Precision()-b.Scale()) + scale
	return column.DecimalOf(min(digits, column.MostDigits), scale), digits <= column.MostDigits
}

// decimalArithmetic is left op right of decimals and whole numbers, one of them a decimal. The result has the
// digits that it may need, as in Spark: at most 38, and a row that needs more has no value.
func (c *checker) decimalArithmetic(at int, op string, left, right *node) *node {
	if left.untyped() {
		left = nullOf(right.typ)
	}
	if right.untyped() {
		right = nullOf(left.typ)
	}
	a, b := asDecimal(left.typ), asDecimal(right.typ)
	scale := max(a.Scale(), b.Scale())
	digits := max(a.Precision()-a.Scale(), b.Precision()-b.Scale()) + scale + 1
	switch op {
	case "*":
		scale, digits = a.Scale()+b.Scale(), a.Precision()+b.Precision()+1
	case "//", "%":
		return c.fail(at, "%s: expected whole numbers or doubles, found %s and %s; CAST them", op, left.typ, right.typ)
	}
	if scale > column.MostDigits {
		return c.fail(at, "%s: %s and %s give %d digits behind the point, a decimal has at most %d; CAST one to fewer", op, left.typ, right.typ, scale, column.MostDigits)
	}
	t := column.DecimalOf(min(digits, column.MostDigits), scale)
	left, right = c.convert(left, a), c.convert(right, b)
	return c.strict(t, decimalKernel(op, t, left, right), left, right)
}

func decimalKernel(op string, t column.Type, left, right *node) evalFunc {
	byLeft, byRight := t.Scale()-left.typ.Scale(), t.Scale()-right.typ.Scale()
	compute := column.Int128.Mul
	if op != "*" {
		compute = func(x, y column.Int128) (column.Int128, bool) {
			x, fits := x.Rescale(byLeft)
			y, fits2 := y.Rescale(byRight)
			if op == "-" {
				y = y.Neg()
			}
			sum, fits3 := x.Add(y)
			return sum, fits && fits2 && fits3
		}
	}
	return func(r *run, sel column.Selection) column.Column {
		x, y := vecOf[column.Int128](r, left, sel), vecOf[column.Int128](r, right, sel)
		out := fixed[column.Int128](r, t)
		r.strict(&out.Valid, x.nulls(), y.nulls())
		for _, i := range r.rows(sel) {
			if out.Valid.Null(int(i)) {
				continue
			}
			v, ok := compute(x.at(i), y.at(i))
			out.Values[i] = v
			if !ok || !v.Digits(t.Precision()) {
				out.Valid.SetNull(int(i))
				a, b := x.at(i).AppendDecimal(nil, left.typ.Scale()), y.at(i).AppendDecimal(nil, right.typ.Scale())
				r.fail(i, fmt.Sprintf("%s: %s %s %s does not fit %s", op, a, op, b, t))
			}
		}
		return out
	}
}

// compareDecimals compares decimals of one type.
func compareDecimals(a, b *node, equal, contrary bool) evalFunc {
	return compared(a, b, func(dst []bool, x, y vec[column.Int128], sel column.Selection) {
		for i := range sel.All(len(dst)) {
			order := x.at(int32(i)).Cmp(y.at(int32(i)))
			dst[i] = (order == 0 || !equal && order < 0) != contrary
		}
	})
}

func absDecimal(v column.Int128) column.Int128 {
	if v.Hi < 0 {
		return v.Neg()
	}
	return v
}

// castDecimal rounds, halves away from 0.
func castDecimal(x *node, to column.Type, try bool) evalFunc {
	scale := x.typ.Scale()
	unfit := func(v column.Int128) string {
		return fmt.Sprintf("CAST: %s does not fit %s", v.AppendDecimal(nil, scale), to)
	}
	whole := func(v column.Int128) (int64, bool) {
		v, _ = v.Rescale(-scale)
		return v.Int64()
	}
	switch to.Kind {
	case column.Bool:
		return map1(x, to, func(v column.Int128) bool { return v != column.Int128{} })
	case column.Byte:
		return partial1(x, to, try, func(v column.Int128) (int8, bool) { w, ok := whole(v); return int8(w), ok && int64(int8(w)) == w }, unfit)
	case column.Short:
		return partial1(x, to, try, func(v column.Int128) (int16, bool) { w, ok := whole(v); return int16(w), ok && int64(int16(w)) == w }, unfit)
	case column.Int:
		return partial1(x, to, try, func(v column.Int128) (int32, bool) { w, ok := whole(v); return int32(w), ok && int64(int32(w)) == w }, unfit)
	case column.Long:
		return partial1(x, to, try, whole, unfit)
	case column.Float:
		return map1(x, to, func(v column.Int128) float32 { return float32(v.Float(scale)) })
	case column.Double:
		return map1(x, to, func(v column.Int128) float64 { return v.Float(scale) })
	case column.Decimal:
		return partial1(x, to, try, func(v column.Int128) (column.Int128, bool) {
			v, ok := v.Rescale(to.Scale() - scale)
			return v, ok && v.Digits(to.Precision())
		}, unfit)
	case column.String:
		return format(x, func(dst []byte, v column.Int128) []byte { return v.AppendDecimal(dst, scale) })
	}
	return nil
}

// wholeToDecimal is the cast of a whole number.
func wholeToDecimal[F whole](x *node, to column.Type, try bool) evalFunc {
	return partial1(x, to, try, func(v F) (column.Int128, bool) {
		d, ok := column.Int128Of(int64(v)).Rescale(to.Scale())
		return d, ok && d.Digits(to.Precision())
	}, unfit[F](to))
}

// floatToDecimal is the cast of a float or double, rounded to the digits that the decimal has, halves away from 0.
func floatToDecimal[F broken](x *node, to column.Type, try bool) evalFunc {
	const tooLarge = 1e39 // for any decimal
	power := math.Pow10(to.Scale())
	return partial1(x, to, try, func(v F) (column.Int128, bool) {
		f := float64(v)
		if !(math.Abs(f) < tooLarge) {
			return column.Int128{}, false
		}
		if scaled := math.Round(f * power); math.Abs(scaled) < 1<<53 {
			d := column.Int128Of(int64(scaled))
			return d, d.Digits(to.Precision())
		}
		var text [96]byte
		d, err := column.ParseDecimal(strconv.AppendFloat(text[:0], f, 'f', to.Scale(), 64), to.Precision(), to.Scale())
		return d, err == nil
	}, unfit[F](to))
}

// parseDecimal reads texts as the casts to other numbers do, and rounds halves away from 0.
func parseDecimal(to column.Type) func(text []byte) (column.Int128, bool) {
	return func(text []byte) (column.Int128, bool) {
		d, err := column.RoundDecimal(bytes.TrimSpace(text), to.Precision(), to.Scale())
		return d, err == nil
	}
}
