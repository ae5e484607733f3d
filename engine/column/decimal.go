package column

import "errors"

// What ParseDecimal says of a text that is no decimal of the type.
var (
	ErrNoNumber   = errors.New("no number")
	ErrDigits     = errors.New("too many digits")
	ErrFractional = errors.New("too many digits behind the point")
)

// ParseDecimal reads a number as JSON and SQL write them, "-12.5e3" say, as a decimal of precision digits with
// scale behind the point. It does not round: a digit other than 0 that has no place is ErrFractional behind the
// point and ErrDigits before it; anything else that it does not take is ErrNoNumber.
func ParseDecimal(text []byte, precision, scale int) (Int128, error) {
	s := decimalScan{rest: text}
	if !s.number() {
		return Int128{}, ErrNoNumber
	}
	return s.value(precision, scale)
}

// RoundDecimal is ParseDecimal that rounds what is behind the last digit, halves away from 0. More than MostDigits
// digits, zeros at both ends aside, are ErrDigits.
func RoundDecimal(text []byte, precision, scale int) (Int128, error) {
	s := decimalScan{rest: text}
	switch {
	case !s.number():
		return Int128{}, ErrNoNumber
	case s.over || s.exp+scale >= 0:
		return s.value(precision, scale)
	}
	v, _ := signed(s.digits, s.negative)
	if v, _ = v.Rescale(s.exp + scale); !v.Digits(precision) {
		return Int128{}, ErrDigits
	}
	return v, nil
}

// A decimalScan reads a number as digits times 10 to the power of exp.
type decimalScan struct {
	rest     []byte
	negative bool
	digits   uint128
	zeros    int  // digits 0 that are not in digits yet
	exp      int  // of digits without zeros
	over     bool // there are more digits than any decimal has
}

func (s *decimalScan) number() bool {
	if len(s.rest) > 0 && (s.rest[0] == '-' || s.rest[0] == '+') {
		s.negative = s.rest[0] == '-'
		s.rest = s.rest[1:]
	}
	n := s.run()
	if len(s.rest) > 0 && s.rest[0] == '.' {
		s.rest = s.rest[1:]
		fraction := s.run()
		n += fraction
		s.exp -= fraction
	}
	if n == 0 {
		return false
	}
	if len(s.rest) > 0 && s.rest[0]|0x20 == 'e' && !s.exponent() {
		return false
	}
	s.exp += s.zeros
	return len(s.rest) == 0
}

// run reads digits and says how many.
func (s *decimalScan) run() (n int) {
	for n = 0; n < len(s.rest) && s.rest[n]-'0' <= 9; n++ {
		if s.rest[n] == '0' {
			if s.digits != (uint128{}) {
				s.zeros++
			}
			continue
		}
		for ; s.zeros > 0 && !s.over; s.zeros-- {
			s.add(0)
		}
		s.add(s.rest[n] - '0')
	}
	s.rest = s.rest[n:]
	return n
}

func (s *decimalScan) add(digit byte) {
	var ok bool
	if s.digits, ok = s.digits.timesTen(digit); !ok || !s.digits.less(powersOfTen[MostDigits]) {
		s.over = true
	}
}

// farExponent is beyond what the digits of any text can make good for.
const farExponent = 1 << 30

func (s *decimalScan) exponent() bool {
	s.rest = s.rest[1:]
	sign := 1
	if len(s.rest) > 0 && (s.rest[0] == '-' || s.rest[0] == '+') {
		if s.rest[0] == '-' {
			sign = -1
		}
		s.rest = s.rest[1:]
	}
	n, e := 0, 0
	for ; n < len(s.rest) && s.rest[n]-'0' <= 9; n++ {
		e = min(e*10+int(s.rest[n]-'0'), farExponent)
	}
	s.rest = s.rest[n:]
	s.exp += sign * e
	return n > 0
}

func (s *decimalScan) value(precision, scale int) (Int128, error) {
	if s.digits == (uint128{}) && !s.over {
		return Int128{}, nil
	}
	more := s.exp + scale // zeros to add; negative: digits that have no place
	switch {
	case more < 0:
		return Int128{}, ErrFractional
	case s.over || more > MostDigits:
		return Int128{}, ErrDigits
	}
	v, _ := signed(s.digits, s.negative)
	v, ok := v.Rescale(more)
	if !ok || !v.Digits(precision) {
		return Int128{}, ErrDigits
	}
	return v, nil
}
