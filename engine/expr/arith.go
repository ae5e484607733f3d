package expr

import (
	"fmt"
	"math"

	"github.com/millrace-io/millrace/engine/column"
)

// arithmetic is left op right, where op is + - * / // or %.
func (c *checker) arithmetic(at int, op string, left, right *node) *node {
	if left.failed || right.failed {
		return &node{failed: true}
	}
	if left.kind() == column.Date || right.kind() == column.Date {
		return c.dateArithmetic(op, left, right)
	}
	both := []*node{left, right}
	for _, n := range both {
		if !n.kind().Numeric() && !n.untyped() {
			return c.fail(n.at, "%s: expected a number, found %s", op, n.typ)
		}
	}
	if left.kind() == column.Decimal || right.kind() == column.Decimal {
		if t, ok := commonDecimal(left.typ, right.typ); op != "/" && (!ok || t.Kind != column.Double) {
			return c.decimalArithmetic(at, op, left, right)
		}
		left, right = c.convert(left, column.Of(column.Double)), c.convert(right, column.Of(column.Double))
	}
	t, _ := common(left.typ, right.typ)
	if t.Kind == column.Byte || t.Kind == column.Short {
		t = column.Of(column.Int)
	}
	switch {
	case t.Kind == column.Invalid:
		t = column.Of(column.Int)
	case op == "//" && !t.Kind.Integer():
		return c.fail(at, "//: expected int or long, found %s; write / or floor(x / y)", t)
	}
	if op == "/" && t.Kind != column.Float {
		t = column.Of(column.Double)
	}
	left, right = c.convert(left, t), c.convert(right, t)
	return c.strict(t, arithmeticKernel(op, t, left, right), left, right)
}

// dateArithmetic is date + days, date - days or date - date, in days.
func (c *checker) dateArithmetic(op string, left, right *node) *node {
	if op == "+" && right.kind() == column.Date {
		left, right = right, left
	}
	switch {
	case op == "-" && right.kind() == column.Date && (left.kind() == column.Date || left.untyped()):
		left = c.convert(left, column.Of(column.Date))
		return c.strict(column.Of(column.Int), subtractInts[int32](column.Of(column.Int), left, right), left, right)
	case left.kind() != column.Date || op != "+" && op != "-":
		return c.fail(left.at, "%s: expected date + days, date - days or date - date, found %s %s %s", op, left.typeName(), op, right.typeName())
	}
	days := c.want("days of a date", right, column.Int)
	if op == "+" {
		return c.strict(left.typ, addInts[int32](left.typ, left, days), left, days)
	}
	return c.strict(left.typ, subtractInts[int32](left.typ, left, days), left, days)
}

func arithmeticKernel(op string, t column.Type, left, right *node) evalFunc {
	switch t.Kind {
	case column.Int:
		return intKernel[int32](op, t, left, right)
	case column.Long:
		return intKernel[int64](op, t, left, right)
	case column.Float:
		return floatKernel[float32](op, t, left, right)
	}
	return floatKernel[float64](op, t, left, right)
}

func intKernel[T whole](op string, t column.Type, left, right *node) evalFunc {
	switch op {
	case "+":
		return addInts[T](t, left, right)
	case "-":
		return subtractInts[T](t, left, right)
	case "*":
		return partial2(t, op, left, right, multiply[T])
	case "//":
		return partial2(t, op, left, right, divide[T])
	}
	return partial2(t, op, left, right, remainder[T])
}

func floatKernel[T broken](op string, t column.Type, left, right *node) evalFunc {
	switch op {
	case "+":
		return addFloats[T](t, left, right)
	case "-":
		return subtractFloats[T](t, left, right)
	case "*":
		return multiplyFloats[T](t, left, right)
	case "/":
		return partial2(t, op, left, right, func(x, y T) (T, bool) { return x / y, y != 0 })
	}
	return partial2(t, op, left, right, func(x, y T) (T, bool) { return T(math.Mod(float64(x), float64(y))), y != 0 })
}

