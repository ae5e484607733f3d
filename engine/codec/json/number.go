package json

import (
	"math/bits"
	"strconv"
)

// A number is a JSON number as ±mant × 10^exp. mant does not end in 0 unless it is 0.
type number struct {
	mant uint64
	exp  int
	neg  bool
	long bool // more than 19 digits: mant has only the first of them and exp means nothing
}

// mantDigits is how many digits any uint64 can hold.
const mantDigits = 19

// scanNumber reads the number at p and gives the position behind it, or bad (RFC 8259, section 6).
func scanNumber(b []byte, p int) (n number, end int) {
	if p < len(b) && b[p] == '-' {
		n.neg = true
		p++
	}
	var digits digits
	first := p
	for ; p < len(b) && b[p]-'0' <= 9; p++ {
		digits.add(b[p] - '0')
	}
	if p == first || b[first] == '0' && p > first+1 {
		return n, bad
	}
	fraction := 0
	if p < len(b) && b[p] == '.' {
		first = p + 1
		for p = first; p < len(b) && b[p]-'0' <= 9; p++ {
			digits.add(b[p] - '0')
		}
		if fraction = p - first; fraction == 0 {
			return n, bad
		}
	}
	if p < len(b) && b[p]|0x20 == 'e' {
		if n.exp, p = scanExponent(b, p+1); p < 0 {
			return n, bad
		}
	}
	n.mant, n.long = digits.mant, digits.count > mantDigits
	n.exp += digits.zeros - fraction
	return n, p
}

// digits collects the digits of a number, keeping zeros back until another digit follows.
type digits struct {
	mant  uint64
	count int // digits in mant, or that should be
	zeros int // kept back
}

func (d *digits) add(digit byte) {
	if digit == 0 {
		if d.count > 0 {
			d.zeros++
		}
		return
	}
	d.count += d.zeros + 1
	if d.count <= mantDigits {
		for ; d.zeros > 0; d.zeros-- {
			d.mant *= 10
		}
		d.mant = d.mant*10 + uint64(digit)
	}
}

// maxExponent is beyond any exponent that the digits of a record can make good for.
const maxExponent = 1 << 40

func scanExponent(b []byte, p int) (exp, end int) {
	neg := p < len(b) && b[p] == '-'
	if neg || p < len(b) && b[p] == '+' {
		p++
	}
	first := p
	for ; p < len(b) && b[p]-'0' <= 9; p++ {
		exp = min(exp*10+int(b[p]-'0'), maxExponent)
	}
	if p == first {
		return 0, bad
	}
	if neg {
		exp = -exp
	}
	return exp, p
}

// whole is the number as an int64, if it is one.
func (n number) whole() (v int64, ok bool) {
	if n.mant == 0 {
		return 0, true
	}
	if n.long || n.exp < 0 || n.exp >= mantDigits {
		return 0, false
	}
	m := n.mant
	for range n.exp {
		hi, lo := bits.Mul64(m, 10)
		if hi != 0 {
			return 0, false
		}
		m = lo
	}
	switch {
	case n.neg && m <= 1<<63:
		return -int64(m), true
	case !n.neg && m < 1<<63:
		return int64(m), true
	}
	return 0, false
}

// float is the number as a float of 32 or 64 bits, if it is in range. literal is its text.
func (n number) float(literal []byte, bits int) (f float64, ok bool) {
	if bits == 64 && !n.long && n.mant < 1<<53 && -exactPower <= n.exp && n.exp <= exactPower {
		return n.exact(), true
	}
	f, err := strconv.ParseFloat(string(literal), bits)
	return f, err == nil
}

// exactPower is the largest power of ten that is a float64 without rounding.
const exactPower = 22

// exact is the number as a float64 where mant and 10^|exp| both are float64s without rounding: one
// operation rounds once, so the result is the nearest (Clinger, “How to read floating point numbers
// accurately”, 1990).
func (n number) exact() float64 {
	powers := [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}
	f := float64(n.mant)
	if n.exp < 0 {
		f /= powers[-n.exp]
	} else {
		f *= powers[n.exp]
	}
	if n.neg {
		return -f
	}
	return f
}
