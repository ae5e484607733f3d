package clean

import (
	"math"
	"strconv"
	"unsafe"
)

// readInt reads a whole number of 32 bits.
func readInt(v []byte) (int32, bool) {
	n, ok := readLong(v)
	return int32(n), ok && n == int64(int32(n))
}

// readLong reads a whole number of 64 bits: digits, before them perhaps a sign.
func readLong(v []byte) (int64, bool) {
	negative, digits := sign(v)
	n, rest, ok := whole(digits)
	if !ok || len(rest) > 0 {
		return 0, false
	}
	return signed(n, negative)
}

// readMagnitude reads a number with a unit of its size: 10k is 10000. k, m and b, in any case, are thousand,
// million and billion. There may be a fraction, but what comes of it is whole: 1.5k, not 1.5.
func readMagnitude(v []byte) (int64, bool) {
	negative, digits := sign(v)
	zeros := 0
	if len(digits) > 0 {
		switch digits[len(digits)-1] | ' ' {
		case 'k':
			zeros = 3
		case 'm':
			zeros = 6
		case 'b':
			zeros = 9
		}
	}
	if zeros > 0 {
		digits = digits[:len(digits)-1]
	}
	n, rest, ok := whole(digits)
	if !ok {
		return 0, false
	}
	if len(rest) > 0 {
		if n, zeros, ok = fraction(n, zeros, rest); !ok {
			return 0, false
		}
	}
	for ; zeros > 0; zeros-- {
		if n > math.MaxUint64/10 {
			return 0, false
		}
		n *= 10
	}
	return signed(n, negative)
}

// fraction goes on with a point and digits: each is one zero less to come. When no more are to come only
// zeros may.
func fraction(n uint64, zeros int, v []byte) (uint64, int, bool) {
	if v[0] != '.' || len(v) == 1 {
		return 0, 0, false
	}
	for _, b := range v[1:] {
		d := uint64(b - '0')
		if d > 9 || zeros == 0 && d > 0 || zeros > 0 && n > (math.MaxUint64-d)/10 {
			return 0, 0, false
		}
		if zeros > 0 {
			n, zeros = n*10+d, zeros-1
		}
	}
	return n, zeros, true
}

func sign(v []byte) (negative bool, rest []byte) {
	if len(v) > 0 && (v[0] == '-' || v[0] == '+') {
		return v[0] == '-', v[1:]
	}
	return false, v
}

// whole reads digits, at least one.
func whole(v []byte) (n uint64, rest []byte, ok bool) {
	i := 0
	for ; i < len(v); i++ {
		d := uint64(v[i] - '0')
		if d > 9 {
			break
		}
		if n > (math.MaxUint64-d)/10 {
			return 0, nil, false
		}
		n = n*10 + d
	}
	return n, v[i:], i > 0
}

// signed gives n its sign.
func signed(n uint64, negative bool) (int64, bool) {
	if negative {
		return -int64(n), n <= 1<<63
	}
	return int64(n), n < 1<<63
}

// readDouble reads a decimal number with perhaps an exponent. Neither NaN nor an infinity is one.
func readDouble(v []byte) (float64, bool) {
	for _, b := range v {
		if (b < '0' || b > '9') && b != '.' && b != '-' && b != '+' && b|' ' != 'e' {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(v), len(v)), 64)
	return f, err == nil
}

// readBool reads true and false, also as t, f, yes, no, y, n, 1 and 0, in any case.
func readBool(v []byte) (value, ok bool) {
	if len(v) > len("false") {
		return false, false
	}
	var low [len("false")]byte
	for i, b := range v {
		low[i] = b
		if b >= 'A' && b <= 'Z' {
			low[i] = b | ' '
		}
	}
	switch string(low[:len(v)]) {
	case "true", "t", "yes", "y", "1":
		return true, true
	case "false", "f", "no", "n", "0":
		return false, true
	}
	return false, false
}
