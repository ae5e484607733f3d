package expr

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// A TimeLayout says how texts show an instant. It is made by ParseTimeLayout, never changes and may be used
// by many goroutines at once.
type TimeLayout struct {
	pattern string
	parse   func(text []byte, parts []part) (micros int64, ok bool)
	parts   []part
}

// A part of a layout is a field, or bytes that must stand there.
type part struct {
	field    byte // the letter of the pattern; 0: literal
	min, max int  // digits of a number
	literal  string
}

// ParseTimeLayout compiles a pattern as Java's DateTimeFormatter and Spark have them:
//
//	yyyy, yy              year of four digits, or of two: 2000 to 2099
//	MM, M, MMM, MMMM      month: two digits, one or two, Jan, January
//	dd, d                 day of the month
//	HH, H                 hour 00 to 23
//	hh, h with a          hour 01 to 12 with AM or PM
//	mm, m, ss, s          minute, second
//	S, SS, …              fraction of a second of one to so many digits; those behind the sixth are cut off
//	XXX, XX, X, Z         zone: Z, +01, +0130 or +01:30, whichever letters are written
//	EEE, EEEE             Mon, Monday; it is not compared with the date
//	'T', ''               text as it is; a quote. Signs and spaces stand for themselves
//
// or one of the names
//
//	iso                   yyyy-MM-dd, then T or a space, HH:mm, :ss, a fraction and a zone, as far as they are there
//	epoch_s, epoch_ms, epoch_us   a number since 1970 in that unit; one of seconds or milliseconds may have a fraction
//
// A time without a zone is UTC. The error says at which byte of the pattern what is wrong.
func ParseTimeLayout(pattern string) (TimeLayout, error) {
	l := TimeLayout{pattern: pattern}
	switch pattern {
	case "iso":
		l.parse = func(text []byte, _ []part) (int64, bool) { return parseISO(text) }
		return l, nil
	case "epoch_s":
		l.parse = func(text []byte, _ []part) (int64, bool) { return parseEpoch(text, microsPerSecond) }
		return l, nil
	case "epoch_ms":
		l.parse = func(text []byte, _ []part) (int64, bool) { return parseEpoch(text, 1000) }
		return l, nil
	case "epoch_us":
		l.parse = func(text []byte, _ []part) (int64, bool) { return parseEpoch(text, 1) }
		return l, nil
	}
	for at := 0; at < len(pattern); {
		p, size, err := parsePart(pattern, at)
		if err != nil {
			return TimeLayout{}, fmt.Errorf("time layout %q: at %d: %w", pattern, at, err)
		}
		l.parts = append(l.parts, p)
		at += size
	}
	if err := checkParts(l.parts); err != nil {
		return TimeLayout{}, fmt.Errorf("time layout %q: %w", pattern, err)
	}
	l.parse = parseParts
	return l, nil
}

// String is the pattern.
func (l TimeLayout) String() string { return l.pattern }

// Parse reads the whole of text as an instant in microseconds since 1970-01-01 00:00:00 UTC. It allocates
// nothing. ok is false if the text is not like the layout or names a day or time that does not exist.
func (l TimeLayout) Parse(text []byte) (micros int64, ok bool) { return l.parse(text, l.parts) }

// parsePart cuts a part off the pattern at a byte.
func parsePart(pattern string, at int) (part, int, error) {
	c := pattern[at]
	switch {
	case c == '\'':
		return literalPart(pattern[at:])
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		n := 1
		for at+n < len(pattern) && pattern[at+n] == c {
			n++
		}
		p, err := fieldPart(c, n)
		return p, n, err
	case strings.IndexByte("[]{}#", c) >= 0:
		return part{}, 0, fmt.Errorf("%c has no meaning; write '%c' for the sign, and several layouts for several forms", c, c)
	}
	_, size := utf8.DecodeRuneInString(pattern[at:])
	return part{literal: pattern[at : at+size]}, size, nil
}

// literalPart reads what stands in quotes at the start of s, or a doubled quote.
func literalPart(s string) (part, int, error) {
	if strings.HasPrefix(s, "''") {
		return part{literal: "'"}, 2, nil
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '\'' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 == len(s) || s[i+1] != '\'' {
			return part{literal: b.String()}, i + 1, nil
		}
		b.WriteByte('\'')
		i++
	}
	return part{}, 0, fmt.Errorf("the quote is not closed")
}

