package expr

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/millrace-io/millrace/engine/column"
)

// TestText runs the scripts under testdata. Each line of a command is an expression, each line of its result what
// it is and gives:
//
//	eval      the type, with ! if it is never null, and the value of an expression of constants
//	rows      the type and the values for the rows of table()
//	wide      the same for the rows of wideTable()
//	filter    the rows of table() for which it is true
//	errors    the errors of Compile, each with what stands at its place
//	tree      the expression with all parentheses
func TestText(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			commands := map[string]func(*testing.T, string) string{"eval": evalLine, "rows": rowsLine, "wide": wideLine, "filter": filterLine, "errors": errorsLine, "tree": treeLine}
			command := commands[d.Cmd]
			if command == nil {
				d.Fatalf(t, "no command %q", d.Cmd)
			}
			var out strings.Builder
			for _, line := range strings.Split(d.Input, "\n") {
				fmt.Fprintln(&out, command(t, line))
			}
			return out.String()
		})
	})
}

// table is the rows that scripts see.
func table() (column.Schema, []column.Column, int) {
	schema := column.Schema{
		{Name: "i", Type: column.Of(column.Int)},
		{Name: "l", Type: column.Of(column.Long), Required: true},
		{Name: "f", Type: column.Of(column.Float)},
		{Name: "d", Type: column.Of(column.Double)},
		{Name: "s", Type: column.Of(column.String)},
		{Name: "x", Type: column.Of(column.Binary)},
		{Name: "b", Type: column.Of(column.Bool)},
		{Name: "day", Type: column.Of(column.Date)},
		{Name: "at", Type: column.Of(column.Timestamp)},
		{Name: "a", Type: column.ArrayOf(column.Double)},
		{Name: "tags", Type: column.ArrayOf(column.String)},
		{Name: "record.key", Type: column.Of(column.String)},
		{Name: "follower_count", Type: column.Of(column.String)},
		{Name: "Two Words", Type: column.Of(column.Int)},
	}
	rows := []string{
		`1, 10, 1.5, 0.5, 'one', 'x', TRUE, DATE '2024-01-31', TIMESTAMP '2024-01-31 23:59:59.5', array(1.0, 2.0), array('a', 'b'), 'k', '10k', 7`,
		`2, 20, 2.5, -0.0, 'Two words', 'é', FALSE, DATE '1969-12-31', TIMESTAMP '1969-12-31 23:59:59', array(0.5), array('é'), 'kk', '5', 8`,
		`NULL, 30, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL`,
		`0, 0, 0.0, CAST('nan' AS double), '', '', TRUE, DATE '2000-02-29', TIMESTAMP '2000-02-29', array(CAST(NULL AS double)), array('a', NULL), '', 'M', 9`,
	}
	cols := make([]column.Column, len(schema))
	for i, f := range schema {
		cols[i] = column.New(f.Type)
	}
	for _, row := range rows {
		p := parser{}
		p.tokens, _ = scan(row + ")")
		values, err := p.list(")")
		if err != nil {
			panic(err)
		}
		for i, f := range schema {
			value, err := Compile(source(&castOrSame{values[i], f.Type}), nil)
			if err != nil {
				panic(err)
			}
			out, bad := value.Eval(nil, nil, 1, column.NewArena())
			if len(bad) > 0 {
				panic(bad[0].Detail)
			}
			cols[i].AppendRow(out, 0)
		}
	}
	return schema, cols, len(rows)
}

// castOrSame casts x to a type unless it is an array.
type castOrSame struct {
	x  tree
	to column.Type
}

func (c *castOrSame) place() int { return 0 }
func (c *castOrSame) write(b *strings.Builder) {
	if call, ok := c.x.(*callTree); ok && call.name == "array" {
		c.x.write(b)
		return
	}
	if c.to.Kind == column.Array { // there are no casts of arrays: NULL of the same type
		value := "0.0"
		if c.to.Elem() == column.Of(column.String) {
			value = "''"
		}
		b.WriteString("if(FALSE, array(" + value + "), NULL)")
		return
	}
	(&castTree{0, c.x, c.to, false}).write(b)
}

func typeOf(p *Program) string {
	if p.Nullable() {
		return p.Type().String()
	}
	return p.Type().String() + "!"
}

// show writes a value, or why there is none.
func show(c column.Column, row int, bad []RowError) string {
	for _, b := range bad {
		if b.Row == row {
			return "bad: " + b.Detail
		}
	}
	return string(column.AppendJSON(nil, c, row))
}

func evalLine(t *testing.T, src string) string {
	p, err := Compile(src, nil)
	if err != nil {
		return src + " → " + err.Error()
	}
	out, bad := p.Eval(nil, nil, 1, column.NewArena())
	result := show(out, 0, bad)
	if lifted, ok := evalLifted(t, src, p); ok && lifted != result {
		t.Errorf("%s: of constants it gives %s, of columns %s", src, result, lifted)
	}
	return fmt.Sprintf("%s → %s %s", src, typeOf(p), result)
}

