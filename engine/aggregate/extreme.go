package aggregate

import (
	"bytes"
	"math"

	"github.com/millrace-io/millrace/engine/column"
)

// An extreme is the least value of a group or, if the kernel says so, the greatest. Both are kept by how they compare in
// a way that leaves no two different values equal: -0 is before 0, and there is one NaN, behind all.
type extreme[T column.Native] struct {
	value T
	some  bool // there is a value
	most  bool // it is the greatest: the kernel's
}

func (e *extreme[T]) take(v T) {
	if !e.some || e.most && before(e.value, v) || !e.most && before(v, e.value) {
		e.value, e.some = v, true
	}
}

func (e *extreme[T]) merge(from *extreme[T]) {
	if from.some {
		e.take(from.value)
	}
}

func (e *extreme[T]) clear() { e.some = false }

func (e *extreme[T]) size() int64 { return 0 }

// append writes 0 of an empty group, else 1 and the value.
func (e *extreme[T]) append(b []byte, fresh bool) []byte {
	if !e.some {
		return append(b, 0)
	}
	return appendNative(append(b, 1), e.value)
}

func (e *extreme[T]) load(r *reader) {
	if e.some = r.flag(); e.some {
		e.value = readNative[T](r)
	}
}

func extremeValue[T column.Native](out column.Column, e *extreme[T]) string {
	if !e.some {
		out.AppendNull()
		return ""
	}
	out.(*column.Fixed[T]).Append(e.value)
	return ""
}

// before is the order of values: numbers by size with -0 before 0 and NaN behind all, false before true.
func before[T column.Native](a, b T) bool {
	switch a := any(a).(type) {
	case bool:
		return !a && any(b).(bool)
	case int8:
		return a < any(b).(int8)
	case int16:
		return a < any(b).(int16)
	case int32:
		return a < any(b).(int32)
	case int64:
		return a < any(b).(int64)
	case float32:
		return beforeFloat(float64(a), float64(any(b).(float32)))
	case float64:
		return beforeFloat(a, any(b).(float64))
	case column.Int128:
		return a.Cmp(any(b).(column.Int128)) < 0
	}
	panic("aggregate: no such value")
}

func beforeFloat(a, b float64) bool {
	switch {
	case a < b:
		return true
	case a > b || a != a:
		return false
	case b != b:
		return true
	}
	return math.Signbit(a) && !math.Signbit(b)
}

func addExtreme[T column.Native](cells []extreme[T], in *Input, rows []int32, groups []uint32) int64 {
	c := in.Args[0].(*column.Fixed[T])
	values, nulls := c.Values, c.Valid.Nulls() > 0
	for i, row := range rows {
		if nulls && c.Valid.Null(int(row)) {
			continue
		}
		cells[groups[i]].take(values[row])
	}
	return 0
}

func extremes[T column.Native](most bool) func() State {
	return states(kernel[extreme[T]]{zero: extreme[T]{most: most}, add: addExtreme[T], result: extremeValue[T]})
}

// An extremeText is extreme for strings and binaries.
type extremeText struct {
	value []byte // it has memory of its own
	some  bool
	most  bool
}

func (e *extremeText) take(v []byte) {
	if e.some {
		if order := bytes.Compare(v, e.value); order == 0 || (order > 0) != e.most {
			return
		}
	}
	e.value, e.some = append(e.value[:0], v...), true
}

func (e *extremeText) merge(from *extremeText) {
	if from.some {
		e.take(from.value)
	}
}

func (e *extremeText) clear() { e.value, e.some = recycled(e.value), false }

func (e *extremeText) size() int64 { return int64(cap(e.value)) }

// append writes 0 of an empty group, else 1 and the text.
func (e *extremeText) append(b []byte, fresh bool) []byte {
	if !e.some {
		return append(b, 0)
	}
	return appendBytes(append(b, 1), e.value)
}

func (e *extremeText) load(r *reader) {
	if e.some = r.flag(); e.some {
		e.value = append(e.value[:0], r.bytes()...)
	}
}

func extremeTextValue(out column.Column, e *extremeText) string {
	if !e.some {
		out.AppendNull()
		return ""
	}
	out.(*column.Texts).Append(e.value)
	return ""
}

func addExtremeText(cells []extremeText, in *Input, rows []int32, groups []uint32) int64 {
	c := in.Args[0].(*column.Texts)
	grown := int64(0)
	for i, row := range rows {
		if c.Valid.Null(int(row)) {
			continue
		}
		e := &cells[groups[i]]
		had := cap(e.value)
		e.take(c.At(int(row)))
		grown += int64(cap(e.value) - had)
	}
	return grown
}

// bindExtreme is min(x) and max(x).
func bindExtreme(most bool) func(b *binder) (column.Type, func() State) {
	return func(b *binder) (column.Type, func() State) {
		t := b.arg(0)
		switch t.Kind {
		case column.Bool:
			return t, extremes[bool](most)
		case column.Byte:
			return t, extremes[int8](most)
		case column.Short:
			return t, extremes[int16](most)
		case column.Int, column.Date:
			return t, extremes[int32](most)
		case column.Long, column.Timestamp, column.TimestampNTZ:
			return t, extremes[int64](most)
		case column.Float:
			return t, extremes[float32](most)
		case column.Double:
			return t, extremes[float64](most)
		case column.Decimal:
			return t, extremes[column.Int128](most)
		case column.String, column.Binary:
			return t, states(kernel[extremeText]{zero: extremeText{most: most}, add: addExtremeText, result: extremeTextValue})
		}
		return b.expected(0, "a value that has an order")
	}
}
