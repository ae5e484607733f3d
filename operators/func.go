package operators

import (
	"context"
	"slices"
	"unsafe"

	"github.com/millrace-io/millrace/engine"
)

// Func makes an operator of a function that makes one row of each. In and Out are structs; the tag of a
// field names its column:
//
//	type Pin struct {
//		ID    string  `col:"unique_id"`
//		Title *string `col:"title"` // nil: null
//	}
//
// The fields' types, and those of the columns: bool, int32 (int), int64 (long), float32 (float), float64
// (double), string, []byte (binary), [time.Time] or [engine.Time] (timestamp; [time.Time] is in UTC, cut to
// microseconds), int32 with `col:"joined,date"` (date, in days since 1970), and pointers to these where a
// value may be null. Fields without a tag are left alone.
//
// Columns that Out names are those of Out, in their place where the name arrives, else behind the others;
// all other columns pass through. A column of Out is required unless its field is a pointer.
//
// A row that has a null for a field that is no pointer goes to quarantine with reason required, and one
// that f returns an error for with reason custom and the error's text. f is called by one goroutine at a
// time for each instance, but several instances run at once. Bytes, and what a pointer of In points to, are
// lent for the call; strings are not.
//
// Reflection ends at Bind. A row costs a call of f and an indirect call a field, and no allocation but what
// f makes; the strings of a column are copied once a batch.
func Func[In, Out any](f func(In) (Out, error)) engine.Config { return one[In, Out]{f} }

type one[In, Out any] struct{ f func(In) (Out, error) }

// Bind implements engine.Config.
func (c one[In, Out]) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) {
	b, err := bindFields[In, Out](in)
	if err != nil {
		return nil, nil, err
	}
	return &oneOperator[In, Out]{f: c.f, fields: b}, b.schema, nil
}

type oneOperator[In, Out any] struct {
	f func(In) (Out, error)
	*fields
	in  In // of the row at hand
	out Out
}

// Apply implements engine.Operator.
func (o *oneOperator[In, Out]) Apply(_ context.Context, in *engine.Batch, emit engine.Emit) error {
	made := o.begin(in)
	sel := in.Arena.Selection(in.Count())
	for row := range in.Sel.All(in.Rows) {
		if !o.read(unsafe.Pointer(&o.in), in, row, emit) {
			continue
		}
		var err error
		if o.out, err = o.f(o.in); err != nil {
			emit.Quarantine(in, row, engine.ReasonCustom, "", err.Error())
			continue
		}
		for i, w := range o.writers {
			w.gap(made[i], row)
			w.write(made[i], unsafe.Pointer(&o.out))
		}
		sel = append(sel, int32(row))
	}
	columns := slices.Grow(slices.Clone(in.Columns), len(o.schema)-len(in.Columns))[:len(o.schema)]
	for i, w := range o.writers {
		w.gap(made[i], in.Rows)
		columns[o.places[i]] = made[i]
	}
	out := in.With(o.schema, columns)
	if len(sel) < in.Count() {
		out.Sel = sel
	}
	return emit.Rows(out)
}
