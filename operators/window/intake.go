package window

import (
	"cmp"
	"slices"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/aggregate"
	"github.com/millrace-io/millrace/engine/column"
)

// An intake is the rows of one batch on their way into groups.
type intake struct {
	in     *engine.Batch
	emit   engine.Emit
	keys   []column.Key
	rows   []int32 // those to put
	inputs []input // one an aggregate

	every   []int32 // 0, 1, 2, …
	kept    []int32
	some    []int32
	which   []uint32
	rejects []reject
}

// An input is the arguments of an aggregate, and which rows it takes.
type input struct {
	*aggregate.Input
	all  bool  // it takes all rows
	pass marks // else those
}

// A reject is a row that has no value for an aggregate.
type reject struct {
	row, aggregate int
	detail         string
}

// evaluate computes what the aggregates take of a batch. Rows that one of them has no value for go to quarantine.
func (o *operator) evaluate(in *engine.Batch) {
	t := &o.intake
	t.in, t.rows, t.rejects = in, t.upTo(in.Rows), t.rejects[:0]
	if in.Sel != nil {
		t.rows = in.Sel
	}
	t.inputs = slices.Grow(t.inputs[:0], len(o.aggregates))[:len(o.aggregates)]
	for i, a := range o.aggregates {
		args, rows, bad := a.Eval(in)
		t.inputs[i].take(args, rows, in)
		for _, b := range bad {
			t.rejects = append(t.rejects, reject{b.Row, i, b.Detail})
		}
	}
	if len(t.rejects) == 0 {
		return
	}
	t.rejects = firsts(t.rejects)
	for _, r := range t.rejects {
		t.emit.Quarantine(in, r.row, engine.ReasonEval, o.names[r.aggregate], r.detail)
	}
	t.kept = without(t.kept[:0], t.rows, t.rejects)
	t.rows = t.kept
}

// upTo is 0 to n-1.
func (t *intake) upTo(n int) []int32 {
	for len(t.every) < n {
		t.every = append(t.every, int32(len(t.every)))
	}
	return t.every[:n]
}

// take notes what Eval gave.
func (i *input) take(args *aggregate.Input, rows column.Selection, in *engine.Batch) {
	i.Input, i.all = args, rows.Count(in.Rows) == in.Count()
	if i.all {
		return
	}
	i.pass.room(in.Rows)
	clear(i.pass)
	for _, row := range rows {
		i.pass.add(uint32(row))
	}
}

// firsts gives the rejects by row, of each row the first.
func firsts(all []reject) []reject {
	slices.SortStableFunc(all, func(a, b reject) int { return cmp.Or(a.row-b.row, a.aggregate-b.aggregate) })
	return slices.CompactFunc(all, func(a, b reject) bool { return a.row == b.row })
}

// without appends the rows that are not rejected; both ascend.
func without(kept, rows []int32, rejects []reject) []int32 {
	for _, row := range rows {
		for len(rejects) > 0 && rejects[0].row < int(row) {
			rejects = rejects[1:]
		}
		if len(rejects) == 0 || rejects[0].row != int(row) {
			kept = append(kept, row)
		}
	}
	return kept
}

// add puts rows into groups, rows[i] into groups[i] of g.
func (t *intake) add(g *groups, rows []int32, groups []uint32) {
	for i, s := range g.states {
		in := &t.inputs[i]
		if in.all {
			s.Add(in.Input, rows, groups)
			continue
		}
		t.some, t.which = t.some[:0], t.which[:0]
		for j, row := range rows {
			if in.pass.has(uint32(row)) {
				t.some, t.which = append(t.some, row), append(t.which, groups[j])
			}
		}
		s.Add(in.Input, t.some, t.which)
	}
}

// late puts a row of a window that has closed into quarantine. The engine lets no such row come, but for one after a partition
// that was waited for no longer.
func (t *intake) late(row int32, closed engine.Time) {
	t.emit.Quarantine(t.in, int(row), engine.ReasonLate, "", "its window has closed: event time had come to "+closed.Std().Format(stamp))
}

const stamp = "2006-01-02T15:04:05.000000Z"