// fieldPart is the field of n letters c.
func fieldPart(c byte, n int) (part, error) {
	switch {
	case (c == 'y' || c == 'u') && (n == 2 || n == 4):
		return part{field: 'y', min: n, max: n}, nil
	case c == 'M' && (n == 3 || n == 4):
		return part{field: 'L', min: n}, nil // a name
	case strings.IndexByte("MdHhms", c) >= 0 && n <= 2:
		return part{field: c, min: n, max: 2}, nil
	case c == 'S' && n <= 9:
		return part{field: 'S', min: 1, max: n}, nil
	case c == 'a' && n == 1, (c == 'X' || c == 'Z') && n <= 3, c == 'E' && (n == 3 || n == 4):
		return part{field: c, min: n}, nil
	}
	return part{}, fmt.Errorf("%s is no field; there are yyyy, yy, MM, M, MMM, MMMM, dd, d, HH, H, hh, h, a, mm, m, ss, s, S, XXX, Z and EEE, and 'text' in quotes", strings.Repeat(string(c), n))
}

// checkParts refuses layouts whose fields don't make an instant.
func checkParts(parts []part) error {
	seen := map[byte]int{}
	for _, p := range parts {
		f := p.field
		switch f {
		case 'L':
			f = 'M'
		case 'Z':
			f = 'X'
		}
		seen[f]++
		if f != 0 && seen[f] > 1 {
			return fmt.Errorf("the field %c is there twice", f)
		}
	}
	needs := func(field byte, needed string) error {
		for i := range len(needed) {
			if seen[field] > 0 && seen[needed[i]] == 0 {
				return fmt.Errorf("the field %c needs %c", field, needed[i])
			}
		}
		return nil
	}
	switch {
	case seen['y'] == 0:
		return fmt.Errorf("there is no year: yyyy")
	case seen['H'] > 0 && seen['h'] > 0:
		return fmt.Errorf("there is an hour of 24 (H) and one of 12 (h)")
	case seen['m'] > 0 && seen['H']+seen['h'] == 0:
		return fmt.Errorf("the field m needs H or h; M is the month")
	}
	for _, n := range []struct {
		field  byte
		needed string
	}{{'d', "M"}, {'h', "a"}, {'a', "h"}, {'s', "m"}, {'S', "s"}} {
		if err := needs(n.field, n.needed); err != nil {
			return err
		}
	}
	return nil
}

// A moment collects the fields of an instant.
type moment struct {
	civil
	hour, minute, second, micro int64
	zone                        int64 // east of UTC, in seconds
	pm, twelve                  bool  // the hour is one of 12
}

// micros is the instant, in microseconds since 1970.
func (m *moment) micros() (int64, bool) {
	if m.twelve {
		if m.hour < 1 || m.hour > 12 {
			return 0, false
		}
		m.hour %= 12
		if m.pm {
			m.hour += 12
		}
	}
	if !m.real() || m.hour > 23 || m.minute > 59 || m.second > 59 {
		return 0, false
	}
	seconds := m.days()*86400 + m.hour*3600 + m.minute*60 + m.second - m.zone
	return seconds*microsPerSecond + m.micro, true
}

// parseParts reads text by the parts of a pattern.
func parseParts(text []byte, parts []part) (int64, bool) {
	m := moment{civil: civil{1970, 1, 1}}
	for i := range parts {
		p := &parts[i]
		if p.field == 0 {
			if len(text) < len(p.literal) || string(text[:len(p.literal)]) != p.literal {
				return 0, false
			}
			text = text[len(p.literal):]
			continue
		}
		n, ok := m.read(p, text)
		if !ok {
			return 0, false
		}
		text = text[n:]
	}
	if len(text) > 0 {
		return 0, false
	}
	return m.micros()
}

// read takes a field from the start of text and says how many bytes it had.
func (m *moment) read(p *part, text []byte) (n int, ok bool) {
	switch p.field {
	case 'L':
		m.month, n = nameAt(text, "JanuaryFebruaryMarchAprilMayJuneJulyAugustSeptemberOctoberNovemberDecember", p.min)
		return n, n > 0
	case 'E':
		_, n = nameAt(text, "MondayTuesdayWednesdayThursdayFridaySaturdaySunday", p.min)
		return n, n > 0
	case 'a':
		if len(text) < 2 || text[1]|0x20 != 'm' || text[0]|0x20 != 'a' && text[0]|0x20 != 'p' {
			return 0, false
		}
		m.twelve, m.pm = true, text[0]|0x20 == 'p'
		return 2, true
	case 'X', 'Z':
		m.zone, n = zoneAt(text)
		return n, n > 0
	}
	v, n := numberAt(text, p.max)
	if n < p.min {
		return 0, false
	}
	m.set(p, v, n)
	return n, true
}

// set gives the field of a part the number v, which had n digits.
func (m *moment) set(p *part, v int64, n int) {
	switch p.field {
	case 'y':
		m.year = v
		if p.max == 2 {
			m.year += 2000
		}
	case 'M':
		m.month = v
	case 'd':
		m.day = v
	case 'H', 'h':
		m.hour = v
	case 'm':
		m.minute = v
	case 's':
		m.second = v
	case 'S':
		m.micro = scaled(v, n)
	}
}

