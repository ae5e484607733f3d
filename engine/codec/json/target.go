package json

import (
	"github.com/millrace-io/millrace/engine/column"
)

// A target is where the values of a field go, or the elements of an array. The pointer of its kind is set
// for the length of a Decode.
type target struct {
	kind    column.Kind
	bools   *column.Bools
	ints    *column.Ints
	longs   *column.Longs
	floats  *column.Floats
	doubles *column.Doubles
	texts   *column.Texts
	list    *column.List
	elem    *target // of list's elements
}

func (t *target) bind(c column.Column) {
	switch c := c.(type) {
	case *column.Bools:
		t.bools = c
	case *column.Ints:
		t.ints = c
	case *column.Longs:
		t.longs = c
	case *column.Floats:
		t.floats = c
	case *column.Doubles:
		t.doubles = c
	case *column.Texts:
		t.texts = c
	case *column.List:
		t.list = c
		t.elem.bind(c.Elem)
	}
}

// column is the bound column.
func (t *target) column() column.Column {
	switch t.kind {
	case column.Bool:
		return t.bools
	case column.Int, column.Date:
		return t.ints
	case column.Long, column.Timestamp:
		return t.longs
	case column.Float:
		return t.floats
	case column.Double:
		return t.doubles
	case column.String, column.Binary:
		return t.texts
	default:
		return t.list
	}
}

func (t *target) truncate(n int) { t.column().Truncate(n) }

// null appends null.
func (t *target) null() {
	switch t.kind {
	case column.String, column.Binary:
		t.texts.AppendNull()
	case column.Long, column.Timestamp:
		t.longs.AppendNull()
	case column.Int, column.Date:
		t.ints.AppendNull()
	default:
		t.column().AppendNull()
	}
}
