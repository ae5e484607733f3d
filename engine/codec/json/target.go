package json

import (
	"github.com/millrace-io/millrace/engine/column"
)

// A target is where the values of a field go, or of a part of one: the elements of an array, a field of a struct.
// The pointer of its kind is set for the length of a Decode.
type target struct {
	typ      column.Type
	kind     column.Kind // of typ
	bools    *column.Bools
	bytes    *column.Bytes
	shorts   *column.Shorts
	ints     *column.Ints
	longs    *column.Longs
	floats   *column.Floats
	doubles  *column.Doubles
	decimals *column.Decimals
	texts    *column.Texts
	list     *column.List
	structs  *column.Structs
	elem     *target // of an array's elements
	object   *object // of a struct
	dict     *dict   // of a map
}

func newTarget(t column.Type) target {
	to := target{typ: t, kind: t.Kind}
	switch t.Kind {
	case column.Array:
		elem := newTarget(t.Elem())
		to.elem = &elem
	case column.Struct:
		to.object = newObject(t)
	case column.Map:
		to.dict = newDict(t)
	}
	return to
}

func (t *target) bind(c column.Column) {
	switch c := c.(type) {
	case *column.Bools:
		t.bools = c
	case *column.Bytes:
		t.bytes = c
	case *column.Shorts:
		t.shorts = c
	case *column.Ints:
		t.ints = c
	case *column.Longs:
		t.longs = c
	case *column.Floats:
		t.floats = c
	case *column.Doubles:
		t.doubles = c
	case *column.Decimals:
		t.decimals = c
	case *column.Texts:
		t.texts = c
	case *column.List:
		t.list = c
		if t.dict != nil {
			t.dict.bind(c)
		} else {
			t.elem.bind(c.Elem)
		}
	case *column.Structs:
		t.structs = c
		t.object.bind(c)
	}
}

// column is the bound column.
func (t *target) column() column.Column {
	switch t.kind {
	case column.Bool:
		return t.bools
	case column.Byte:
		return t.bytes
	case column.Short:
		return t.shorts
	case column.Int, column.Date:
		return t.ints
	case column.Long, column.Timestamp, column.TimestampNTZ:
		return t.longs
	case column.Float:
		return t.floats
	case column.Double:
		return t.doubles
	case column.Decimal:
		return t.decimals
	case column.String, column.Binary:
		return t.texts
	case column.Struct:
		return t.structs
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
