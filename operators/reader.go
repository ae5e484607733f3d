package operators

import (
	"bytes"
	"reflect"
	"time"
	"unsafe"

	"github.com/millrace-io/millrace/engine/column"
)

// newReader picks the reader of a field; its type was checked.
func newReader(f tagged) reader {
	switch f.base {
	case reflect.TypeFor[bool]():
		return &fixedReader[bool]{layout: f.layout}
	case reflect.TypeFor[int32]():
		return &fixedReader[int32]{layout: f.layout}
	case reflect.TypeFor[float32]():
		return &fixedReader[float32]{layout: f.layout}
	case reflect.TypeFor[float64]():
		return &fixedReader[float64]{layout: f.layout}
	case reflect.TypeFor[string]():
		return &textReader{layout: f.layout}
	case reflect.TypeFor[[]byte]():
		return &bytesReader{layout: f.layout}
	case reflect.TypeFor[time.Time]():
		return &instantReader{layout: f.layout}
	default: // int64 and engine.Time, which is one
		return &fixedReader[int64]{layout: f.layout}
	}
}

// set stores v in the field of the struct at to: itself, or where it is a pointer, by way of room.
func set[T any](l layout, to unsafe.Pointer, v T, room *T) {
	p := unsafe.Add(to, l.offset)
	if l.pointer {
		*room = v
		*(**T)(p) = room
		return
	}
	*(*T)(p) = v
}

// null makes the field of the struct at to nil. It gives false where it is no pointer.
func (l layout) null(to unsafe.Pointer) bool {
	if l.pointer {
		*(*unsafe.Pointer)(unsafe.Add(to, l.offset)) = nil
	}
	return l.pointer
}

type fixedReader[T column.Native] struct {
	layout
	column *column.Fixed[T]
	room   T
}

func (r *fixedReader[T]) begin(c column.Column, _ int) { r.column = c.(*column.Fixed[T]) }

func (r *fixedReader[T]) read(to unsafe.Pointer, row int) bool {
	if r.column.Valid.Null(row) {
		return r.null(to)
	}
	set(r.layout, to, r.column.Values[row], &r.room)
	return true
}

type instantReader struct {
	layout
	column *column.Longs
	room   time.Time
}

func (r *instantReader) begin(c column.Column, _ int) { r.column = c.(*column.Longs) }

func (r *instantReader) read(to unsafe.Pointer, row int) bool {
	if r.column.Valid.Null(row) {
		return r.null(to)
	}
	set(r.layout, to, time.UnixMicro(r.column.Values[row]).UTC(), &r.room)
	return true
}

// A textReader gives strings that outlive the batch: parts of one copy of the column's bytes, or copies of
// their own where few rows count.
type textReader struct {
	layout
	column *column.Texts
	copied string // of column.Data; "": copy each value
	room   string
}

func (r *textReader) begin(c column.Column, count int) {
	r.column, r.copied = c.(*column.Texts), ""
	const few = 4 // less than one row in few
	if rows := r.column.Len(); count > rows/few {
		r.copied = string(r.column.Data[:r.column.Offsets[rows]])
	}
}

func (r *textReader) read(to unsafe.Pointer, row int) bool {
	if r.column.Valid.Null(row) {
		return r.null(to)
	}
	if r.copied == "" {
		set(r.layout, to, string(r.column.At(row)), &r.room)
		return true
	}
	set(r.layout, to, r.copied[r.column.Offsets[row]:r.column.Offsets[row+1]], &r.room)
	return true
}

// A bytesReader lends a copy of each value, so that a function that writes to it does no harm.
type bytesReader struct {
	layout
	column *column.Texts
	lent   bytes.Buffer
	room   []byte
}

func (r *bytesReader) begin(c column.Column, _ int) { r.column = c.(*column.Texts) }

func (r *bytesReader) read(to unsafe.Pointer, row int) bool {
	if r.column.Valid.Null(row) {
		return r.null(to)
	}
	r.lent.Reset()
	r.lent.Write(r.column.At(row))
	set(r.layout, to, r.lent.Bytes(), &r.room)
	return true
}
