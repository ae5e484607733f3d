package expr

import (
	"fmt"
	"math"

	"github.com/millrace-io/millrace/engine/column"
)

// number1 checks that n is a number; a NULL is taken as an int.
func (c *checker) number1(what string, n *node) *node {
	switch {
	case n.failed:
		return n
	case n.untyped():
		return nullOf(column.Of(column.Int))
	case !n.kind().Numeric():
		return c.fail(n.at, "%s: expected a number, found %s", what, n.typ)
	case n.kind() == column.Decimal:
		return c.fail(n.at, "%s: there is none of decimals, this is %s; CAST it to double", what, n.typ)
	case n.kind() < column.Int:
		return c.convert(n, column.Of(column.Int))
	}
	return n
}

// double1 is a function of a double.
func (c *checker) double1(what string, n *node, f func(float64) float64) *node {
	x := c.want(what, n, column.Double)
	return c.strict(column.Of(column.Double), map1(x, column.Of(column.Double), f), x)
}

// abs is |x|, of the type of x.
func (c *checker) abs(what string, n *node) *node {
	if n.kind() == column.Decimal {
		return c.strict(n.typ, map1(n, n.typ, absDecimal), n)
	}
	x := c.number1(what, n)
	switch x.kind() {
	case column.Int:
		return c.strict(x.typ, partial1(x, x.typ, false, absolute[int32], absUnfit[int32](what)), x)
	case column.Long:
		return c.strict(x.typ, partial1(x, x.typ, false, absolute[int64], absUnfit[int64](what)), x)
	case column.Float:
		return c.strict(x.typ, map1(x, x.typ, func(v float32) float32 { return float32(math.Abs(float64(v))) }), x)
	}
	return c.strict(x.typ, map1(x, x.typ, math.Abs), x)
}

func absolute[T whole](v T) (T, bool) {
	if v < 0 {
		v = -v
	}
	return v, v >= 0
}

func absUnfit[T whole](what string) func(T) string {
	return func(v T) string { return fmt.Sprintf("%s: of %d there is none in its type", what, v) }
}

// rounded is floor, ceil or round: whole numbers stay as they are, others keep their type.
func (c *checker) rounded(what string, n *node, f func(float64) float64) *node {
	x := c.number1(what, n)
	switch x.kind() {
	case column.Float:
		return c.strict(x.typ, map1(x, x.typ, func(v float32) float32 { return float32(f(float64(v))) }), x)
	case column.Double:
		return c.strict(x.typ, map1(x, x.typ, f), x)
	}
	return x
}

// roundTo rounds to so many decimal places, halves away from 0.
func (c *checker) roundTo(what string, n, places *node) *node {
	x, p := c.number1(what, n), c.want(what, places, column.Int)
	if x.failed || p.failed {
		return &node{failed: true}
	}
	return c.strict(x.typ, roundKernel(what, x, p), x, p)
}

func roundKernel(what string, x, p *node) evalFunc {
	switch x.kind() {
	case column.Int:
		return partialMixed(x, p, what, func(v, places int32) (int32, bool) {
			rounded, ok := roundWhole(int64(v), places)
			return int32(rounded), ok && int64(int32(rounded)) == rounded
		})
	case column.Long:
		return partialMixed(x, p, what, roundWhole)
	case column.Float:
		return partialMixed(x, p, what, func(v float32, places int32) (float32, bool) {
			rounded := float32(roundPlaces(float64(v), places))
			return rounded, !math.IsInf(float64(rounded), 0) || math.IsInf(float64(v), 0)
		})
	}
	return partialMixed(x, p, what, func(v float64, places int32) (float64, bool) { return roundPlaces(v, places), true })
}

// partialMixed is a function of a value and an int that may have no result.
func partialMixed[T column.Native](x, p *node, what string, f func(v T, p int32) (T, bool)) evalFunc {
	return func(r *run, sel column.Selection) column.Column {
		v, places := vecOf[T](r, x, sel), vecOf[int32](r, p, sel)
		out := fixed[T](r, x.typ)
		r.strict(&out.Valid, v.nulls(), places.nulls())
		for _, i := range r.rows(sel) {
			if out.Valid.Null(int(i)) {
				continue
			}
			y, ok := f(v.at(i), places.at(i))
			out.Values[i] = y
			if !ok {
				out.Valid.SetNull(int(i))
				r.fail(i, fmt.Sprintf("%s: %v to %d places does not fit %s", what, v.at(i), places.at(i), x.typ))
			}
		}
		return out
	}
}

// roundPlaces is v where the scaled value is out of range: it has no such places. A NaN and the infinities
// stay what they are.
func roundPlaces(v float64, places int32) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return v
	}
	scale := math.Pow(10, math.Abs(float64(places)))
	if places < 0 {
		if scaled := math.Round(v/scale) * scale; !math.IsInf(scaled, 0) && !math.IsNaN(scaled) {
			return scaled
		}
		return 0
	}
	if scaled := math.Round(v*scale) / scale; !math.IsInf(scaled, 0) && !math.IsNaN(scaled) {
		return scaled
	}
	return v
}

// roundWhole rounds to tens, hundreds, … for negative places.
func roundWhole(v int64, places int32) (int64, bool) {
	if places >= 0 {
		return v, true
	}
	if places < -18 {
		return 0, places < -19 || v > -5e18 && v < 5e18
	}
	unit := int64(1)
	for range -places {
		unit *= 10
	}
	rest := v % unit
	v -= rest
	switch half := unit / 2; {
	case rest >= half:
		return v + unit, v <= math.MaxInt64-unit
	case rest <= -half:
		return v - unit, v >= math.MinInt64+unit
	}
	return v, true
}

// sign is -1, 0 or 1, of a NaN 0.
func (c *checker) sign(what string, n *node) *node {
	x := c.number1(what, n)
	typ := column.Of(column.Int)
	switch x.kind() {
	case column.Int:
		return c.strict(typ, map1(x, typ, signOf[int32]), x)
	case column.Long:
		return c.strict(typ, map1(x, typ, signOf[int64]), x)
	case column.Float:
		return c.strict(typ, map1(x, typ, signOf[float32]), x)
	}
	return c.strict(typ, map1(x, typ, signOf[float64]), x)
}

func signOf[T whole | broken](v T) int32 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

// power is x to the y-th, in doubles.
func (c *checker) power(what string, args []*node) *node {
	x, y := c.want(what, args[0], column.Double), c.want(what, args[1], column.Double)
	return c.strict(column.Of(column.Double), total2(column.Of(column.Double), x, y, func(dst []float64, x, y vec[float64], rows column.Selection) {
		for _, i := range rows {
			dst[i] = math.Pow(x.at(i), y.at(i))
		}
	}), x, y)
}
