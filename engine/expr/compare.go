package expr

import (
	"bytes"

	"github.com/millrace-io/millrace/engine/column"
)

// compare is one of the comparisons. All of them are made of two: equal, and less or equal. what names it in
// errors: op itself, or what it is a part of.
func (c *checker) compare(what, op string, left, right *node) *node {
	both := []*node{left, right}
	t, ok := c.unify(what, both)
	if !ok {
		return &node{failed: true}
	}
	left, right = both[0], both[1]
	if !ordered(t) {
		return c.unordered(what, left.at, t)
	}
	if t.Kind == column.Invalid {
		left, right = nullOf(column.Of(column.Bool)), nullOf(column.Of(column.Bool))
		t = left.typ
	}
	if op == "=" || op == "<>" {
		if left.lit != nil {
			left, right = right, left // see equalWhole
		}
	}
	switch op {
	case "=", "<>":
		return c.strict(column.Of(column.Bool), comparison(t, left, right, true, op == "<>"), left, right)
	case "<=", ">":
		return c.strict(column.Of(column.Bool), comparison(t, left, right, false, op == ">"), left, right)
	case ">=", "<": // the other way round
		return c.strict(column.Of(column.Bool), comparison(t, right, left, false, op == "<"), left, right)
	}
	return distinct(t, left, right, op == "IS DISTINCT FROM")
}

// comparison compares a and b of type t: whether they are equal, else whether a is less or equal; or the
// contrary.
func comparison(t column.Type, a, b *node, equal, contrary bool) evalFunc {
	switch t.Kind {
	case column.Bool:
		return compareBools(a, b, equal, contrary)
	case column.Byte:
		return compareWhole[int8](a, b, equal, contrary)
	case column.Short:
		return compareWhole[int16](a, b, equal, contrary)
	case column.Decimal:
		return compareDecimals(a, b, equal, contrary)
	case column.Int, column.Date:
		return compareWhole[int32](a, b, equal, contrary)
	case column.Long, column.Timestamp, column.TimestampNTZ:
		return compareWhole[int64](a, b, equal, contrary)
	case column.Float:
		return compareFloats[float32](a, b, equal, contrary)
	case column.Double:
		return compareFloats[float64](a, b, equal, contrary)
	}
	return compareTexts(a, b, equal, contrary)
}

// compared runs a loop over the values of two nodes.
func compared[T column.Native](a, b *node, loop func(dst []bool, x, y vec[T], rows column.Selection)) evalFunc {
	return func(r *run, sel column.Selection) column.Column {
		x, y := vecOf[T](r, a, sel), vecOf[T](r, b, sel)
		out := fixed[bool](r, column.Of(column.Bool))
		r.strict(&out.Valid, x.nulls(), y.nulls())
		loop(out.Values, x, y, sel)
		return out
	}
}

// whole are the types compared as they are.
type whole interface{ int8 | int16 | int32 | int64 }

func compareWhole[T whole](a, b *node, equal, contrary bool) evalFunc {
	if equal {
		return compared(a, b, func(dst []bool, x, y vec[T], sel column.Selection) { equalWhole(dst, x, y, sel, contrary) })
	}
	return compared(a, b, func(dst []bool, x, y vec[T], sel column.Selection) { lessWhole(dst, x, y, sel, contrary) })
}

// equalWhole has a loop for each of the usual cases; the last one serves all.
func equalWhole[T whole](dst []bool, x, y vec[T], sel column.Selection, contrary bool) {
	switch {
	case sel != nil:
		for _, i := range sel {
			dst[i] = (x.at(i) == y.at(i)) != contrary
		}
	case y.constant():
		want := y.values[0]
		for i, v := range x.values[:len(dst)] {
			dst[i] = (v == want) != contrary
		}
	default: // unifying has put a constant on the right
		w := y.values[:len(dst)]
		for i, v := range x.values[:len(dst)] {
			dst[i] = (v == w[i]) != contrary
		}
	}
}

func lessWhole[T whole](dst []bool, x, y vec[T], sel column.Selection, contrary bool) {
	switch {
	case sel != nil:
		for _, i := range sel {
			dst[i] = (x.at(i) <= y.at(i)) != contrary
		}
	case y.constant():
		bound := y.values[0]
		for i, v := range x.values[:len(dst)] {
			dst[i] = (v <= bound) != contrary
		}
	case x.constant():
		bound := x.values[0]
		for i, v := range y.values[:len(dst)] {
			dst[i] = (bound <= v) != contrary
		}
	default:
		w := y.values[:len(dst)]
		for i, v := range x.values[:len(dst)] {
			dst[i] = (v <= w[i]) != contrary
		}
	}
}

// broken are the types with a NaN, which is equal to itself and greater than all else.
type broken interface{ float32 | float64 }

