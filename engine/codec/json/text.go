package json

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/millrace-io/millrace/engine/column"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special marks the bytes of w that need a second look within a string: the quote, the backslash, control
// bytes, and all from 0x80 up. A mark is the byte's high bit. The lowest mark is right; those above it may
// be false, for the subtractions borrow.
//
// Quote and control bytes are one test: with bit 1 flipped, the quote is 0x20 and the space 0x22, so that
// all below 0x21 are special.
func special(w uint64) uint64 {
	return (w | ((w ^ 0x02*ones) - 0x21*ones) | ((w ^ '\\'*ones) - ones)) & highs
}

// plain gives the first position from p on whose byte is special, or len(b).
func plain(b []byte, p int) int {
	for len(b)-p >= 8 {
		// The capacity spares the bounds arithmetic of an open slice.
		if m := special(binary.LittleEndian.Uint64(b[p : p+8 : p+8])); m != 0 {
			return p + bits.TrailingZeros64(m)>>3
		}
		p += 8
	}
	for p < len(b) && b[p] >= ' ' && b[p] < utf8.RuneSelf && b[p] != '"' && b[p] != '\\' {
		p++
	}
	return p
}

// space gives the first position from p on that is not white space, or len(b).
func space(b []byte, p int) int {
	for p < len(b) && (b[p] == ' ' || b[p] == '\n' || b[p] == '\t' || b[p] == '\r') {
		p++
	}
	return p
}

// text appends the string or number at p to a string column.
func (d *Decoder) text(b []byte, p int, to *column.Texts) int {
	if p == len(b) || b[p] != '"' {
		return d.textOfNumber(b, p, to)
	}
	end := plain(b, p+1)
	if end < len(b) && b[end] == '"' {
		to.Data = append(to.Data, b[p+1:end]...)
		to.Close()
		return end + 1
	}
	data, next := d.unquote(to.Data, b, p+1, end)
	if next < 0 {
		return bad
	}
	to.Data = data
	to.Close()
	return next
}

func (d *Decoder) textOfNumber(b []byte, p int, to *column.Texts) int {
	_, end := scanNumber(b, p)
	if end < 0 {
		return d.misfit(b, p, expected(column.String))
	}
	to.Append(b[p:end])
	return end
}

// quoted gives the content of the string at p, lent until the next string is read.
func (d *Decoder) quoted(b []byte, p int) (s []byte, next int) {
	end := plain(b, p+1)
	if end < len(b) && b[end] == '"' {
		return b[p+1 : end], end + 1
	}
	s, next = d.unquote(d.scratch[:0], b, p+1, end)
	if next >= 0 {
		d.scratch = s
	}
	return s, next
}

// unquote appends to dst what a string holds whose content begins at start and is plain up to p, and gives
// the position behind the closing quote.
func (d *Decoder) unquote(dst, b []byte, start, p int) (_ []byte, next int) {
	for p < len(b) {
		switch c := b[p]; {
		case c == '"':
			return append(dst, b[start:p]...), p + 1
		case c == '\\':
			dst = append(dst, b[start:p]...)
			if dst, p = d.escape(dst, b, p); p < 0 {
				return nil, bad
			}
			start = p
		case c >= utf8.RuneSelf:
			at := p
			if p = runes(b, p); p < 0 {
				return nil, d.fail(at, "UTF-8")
			}
		default:
			return nil, d.fail(p, "a control character to be escaped")
		}
		p = plain(b, p)
	}
	return nil, d.fail(p, "a closing quote")
}

// runes gives the position behind the run of characters beyond ASCII at p, or bad if one is not UTF-8.
func runes(b []byte, p int) int {
	for p < len(b) && b[p] >= utf8.RuneSelf {
		if c := b[p]; c >= 0xc2 && c < 0xe0 && p+1 < len(b) && b[p+1]&0xc0 == 0x80 {
			p += 2 // two bytes: most of what is neither Asian nor an emoji
			continue
		}
		r, size := utf8.DecodeRune(b[p:])
		if r == utf8.RuneError && size == 1 {
			return bad
		}
		p += size
	}
	return p
}

// escape appends the character that the escape at p stands for.
func (d *Decoder) escape(dst, b []byte, p int) (_ []byte, next int) {
	if p+1 == len(b) {
		return nil, d.fail(p+1, "an escape")
	}
	switch c := b[p+1]; c {
	case '"', '\\', '/':
		return append(dst, c), p + 2
	case 'b':
		return append(dst, '\b'), p + 2
	case 'f':
		return append(dst, '\f'), p + 2
	case 'n':
		return append(dst, '\n'), p + 2
	case 'r':
		return append(dst, '\r'), p + 2
	case 't':
		return append(dst, '\t'), p + 2
	case 'u':
		return d.unicode(dst, b, p)
	}
	return nil, d.fail(p, `an escape (\", \\, \/, \b, \f, \n, \r, \t or \u)`)
}

// unicode is escape for \uXXXX, alone or as a pair of surrogates.
func (d *Decoder) unicode(dst, b []byte, p int) (_ []byte, next int) {
	r := hex4(b, p+2)
	if r < 0 {
		return nil, d.fail(p, `\u and four hexadecimal digits`)
	}
	p += 6
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(dst, r), p
	}
	if p+1 < len(b) && b[p] == '\\' && b[p+1] == 'u' {
		if pair := utf16.DecodeRune(r, hex4(b, p+2)); pair != utf8.RuneError {
			return utf8.AppendRune(dst, pair), p + 6
		}
	}
	return utf8.AppendRune(dst, utf8.RuneError), p
}

// hex4 is the number that the four hexadecimal digits at p make, or -1.
func hex4(b []byte, p int) rune {
	if len(b)-p < 4 {
		return -1
	}
	var r rune
	for _, c := range b[p : p+4] {
		switch {
		case c-'0' <= 9:
			r = r<<4 | rune(c-'0')
		case c|0x20-'a' <= 5:
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return -1
		}
	}
	return r
}
