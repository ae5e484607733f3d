package operators

import (
	"reflect"
	"time"
	"unsafe"

	"github.com/millrace-io/millrace/engine/column"
)

// newWriter picks the writer of a field; its type was checked.
func newWriter(f tagged) writer {
	switch f.base {
	case reflect.TypeFor[bool]():
		return fixedWriter[bool]{f.layout}
	case reflect.TypeFor[int32]():
		return fixedWriter[int32]{f.layout}
	case reflect.TypeFor[float32]():
		return fixedWriter[float32]{f.layout}
	case reflect.TypeFor[float64]():
		return fixedWriter[float64]{f.layout}
	case reflect.TypeFor[string]():
		return textWriter[string]{f.layout}
	case reflect.TypeFor[[]byte]():
		return textWriter[[]byte]{f.layout}
	case reflect.TypeFor[time.Time]():
		return instantWriter{f.layout}
	default: // int64 and engine.Time, which is one
		return fixedWriter[int64]{f.layout}
	}
}

// get is the value of the field of the struct at from. ok is false where it is null.
func get[T any](l layout, from unsafe.Pointer) (v T, ok bool) {
	p := unsafe.Add(from, l.offset)
	if !l.pointer {
		return *(*T)(p), true
	}
	if p := *(**T)(p); p != nil {
		return *p, true
	}
	return v, false
}

type fixedWriter[T column.Native] struct{ layout }

func (w fixedWriter[T]) gap(c column.Column, rows int) {
	var zero T
	for f := c.(*column.Fixed[T]); len(f.Values) < rows; {
		f.Append(zero)
	}
}

func (w fixedWriter[T]) write(c column.Column, from unsafe.Pointer) {
	f := c.(*column.Fixed[T])
	if v, ok := get[T](w.layout, from); ok {
		f.Append(v)
		return
	}
	f.AppendNull()
}

type instantWriter struct{ layout }

func (w instantWriter) gap(c column.Column, rows int) { fixedWriter[int64](w).gap(c, rows) }

func (w instantWriter) write(c column.Column, from unsafe.Pointer) {
	f := c.(*column.Longs)
	if v, ok := get[time.Time](w.layout, from); ok {
		f.Append(v.UnixMicro())
		return
	}
	f.AppendNull()
}

type textWriter[T string | []byte] struct{ layout }

func (w textWriter[T]) gap(c column.Column, rows int) {
	for t := c.(*column.Texts); t.Len() < rows; {
		t.Close()
	}
}

func (w textWriter[T]) write(c column.Column, from unsafe.Pointer) {
	t := c.(*column.Texts)
	if v, ok := get[T](w.layout, from); ok {
		t.Data = append(t.Data, v...)
		t.Close()
		return
	}
	t.AppendNull()
}
