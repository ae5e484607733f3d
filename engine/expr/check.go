package expr

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/millrace-io/millrace/engine/column"
)

// A checker turns a tree into nodes. It goes on after an error, to find all of them.
type checker struct {
	in        column.Schema
	columns   []string   // read so far
	functions []function // nil before the first call
	errs      Errors
}

// fail notes an error.
func (c *checker) fail(at int, format string, args ...any) *node {
	c.errs = append(c.errs, &Error{Offset: at, Message: fmt.Sprintf(format, args...)})
	return &node{at: at, failed: true}
}

// check gives the node of t. Its place is the tree's.
func (c *checker) check(t tree) *node {
	n := *c.node(t)
	n.at = t.place()
	return &n
}

func (c *checker) node(t tree) *node {
	switch t := t.(type) {
	case *nameTree:
		return c.name(t)
	case *numberTree:
		return c.number(t)
	case *textTree:
		return c.text(t)
	case *wordTree:
		return word(t.word)
	case *unaryTree:
		return c.unary(t)
	case *binaryTree:
		return c.binary(t)
	case *isTree:
		return c.is(t)
	case *inTree:
		return c.inList(t)
	case *betweenTree:
		return c.between(t)
	case *likeTree:
		return c.like(t)
	case *caseTree:
		return c.caseOf(t)
	case *castTree:
		return c.cast(t)
	case *callTree:
		return c.call(t)
	case *elementTree:
		return c.element(t)
	case *fieldTree:
		return c.field(t.at, source(t.x), c.check(t.x), t.name)
	}
	panic(fmt.Sprintf("expr: no such tree: %T", t))
}

// checkAll checks all of list; ok is false if one failed.
func (c *checker) checkAll(list []tree) (nodes []*node, ok bool) {
	ok = true
	for _, t := range list {
		n := c.check(t)
		ok = ok && !n.failed
		nodes = append(nodes, n)
	}
	return nodes, ok
}

// name finds a column.
func (c *checker) name(t *nameTree) *node {
	i := c.in.Index(t.name)
	if i < 0 {
		if n := c.fieldOf(t); n != nil {
			return n
		}
		message := fmt.Sprintf("no column %q", t.name)
		if t.quoted {
			message += ": a name stands in double quotes, a text in single ones"
		}
		c.errs = append(c.errs, &Error{t.at, message, column.Nearest(t.name, c.in.Names())})
		return &node{failed: true}
	}
	if !slices.Contains(c.columns, t.name) {
		c.columns = append(c.columns, t.name)
	}
	return &node{
		typ:      c.in[i].Type,
		nullable: !c.in[i].Required,
		eval:     func(r *run, _ column.Selection) column.Column { return r.cols[i] },
	}
}

// number is an int if it fits one, else a long; a double if it has a point or an exponent.
func (c *checker) number(t *numberTree) *node {
	if whole, err := strconv.ParseInt(t.text, 10, 64); err == nil {
		if int64(int32(whole)) == whole {
			return constant(column.Of(column.Int), int32(whole))
		}
		return constant(column.Of(column.Long), whole)
	}
	if isWhole([]byte(t.text)) {
		return c.fail(t.at, "%s does not fit a long; write %s.0 for a double", t.text, t.text)
	}
	f, err := strconv.ParseFloat(t.text, 64)
	if err != nil {
		return c.fail(t.at, "%s does not fit a double", t.text)
	}
	return constant(column.Of(column.Double), f)
}

// text is a string, a date or a timestamp.
func (c *checker) text(t *textTree) *node {
	switch t.kind {
	case column.Date:
		days, ok := parseDate([]byte(t.text))
		if !ok || len(t.text) != len("yyyy-MM-dd") {
			return c.fail(t.at, "DATE: expected 'yyyy-MM-dd', found %s", quoted(t.text))
		}
		return constant(column.Of(column.Date), days)
	case column.Timestamp:
		micros, ok := parseISO([]byte(t.text))
		if !ok {
			return c.fail(t.at, "TIMESTAMP: expected 'yyyy-MM-dd HH:mm:ss', found %s", quoted(t.text))
		}
		return constant(column.Of(column.Timestamp), micros)
	}
	return textConstant(t.text)
}

// word is NULL, TRUE or FALSE.
func word(w string) *node {
	if w == "NULL" {
		return nullOf(column.Type{})
	}
	return constant(column.Of(column.Bool), w == "TRUE")
}

// constant is the node of a value that is the same for every row.
func constant[T column.Native](t column.Type, v T) *node {
	lit := column.New(t).(*column.Fixed[T])
	lit.Append(v)
	return &node{typ: t, lit: lit}
}

