package aggregate

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
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

func (s *wholeSum) unmerge(from *wholeSum) {
	s.sum, _ = s.sum.Add(from.sum.Neg())
	s.n -= from.n
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

// longSum is the sum as a long.
func longSum(out column.Column, s *wholeSum) string {
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

// addWholes gives the loop for a type of whole numbers.
func addWholes(k column.Kind) func([]wholeSum, *Input, []int32, []uint32) int64 {
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

// A decimalSum is the sum of n decimals without their point, in 192 bits: what does not fit 38 digits on the way may fit
// them in the end.
type decimalSum struct {
	lo, mid uint64
	hi      int64
	n       int64
}

func (s *decimalSum) plus(lo, mid uint64, hi int64) {
	var carry uint64
	s.lo, carry = bits.Add64(s.lo, lo, 0)
	s.mid, carry = bits.Add64(s.mid, mid, carry)
	s.hi += hi + int64(carry)
}

func (s *decimalSum) merge(from *decimalSum) {
	s.plus(from.lo, from.mid, from.hi)
	s.n += from.n
}

func (s *decimalSum) unmerge(from *decimalSum) {
	var borrow uint64
	s.lo, borrow = bits.Sub64(s.lo, from.lo, 0)
	s.mid, borrow = bits.Sub64(s.mid, from.mid, borrow)
	s.hi -= from.hi + int64(borrow)
	s.n -= from.n
}

func (s *decimalSum) clear() { *s = decimalSum{} }

func (s *decimalSum) append(b []byte, fresh bool) []byte {
	b = binary.LittleEndian.AppendUint64(binary.AppendVarint(b, s.n), s.lo)
	return binary.AppendVarint(binary.LittleEndian.AppendUint64(b, s.mid), s.hi)
}

func (s *decimalSum) load(r *reader) {
	s.n, s.lo = r.varint(), r.uint64()
	s.mid, s.hi = r.uint64(), r.varint()
}

func (s *decimalSum) size() int64 { return 0 }

// int128 is the sum; ok is false where 128 bits do not hold it.
func (s *decimalSum) int128() (v column.Int128, ok bool) {
	v = column.Int128{Lo: s.lo, Hi: int64(s.mid)}
	return v, s.hi == v.Hi>>63
}

// rat is the sum with scale digits behind its point, whatever its size.
func (s *decimalSum) rat(scale int) *big.Rat {
	v := new(big.Int).SetInt64(s.hi)
	for _, word := range []uint64{s.mid, s.lo} {
		v.Add(v.Lsh(v, 64), new(big.Int).SetUint64(word))
	}
	return new(big.Rat).SetFrac(v, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil))
}

func addDecimals(cells []decimalSum, in *Input, rows []int32, groups []uint32) int64 {
	c := in.Args[0].(*column.Decimals)
	values, nulls := c.Values, c.Valid.Nulls() > 0
	for i, row := range rows {
		if nulls && c.Valid.Null(int(row)) {
			continue
		}
		v, s := values[row], &cells[groups[i]]
		s.plus(v.Lo, uint64(v.Hi), v.Hi>>63)
		s.n++
	}
	return 0
}

// sumOfDecimals is the result of sum as a decimal of all digits and a scale.
func sumOfDecimals(scale int) func(column.Column, *decimalSum) string {
	return func(out column.Column, s *decimalSum) string {
		if s.n == 0 {
			out.AppendNull()
			return ""
		}
		v, ok := s.int128()
		if !ok || !v.Digits(column.MostDigits) {
			out.AppendNull()
			return fmt.Sprintf("sum: %s does not fit %s", s.rat(scale).FloatString(scale), out.Type())
		}
		out.(*column.Decimals).Append(v)
		return ""
	}
}

// bindSum is sum(x).
func bindSum(b *binder) (column.Type, func() State) {
	switch t := b.arg(0); {
	case t.Kind.Integer():
		return column.Of(column.Long), states(kernel[wholeSum]{add: addWholes(t.Kind), unmerge: (*wholeSum).unmerge, result: longSum})
	case t.Kind == column.Decimal:
		return column.DecimalOf(column.MostDigits, t.Scale()), states(kernel[decimalSum]{add: addDecimals, unmerge: (*decimalSum).unmerge, result: sumOfDecimals(t.Scale())})
	case t.Kind == column.Float:
		return column.Of(column.Double), states(kernel[floatSum]{add: addFloats[float32], result: doubleSum})
	case t.Kind == column.Double:
		return column.Of(column.Double), states(kernel[floatSum]{add: addFloats[float64], result: doubleSum})
	}
	return b.expected(0, "a number")
}

// A floatSum is the exact sum of n floats or doubles: see exact.
type floatSum struct {
	exact
	n int64
}

func (s *floatSum) merge(from *floatSum) {
	s.exact.merge(&from.exact)
	s.n += from.n
}

func (s *floatSum) clear() {
	s.exact.clear()
	s.n = 0
}

func (s *floatSum) append(b []byte, fresh bool) []byte {
	return s.exact.append(binary.AppendVarint(b, s.n))
}

func (s *floatSum) load(r *reader) {
	s.n = r.varint()
	s.exact.load(r)
}

func addFloats[T float32 | float64](cells []floatSum, in *Input, rows []int32, groups []uint32) int64 {
	c := in.Args[0].(*column.Fixed[T])
	values, nulls, grown := c.Values, c.Valid.Nulls() > 0, 0
	for i, row := range rows {
		if nulls && c.Valid.Null(int(row)) {
			continue
		}
		s := &cells[groups[i]]
		grown += s.add(float64(values[row]))
		s.n++
	}
	return int64(grown)
}

// doubleSum is the sum as the double that is nearest to it.
func doubleSum(out column.Column, s *floatSum) string {
	if s.n == 0 {
		out.AppendNull()
		return ""
	}
	out.(*column.Doubles).Append(s.float(0))
	return ""
}

// bindAvg is avg(x).
func bindAvg(b *binder) (column.Type, func() State) {
	double := column.Of(column.Double)
	switch t := b.arg(0); {
	case t.Kind.Integer():
		return double, states(kernel[wholeSum]{add: addWholes(t.Kind), unmerge: (*wholeSum).unmerge, result: func(out column.Column, s *wholeSum) string {
			return mean(out, s.n, func() float64 { return s.sum.Float(0) / float64(s.n) })
		}})
	case t.Kind == column.Decimal:
		scale := t.Scale()
		return double, states(kernel[decimalSum]{add: addDecimals, unmerge: (*decimalSum).unmerge, result: func(out column.Column, s *decimalSum) string {
			return mean(out, s.n, func() float64 { return s.mean(scale) })
		}})
	case t.Kind == column.Float:
		return double, states(kernel[floatSum]{add: addFloats[float32], result: floatMean})
	case t.Kind == column.Double:
		return double, states(kernel[floatSum]{add: addFloats[float64], result: floatMean})
	}
	return b.expected(0, "a number")
}

// mean appends what of gives, or null of no values.
func mean(out column.Column, n int64, of func() float64) string {
	if n == 0 {
		out.AppendNull()
		return ""
	}
	out.(*column.Doubles).Append(of())
	return ""
}

func (s *decimalSum) mean(scale int) float64 {
	if v, ok := s.int128(); ok {
		return v.Float(scale) / float64(s.n)
	}
	sum := s.rat(scale)
	f, _ := sum.Quo(sum, new(big.Rat).SetInt64(s.n)).Float64()
	return f
}

// floatMean is the mean of floats: that of a sum which no double holds is one all the same.
func floatMean(out column.Column, s *floatSum) string {
	const shift = 64 // there are fewer than 2 to the power of it values
	return mean(out, s.n, func() float64 {
		if f := s.float(0); !math.IsInf(f, 0) || s.special != 0 {
			return f / float64(s.n)
		}
		return math.Ldexp(s.float(-shift)/float64(s.n), shift)
	})
}