// addInts adds without a branch a row: that a sum of the batch overflows shows in the sign of over, and only
// then are the rows looked at one by one.
func addInts[T whole](t column.Type, left, right *node) evalFunc {
	return func(r *run, sel column.Selection) column.Column {
		x, y := vecOf[T](r, left, sel), vecOf[T](r, right, sel)
		out := fixed[T](r, t)
		r.strict(&out.Valid, x.nulls(), y.nulls())
		var over T
		switch dst := out.Values; {
		case sel != nil:
			for _, i := range sel {
				a, b := x.at(i), y.at(i)
				dst[i] = a + b
				over |= (a ^ dst[i]) & (b ^ dst[i])
			}
		case y.constant() && !x.constant(): // two whose sum overflows are not folded
			b := y.values[0]
			for i, a := range x.values[:len(dst)] {
				s := a + b
				dst[i] = s
				over |= (a ^ s) & (b ^ s)
			}
		default:
			for i := range dst {
				a, b := x.at(int32(i)), y.at(int32(i))
				s := a + b
				dst[i] = s
				over |= (a ^ s) & (b ^ s)
			}
		}
		if over < 0 {
			recheck(r, "+", out, x, y, sel, func(a, b T) (T, bool) { s := a + b; return s, (a^s)&(b^s) >= 0 })
		}
		return out
	}
}

// subtractInts is addInts for differences.
func subtractInts[T whole](t column.Type, left, right *node) evalFunc {
	return func(r *run, sel column.Selection) column.Column {
		x, y := vecOf[T](r, left, sel), vecOf[T](r, right, sel)
		out := fixed[T](r, t)
		r.strict(&out.Valid, x.nulls(), y.nulls())
		var over T
		dst := out.Values
		for _, i := range r.rows(sel) {
			a, b := x.at(i), y.at(i)
			d := a - b
			dst[i] = d
			over |= (a ^ b) & (a ^ d)
		}
		if over < 0 {
			recheck(r, "-", out, x, y, sel, func(a, b T) (T, bool) { d := a - b; return d, (a^b)&(a^d) >= 0 })
		}
		return out
	}
}

// recheck computes rows again to find those without a value.
func recheck[T column.Native](r *run, op string, out *column.Fixed[T], x, y vec[T], sel column.Selection, f func(a, b T) (T, bool)) {
	for _, i := range r.rows(sel) {
		if out.Valid.Null(int(i)) {
			continue
		}
		v, ok := f(x.at(i), y.at(i))
		out.Values[i] = v
		if !ok {
			out.Valid.SetNull(int(i))
			r.fail(i, noResult(op, out.Type(), x.at(i), y.at(i)))
		}
	}
}

// noResult says why x op y has no value of type t.
func noResult[T column.Native](op string, t column.Type, x, y T) string {
	var zero T
	if y == zero && op != "+" && op != "-" && op != "*" {
		return fmt.Sprintf("%s: division of %v by zero", op, x)
	}
	return fmt.Sprintf("%s: %v %s %v does not fit %s", op, x, op, y, t)
}

// partial2 is an operator that has no value for some operands.
func partial2[T column.Native](t column.Type, op string, left, right *node, f func(x, y T) (T, bool)) evalFunc {
	return func(r *run, sel column.Selection) column.Column {
		x, y := vecOf[T](r, left, sel), vecOf[T](r, right, sel)
		out := fixed[T](r, t)
		r.strict(&out.Valid, x.nulls(), y.nulls())
		recheck(r, op, out, x, y, sel, f)
		return out
	}
}

// multiply has the product of an int in 64 bits. For a long it divides again only where a factor has more
// than 32 bits.
func multiply[T whole](x, y T) (T, bool) {
	p := int64(x) * int64(y)
	small := int64(int32(x)) == int64(x) && int64(int32(y)) == int64(y)
	fits := small || y == 0 || p/int64(y) == int64(x) && (y != -1 || int64(x) != math.MinInt64)
	return T(p), fits && int64(T(p)) == p
}

