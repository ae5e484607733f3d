package json

import (
	"fmt"
	"unicode/utf8"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/codec"
)

// A fault is why a record is rejected.
type fault struct {
	reason   engine.Reason
	column   string // to blame, with the way to the part of it, as in "a.b"; or ""
	at       int    // position in the value, none: it is something that is missing
	expected string
}

// fail notes that the value is no JSON from at on, or not the object it should be.
func (d *Decoder) fail(at int, expected string) int {
	d.fault = fault{reason: engine.ReasonDecode, at: at, expected: expected}
	return bad
}

// misfit notes that the value at p is not one that a column takes; if it is no value at all, that.
func (d *Decoder) misfit(b []byte, p int, expected string) int {
	d.fail(p, expected)
	if p < len(b) && startsValue(b[p:]) {
		d.fault.reason = engine.ReasonType
	}
	return bad
}

func startsValue(b []byte) bool {
	switch c := b[0]; c {
	case '"', '{', '[':
		return true
	case 't':
		return len(b) >= 4 && string(b[:4]) == "true"
	case 'f':
		return len(b) >= 5 && string(b[:5]) == "false"
	}
	_, end := scanNumber(b, 0)
	return end > 0
}

// under blames what is blamed already, or nothing, as a part of name.
func (f *fault) under(name string) {
	if f.column != "" {
		name += "." + f.column
	}
	f.column = name
}

// reject makes the Reject of record r. The fault is in text; of says what that is where it is not r's value.
func (f fault) reject(r *engine.Record, text []byte, of string) *engine.Reject {
	detail := "null or missing, expected " + f.expected
	if f.at != none {
		detail = fmt.Sprintf("byte %d%s: found %s, expected %s", f.at, of, found(text, f.at), f.expected)
	}
	return &engine.Reject{Record: *r, Reason: f.reason, Column: f.column, Detail: detail}
}

// found says for people what is at position p of b.
func found(b []byte, p int) string {
	if p >= len(b) {
		return "the end of the record"
	}
	switch c := b[p]; {
	case c == '"':
		return "the string " + codec.Excerpt(b[p+1:stringEnd(b, p+1)])
	case c == '{':
		return "an object"
	case c == '[':
		return "an array"
	case c == '-' || c-'0' <= 9:
		return "the number " + codec.Excerpt(wordAt(b, p))
	case len(wordAt(b, p)) > 0:
		return codec.Excerpt(wordAt(b, p))
	}
	r, size := utf8.DecodeRune(b[p:])
	if r < ' ' || r == utf8.RuneError && size == 1 {
		return fmt.Sprintf("the byte 0x%02x", b[p])
	}
	return codec.Excerpt(b[p : p+size])
}

// stringEnd is where the string whose content begins at p ends, as far as one can say.
func stringEnd(b []byte, p int) int {
	for ; p < len(b) && b[p] != '"'; p++ {
		if b[p] == '\\' {
			p++
		}
	}
	return min(p, len(b))
}

// wordAt is the run of letters, digits and what else may be in a number or literal at p.
func wordAt(b []byte, p int) []byte {
	end := p
	for end < len(b) && (b[end]-'0' <= 9 || b[end]|0x20-'a' < 26 || b[end] == '.' || b[end] == '+' || b[end] == '-') {
		end++
	}
	return b[p:end]
}