// scaled is a fraction of n digits in millionths.
func scaled(v int64, n int) int64 {
	for ; n < 6; n++ {
		v *= 10
	}
	for ; n > 6; n-- {
		v /= 10
	}
	return v
}

// numberAt reads up to most digits (at most 18) and says how many there were.
func numberAt(text []byte, most int) (v int64, n int) {
	for n < len(text) && n < most && digit(text[n]) {
		v = v*10 + int64(text[n]-'0')
		n++
	}
	return v, n
}

// nameAt finds which of names, each of which begins with a capital, text begins with, without regard to case:
// its number from 1 and its length. letters is 3 for names cut to three letters.
func nameAt(text []byte, names string, letters int) (number int64, n int) {
	for start := 0; start < len(names); number++ {
		end := start + 1
		for end < len(names) && names[end] >= 'a' {
			end++
		}
		name := names[start:end]
		if letters == 3 {
			name = name[:3]
		}
		if len(text) >= len(name) && equalLetters(text[:len(name)], name) {
			return number + 1, len(name)
		}
		start = end
	}
	return 0, 0
}

// equalLetters compares ASCII letters without regard to case.
func equalLetters(text []byte, name string) bool {
	for i := range len(name) {
		if text[i]|0x20 != name[i]|0x20 {
			return false
		}
	}
	return true
}

// zoneAt reads Z, +01, +0130 or +01:30: seconds east of UTC, and how many bytes it had.
func zoneAt(text []byte) (seconds int64, n int) {
	if len(text) == 0 {
		return 0, 0
	}
	if text[0] == 'Z' || text[0] == 'z' {
		return 0, 1
	}
	if text[0] != '+' && text[0] != '-' {
		return 0, 0
	}
	hours, digits := numberAt(text[1:], 2)
	if digits != 2 || hours > 18 {
		return 0, 0
	}
	n = 3
	rest := text[3:]
	colon := len(rest) > 0 && rest[0] == ':'
	if colon {
		rest = rest[1:]
	}
	minutes, digits := numberAt(rest, 2)
	switch {
	case digits == 2 && minutes < 60:
		n += 2
		if colon {
			n++
		}
	case digits > 0 || colon:
		return 0, 0
	}
	seconds = hours*3600 + minutes*60
	if text[0] == '-' {
		seconds = -seconds
	}
	return seconds, n
}

// parseISO reads yyyy-MM-dd and what may follow it.
func parseISO(text []byte) (int64, bool) {
	var m moment
	if len(text) < 10 || text[4] != '-' || text[7] != '-' {
		return 0, false
	}
	var y, mo, d int
	m.year, y = numberAt(text, 4)
	m.month, mo = numberAt(text[5:], 2)
	m.day, d = numberAt(text[8:], 2)
	if y != 4 || mo != 2 || d != 2 {
		return 0, false
	}
	if text = text[10:]; len(text) == 0 {
		return m.micros()
	}
	if text[0] != 'T' && text[0] != ' ' && text[0] != 't' {
		return 0, false
	}
	text, ok := m.clock(text[1:])
	if ok && len(text) > 0 {
		var n int
		m.zone, n = zoneAt(text)
		ok = n == len(text)
	}
	if !ok {
		return 0, false
	}
	return m.micros()
}

// clock reads HH:mm, :ss and a fraction, and gives what is left.
func (m *moment) clock(text []byte) (rest []byte, ok bool) {
	var n int
	if m.hour, n = numberAt(text, 2); n != 2 || len(text) < 5 || text[2] != ':' {
		return nil, false
	}
	if m.minute, n = numberAt(text[3:], 2); n != 2 {
		return nil, false
	}
	if text = text[5:]; len(text) == 0 || text[0] != ':' {
		return text, true
	}
	if m.second, n = numberAt(text[1:], 2); n != 2 {
		return nil, false
	}
	if text = text[3:]; len(text) == 0 || text[0] != '.' {
		return text, true
	}
	v, n := numberAt(text[1:], 9)
	m.micro = scaled(v, n)
	text = text[1+n:]
	for len(text) > 0 && digit(text[0]) {
		text = text[1:]
	}
	return text, n > 0
}

// parseEpoch reads a number of units of so many microseconds.
func parseEpoch(text []byte, unit int64) (int64, bool) {
	negative := len(text) > 0 && text[0] == '-'
	if negative {
		text = text[1:]
	}
	v, n := numberAt(text, 18)
	if n == 0 || v > math.MaxInt64/unit-1 {
		return 0, false
	}
	micros := v * unit
	if text = text[n:]; len(text) > 0 {
		f, n := numberAt(text[1:], 9)
		if text[0] != '.' || n == 0 || n != len(text)-1 || unit == 1 {
			return 0, false
		}
		micros += scaled(f, n) / (microsPerSecond / unit)
	}
	if negative {
		micros = -micros
	}
	return micros, true
}
