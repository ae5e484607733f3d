package expr

import (
	"bytes"
	"unicode/utf8"

	"github.com/millrace-io/millrace/engine/column"
)

// noEscape is an escape that no pattern holds: it is not UTF-8.
const noEscape = rune(-1)

// like is x LIKE pattern. A constant pattern without _ becomes a comparison with its texts.
func (c *checker) like(t *likeTree) *node {
	x, pattern := c.want("LIKE", c.check(t.x), column.String), c.want("LIKE", c.check(t.pattern), column.String)
	escape, ok := c.escape(t.escape)
	if x.failed || pattern.failed || !ok {
		return &node{failed: true}
	}
	match := likeEach(x, pattern, escape, t.not)
	if pattern.lit != nil && !pattern.null() {
		text := pattern.lit.(*column.Texts).At(0)
		if dangling(text, escape) {
			return c.fail(pattern.at, "LIKE: the pattern ends in its escape")
		}
		match = likeConstant(x, text, escape, t.not)
	}
	return c.strict(column.Of(column.Bool), match, x, pattern)
}

// escape is the one character of ESCAPE, which must be a constant; t may be nil.
func (c *checker) escape(t tree) (rune, bool) {
	if t == nil {
		return noEscape, true
	}
	n := c.want("ESCAPE", c.check(t), column.String)
	if n.failed {
		return 0, false
	}
	if n.lit != nil && !n.null() {
		text := n.lit.(*column.Texts).At(0)
		if r, size := utf8.DecodeRune(text); size == len(text) && size > 0 {
			return r, true
		}
	}
	c.fail(n.at, "ESCAPE: expected one character that is the same for all rows")
	return 0, false
}

// dangling says whether a pattern ends in an escape that escapes nothing.
func dangling(pattern []byte, escape rune) bool {
	escaped := false
	for _, r := range string(pattern) {
		escaped = r == escape && !escaped
	}
	return escaped
}

// likeEach matches a pattern of each row's own.
func likeEach(x, pattern *node, escape rune, not bool) evalFunc {
	return func(r *run, sel column.Selection) column.Column {
		v, p := wordsOf(r, x, sel), wordsOf(r, pattern, sel)
		out := fixed[bool](r, column.Of(column.Bool))
		r.strict(&out.Valid, v.nulls(), p.nulls())
		for _, i := range r.rows(sel) {
			switch {
			case out.Valid.Null(int(i)):
			case dangling(p.at(i), escape):
				out.Valid.SetNull(int(i))
				r.fail(i, "LIKE: the pattern "+shown(p.at(i))+" ends in its escape")
			default:
				out.Values[i] = likeMatch(v.at(i), p.at(i), escape) != not
			}
		}
		return out
	}
}

func likeConstant(x *node, pattern []byte, escape rune, not bool) evalFunc {
	match := likeMatcher(pattern, escape)
	return func(r *run, sel column.Selection) column.Column {
		v := wordsOf(r, x, sel)
		out := fixed[bool](r, column.Of(column.Bool))
		r.strict(&out.Valid, v.nulls())
		for _, i := range r.rows(sel) {
			out.Values[i] = match(v.at(i)) != not
		}
		return out
	}
}

// likeMatcher picks the cheapest way to match a pattern.
func likeMatcher(pattern []byte, escape rune) func(text []byte) bool {
	texts, simple := likeTexts(pattern, escape)
	switch n := len(texts); {
	case !simple:
		return func(text []byte) bool { return likeMatch(text, pattern, escape) }
	case n == 1:
		whole := string(texts[0])
		return func(text []byte) bool { return string(text) == whole }
	case n == 2 && len(texts[1]) == 0:
		return func(text []byte) bool { return bytes.HasPrefix(text, texts[0]) }
	case n == 2 && len(texts[0]) == 0:
		return func(text []byte) bool { return bytes.HasSuffix(text, texts[1]) }
	case n == 3 && len(texts[0]) == 0 && len(texts[2]) == 0:
		return func(text []byte) bool { return bytes.Contains(text, texts[1]) }
	}
	first, last, inner := texts[0], texts[len(texts)-1], texts[1:len(texts)-1]
	return func(text []byte) bool {
		if len(text) < len(first)+len(last) || !bytes.HasPrefix(text, first) || !bytes.HasSuffix(text, last) {
			return false
		}
		text = text[len(first) : len(text)-len(last)]
		for _, t := range inner {
			i := bytes.Index(text, t)
			if i < 0 {
				return false
			}
			text = text[i+len(t):]
		}
		return true
	}
}

// likeTexts cuts a pattern at each %. simple is false if it has an _.
func likeTexts(pattern []byte, escape rune) (texts [][]byte, simple bool) {
	text, escaped := []byte{}, false
	for _, r := range string(pattern) {
		switch {
		case escaped:
			text, escaped = utf8.AppendRune(text, r), false
		case r == escape:
			escaped = true
		case r == '_':
			return nil, false
		case r == '%':
			texts, text = append(texts, text), []byte{}
		default:
			text = utf8.AppendRune(text, r)
		}
	}
	return append(texts, text), true
}

// likeMatch matches the usual way: at a mismatch the last % takes one character more. It needs time for
// len(text)·len(pattern) steps at most and no memory.
func likeMatch(text, pattern []byte, escape rune) bool {
	t, p := 0, 0
	star, resume := -1, 0 // the pattern behind the last %, and where in text it goes on
	for t < len(text) {
		if p < len(pattern) {
			r, size := runeAt(pattern[p:])
			if r == '%' && escape != '%' {
				p += size
				star, resume = p, t
				continue
			}
			any := r == '_' && escape != '_'
			if r == escape {
				p += size
				r, size = runeAt(pattern[p:])
			}
			c, width := runeAt(text[t:])
			if any || r == c {
				t, p = t+width, p+size
				continue
			}
		}
		if star < 0 {
			return false
		}
		_, width := runeAt(text[resume:])
		resume += width
		if b, ok := firstByte(pattern[star:], escape); ok {
			i := bytes.IndexByte(text[resume:], b)
			if i < 0 {
				return false
			}
			resume += i
		}
		t, p = resume, star
	}
	for p < len(pattern) && pattern[p] == '%' && escape != '%' {
		p++
	}
	return p == len(pattern)
}

// firstByte is the byte with which texts begin that match a pattern, if all begin with the same.
func firstByte(pattern []byte, escape rune) (b byte, ok bool) {
	if len(pattern) == 0 {
		return 0, false
	}
	switch r, size := runeAt(pattern); {
	case r == escape:
		pattern = pattern[size:]
	case r == '%' || r == '_':
		return 0, false
	}
	return pattern[0], true
}

// runeAt is utf8.DecodeRune, faster where most characters are ASCII.
func runeAt(text []byte) (r rune, size int) {
	if len(text) > 0 && text[0] < utf8.RuneSelf {
		return rune(text[0]), 1
	}
	return utf8.DecodeRune(text)
}
