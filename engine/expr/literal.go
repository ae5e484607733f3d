package expr

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

// Texts to values and back, as CAST does it. White space around a value is left out.

// parseLong reads a decimal number, with or without an exponent, and rounds it to a whole one, halves away from
// 0. It is exact where a double would not be.
func parseLong(text []byte) (int64, bool) {
	text = bytes.TrimSpace(text)
	if v, n := numberAt(text, 18); n > 0 && n == len(text) {
		return v, true
	}
	if !decimal(text) {
		return 0, false
	}
	negative := text[0] == '-'
	if text[0] == '-' || text[0] == '+' {
		text = text[1:]
	}
	whole := text[:digitsAt(text)]
	var fraction []byte
	if text = text[len(whole):]; len(text) > 0 && text[0] == '.' {
		fraction = text[1 : 1+digitsAt(text[1:])]
		text = text[1+len(fraction):]
	}
	point := len(whole) // how many digits stand before the point
	if len(text) > 0 {
		point += exponent(text[1:])
	}
	v, ok := digitsBefore(point, whole, fraction)
	if !ok || v > 1<<63 || v == 1<<63 && !negative {
		return 0, false
	}
	if negative {
		return -int64(v), true
	}
	return int64(v), true
}

// exponent reads a sign and digits. What exceeds a million is one: no number of an expression has as many digits.
func exponent(text []byte) int {
	const most = 1_000_000
	negative := text[0] == '-'
	if negative || text[0] == '+' {
		text = text[1:]
	}
	v := 0
	for _, c := range text {
		v = min(v*10+int(c-'0'), most)
	}
	if negative {
		return -v
	}
	return v
}

// digitsBefore is the number of the first digits of whole and fraction together, rounded by the one behind
// them. ok is false if it exceeds 2^64.
func digitsBefore(point int, whole, fraction []byte) (v uint64, ok bool) {
	digit := func(i int) uint64 {
		switch {
		case i < 0 || i >= len(whole)+len(fraction):
			return 0
		case i < len(whole):
			return uint64(whole[i] - '0')
		}
		return uint64(fraction[i-len(whole)] - '0')
	}
	for i := range point {
		if v == 0 && i >= len(whole)+len(fraction) {
			break // all of them are 0
		}
		if v > 1<<63/10 {
			return 0, false
		}
		v = v*10 + digit(i)
	}
	return v + digit(point)/5, true
}

// parseDouble reads a decimal number, nan or inf.
func parseDouble(text []byte) (float64, bool) { return parseFloat(text, 64) }

// parseFloat reads a number of 32 or 64 bits. What does not fit is no number.
func parseFloat(text []byte, bits int) (float64, bool) {
	text = bytes.TrimSpace(text)
	if !decimal(text) {
		return special(text)
	}
	f, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(text), len(text)), bits)
	return f, err == nil
}

// decimal says whether text is a sign, digits with a point among them, and an exponent.
func decimal(text []byte) bool {
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		text = text[1:]
	}
	before := digitsAt(text)
	text = text[before:]
	after := 0
	if len(text) > 0 && text[0] == '.' {
		after = digitsAt(text[1:])
		text = text[1+after:]
	}
	if before+after == 0 {
		return false
	}
	if len(text) == 0 {
		return true
	}
	if text[0]|0x20 != 'e' {
		return false
	}
	if text = text[1:]; len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		text = text[1:]
	}
	return len(text) > 0 && digitsAt(text) == len(text)
}

func digitsAt(text []byte) (n int) {
	for n < len(text) && digit(text[n]) {
		n++
	}
	return n
}

// isWhole says whether text is digits with at most a minus sign before them.
func isWhole(text []byte) bool {
	text = bytes.TrimPrefix(text, []byte("-"))
	return len(text) > 0 && digitsAt(text) == len(text)
}

// special reads nan and inf, with or without a sign, in any case.
func special(text []byte) (float64, bool) {
	sign := 1
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		if text[0] == '-' {
			sign = -1
		}
		text = text[1:]
	}
	switch {
	case isWord(text, "nan"):
		return math.NaN(), true
	case isWord(text, "inf"), isWord(text, "infinity"):
		return math.Inf(sign), true
	}
	return 0, false
}

// isWord compares with a word of ASCII letters without regard to case.
func isWord(text []byte, word string) bool { return len(text) == len(word) && equalLetters(text, word) }

// parseBool reads true, t, yes, y, 1 and their contraries, in any case.
func parseBool(text []byte) (value, ok bool) {
	text = bytes.TrimSpace(text)
	switch {
	case len(text) == 1 && (text[0] == '0' || text[0] == '1'):
		return text[0] == '1', true
	case isWord(text, "true"), isWord(text, "t"), isWord(text, "yes"), isWord(text, "y"):
		return true, true
	case isWord(text, "false"), isWord(text, "f"), isWord(text, "no"), isWord(text, "n"):
		return false, true
	}
	return false, false
}

// parseTimestamp reads an instant as ISO 8601 writes it.
func parseTimestamp(text []byte) (int64, bool) { return parseISO(bytes.TrimSpace(text)) }

// parseClock reads such an instant that is without a zone: it is what a clock on the wall shows.
func parseClock(text []byte) (int64, bool) {
	text = bytes.TrimSpace(text)
	micros, ok := parseISO(text)
	return micros, ok && (len(text) <= len("yyyy-MM-dd") || !bytes.ContainsAny(text[len("yyyy-MM-dd"):], "Zz+-"))
}

// parseDate reads the day of such an instant.
func parseDate(text []byte) (int32, bool) {
	micros, ok := parseTimestamp(text)
	return int32(dayOf(micros)), ok
}

// appendDouble writes the shortest number that reads back the same, with a point or an exponent.
func appendDouble(dst []byte, f float64, bits int) []byte {
	abs := math.Abs(f)
	switch {
	case math.IsNaN(f):
		return append(dst, "nan"...)
	case math.IsInf(f, 1):
		return append(dst, "inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-inf"...)
	case abs != 0 && (abs < 1e-4 || abs >= 1e16):
		return strconv.AppendFloat(dst, f, 'e', -1, bits)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, bits)
	if bytes.IndexByte(dst[start:], '.') < 0 {
		dst = append(dst, ".0"...)
	}
	return dst
}

// shown is a text as messages of rows show it: quoted, and cut where it is long.
func shown(text []byte) string {
	const most = 60 // bytes
	if len(text) <= most {
		return strconv.Quote(string(text))
	}
	cut := most
	for cut > most-utf8.UTFMax && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return strconv.Quote(string(text[:cut])) + "…"
}
