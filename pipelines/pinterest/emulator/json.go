package emulator

import (
	"strconv"
	"unicode/utf8"
)

// An object is a JSON object in the making. Keys are plain names of ours, in the order of the calls.
type object struct {
	buf          []byte
	comma, colon string
	some         bool
}

// compact objects are as a Kafka REST proxy writes them, spaced ones as Python's json.dumps does.
func compact(dst []byte) *object { return &object{buf: append(dst, '{'), comma: ",", colon: ":"} }
func spaced(dst []byte) *object  { return &object{buf: append(dst, '{'), comma: ", ", colon: ": "} }

func (o *object) key(name string) {
	if o.some {
		o.buf = append(o.buf, o.comma...)
	}
	o.some = true
	o.buf = append(o.buf, '"')
	o.buf = append(o.buf, name...)
	o.buf = append(o.buf, '"')
	o.buf = append(o.buf, o.colon...)
}

func (o *object) whole(name string, n int64) {
	o.key(name)
	o.buf = strconv.AppendInt(o.buf, n, 10)
}

// degrees writes six digits, which is what the source's FLOAT columns show: -5.34445, -177.924.
func (o *object) degrees(name string, x float64) {
	o.key(name)
	o.buf = strconv.AppendFloat(o.buf, x, 'g', 6, 64)
}

func (o *object) text(name, s string) {
	o.key(name)
	o.buf = append(o.buf, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' {
			o.buf = appendEscape(append(o.buf, s[start:i]...), c)
			start = i + 1
		}
	}
	o.buf = append(append(o.buf, s[start:]...), '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\t':
		return append(dst, '\\', 't')
	}
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

func (o *object) end() []byte { return append(o.buf, '}') }

// cut shortens s to n characters.
func cut(s []byte, n int) []byte {
	at := 0
	for i := 0; i < n && at < len(s); i++ {
		_, size := utf8.DecodeRune(s[at:])
		at += size
	}
	return s[:at]
}
