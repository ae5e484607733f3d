package expr

import (
	"cmp"
	"slices"
	"strings"

	"github.com/millrace-io/millrace/engine/column"
)

// A Program is an expression checked against the columns it reads and compiled to kernels over them.
//
// It holds scratch memory: one goroutine at a time. Who evaluates in several goroutines compiles as many
// programs.
type Program struct {
	root    *node
	columns []string
	run     run
}

// A RowError says why a row has no value: a division by zero, a text that can't be cast, an overflow.
type RowError struct {
	Row    int    // of the columns, counted from 0
	Detail string // one line: the operator or function, the values, the cause
}

// Compile parses src and checks it against the columns. The error is Errors: all that is wrong.
func Compile(src string, in column.Schema) (*Program, error) {
	t, err := parse(src)
	if err != nil {
		return nil, Errors{err.(*Error)}
	}
	return compile(t, in, nil)
}

// Mentions says whether src may read the column called name: whether the name stands in it. It needs no
// schema, and src may be wrong.
func Mentions(src, name string) bool {
	tokens, _ := scan(src)
	return slices.ContainsFunc(tokens, func(t token) bool {
		return (t.kind == wordToken || t.kind == nameToken) && (t.text == name || strings.HasPrefix(t.text, name+"."))
	})
}

// Type is what the expression gives.
func (p *Program) Type() column.Type { return p.root.typ }

// Nullable is false only if the result can never be null, bad rows aside.
func (p *Program) Nullable() bool { return p.root.nullable }

// Columns lists the columns that the expression reads, each once, in the order of their first use.
func (p *Program) Columns() []string { return slices.Clone(p.columns) }

// Eval computes the expression for the rows sel of n; nil: all. cols are the columns it was compiled
// against, in their order, each of n rows. out has n rows and is owned by arena, or is one of cols; nobody
// changes it later. Rows outside sel are unspecified.
//
// bad are the rows of sel that have no value, ascending, each once; what out has for them is unspecified. It
// is lent until the next call.
func (p *Program) Eval(cols []column.Column, sel column.Selection, n int, arena *column.Arena) (out column.Column, bad []RowError) {
	p.run.begin(cols, n, arena)
	defer p.run.end()
	if p.root.lit != nil {
		return p.run.spread(p.root), nil
	}
	out = p.root.eval(&p.run, sel)
	return out, p.run.sortedBad()
}

// Filter gives the rows of sel for which the expression, which must be a bool, is true; null counts as
// false. Rows in bad are in neither. The selection is owned by arena, and it is not nil; bad is lent until
// the next call.
func (p *Program) Filter(cols []column.Column, sel column.Selection, n int, arena *column.Arena) (column.Selection, []RowError) {
	p.run.begin(cols, n, arena)
	defer p.run.end()
	v := vecOf[bool](&p.run, p.root, sel)
	kept, bad := p.run.where(v, sel, true), p.run.sortedBad()
	if len(bad) == 0 {
		return kept, nil
	}
	next := bad // coalesce(1 / x, 1.0) > 0 is true where x is 0, and has no value there all the same
	kept = slices.DeleteFunc(kept, func(row int32) bool {
		for len(next) > 0 && next[0].Row < int(row) {
			next = next[1:]
		}
		return len(next) > 0 && next[0].Row == int(row)
	})
	return kept, bad
}

// A run is one evaluation: what all nodes of a program share.
type run struct {
	cols  []column.Column
	n     int
	arena *column.Arena
	bad   []RowError
	every column.Selection // 0, 1, 2, …: for loops that take the rows of a selection
}

func (r *run) begin(cols []column.Column, n int, arena *column.Arena) {
	r.cols, r.n, r.arena, r.bad = cols, n, arena, r.bad[:0]
}

// end lets go of the batch.
func (r *run) end() { r.cols, r.arena = nil, nil }

// fail notes that row has no value. The caller makes it null.
func (r *run) fail(row int32, detail string) {
	r.bad = append(r.bad, RowError{int(row), detail})
}

// sortedBad gives the bad rows ascending, each with its first error.
func (r *run) sortedBad() []RowError {
	if len(r.bad) < 2 {
		return r.bad
	}
	slices.SortStableFunc(r.bad, func(a, b RowError) int { return cmp.Compare(a.Row, b.Row) })
	r.bad = slices.CompactFunc(r.bad, func(a, b RowError) bool { return a.Row == b.Row })
	return r.bad
}

// rows is sel, or a selection of all rows when it is nil.
func (r *run) rows(sel column.Selection) column.Selection {
	if sel != nil {
		return sel
	}
	for len(r.every) < r.n {
		r.every = append(r.every, int32(len(r.every)))
	}
	return r.every[:r.n]
}

// where gives the rows of sel whose value is want and not null.
func (r *run) where(v vec[bool], sel column.Selection, want bool) column.Selection {
	rows := r.rows(sel)
	out := r.arena.Selection(len(rows))[:len(rows)]
	k := 0
	for _, i := range rows {
		out[k] = i
		if v.at(i) == want && !v.null(i) {
			k++
		}
	}
	return out[:k]
}

// whereNot gives the rows of sel whose value is not v: the other one, or null.
func (r *run) whereNot(v vec[bool], sel column.Selection, not bool) column.Selection {
	rows := r.rows(sel)
	out := r.arena.Selection(len(rows))[:len(rows)]
	k := 0
	for _, i := range rows {
		out[k] = i
		if v.at(i) != not || v.null(i) {
			k++
		}
	}
	return out[:k]
}

// spread makes a column of n rows of a constant.
func (r *run) spread(n *node) column.Column {
	out := r.arena.Column(n.typ)
	for range r.n {
		out.AppendRow(n.lit, 0)
	}
	return out
}
