package aggregate

import (
	"encoding/binary"
	"errors"

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
