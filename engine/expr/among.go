package expr

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/millrace-io/millrace/engine/column"
)

// between is x >= low AND x <= high, with x computed once.
func (c *checker) between(t *betweenTree) *node {
	x, low, high := c.check(t.x), c.check(t.low), c.check(t.high)
	if x.failed || low.failed || high.failed {
		return &node{failed: true}
	}
	shared, s := share(x)
	above := c.compare("BETWEEN", ">=", shared, low)
	below := c.compare("BETWEEN", "<=", shared, high)
	if above.failed || below.failed {
		return &node{failed: true}
	}
	return owner(s, c.negated(c.connect("AND", above, below), t.not))
}

// owner is n with the slot filled before: n has the slot's only readers in it.
func owner(s *slot, n *node) *node {
	if n.failed || n.lit != nil || s.of.lit != nil {
		return n
	}
	owned, inner := *n, n.eval
	owned.eval = func(r *run, sel column.Selection) column.Column {
		s.fill(r, sel)
		out := inner(r, sel)
		s.col = nil // it is the batch's
		return out
	}
	return &owned
}

func (c *checker) negated(n *node, not bool) *node {
	if !not || n.failed {
		return n
	}
	return c.negation(n)
}

// inList is x IN (list). A list of constants is searched, any other compared one by one.
func (c *checker) inList(t *inTree) *node {
	x := c.check(t.x)
	list, ok := c.checkAll(t.list)
	if x.failed || !ok {
		return &node{failed: true}
	}
	all := append([]*node{x}, list...)
	typ, ok := c.unify("IN", all)
	switch {
	case !ok:
		return &node{failed: true}
	case !ordered(typ):
		return c.unordered("IN", x.at, typ)
	case typ.Kind == column.Invalid:
		return nullOf(column.Of(column.Bool))
	}
	x, list = all[0], all[1:]
	if slices.ContainsFunc(list, func(n *node) bool { return n.lit == nil }) {
		return c.inAny(x, list, t.not)
	}
	null := slices.ContainsFunc(list, (*node).null)
	list = slices.DeleteFunc(list, (*node).null)
	n := c.strict(column.Of(column.Bool), member(typ, x, list, null, t.not), x)
	n.nullable = n.nullable || null
	return n
}

// inAny is x = a OR x = b OR ….
func (c *checker) inAny(x *node, list []*node, not bool) *node {
	shared, s := share(x)
	var any *node
	for _, item := range list {
		equal := c.compare("IN", "=", shared, item)
		if any == nil {
			any = equal
		} else {
			any = c.connect("OR", any, equal)
		}
	}
	return owner(s, c.negated(any, not))
}

// member searches a list of constants, none of them null. Where null is set the list had a NULL too: what is
// not found may be it.
func member(t column.Type, x *node, list []*node, null, not bool) evalFunc {
	switch t.Kind {
	case column.Bool:
		return memberOf(x, list, null, not, func(a, b bool) int {
			return cmp.Compare(boolToInt(a), boolToInt(b))
		})
	case column.Byte:
		return memberOf(x, list, null, not, cmp.Compare[int8])
	case column.Short:
		return memberOf(x, list, null, not, cmp.Compare[int16])
	case column.Decimal:
		return memberOf(x, list, null, not, column.Int128.Cmp)
	case column.Int, column.Date:
		return memberOf(x, list, null, not, cmp.Compare[int32])
	case column.Long, column.Timestamp, column.TimestampNTZ:
		return memberOf(x, list, null, not, cmp.Compare[int64])
	case column.Float:
		return memberOf(x, list, null, not, cmp.Compare[float32])
	case column.Double:
		return memberOf(x, list, null, not, cmp.Compare[float64])
	}
	return memberText(x, list, null, not)
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// memberOf searches fixed values by halves. That NaN comes first in the order of compare does not matter.
func memberOf[T column.Native](x *node, list []*node, null, not bool, compare func(a, b T) int) evalFunc {
	var set []T
	for _, n := range list {
		set = append(set, n.lit.(*column.Fixed[T]).Values[0])
	}
	slices.SortFunc(set, compare)
	return func(r *run, sel column.Selection) column.Column {
		v := vecOf[T](r, x, sel)
		out := fixed[bool](r, column.Of(column.Bool))
		r.strict(&out.Valid, v.nulls())
		for _, i := range r.rows(sel) {
			_, found := slices.BinarySearchFunc(set, v.at(i), compare)
			out.Values[i] = found != not
			if null && !found {
				out.Valid.SetNull(int(i))
			}
		}
		return out
	}
}

// memberText searches texts by length, then by bytes.
func memberText(x *node, list []*node, null, not bool) evalFunc {
	compare := func(a, b []byte) int { return cmp.Or(cmp.Compare(len(a), len(b)), bytes.Compare(a, b)) }
	var set [][]byte
	for _, n := range list {
		set = append(set, n.lit.(*column.Texts).At(0))
	}
	slices.SortFunc(set, compare)
	return func(r *run, sel column.Selection) column.Column {
		v := wordsOf(r, x, sel)
		out := fixed[bool](r, column.Of(column.Bool))
		r.strict(&out.Valid, v.nulls())
		for _, i := range r.rows(sel) {
			_, found := slices.BinarySearchFunc(set, v.at(i), compare)
			out.Values[i] = found != not
			if null && !found {
				out.Valid.SetNull(int(i))
			}
		}
		return out
	}
}
