package aggregate

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/millrace-io/millrace/engine/column"
)

// An extreme is the least value of a group or, if the kernel says so, the greatest. Both are kept by how they compare in
// a way that leaves no two different values equal: -0 is before 0, and there is one NaN, behind all.
type extreme[T column.Native] struct {
	value T
	some  bool // there is a value
	most  bool // it is the greatest
}

// replaces says whether v is to stand in the place of the value there is.
func (e *extreme[T]) replaces(v T, most bool) bool {
	if !e.some {
		return true
	}
	if most {
		return before(e.value, v)
	}
	return before(v, e.value)
}

func (e *extreme[T]) take(v T, most bool) {
	if e.replaces(v, most) {
		*e = extreme[T]{v, true, most}
	}
}

func (e *extreme[T]) merge(from *extreme[T]) {
	if from.some {
		e.take(from.value, from.most)
	}
}

func (e *extreme[T]) clear() { *e = extreme[T]{} }

func (e *extreme[T]) size() int64 { return 0 }

// append writes 0 of an empty group, else 1, or 2 of a greatest value, and the value.
func (e *extreme[T]) append(b []byte, fresh bool) []byte {
	switch {
	case !e.some:
		return append(b, 0)
	case e.most:
		return appendNative(append(b, 2), e.value)
	}
	return appendNative(append(b, 1), e.value)
}

func (e *extreme[T]) load(r *reader) {
	switch form := r.byte(); form {
	case 0:
		e.clear()
	case 1, 2:
		*e = extreme[T]{readNative[T](r), true, form == 2}
	default:
		r.fail()
	}
}

func (e *extreme[T]) result(out column.Column) string {
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

func addExtreme[T column.Native](most bool) func([]extreme[T], *Input, []int32, []uint32) int64 {
	return func(cells []extreme[T], in *Input, rows []int32, groups []uint32) int64 {
		c := in.Args[0].(*column.Fixed[T])
		values, nulls := c.Values, c.Valid.Nulls() > 0
		for i, row := range rows {
			if nulls && c.Valid.Null(int(row)) {
				continue
			}
			cells[groups[i]].take(values[row], most)
		}
		return 0
	}
}

func extremes[T column.Native](most bool) func() State {
	k := kernel[extreme[T]]{addExtreme[T](most), func(out column.Column, s *extreme[T]) string { return s.result(out) }}
	return states[extreme[T]](func() kernel[extreme[T]] { return k })
}

// An extremeText is extreme for strings and binaries.
type extremeText struct {
	value []byte // nil: none
	most  bool
}

func (e *extremeText) take(v []byte, most bool) {
	if e.value != nil {
		if order := bytes.Compare(v, e.value); order == 0 || (order > 0) != most {
			return
		}
	}
	e.most = most
	if e.value = append(e.value[:0], v...); e.value == nil {
		e.value = []byte{}
	}
}

func (e *extremeText) merge(from *extremeText) {
	if from.value != nil {
		e.take(from.value, from.most)
	}
}

func (e *extremeText) clear() { e.value = nil }

func (e *extremeText) size() int64 { return int64(cap(e.value)) }

// append writes 0 of an empty group, else 1, or 2 of a greatest value, and the text.
func (e *extremeText) append(b []byte, fresh bool) []byte {
	switch {
	case e.value == nil:
		return append(b, 0)
	case e.most:
		return appendBytes(append(b, 2), e.value)
	}
	return appendBytes(append(b, 1), e.value)
}

func (e *extremeText) load(r *reader) {
	e.clear()
	switch form := r.byte(); form {
	case 0:
	case 1, 2:
		e.take(r.bytes(), form == 2)
	default:
		r.fail()
	}
}

func (e *extremeText) result(out column.Column) string {
	if e.value == nil {
		out.AppendNull()
		return ""
	}
	out.(*column.Texts).Append(e.value)
	return ""
}

func addExtremeText(most bool) func([]extremeText, *Input, []int32, []uint32) int64 {
	return func(cells []extremeText, in *Input, rows []int32, groups []uint32) int64 {
		c := in.Args[0].(*column.Texts)
		grown := int64(0)
		for i, row := range rows {
			if c.Valid.Null(int(row)) {
				continue
			}
			e := &cells[groups[i]]
			had := cap(e.value)
			e.take(c.At(int(row)), most)
			grown += int64(cap(e.value) - had)
		}
		return grown
	}
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
			k := kernel[extremeText]{addExtremeText(most), func(out column.Column, s *extremeText) string { return s.result(out) }}
			return t, states[extremeText](func() kernel[extremeText] { return k })
		}
		return b.expected(0, "a value that has an order")
	}
}

// appendNative writes a value of fixed width: a decimal in 16 bytes, all others in 8, floats with one NaN.
func appendNative[T column.Native](b []byte, v T) []byte {
	switch v := any(v).(type) {
	case bool:
		if v {
			return binary.LittleEndian.AppendUint64(b, 1)
		}
		return binary.LittleEndian.AppendUint64(b, 0)
	case int8:
		return binary.LittleEndian.AppendUint64(b, uint64(v))
	case int16:
		return binary.LittleEndian.AppendUint64(b, uint64(v))
	case int32:
		return binary.LittleEndian.AppendUint64(b, uint64(v))
	case int64:
		return binary.LittleEndian.AppendUint64(b, uint64(v))
	case float32:
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(oneNaN(float64(v))))
	case float64:
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(oneNaN(v)))
	case column.Int128:
		return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, v.Lo), uint64(v.Hi))
	}
	panic("aggregate: no such value")
}

func oneNaN(f float64) float64 {
	if f != f {
		return math.NaN()
	}
	return f
}

func readNative[T column.Native](r *reader) (v T) {
	u := r.uint64()
	switch p := any(&v).(type) {
	case *bool:
		*p = u != 0
	case *int8:
		*p = int8(u)
	case *int16:
		*p = int16(u)
	case *int32:
		*p = int32(u)
	case *int64:
		*p = int64(u)
	case *float32:
		*p = float32(math.Float64frombits(u))
	case *float64:
		*p = math.Float64frombits(u)
	case *column.Int128:
		*p = column.Int128{Lo: u, Hi: int64(r.uint64())}
	}
	return v
}
