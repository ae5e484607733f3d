package expr

import (
	"bytes"

	"github.com/millrace-io/millrace/engine/column"
)

// caseOf is CASE. The form with an operand compares it, computed once, with each WHEN.
func (c *checker) caseOf(t *caseTree) *node {
	var operand *node
	if t.operand != nil {
		operand = c.check(t.operand)
	}
	var whens, branches []*node
	shared, s := operand, (*slot)(nil)
	if operand != nil {
		shared, s = share(operand)
	}
	for _, w := range t.whens {
		when := c.check(w.when)
		if operand != nil {
			when = c.compare("CASE", "=", shared, when)
		} else {
			when = c.want("WHEN", when, column.Bool)
		}
		whens, branches = append(whens, when), append(branches, c.check(w.then))
	}
	other := nullOf(column.Type{})
	if t.other != nil {
		other = c.check(t.other)
	}
	n := c.conditional("CASE", whens, append(branches, other))
	if s == nil {
		return n
	}
	return owner(s, n)
}

// conditional gives a row the first of branches whose condition holds, else the last of them, which has
// none.
func (c *checker) conditional(what string, whens, branches []*node) *node {
	t, ok := c.unify(what, branches)
	for _, w := range whens {
		ok = ok && !w.failed
	}
	if !ok {
		return &node{failed: true}
	}
	if t.Kind == column.Invalid {
		return nullOf(t)
	}
	choice := newChoice(branches)
	n := &node{typ: t, eval: func(r *run, sel column.Selection) column.Column {
		choice.begin(r)
		open := r.rows(sel)
		for k, when := range whens {
			if len(open) == 0 {
				break
			}
			v := vecOf[bool](r, when, open)
			choice.take(r, int16(k), r.where(v, open, true))
			open = r.whereNot(v, open, true)
		}
		choice.take(r, int16(len(whens)), open)
		return choice.column(r, t, sel)
	}}
	for _, b := range branches {
		n.nullable = n.nullable || b.nullable
	}
	return fold(n, append(whens, branches...)...)
}

// coalesce gives a row the first of its arguments that is not null.
func (c *checker) coalesce(what string, args []*node) *node {
	t, ok := c.unify(what, args)
	if !ok {
		return &node{failed: true}
	}
	if t.Kind == column.Invalid {
		return nullOf(t)
	}
	choice := newChoice(args)
	n := &node{typ: t, nullable: true, eval: func(r *run, sel column.Selection) column.Column {
		choice.begin(r)
		open := r.rows(sel)
		for k, arg := range args {
			if len(open) == 0 {
				break
			}
			result := r.column(arg, open)
			has, rest := r.split(result.Nulls(), arg.mask(), open)
			choice.give(int16(k), result, has)
			open = rest
		}
		choice.take(r, none, open)
		return choice.column(r, t, sel)
	}}
	for _, a := range args {
		n.nullable = n.nullable && a.nullable
	}
	return fold(n, args...)
}

// give is take for a branch that was computed already.
func (c *choice) give(k int16, result column.Column, rows column.Selection) {
	if len(rows) == 0 {
		return
	}
	c.results[k] = result
	for _, i := range rows {
		c.pick[i] = k
	}
}

// split gives the rows that have a value and those that have none.
func (r *run) split(valid *column.Validity, mask int, rows column.Selection) (has, not column.Selection) {
	if valid.Nulls() == 0 {
		return rows, nil
	}
	has, not = r.arena.Selection(len(rows)), r.arena.Selection(len(rows))
	for _, i := range rows {
		if valid.Null(int(i) & mask) {
			not = append(not, i)
		} else {
			has = append(has, i)
		}
	}
	return has, not
}

// nullIf is null where x equals y, else x.
func (c *checker) nullIf(x, y *node) *node {
	if x.failed || y.failed {
		return &node{failed: true}
	}
	shared, s := share(x)
	equal := c.compare("nullif", "=", shared, y)
	null := nullOf(x.typ)
	return owner(s, c.conditional("nullif", []*node{equal}, []*node{null, shared}))
}

// extreme is greatest or least of its arguments, of which those that are null are left out.
func (c *checker) extreme(what string, args []*node, greatest bool) *node {
	t, ok := c.unify(what, args)
	switch {
	case !ok:
		return &node{failed: true}
	case t.Kind == column.Invalid:
		return nullOf(t)
	case !ordered(t):
		return c.unordered(what, args[0].at, t)
	}
	choice := newChoice(args)
	rank := ranking(t, choice, greatest)
	n := &node{typ: t, nullable: true, eval: func(r *run, sel column.Selection) column.Column {
		choice.begin(r)
		rows := r.rows(sel)
		for k, arg := range args {
			choice.give(int16(k), r.column(arg, rows), rows)
		}
		if len(rows) > 0 {
			rank(rows)
		}
		choice.nulls = true // some of the picks may be of null
		return choice.column(r, t, sel)
	}}
	for _, a := range args {
		n.nullable = n.nullable && a.nullable
	}
	return fold(n, args...)
}

// ranking gives the loop that picks the branch with the greatest or least value.
func ranking(t column.Type, c *choice, greatest bool) func(rows column.Selection) {
	switch t.Kind {
	case column.Bool:
		return func(rows column.Selection) {
			rankFixed(c, rows, greatest, func(a, b bool) bool { return !a && b })
		}
	case column.Byte:
		return func(rows column.Selection) {
			rankFixed(c, rows, greatest, func(a, b int8) bool { return a < b })
		}
	case column.Short:
		return func(rows column.Selection) {
			rankFixed(c, rows, greatest, func(a, b int16) bool { return a < b })
		}
	case column.Decimal:
		return func(rows column.Selection) {
			rankFixed(c, rows, greatest, func(a, b column.Int128) bool { return a.Cmp(b) < 0 })
		}
	case column.Int, column.Date:
		return func(rows column.Selection) {
			rankFixed(c, rows, greatest, func(a, b int32) bool { return a < b })
		}
	case column.Long, column.Timestamp, column.TimestampNTZ:
		return func(rows column.Selection) {
			rankFixed(c, rows, greatest, func(a, b int64) bool { return a < b })
		}
	case column.Float:
		return func(rows column.Selection) {
			rankFixed(c, rows, greatest, func(a, b float32) bool { return !lessFloat(b, a) })
		}
	case column.Double:
		return func(rows column.Selection) {
			rankFixed(c, rows, greatest, func(a, b float64) bool { return !lessFloat(b, a) })
		}
	}
	return func(rows column.Selection) { rankTexts(c, rows, greatest) }
}

func rankFixed[T column.Native](c *choice, rows column.Selection, greatest bool, less func(a, b T) bool) {
	branches := make([]vec[T], len(c.branches))
	for k, result := range c.results {
		branches[k] = asVec[T](result, c.branches[k])
	}
	for _, i := range rows {
		best := int16(none)
		for k := range branches {
			if b := &branches[k]; !b.null(i) {
				if best == none || greatest && less(branches[best].at(i), b.at(i)) || !greatest && less(b.at(i), branches[best].at(i)) {
					best = int16(k)
				}
			}
		}
		c.pick[i] = best
	}
}

func rankTexts(c *choice, rows column.Selection, greatest bool) {
	branches := make([]words, len(c.branches))
	for k, result := range c.results {
		branches[k] = asWords(result, c.branches[k])
	}
	for _, i := range rows {
		best := int16(none)
		for k := range branches {
			if b := &branches[k]; !b.null(i) {
				if best == none || bytes.Compare(b.at(i), branches[best].at(i)) > 0 == greatest {
					best = int16(k)
				}
			}
		}
		c.pick[i] = best
	}
}
