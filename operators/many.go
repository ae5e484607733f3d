package operators

import (
	"context"
	"slices"
	"unsafe"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// FuncMany is Func for a function that makes any number of rows of one, by calling emit for each, during
// the call only. They have the event time and position of the row they come of, and copies of all columns
// that pass through. Where f returns an error, what it has emitted for the row is dropped.
func FuncMany[In, Out any](f func(in In, emit func(Out)) error) engine.Config {
	return many[In, Out]{f}
}

type many[In, Out any] struct {
	f func(In, func(Out)) error
}

// Bind implements engine.Config.
func (c many[In, Out]) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) {
	b, err := bindFields[In, Out](in)
	if err != nil {
		return nil, nil, err
	}
	o := &manyOperator[In, Out]{f: c.f, fields: b}
	o.emit = o.write
	return o, b.schema, nil
}

type manyOperator[In, Out any] struct {
	f func(In, func(Out)) error
	*fields
	in   In
	out  Out
	made []column.Column
	from []int32 // the row of the batch that each row made comes of
	row  int     // at hand
	emit func(Out)
}

func (o *manyOperator[In, Out]) write(out Out) {
	o.out = out
	for i, w := range o.writers {
		w.write(o.made[i], unsafe.Pointer(&o.out))
	}
	o.from = append(o.from, int32(o.row))
}

// Apply implements engine.Operator.
func (o *manyOperator[In, Out]) Apply(_ context.Context, in *engine.Batch, emit engine.Emit) error {
	o.made, o.from = o.begin(in), in.Arena.Selection(in.Count())
	for o.row = range in.Sel.All(in.Rows) {
		if !o.read(unsafe.Pointer(&o.in), in, o.row, emit) {
			continue
		}
		before := len(o.from)
		if err := o.f(o.in, o.emit); err != nil {
			emit.Quarantine(in, o.row, engine.ReasonCustom, "", err.Error())
			o.from = o.from[:before]
			for _, c := range o.made {
				c.Truncate(before)
			}
		}
	}
	return emit.Rows(o.spread(in))
}

// spread gives the rows made what the rows they come of have.
func (o *manyOperator[In, Out]) spread(in *engine.Batch) *engine.Batch {
	out := in.With(o.schema, make([]column.Column, len(o.schema)))
	out.Sel, out.Rows = nil, len(o.from)
	for i, c := range in.Columns {
		if !slices.Contains(o.places, i) {
			out.Columns[i] = in.Arena.Column(c.Type())
			out.Columns[i].AppendRows(c, o.from, in.Rows)
		}
	}
	for i, place := range o.places {
		out.Columns[place] = o.made[i]
	}
	n := len(o.from)
	times := make([]engine.Time, 3*n)
	out.At, out.Mark, out.Offset = times[:n:n], times[n:2*n:2*n], make([]engine.Offset, n)
	if in.Recorded != nil {
		out.Recorded = times[2*n:]
	}
	if in.Keys != nil {
		out.Keys = in.Arena.Keys(n)
	}
	for i, row := range o.from {
		out.At[i], out.Mark[i], out.Offset[i] = in.At[row], in.Mark[row], in.Offset[row]
		if in.Recorded != nil {
			out.Recorded[i] = in.Recorded[row]
		}
		if in.Keys != nil {
			out.Keys[i] = in.Keys[row]
		}
	}
	return out
}