// evalLifted computes src with a column in the place of each literal, for the middle one of three rows. ok is
// false where an argument must be a constant.
func evalLifted(t *testing.T, src string, p *Program) (string, bool) {
	root, err := parse(src)
	if err != nil {
		t.Fatal(err)
	}
	var l lifter
	root = l.lift(root)
	q, err := Compile(source(root), l.schema)
	if err != nil {
		if !strings.Contains(err.Error(), "constant") && !strings.Contains(err.Error(), "same for all rows") {
			t.Errorf("%s: with columns: %v", source(root), err)
		}
		return "", false
	}
	if q.Type() != p.Type() {
		t.Errorf("%s: type %v, with columns %v", src, p.Type(), q.Type())
	}
	out, bad := q.Eval(l.cols, column.Selection{1}, 3, column.NewArena())
	one := show(out, 1, bad)
	out, bad = q.Eval(l.cols, nil, 3, column.NewArena())
	if all := show(out, 1, bad); all != one {
		t.Errorf("%s: of all rows %s, of one selected %s", src, all, one)
	}
	return one, true
}

// A lifter replaces literals by columns.
type lifter struct {
	schema column.Schema
	cols   []column.Column
}

func (l *lifter) add(n *node) tree {
	name := fmt.Sprintf("c%d", len(l.cols))
	col := column.New(n.typ)
	for range 3 {
		col.AppendRow(n.lit, 0)
	}
	l.schema = append(l.schema, column.Field{Name: name, Type: n.typ})
	l.cols = append(l.cols, col)
	return &nameTree{name: name}
}

func (l *lifter) lift(t tree) tree {
	switch t := t.(type) {
	case *numberTree, *textTree, *wordTree:
		n := (&checker{}).check(t)
		if n.untyped() {
			return t
		}
		return l.add(n)
	}
	return rebuild(t, l.lift)
}

// rebuild gives t with f of each of its parts.
func rebuild(t tree, f func(tree) tree) tree {
	each := func(list []tree) (out []tree) {
		for _, x := range list {
			out = append(out, f(x))
		}
		return out
	}
	maybe := func(x tree) tree {
		if x == nil {
			return nil
		}
		return f(x)
	}
	switch t := t.(type) {
	case *unaryTree:
		return &unaryTree{t.at, t.op, f(t.x)}
	case *binaryTree:
		return &binaryTree{t.at, t.op, f(t.left), f(t.right)}
	case *isTree:
		return &isTree{t.at, f(t.x), t.word, t.not}
	case *inTree:
		return &inTree{t.at, f(t.x), t.not, each(t.list)}
	case *betweenTree:
		return &betweenTree{t.at, f(t.x), f(t.low), f(t.high), t.not}
	case *likeTree:
		return &likeTree{t.at, f(t.x), f(t.pattern), t.escape, t.not}
	case *caseTree:
		c := &caseTree{at: t.at, operand: maybe(t.operand), other: maybe(t.other)}
		for _, w := range t.whens {
			c.whens = append(c.whens, whenTree{f(w.when), f(w.then)})
		}
		return c
	case *castTree:
		return &castTree{t.at, f(t.x), t.to, t.try}
	case *callTree:
		return &callTree{t.at, t.name, each(t.args)}
	case *elementTree:
		return &elementTree{t.at, f(t.list), f(t.index)}
	case *fieldTree:
		return &fieldTree{t.at, f(t.x), t.name}
	}
	return t
}

func rowsLine(t *testing.T, src string) string {
	schema, cols, n := table()
	p, err := Compile(src, schema)
	if err != nil {
		return src + " → " + err.Error()
	}
	out, bad := p.Eval(cols, nil, n, column.NewArena())
	if out.Len() != n {
		t.Errorf("%s: %d rows, want %d", src, out.Len(), n)
	}
	var values []string
	for row := range n {
		values = append(values, show(out, row, bad))
	}
	return fmt.Sprintf("%s → %s %s", src, typeOf(p), strings.Join(values, " | "))
}

func filterLine(t *testing.T, src string) string {
	schema, cols, n := table()
	p, err := Compile(src, schema)
	if err != nil {
		return src + " → " + err.Error()
	}
	sel, bad := p.Filter(cols, nil, n, column.NewArena())
	return fmt.Sprintf("%s → %v %v", src, sel, bad)
}

func errorsLine(t *testing.T, src string) string {
	schema, _, _ := table()
	_, err := Compile(src, schema)
	var all Errors
	if !errors.As(err, &all) {
		return src + " → no error"
	}
	var lines []string
	for _, e := range all {
		place := src[e.Offset:]
		if len(place) > 12 {
			place = place[:12] + "…"
		}
		lines = append(lines, fmt.Sprintf("%s\n  %q %v", src, place, e))
	}
	return strings.Join(lines, "\n")
}

func treeLine(t *testing.T, src string) string {
	root, err := parse(src)
	if err != nil {
		return err.Error()
	}
	return source(root)
}
