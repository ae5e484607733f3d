package expr

import (
	"bytes"
	"math"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

// Texts to values and back, as CAST does it. White space around a value is left out.

// parseLong reads a whole number, or a decimal one that it rounds, halves away from 0.
func parseLong(text []byte) (int64, bool) {
	text = bytes.TrimSpace(text)
	if bytes.IndexAny(text, "eE") >= 0 {
		f, ok := parseDouble(text)
		f = math.Round(f)
		if !ok || !(f >= -1<<63 && f < 1<<63) {
			return 0, false
		}
		return int64(f), true
	}
	negative := len(text) > 0 && text[0] == '-'
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		text = text[1:]
	}
	v, n, ok := magnitude(text)
	if text = text[n:]; len(text) > 0 && text[0] == '.' {
		f, m := numberAt(text[1:], 1)
		rest := text[1+m:]
		for len(rest) > 0 && digit(rest[0]) {
			rest = rest[1:]
		}
		if f >= 5 {
			v++
		}
		n, text = n+m, rest
	}
	if !ok || n == 0 || len(text) > 0 || v > 1<<63 || v == 1<<63 && !negative {
		return 0, false
	}
	if negative {
		return -int64(v), true
	}
	return int64(v), true
}

// magnitude reads digits. ok is false if they exceed 2^63.
func magnitude(text []byte) (v uint64, n int, ok bool) {
	for n < len(text) && digit(text[n]) {
		if v > 1<<63/10 {
			return 0, n, false
		}
		v = v*10 + uint64(text[n]-'0')
		n++
	}
	return v, n, v <= 1<<63
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
	case len(text) == 3 && equalLetters(text, "nan"):
		return math.NaN(), true
	case len(text) == 3 && equalLetters(text, "inf"), len(text) == 8 && equalLetters(text, "infinity"):
		return math.Inf(sign), true
	}
	return 0, false
}

// parseBool reads true, t, yes, y, 1 and their contraries, in any case.
func parseBool(text []byte) (value, ok bool) {
	text = bytes.TrimSpace(text)
	for _, word := range []string{"true", "t", "yes", "y", "1"} {
		if len(text) == len(word) && equalLetters(text, word) {
			return true, true
		}
	}
	for _, word := range []string{"false", "f", "no", "n", "0"} {
		if len(text) == len(word) && equalLetters(text, word) {
			return false, true
		}
	}
	return false, false
}

// parseTimestamp reads an instant as ISO 8601 writes it.
func parseTimestamp(text []byte) (int64, bool) { return parseISO(bytes.TrimSpace(text)) }

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
