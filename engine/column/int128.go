package column

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"strconv"
	"unsafe"
)

// An Int128 is a whole number of 128 bits in two's complement: the value of a Decimal without its point. In
// memory it is Arrow's decimal128 on machines that keep the low bytes first.
type Int128 struct {
	Lo uint64
	Hi int64
}

// Int128Of is v.
func Int128Of(v int64) Int128 { return Int128{uint64(v), v >> 63} }

// Int64 is v where 64 bits hold it.
func (v Int128) Int64() (small int64, ok bool) { return int64(v.Lo), v.Hi == int64(v.Lo)>>63 }

// Cmp is below, at or above 0 as v is less than, equal to or greater than o.
func (v Int128) Cmp(o Int128) int {
	if v.Hi != o.Hi {
		return cmp.Compare(v.Hi, o.Hi)
	}
	return cmp.Compare(v.Lo, o.Lo)
}

// Neg is -v; the least Int128 is its own.
func (v Int128) Neg() Int128 {
	lo, borrow := bits.Sub64(0, v.Lo, 0)
	hi, _ := bits.Sub64(0, uint64(v.Hi), borrow)
	return Int128{lo, int64(hi)}
}

// Add is v + o; ok is false where 128 bits do not hold it.
func (v Int128) Add(o Int128) (sum Int128, ok bool) {
	lo, carry := bits.Add64(v.Lo, o.Lo, 0)
	hi, _ := bits.Add64(uint64(v.Hi), uint64(o.Hi), carry)
	sum = Int128{lo, int64(hi)}
	return sum, (v.Hi^sum.Hi)&(o.Hi^sum.Hi) >= 0
}

// Mul is v × o; ok is false where 127 bits and a sign do not hold it.
func (v Int128) Mul(o Int128) (product Int128, ok bool) {
	a, b := v.abs(), o.abs()
	if a.hi != 0 && b.hi != 0 {
		return Int128{}, false
	}
	hi, lo := bits.Mul64(a.lo, b.lo)
	c1, m1 := bits.Mul64(a.hi, b.lo)
	c2, m2 := bits.Mul64(a.lo, b.hi)
	hi, carry := bits.Add64(hi, m1+m2, 0)
	if c1|c2|carry != 0 || m1+m2 < m1 {
		return Int128{}, false
	}
	return signed(uint128{hi, lo}, (v.Hi < 0) != (o.Hi < 0))
}

// Digits says whether v has at most n decimal digits, 1 to MostDigits.
func (v Int128) Digits(n int) bool { return v.abs().less(powersOfTen[n]) }

// Rescale is v with by digits more behind its point, or if by is negative so many fewer, the last one rounded
// half away from zero. ok is false where 128 bits do not hold it.
func (v Int128) Rescale(by int) (scaled Int128, ok bool) {
	switch {
	case by == 0:
		return v, true
	case by > MostDigits:
		return v, v == Int128{}
	case by > 0:
		p := powersOfTen[by]
		return v.Mul(Int128{p.lo, int64(p.hi)})
	case by < -MostDigits:
		return Int128{}, true
	}
	q, r := v.abs().div(powersOfTen[-by])
	if twice, over := r.double(); over || !twice.less(powersOfTen[-by]) {
		q = q.plus(1)
	}
	return signed(q, v.Hi < 0)
}

// Whole is v without the scale digits behind its point, and whether these are all 0.
func (v Int128) Whole(scale int) (whole Int128, exact bool) {
	q, r := v.abs().div(powersOfTen[scale])
	whole, _ = signed(q, v.Hi < 0)
	return whole, r == uint128{}
}

// AppendBigEndian appends v in n bytes, 1 to 16, the highest first. It has to fit.
func (v Int128) AppendBigEndian(b []byte, n int) []byte {
	var all [16]byte
	binary.BigEndian.PutUint64(all[:], uint64(v.Hi))
	binary.BigEndian.PutUint64(all[8:], v.Lo)
	return append(b, all[16-n:]...)
}

// Int128FromBigEndian reads a number in two's complement of any length, the highest byte first; ok is false
// where 128 bits do not hold it. No bytes are 0.
func Int128FromBigEndian(b []byte) (v Int128, ok bool) {
	sign := byte(0)
	if len(b) > 0 && b[0] >= 0x80 {
		sign = 0xff
	}
	for len(b) > 16 {
		if b[0] != sign {
			return Int128{}, false
		}
		b = b[1:]
	}
	v = Int128{uint64(int64(int8(sign))), int64(int8(sign))}
	for _, c := range b {
		v = Int128{v.Lo<<8 | uint64(c), v.Hi<<8 | int64(v.Lo>>56)}
	}
	return v, len(b) == 0 || sign>>7 == byte(uint64(v.Hi)>>63)
}

