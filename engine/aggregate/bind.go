package aggregate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/expr"
)

// An Aggregate is a call whose names and types are settled. It holds scratch memory: one goroutine at a time. Who
// aggregates in several goroutines binds as often; states of one call and schema merge whichever of them made them.
type Aggregate struct {
	Type     column.Type // of the result
	Required bool        // the result is never null

	new    func() State
	args   []*expr.Program
	filter *expr.Program // nil: none
	in     Input
	bad    []expr.RowError
}

// Bind checks the call against the columns that arrive. The error is expr.Errors: all that is wrong, with places in the
// call's text.
func (c *Call) Bind(in column.Schema) (*Aggregate, error) {
	b := binder{in: in, call: c.call}
	a := &Aggregate{}
	if f := b.function(); f != nil {
		a.Type, a.new = f.bind(&b)
		a.Required = b.required
		if c.call.Distinct && len(b.errs) == 0 {
			a.new = b.distinct(f, a.new)
		}
	}
	if c.call.Filter != nil {
		p, err := c.call.Filter.CompileAs("filter", column.Bool, in)
		b.note(err)
		a.filter = p
	}
	if len(b.errs) > 0 {
		return nil, b.errs.Sorted()
	}
	a.args = b.args
	a.in.Args = make([]column.Column, len(a.args))
	return a, nil
}

// Unmerges says whether rows that were merged into a group can be taken out of it again: its states are Unmergers.
func (a *Aggregate) Unmerges() bool {
	u, ok := a.new().(interface{ unmerges() bool })
	return ok && u.unmerges()
}

// NewState makes a state without groups.
func (a *Aggregate) NewState() State { return a.new() }

// Eval computes the arguments of the aggregate for b's selected rows that pass its filter: rows. They are what State.Add
// may be given, with in. bad are the selected rows that have no value, in the filter or an argument, ascending and each
// once; rows has none of them. All of it is lent until the next call, and columns live in b.Arena.
func (a *Aggregate) Eval(b *engine.Batch) (in *Input, rows column.Selection, bad []expr.RowError) {
	rows, a.bad = b.Sel, a.bad[:0]
	if a.filter != nil {
		var failed []expr.RowError
		rows, failed = a.filter.Filter(b.Columns, b.Sel, b.Rows, b.Arena)
		a.bad = append(a.bad, failed...)
	}
	before := len(a.bad)
	for i, p := range a.args {
		out, failed := p.Eval(b.Columns, rows, b.Rows, b.Arena)
		a.in.Args[i] = out
		a.bad = append(a.bad, failed...)
	}
	if len(a.bad) > before {
		rows = without(rows, a.bad[before:], b)
	}
	if len(a.bad) > 1 {
		slices.SortStableFunc(a.bad, func(x, y expr.RowError) int { return cmp.Compare(x.Row, y.Row) })
		a.bad = slices.CompactFunc(a.bad, func(x, y expr.RowError) bool { return x.Row == y.Row })
	}
	a.in.At, a.in.Offset, a.in.Origin = b.At, b.Offset, b.Origin
	return &a.in, rows, a.bad
}

// without is rows without those that are bad.
func without(rows column.Selection, bad []expr.RowError, b *engine.Batch) column.Selection {
	kept := b.Arena.Selection(b.Rows)
	is := make(map[int]bool, len(bad))
	for _, e := range bad {
		is[e.Row] = true
	}
	for row := range rows.All(b.Rows) {
		if !is[row] {
			kept = append(kept, int32(row))
		}
	}
	return kept
}

// A binder settles one call. It goes on after an error, to find all of them.
type binder struct {
	in       column.Schema
	call     *expr.Call
	args     []*expr.Program // what Input.Args will be
	required bool            // the result is never null
	errs     expr.Errors
}

func (b *binder) note(err error) {
	if err != nil {
		b.errs = append(b.errs, err.(expr.Errors)...)
	}
}

