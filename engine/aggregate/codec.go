package aggregate

import (
	"encoding/binary"
	"errors"
	"math"
	"unsafe"

	"github.com/millrace-io/millrace/engine/column"
)

// How states are written. Numbers that are small most of the time are varints as encoding/binary has them, all others
// little endian; what is of no fixed length has its length before it. There is no version here: who keeps states notes
// the aggregate's text and the version of what it keeps them in.

// errDamaged is what Load says of bytes that Append has not written.
var errDamaged = errors.New("the state of an aggregate is damaged")

// A reader takes values off the front of rest. After the first error it gives zeros, and rest is empty.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) fail() { r.rest, r.err = nil, errDamaged }

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// count is a number of things of at least size bytes each that follow.
func (r *reader) count(size int) int {
	n := r.uvarint()
	if n > uint64(len(r.rest)/size) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) uint64() uint64 {
	if len(r.rest) < 8 {
		r.fail()
		return 0
	}
	v := binary.LittleEndian.Uint64(r.rest)
	r.rest = r.rest[8:]
	return v
}

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.fail()
		return 0
	}
	v := r.rest[0]
	r.rest = r.rest[1:]
	return v
}

// flag is a byte that is 0 or 1.
func (r *reader) flag() bool {
	v := r.byte()
	if v > 1 {
		r.fail()
	}
	return v == 1
}

// bytes are those of a length that stands before them, lent.
func (r *reader) bytes() []byte {
	n := r.count(1)
	v := r.rest[:n]
	r.rest = r.rest[n:]
	return v
}

func (r *reader) int128() column.Int128 {
	lo := r.uint64()
	return column.Int128{Lo: lo, Hi: r.varint()}
}

func appendInt128(b []byte, v column.Int128) []byte {
	return binary.AppendVarint(binary.LittleEndian.AppendUint64(b, v.Lo), v.Hi)
}

func appendBytes(b, v []byte) []byte { return append(binary.AppendUvarint(b, uint64(len(v))), v...) }

// recycled is b emptied, for another group, unless it is so long that keeping it would be a waste.
func recycled[T any](b []T) []T {
	const most = 64
	if cap(b) > most {
		return nil
	}
	return b[:0]
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

// nativeSize is the bytes of a T in memory.
func nativeSize[T column.Native]() int { return int(unsafe.Sizeof(*new(T))) }

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