// Float is the double nearest to v divided by 10 to the power of scale.
func (v Int128) Float(scale int) float64 {
	const exact, exactPower = 1 << 53, 22 // up to which both are doubles, so that one division rounds once
	if small, ok := v.Int64(); ok && -exact < small && small < exact && scale <= exactPower {
		return float64(small) / powersOfTen[scale].float()
	}
	var text [48]byte
	digits := v.AppendDecimal(text[:0], scale)
	f, err := strconv.ParseFloat(unsafe.String(&digits[0], len(digits)), 64)
	if err != nil {
		panic(err) // it is a number, and far from the greatest
	}
	return f
}

// AppendDecimal appends v as a decimal with scale digits behind the point, all of them: "-0.05".
func (v Int128) AppendDecimal(b []byte, scale int) []byte {
	var digits [40]byte
	at, a := len(digits), v.abs()
	for n := 0; a != (uint128{}) || n <= scale; n++ {
		if n == scale && scale > 0 {
			at--
			digits[at] = '.'
		}
		var digit uint64
		a, digit = a.divSmall(10)
		at--
		digits[at] = '0' + byte(digit)
	}
	if v.Hi < 0 {
		b = append(b, '-')
	}
	return append(b, digits[at:]...)
}

// uint128 is a number without sign.
type uint128 struct{ hi, lo uint64 }

func (v Int128) abs() uint128 {
	if v.Hi < 0 {
		v = v.Neg()
	}
	return uint128{uint64(v.Hi), v.Lo}
}

// signed is a with a sign; ok is false where 127 bits do not hold it.
func signed(a uint128, negative bool) (v Int128, ok bool) {
	v = Int128{a.lo, int64(a.hi)}
	if negative {
		return v.Neg(), a.hi>>63 == 0
	}
	return v, a.hi>>63 == 0
}

func (a uint128) less(b uint128) bool { return a.hi < b.hi || a.hi == b.hi && a.lo < b.lo }

func (a uint128) plus(n uint64) uint128 {
	lo, carry := bits.Add64(a.lo, n, 0)
	return uint128{a.hi + carry, lo}
}

func (a uint128) minus(b uint128) uint128 {
	lo, borrow := bits.Sub64(a.lo, b.lo, 0)
	hi, _ := bits.Sub64(a.hi, b.hi, borrow)
	return uint128{hi, lo}
}

func (a uint128) double() (twice uint128, over bool) {
	return uint128{a.hi<<1 | a.lo>>63, a.lo << 1}, a.hi>>63 != 0
}

// timesTen is 10a + digit; ok is false where 128 bits do not hold it.
func (a uint128) timesTen(digit byte) (product uint128, ok bool) {
	high, lo := bits.Mul64(a.lo, 10)
	over, hi := bits.Mul64(a.hi, 10)
	hi, carry := bits.Add64(hi, high, 0)
	return uint128{hi, lo}.plus(uint64(digit)), over|carry == 0
}

func (a uint128) divSmall(d uint64) (quotient uint128, rest uint64) {
	hi, r := a.hi/d, a.hi%d
	lo, r := bits.Div64(r, a.lo, d)
	return uint128{hi, lo}, r
}

// div divides by d, which is not 0.
func (a uint128) div(d uint128) (quotient, rest uint128) {
	if d.hi == 0 {
		q, r := a.divSmall(d.lo)
		return q, uint128{0, r}
	}
	// The quotient has fewer than 64 bits. That of the leading 64 bits is at most one too great.
	shift := uint(bits.LeadingZeros64(d.hi))
	head := d.hi<<shift | d.lo>>(64-shift)
	q, _ := bits.Div64(a.hi>>1, a.hi<<63|a.lo>>1, head)
	q >>= 63 - shift
	if q > 0 {
		q--
	}
	high, lo := bits.Mul64(q, d.lo)
	rest = a.minus(uint128{high + q*d.hi, lo})
	if !rest.less(d) {
		q, rest = q+1, rest.minus(d)
	}
	return uint128{0, q}, rest
}

func (a uint128) float() float64 { return float64(a.hi)*(1<<64) + float64(a.lo) }

// powersOfTen are 10 to the power of their index, up to MostDigits.
var powersOfTen = tens()

func tens() [MostDigits + 1]uint128 {
	powers := [MostDigits + 1]uint128{{0, 1}}
	for i := range MostDigits {
		powers[i+1], _ = powers[i].timesTen(0)
	}
	return powers
}

// DecimalSize is how many bytes hold every decimal of precision digits.
func DecimalSize(precision int) int {
	most := powersOfTen[precision].minus(uint128{0, 1})
	n := bits.Len64(most.lo)
	if most.hi > 0 {
		n = 64 + bits.Len64(most.hi)
	}
	return n/8 + 1
}