func (b *binder) fail(at int, format string, args ...any) {
	b.errs = append(b.errs, &expr.Error{Offset: at, Message: fmt.Sprintf(format, args...)})
}

// function finds the aggregate and checks how many arguments it has; nil: there is an error.
func (b *binder) function() *function {
	all := functions()
	i := slices.IndexFunc(all, func(f function) bool { return f.Name == b.call.Name || slices.Contains(f.Aliases, b.call.Name) })
	if i < 0 {
		var names []string
		for _, f := range all {
			names = append(append(names, f.Name), f.Aliases...)
		}
		b.errs = append(b.errs, &expr.Error{Offset: b.call.At, Message: fmt.Sprintf("no aggregate %q", b.call.Name), Nearest: column.Nearest(b.call.Name, names)})
		return nil
	}
	f := all[i]
	if n := len(b.call.Args); n < f.least || n > f.most {
		b.fail(b.call.At, "%s: found %s, expected %s", b.call.Name, argumentsOf(n), strings.Join(f.Signatures, " or "))
		return nil
	}
	return &f
}

// distinct does to what makes states what DISTINCT does.
func (b *binder) distinct(f *function, states func() State) func() State {
	switch f.distinct {
	case refused:
		b.fail(b.call.DistinctAt, "%s: it has no DISTINCT", b.call.Name)
	case wrapped:
		return distinct(b.args[0].Type(), states)
	}
	return states
}

func argumentsOf(n int) string {
	if n == 1 {
		return "1 argument"
	}
	return fmt.Sprintf("%d arguments", n)
}

// arg compiles argument i, which becomes the next of Input.Args. The zero type: there is an error.
func (b *binder) arg(i int) column.Type { return b.add(b.call.Args[i].Compile(b.in)) }

// argAs is arg for one that must be of a kind, or widen to it.
func (b *binder) argAs(i int, kind column.Kind) column.Type {
	return b.add(b.call.Args[i].CompileAs(b.call.Name, kind, b.in))
}

func (b *binder) add(p *expr.Program, err error) column.Type {
	b.note(err)
	if err != nil {
		return column.Type{}
	}
	b.args = append(b.args, p)
	return p.Type()
}

// expected says what argument i should have been, unless it had an error already.
func (b *binder) expected(i int, what string) (column.Type, func() State) {
	if len(b.errs) == 0 {
		b.fail(b.call.Args[i].At(), "%s: expected %s, found %s", b.call.Name, what, b.args[i].Type())
	}
	return column.Type{}, nil
}

// constant compiles argument i, which must be the same for every row and is no part of Input.Args. It is one row of a kind;
// nil: there is an error.
func (b *binder) constant(i int, kind column.Kind) column.Column {
	x := b.call.Args[i]
	p, err := x.CompileAs(b.call.Name, kind, b.in)
	b.note(err)
	switch {
	case err != nil:
		return nil
	case p.Constant() == nil || p.Constant().Nulls().Null(0):
		b.fail(x.At(), "%s: expected a constant, found %s", b.call.Name, x)
		return nil
	}
	return p.Constant()
}

// whole is constant for a whole number from least to most.
func (b *binder) whole(i int, least, most int64) int64 {
	c := b.constant(i, column.Long)
	if c == nil {
		return least
	}
	v := c.(*column.Longs).Values[0]
	if v < least || v > most {
		b.fail(b.call.Args[i].At(), "%s: expected a whole number from %d to %d, found %d", b.call.Name, least, most, v)
	}
	return v
}

// share is constant for a number from 0 to 1.
func (b *binder) share(i int) float64 {
	c := b.constant(i, column.Double)
	if c == nil {
		return 0
	}
	v := c.(*column.Doubles).Values[0]
	if !(v >= 0 && v <= 1) {
		b.fail(b.call.Args[i].At(), "%s: expected a number from 0 to 1, found %v", b.call.Name, v)
	}
	return v
}