// divide cuts toward zero.
func divide[T whole](x, y T) (T, bool) {
	if y == 0 || y == -1 && x == -x && x != 0 {
		return 0, false
	}
	return x / y, true
}

// remainder has the sign of x.
func remainder[T whole](x, y T) (T, bool) {
	if y == 0 {
		return 0, false
	}
	return x % y, true
}

func addFloats[T broken](t column.Type, left, right *node) evalFunc {
	return total2(t, left, right, func(dst []T, x, y vec[T], rows column.Selection) {
		for _, i := range rows {
			dst[i] = x.at(i) + y.at(i)
		}
	})
}

func subtractFloats[T broken](t column.Type, left, right *node) evalFunc {
	return total2(t, left, right, func(dst []T, x, y vec[T], rows column.Selection) {
		for _, i := range rows {
			dst[i] = x.at(i) - y.at(i)
		}
	})
}

func multiplyFloats[T broken](t column.Type, left, right *node) evalFunc {
	return total2(t, left, right, func(dst []T, x, y vec[T], rows column.Selection) {
		for _, i := range rows {
			dst[i] = x.at(i) * y.at(i)
		}
	})
}

// total2 runs a loop for which every pair of operands has a value.
func total2[T column.Native](t column.Type, left, right *node, loop func(dst []T, x, y vec[T], rows column.Selection)) evalFunc {
	return func(r *run, sel column.Selection) column.Column {
		x, y := vecOf[T](r, left, sel), vecOf[T](r, right, sel)
		out := fixed[T](r, t)
		r.strict(&out.Valid, x.nulls(), y.nulls())
		loop(out.Values, x, y, r.rows(sel))
		return out
	}
}

// negate is -x.
func (c *checker) negate(x *node) *node {
	if x.failed {
		return x
	}
	zero := func(t column.Type) *node { return c.convert(constant(column.Of(column.Int), int32(0)), t) }
	switch x.kind() {
	case column.Decimal:
		return c.strict(x.typ, map1(x, x.typ, column.Int128.Neg), x)
	case column.Byte, column.Short, column.Int, column.Invalid:
		x = c.convert(x, column.Of(column.Int))
		return c.strict(x.typ, subtractInts[int32](x.typ, zero(x.typ), x), x)
	case column.Long:
		return c.strict(x.typ, subtractInts[int64](x.typ, zero(x.typ), x), x)
	case column.Float:
		return c.strict(x.typ, map1(x, x.typ, func(v float32) float32 { return -v }), x)
	case column.Double:
		return c.strict(x.typ, map1(x, x.typ, func(v float64) float64 { return -v }), x)
	}
	return c.fail(x.at, "-: expected a number, found %s", x.typ)
}

// map1 is a function of one value that has a result for each.
func map1[F, T column.Native](x *node, t column.Type, f func(F) T) evalFunc {
	return func(r *run, sel column.Selection) column.Column {
		v := vecOf[F](r, x, sel)
		out := fixed[T](r, t)
		r.strict(&out.Valid, v.nulls())
		for _, i := range r.rows(sel) {
			out.Values[i] = f(v.at(i))
		}
		return out
	}
}

// partial1 is a function of one value that has no result for some. With try those are null, else bad.
func partial1[F, T column.Native](x *node, t column.Type, try bool, f func(F) (T, bool), detail func(F) string) evalFunc {
	return func(r *run, sel column.Selection) column.Column {
		v := vecOf[F](r, x, sel)
		out := fixed[T](r, t)
		r.strict(&out.Valid, v.nulls())
		for _, i := range r.rows(sel) {
			if out.Valid.Null(int(i)) {
				continue
			}
			y, ok := f(v.at(i))
			out.Values[i] = y
			if !ok {
				out.Valid.SetNull(int(i))
				if !try {
					r.fail(i, detail(v.at(i)))
				}
			}
		}
		return out
	}
}