func equalFloat[T broken](a, b T) bool { return a == b || a != a && b != b }
func lessFloat[T broken](a, b T) bool  { return a <= b || b != b }

func compareFloats[T broken](a, b *node, equal, contrary bool) evalFunc {
	if equal {
		return compared(a, b, func(dst []bool, x, y vec[T], sel column.Selection) { equalFloats(dst, x, y, sel, contrary) })
	}
	return compared(a, b, func(dst []bool, x, y vec[T], sel column.Selection) { lessFloats(dst, x, y, sel, contrary) })
}

func equalFloats[T broken](dst []bool, x, y vec[T], sel column.Selection, contrary bool) {
	switch {
	case sel != nil:
		for _, i := range sel {
			dst[i] = equalFloat(x.at(i), y.at(i)) != contrary
		}
	case y.constant() && y.values[0] == y.values[0]: // not NaN
		want := y.values[0]
		for i, v := range x.values[:len(dst)] {
			dst[i] = (v == want) != contrary
		}
	default:
		for i := range dst {
			dst[i] = equalFloat(x.at(int32(i)), y.at(int32(i))) != contrary
		}
	}
}

func lessFloats[T broken](dst []bool, x, y vec[T], sel column.Selection, contrary bool) {
	switch {
	case sel != nil:
		for _, i := range sel {
			dst[i] = lessFloat(x.at(i), y.at(i)) != contrary
		}
	case y.constant() && y.values[0] == y.values[0]: // not NaN: a NaN on the left is greater, as it should be
		bound := y.values[0]
		for i, v := range x.values[:len(dst)] {
			dst[i] = (v <= bound) != contrary
		}
	default:
		for i := range dst {
			dst[i] = lessFloat(x.at(int32(i)), y.at(int32(i))) != contrary
		}
	}
}

func compareBools(a, b *node, equal, contrary bool) evalFunc {
	return compared(a, b, func(dst []bool, x, y vec[bool], sel column.Selection) {
		for i := range sel.All(len(dst)) {
			p, q := x.at(int32(i)), y.at(int32(i))
			dst[i] = (p == q || !equal && q) != contrary // false is less than true
		}
	})
}

// compareTexts compares by bytes, which in UTF-8 is by code points.
func compareTexts(a, b *node, equal, contrary bool) evalFunc {
	return func(r *run, sel column.Selection) column.Column {
		x, y := wordsOf(r, a, sel), wordsOf(r, b, sel)
		out := fixed[bool](r, column.Of(column.Bool))
		r.strict(&out.Valid, x.nulls(), y.nulls())
		rows, dst := r.rows(sel), out.Values
		switch {
		case equal && y.constant():
			want := string(y.at(0))
			for _, i := range rows {
				dst[i] = (string(x.at(i)) == want) != contrary
			}
		case equal:
			for _, i := range rows {
				dst[i] = bytes.Equal(x.at(i), y.at(i)) != contrary
			}
		default:
			for _, i := range rows {
				dst[i] = (bytes.Compare(x.at(i), y.at(i)) <= 0) != contrary
			}
		}
		return out
	}
}

// distinct is IS [NOT] DISTINCT FROM: a comparison for which nulls are values, equal to each other.
func distinct(t column.Type, left, right *node, contrary bool) *node {
	if left.lit != nil {
		left, right = right, left // see equalWhole
	}
	a, x := share(left)
	b, y := share(right)
	equal := comparison(t, a, b, true, false)
	n := &node{typ: column.Of(column.Bool), eval: func(r *run, sel column.Selection) column.Column {
		x.fill(r, sel)
		y.fill(r, sel)
		same := equal(r, sel).(*column.Bools)
		p, q := r.column(a, sel).Nulls(), r.column(b, sel).Nulls()
		x.col, y.col = nil, nil
		out := fixed[bool](r, column.Of(column.Bool))
		r.strict(&out.Valid)
		for _, i := range r.rows(sel) {
			pn, qn := p.Null(int(i)&a.mask()), q.Null(int(i)&b.mask())
			is := same.Values[i]
			if pn || qn {
				is = pn && qn
			}
			out.Values[i] = is != contrary
		}
		return out
	}}
	return fold(n, left, right)
}

// A slot keeps the column of a node that several kernels of one owner read, so that it is computed once.
type slot struct {
	of  *node
	col column.Column
}

// share gives a node that reads what the slot was last filled with. A constant needs none.
func share(n *node) (*node, *slot) {
	s := &slot{of: n}
	if n.lit != nil {
		return n, s
	}
	shared := *n
	shared.eval = func(*run, column.Selection) column.Column { return s.col }
	return &shared, s
}

// fill computes the node for the rows sel: the readers may ask for these and no others.
func (s *slot) fill(r *run, sel column.Selection) {
	if s.of.lit == nil {
		s.col = s.of.eval(r, sel)
	}
}