func textConstant(s string) *node {
	lit := column.New(column.Of(column.String)).(*column.Texts)
	lit.AppendString(s)
	return &node{typ: lit.Type(), lit: lit}
}

// nullOf is the constant NULL of a type. Without one it takes the type its surroundings want.
func nullOf(t column.Type) *node {
	held := t
	if t.Kind == column.Invalid {
		held = column.Of(column.Bool)
	}
	lit := column.New(held)
	lit.AppendNull()
	return &node{typ: t, lit: lit, nullable: true}
}

// strict is a node that is null where one of its inputs is. If all of them are constants, it is one.
func (c *checker) strict(t column.Type, eval evalFunc, ins ...*node) *node {
	for _, in := range ins {
		if in.failed {
			return &node{failed: true}
		}
	}
	out := &node{typ: t, eval: eval}
	for _, in := range ins {
		if in.null() {
			return nullOf(t)
		}
		out.nullable = out.nullable || in.nullable
	}
	return fold(out, ins...)
}

// fold computes a node whose inputs are all constants. One that has no value stays as it is: it may never be
// asked for.
func fold(n *node, ins ...*node) *node {
	for _, in := range ins {
		if in.lit == nil {
			return n
		}
	}
	r := run{n: 1, arena: column.NewArena()} // never released: it owns the constant
	out := n.eval(&r, nil)
	if len(r.bad) > 0 {
		return n
	}
	return &node{typ: n.typ, lit: out, nullable: out.Nulls().Null(0)}
}

// common is the type that values of both types can take. ok is false if there is none.
func common(a, b column.Type) (t column.Type, ok bool) {
	x, y := min(a.Kind, b.Kind), max(a.Kind, b.Kind)
	switch {
	case a == b, b.Kind == column.Invalid:
		return a, true
	case a.Kind == column.Invalid:
		return b, true
	case x.Numeric() && y == column.Decimal:
		return commonDecimal(a, b)
	case (x == column.Int || x == column.Long) && y == column.Float: // neither holds both
		return column.Of(column.Double), true
	case x.Numeric() && y.Numeric():
		return column.Of(y), true
	case x == column.Date && (y == column.Timestamp || y == column.TimestampNTZ):
		return column.Of(y), true
	}
	return column.Type{}, false
}

// unify gives all of nodes one type, or reports at the first that has none in common with those before it.
// what names them: "CASE". ok is false if that fails or one had failed.
func (c *checker) unify(what string, nodes []*node) (t column.Type, ok bool) {
	for _, n := range nodes {
		if n.failed {
			return t, false
		}
	}
	for _, n := range nodes {
		both, fits := common(t, n.typ)
		if !fits {
			c.fail(n.at, "%s: expected %s as before, found %s%s", what, t, n.typ, hint(t, n.typ))
			return t, false
		}
		t = both
	}
	for i, n := range nodes {
		nodes[i] = c.convert(n, t)
	}
	return t, true
}

// hint says what to do about a string where a time is meant.
func hint(a, b column.Type) string {
	x, y := min(a.Kind, b.Kind), max(a.Kind, b.Kind)
	switch {
	case x == column.String && y == column.Date:
		return "; write DATE '…' or CAST(… AS date)"
	case x == column.String && y == column.Timestamp:
		return "; write TIMESTAMP '…' or CAST(… AS timestamp)"
	case x == column.String && y == column.TimestampNTZ:
		return "; write CAST(… AS timestamp_ntz)"
	case x == column.Timestamp && y == column.TimestampNTZ:
		return "; CAST one to the other, which takes the clock to be at UTC"
	case x.Numeric() && y == column.Decimal:
		return "; no decimal has digits for both, CAST one"
	}
	return ""
}

// convert gives n the type t, which common has found for it.
func (c *checker) convert(n *node, t column.Type) *node {
	switch {
	case n.typ == t || n.failed:
		return n
	case n.untyped():
		null := nullOf(t)
		null.at = n.at
		return null
	}
	out := c.strict(t, widen(n, t), n)
	out.at = n.at
	return out
}

// want gives n as a kind, or reports what expected it: "lower".
func (c *checker) want(what string, n *node, k column.Kind) *node {
	if n.failed {
		return n
	}
	t, ok := common(n.typ, column.Of(k))
	if !ok || t.Kind != k {
		return c.fail(n.at, "%s: expected %s, found %s", what, k, n.typ)
	}
	return c.convert(n, t)
}
