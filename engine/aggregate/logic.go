package aggregate

import "github.com/millrace-io/millrace/engine/column"

// A verdict is what a group of bools comes to.
type verdict uint8

const (
	none    verdict = iota // no row had a value
	decided                // one that decides was there: false for bool_and, true for bool_or
	open                   // only others
)

// Of two verdicts the lesser one rules, none aside.
func (v *verdict) take(o verdict) {
	if *v == none || o != none && o < *v {
		*v = o
	}
}

func (v *verdict) merge(from *verdict)                { v.take(*from) }
func (v *verdict) clear()                             { *v = none }
func (v *verdict) append(b []byte, fresh bool) []byte { return append(b, byte(*v)) }
func (v *verdict) size() int64                        { return 0 }

func (v *verdict) load(r *reader) {
	if *v = verdict(r.byte()); *v > open {
		r.fail()
	}
}

// bindLogic is bool_and, which a false decides, and bool_or, which a true does.
func bindLogic(decides bool) func(b *binder) (column.Type, func() State) {
	add := func(cells []verdict, in *Input, rows []int32, groups []uint32) int64 {
		c := in.Args[0].(*column.Bools)
		values, nulls := c.Values, c.Valid.Nulls() > 0
		for i, row := range rows {
			switch {
			case nulls && c.Valid.Null(int(row)):
			case values[row] == decides:
				cells[groups[i]].take(decided)
			default:
				cells[groups[i]].take(open)
			}
		}
		return 0
	}
	result := func(out column.Column, v *verdict) string {
		if *v == none {
			out.AppendNull()
			return ""
		}
		out.(*column.Bools).Append((*v == decided) == decides)
		return ""
	}
	return func(b *binder) (column.Type, func() State) {
		return b.argAs(0, column.Bool), states(kernel[verdict]{add: add, result: result})
	}
}
