package expr

import "github.com/millrace-io/millrace/engine/column"

func (c *checker) unary(t *unaryTree) *node {
	switch t.op {
	case "-":
		return c.negate(c.check(t.x))
	case "+":
		return c.number1("+", c.check(t.x))
	}
	return c.negation(c.want("NOT", c.check(t.x), column.Bool))
}

// negation is NOT x.
func (c *checker) negation(x *node) *node {
	return c.strict(column.Of(column.Bool), func(r *run, sel column.Selection) column.Column {
		v := vecOf[bool](r, x, sel)
		out := fixed[bool](r, column.Of(column.Bool))
		r.strict(&out.Valid, v.nulls())
		for _, i := range r.rows(sel) {
			out.Values[i] = !v.at(i)
		}
		return out
	}, x)
}

func (c *checker) binary(t *binaryTree) *node {
	left, right := c.check(t.left), c.check(t.right)
	switch t.op {
	case "AND", "OR":
		return c.connect(t.op, left, right)
	case "=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM", "IS NOT DISTINCT FROM":
		return c.compare(t.op, t.op, left, right)
	case "||":
		return c.concat("||", []*node{left, right}, false)
	}
	return c.arithmetic(t.at, t.op, left, right)
}

// connect is AND or OR. The right side is computed only for rows that the left side does not decide, so that
// x <> 0 AND 1 / x > 2 has a value for every row.
func (c *checker) connect(op string, left, right *node) *node {
	left, right = c.want(op, left, column.Bool), c.want(op, right, column.Bool)
	if left.failed || right.failed {
		return &node{failed: true}
	}
	decides := op == "OR" // the value of one side that makes the other one unimportant
	if left.lit != nil && !left.null() && left.lit.(*column.Bools).Values[0] == decides {
		return left
	}
	return fold(&node{
		typ:      column.Of(column.Bool),
		nullable: left.nullable || right.nullable,
		eval:     func(r *run, sel column.Selection) column.Column { return r.connect(left, right, decides, sel) },
	}, left, right)
}

// connect computes AND (decides: false) and OR (decides: true).
func (r *run) connect(left, right *node, decides bool, sel column.Selection) column.Column {
	x := vecOf[bool](r, left, sel)
	out := fixed[bool](r, column.Of(column.Bool))
	r.strict(&out.Valid)
	for _, i := range r.rows(sel) {
		out.Values[i] = decides
	}
	open := r.whereNot(x, sel, decides)
	if len(open) == 0 {
		return out
	}
	y := vecOf[bool](r, right, open)
	if x.valid.Nulls() == 0 && y.valid.Nulls() == 0 {
		for _, i := range open {
			out.Values[i] = y.at(i)
		}
		return out
	}
	for _, i := range open {
		switch {
		case !y.null(i) && y.at(i) == decides:
		case x.null(i) || y.null(i):
			out.Valid.SetNull(int(i))
		default:
			out.Values[i] = !decides
		}
	}
	return out
}

// is is x IS [NOT] NULL, TRUE or FALSE, which is never null itself.
func (c *checker) is(t *isTree) *node {
	x := c.check(t.x)
	if t.word == "NULL" {
		return c.isNull(x, t.not)
	}
	if x = c.want("IS "+not(t.not)+t.word, x, column.Bool); x.failed {
		return x
	}
	return distinct(x.typ, x, word(t.word), t.not)
}

func (c *checker) isNull(x *node, not bool) *node {
	if x.failed {
		return x
	}
	return fold(&node{typ: column.Of(column.Bool), eval: func(r *run, sel column.Selection) column.Column {
		valid, mask := r.column(x, sel).Nulls(), x.mask()
		out := fixed[bool](r, column.Of(column.Bool))
		r.strict(&out.Valid)
		for _, i := range r.rows(sel) {
			out.Values[i] = valid.Null(int(i)&mask) != not
		}
		return out
	}}, x)
}
