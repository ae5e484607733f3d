package aggregate

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/millrace-io/millrace/engine/column"
)

// A wholeSum is the sum of n whole numbers of at most 64 bits. 128 bits hold it for every n, so that it is right whatever
// the order; whether a long holds it is asked at the end.
type wholeSum struct {
	sum column.Int128
	n   int64
}

func (s *wholeSum) merge(from *wholeSum) {
	s.sum, _ = s.sum.Add(from.sum)
	s.n += from.n
}

func (s *wholeSum) clear() { *s = wholeSum{} }

func (s *wholeSum) append(b []byte, fresh bool) []byte {
	return appendInt128(binary.AppendVarint(b, s.n), s.sum)
}

func (s *wholeSum) load(r *reader) {
	s.n = r.varint()
	s.sum = r.int128()
}

func (s *wholeSum) size() int64 { return 0 }

// long is the sum as a long.
func (s *wholeSum) long(out column.Column) string {
	if s.n == 0 {
		out.AppendNull()
		return ""
	}
	v, ok := s.sum.Int64()
	if !ok {
		out.AppendNull()
		return fmt.Sprintf("sum: %s does not fit long", s.sum.AppendDecimal(nil, 0))
	}
	out.(*column.Longs).Append(v)
	return ""
}

// whole are the Go types of whole numbers.
type whole interface{ int8 | int16 | int32 | int64 }

func addWhole[T whole](cells []wholeSum, in *Input, rows []int32, groups []uint32) int64 {
	c := in.Args[0].(*column.Fixed[T])
	values, nulls := c.Values, c.Valid.Nulls() > 0
	for i, row := range rows {
		if nulls && c.Valid.Null(int(row)) {
			continue
		}
		v := int64(values[row])
		s := &cells[groups[i]]
		lo, carry := bits.Add64(s.sum.Lo, uint64(v), 0)
		s.sum.Lo, s.sum.Hi = lo, s.sum.Hi+v>>63+int64(carry)
		s.n++
	}
	return 0
}

// wholeKernel gives the kernel that adds up a type of whole numbers.
func wholeKernel(k column.Kind) func([]wholeSum, *Input, []int32, []uint32) int64 {
	switch k {
	case column.Byte:
		return addWhole[int8]
	case column.Short:
		return addWhole[int16]
	case column.Int:
		return addWhole[int32]
	}
	return addWhole[int64]
}

// bindSum is sum(x).
func bindSum(b *binder) (column.Type, func() State) {
	t := b.arg(0)
	if t.Kind.Integer() {
		k := kernel[wholeSum]{wholeKernel(t.Kind), func(out column.Column, s *wholeSum) string { return s.long(out) }}
		return column.Of(column.Long), states[wholeSum](func() kernel[wholeSum] { return k })
	}
	return b.expected(0, "a number")
}
