package expr

import (
	"strings"

	"github.com/millrace-io/millrace/engine/column"
)

// A Call is a call of an aggregate as it was written:
//
//	name([DISTINCT] argument, …) [FILTER (WHERE condition)]
//
// What the name means is for whoever asked. count(*) has no argument, as count() has none.
type Call struct {
	Name       string // in lower case
	At         int    // where the name stands in the source, in bytes
	Distinct   bool
	DistinctAt int // where the word stands
	Args       []Part
	Filter     *Part // nil: there is none
}

// A Part is an expression within a source.
type Part struct{ tree tree }

// ParseCall reads a call. The error is Errors: the syntax's first. Names and types are checked when the parts are
// compiled.
func ParseCall(src string) (*Call, error) {
	p, err := begin(src)
	if err != nil {
		return nil, Errors{err.(*Error)}
	}
	c, err := p.aggregate()
	if err == nil && p.peek().kind != endToken {
		err = p.unexpected("FILTER (WHERE …) or the end")
	}
	if err != nil {
		return nil, Errors{err.(*Error)}
	}
	return c, nil
}

// aggregate reads a call with what may stand in and behind it.
func (p *parser) aggregate() (*Call, error) {
	t := p.peek()
	if t.kind != wordToken || isReserved(t.text) || !p.after(1).sign("(") {
		return nil, p.unexpected("an aggregate, as count() is")
	}
	p.next += 2
	c := &Call{Name: lower(t.text), At: t.at}
	if d := p.peek(); p.keyword("DISTINCT") {
		c.Distinct, c.DistinctAt = true, d.at
	}
	if p.peek().sign("*") && p.after(1).sign(")") && !c.Distinct {
		p.next += 2
	} else {
		list, err := p.list(")")
		if err != nil {
			return nil, err
		}
		for _, x := range list {
			c.Args = append(c.Args, Part{x})
		}
	}
	if !p.keyword("FILTER") {
		return c, nil
	}
	if err := p.expectSign("("); err != nil {
		return nil, err
	}
	if err := p.expectKeyword("WHERE"); err != nil {
		return nil, err
	}
	x, err := p.expression(0)
	if err != nil {
		return nil, err
	}
	c.Filter = &Part{x}
	if !p.sign(")") {
		return nil, p.unexpected("an operator or )")
	}
	return c, nil
}

// String is the call as source that parses to the same call.
func (c *Call) String() string {
	var b strings.Builder
	b.WriteString(c.Name + "(")
	if c.Distinct {
		b.WriteString("DISTINCT ")
	}
	for i, a := range c.Args {
		if i > 0 {
			b.WriteString(", ")
		}
		a.tree.write(&b)
	}
	b.WriteString(")")
	if c.Filter != nil {
		writeAll(&b, " FILTER (WHERE ", c.Filter.tree, ")")
	}
	return b.String()
}

// At is where the part begins in the source, in bytes.
func (p Part) At() int { return p.tree.place() }

// String is the part as source that parses to the same expression.
func (p Part) String() string { return source(p.tree) }

// Compile checks the part against the columns, as Compile does. Places in errors are those in the whole source.
func (p Part) Compile(in column.Schema) (*Program, error) { return compile(p.tree, in, nil) }

// CompileAs is Compile for a part that must be a value of a kind, or of one that widens to it as in an operator. what
// names in errors what wants it: "bool_and".
func (p Part) CompileAs(what string, kind column.Kind, in column.Schema) (*Program, error) {
	return compile(p.tree, in, func(c *checker, n *node) *node { return c.want(what, n, kind) })
}

// compile makes a program of a tree. as, unless it is nil, gives the tree's value the type that is wanted.
func compile(t tree, in column.Schema, as func(*checker, *node) *node) (*Program, error) {
	c := checker{in: in}
	root := c.check(t)
	if as != nil {
		root = as(&c, root)
	}
	if len(c.errs) == 0 && root.untyped() {
		c.fail(t.place(), "NULL has no type here: write CAST(NULL AS type)")
	}
	if len(c.errs) > 0 {
		return nil, c.errs.Sorted()
	}
	return &Program{root: root, columns: c.columns}, nil
}

// Constant is the value of an expression that is the same for every row, as a column of one row; nil of one that is
// not.
func (p *Program) Constant() column.Column { return p.root.lit }
