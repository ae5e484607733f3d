package delta

import (
	"bytes"
	"unicode/utf8"

	"github.com/millrace-io/millrace/engine/column"
)

// Strings are cut to prefixLength characters in bounds, and to at most maxLength where only a longer
// prefix can be made greater than all values. keptBytes of a value are enough to decide on both.
const (
	prefixLength = 32
	maxLength    = 64
	keptBytes    = (maxLength + 1) * utf8.UTFMax
)

// text is the bounds of a column of strings, compared as bytes, which is the order of their code points.
type text struct {
	min, max []byte // cut to keptBytes
	seen     bool
}

func (t *text) reset() { t.seen = false }

func (t *text) add(c column.Column) {
	x := c.(*column.Texts)
	for row := range x.Len() {
		if !x.Valid.Null(row) {
			t.take(x.At(row))
		}
	}
}

func (t *text) take(v []byte) {
	v = v[:min(len(v), keptBytes)]
	if !t.seen || bytes.Compare(v, t.min) < 0 {
		t.min = append(t.min[:0], v...)
	}
	if !t.seen || bytes.Compare(v, t.max) > 0 {
		t.max = append(t.max[:0], v...)
	}
	t.seen = true
}

func (t *text) appendMin(b []byte) []byte {
	prefix := t.min[:characters(t.min, prefixLength)]
	if !t.seen || !utf8.Valid(prefix) {
		return b
	}
	return appendQuoted(b, string(prefix))
}

func (t *text) appendMax(b []byte) []byte {
	upper, ok := textAbove(t.max)
	if !t.seen || !ok {
		return b
	}
	return appendQuoted(b, string(upper))
}

// textAbove is v, or if it is long a prefix of it with a character behind that is greater than the first
// one cut off (PROTOCOL.md, per-file statistics; Spark's StatisticsCollection). ok is false if there is none.
func textAbove(v []byte) (upper []byte, ok bool) {
	for n := prefixLength; n <= maxLength; n++ {
		cut := characters(v, n)
		if !utf8.Valid(v[:cut]) {
			return nil, false
		}
		if cut == len(v) {
			return v, true
		}
		switch r, size := utf8.DecodeRune(v[cut:]); {
		case r == utf8.RuneError && size == 1:
			return nil, false
		case r < '\u007f':
			return append(bytes.Clone(v[:cut]), 0x7f), true
		case r < utf8.MaxRune:
			return utf8.AppendRune(bytes.Clone(v[:cut]), utf8.MaxRune), true
		}
	}
	return nil, false
}

// characters is the length in bytes of the first n characters of v.
func characters(v []byte, n int) int {
	p := 0
	for ; n > 0 && p < len(v); n-- {
		_, size := utf8.DecodeRune(v[p:])
		p += size
	}
	return p
}
