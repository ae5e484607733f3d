package operators

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// fields ties the structs of a function to columns.
type fields struct {
	schema  engine.Schema // what leaves
	readers []reader      // one a field of In
	blame   []string      // the readers' columns
	from    []int         // where they are in what arrives
	writers []writer      // one a field of Out
	types   []column.Type // of what they make
	places  []int         // where that is in schema
}

// A reader sets a field of a struct from a column.
type reader interface {
	// begin takes the column of a batch, of which count rows will be read.
	begin(c column.Column, count int)
	// read sets the field of the struct at to. It gives false where a null meets a field that is no pointer.
	read(to unsafe.Pointer, row int) bool
}

// A writer adds the value of a field of a struct to a column.
type writer interface {
	// gap adds rows without meaning up to rows.
	gap(c column.Column, rows int)
	// write adds the value of the field of the struct at from.
	write(c column.Column, from unsafe.Pointer)
}

// begin gets ready for a batch and gives the columns to be made.
func (f *fields) begin(in *engine.Batch) []column.Column {
	for i, r := range f.readers {
		r.begin(in.Columns[f.from[i]], in.Count())
	}
	made := make([]column.Column, len(f.writers))
	for i, typ := range f.types {
		made[i] = in.Arena.Column(typ)
	}
	return made
}

// read fills the struct at to from a row. Where it can't it sends the row to quarantine.
func (f *fields) read(to unsafe.Pointer, in *engine.Batch, row int, emit engine.Emit) bool {
	for i, r := range f.readers {
		if !r.read(to, row) {
			emit.Quarantine(in, row, engine.ReasonRequired, f.blame[i], "the function needs a value: its field is no pointer")
			return false
		}
	}
	return true
}

// bindFields checks the structs against the columns that arrive.
func bindFields[In, Out any](in engine.Schema) (*fields, error) {
	b := fieldBinder{in: in, fields: &fields{schema: append(engine.Schema(nil), in...)}}
	b.each(reflect.TypeFor[In](), b.input)
	b.each(reflect.TypeFor[Out](), b.output)
	if b.faults != nil {
		return nil, b.faults
	}
	return b.fields, nil
}

type fieldBinder struct {
	*fields
	in     engine.Schema
	faults engine.Faults
}

func (b *fieldBinder) fault(nearest, format string, args ...any) {
	b.faults = append(b.faults, engine.Fault{Message: fmt.Sprintf(format, args...), Nearest: nearest})
}

// A tagged is a field that names a column.
type tagged struct {
	of     string // as messages call it: "Pin.Title"
	column string
	kind   column.Kind // of the columns it goes with
	base   reflect.Type
	layout
}

// A layout is where in a struct a field is, and whether it is a pointer.
type layout struct {
	offset  uintptr
	pointer bool
}

// each calls bind for the fields of t that have a tag.
func (b *fieldBinder) each(t reflect.Type, bind func(tagged)) {
	if t.Kind() != reflect.Struct {
		b.fault("", "expected a struct, found %v", t)
		return
	}
	for i := range t.NumField() {
		f := t.Field(i)
		tag, ok := f.Tag.Lookup("col")
		if !ok {
			continue
		}
		x := tagged{of: t.Name() + "." + f.Name, layout: layout{offset: f.Offset}, base: f.Type}
		var option string
		x.column, option, _ = strings.Cut(tag, ",")
		if f.Type.Kind() == reflect.Pointer {
			x.pointer, x.base = true, f.Type.Elem()
		}
		if x.kind = kindOf(x.base, option); x.kind == column.Invalid {
			b.fault("", "field %s: no column goes with %v `col:%q`", x.of, f.Type, tag)
			continue
		}
		bind(x)
	}
}

// kindOf is the kind of column that goes with a type.
func kindOf(t reflect.Type, option string) column.Kind {
	switch {
	case option == "date" && t == reflect.TypeFor[int32]():
		return column.Date
	case option != "":
		return column.Invalid
	}
	switch t {
	case reflect.TypeFor[bool]():
		return column.Bool
	case reflect.TypeFor[int32]():
		return column.Int
	case reflect.TypeFor[int64]():
		return column.Long
	case reflect.TypeFor[float32]():
		return column.Float
	case reflect.TypeFor[float64]():
		return column.Double
	case reflect.TypeFor[string]():
		return column.String
	case reflect.TypeFor[[]byte]():
		return column.Binary
	case reflect.TypeFor[time.Time](), reflect.TypeFor[engine.Time]():
		return column.Timestamp
	}
	return column.Invalid
}

func (b *fieldBinder) input(f tagged) {
	i := b.in.Index(f.column)
	if i < 0 {
		b.fault(column.Nearest(f.column, b.in.Names()), "field %s: no column %q", f.of, f.column)
		return
	}
	if got := b.in[i].Type; got != column.Of(f.kind) {
		b.fault("", "field %s takes a %v: column %q is a %v", f.of, f.kind, f.column, got)
		return
	}
	b.readers = append(b.readers, newReader(f))
	b.blame = append(b.blame, f.column)
	b.from = append(b.from, i)
}

func (b *fieldBinder) output(f tagged) {
	field := column.Field{Name: f.column, Type: column.Of(f.kind), Required: !f.pointer}
	place := b.schema.Index(f.column)
	switch {
	case place < 0:
		place = len(b.schema)
		b.schema = append(b.schema, field)
	case slices.Contains(b.places, place):
		b.fault("", "field %s: column %q is here twice", f.of, f.column)
		return
	default:
		b.schema[place] = field
	}
	b.writers = append(b.writers, newWriter(f))
	b.types = append(b.types, field.Type)
	b.places = append(b.places, place)
}
