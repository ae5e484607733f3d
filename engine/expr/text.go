package expr

import (
	"bytes"
	"math"
	"unicode"
	"unicode/utf8"

	"github.com/millrace-io/millrace/engine/column"
)

// text1 gives a text for a text.
func text1(x *node, f func(dst, text []byte) []byte) evalFunc {
	return func(r *run, sel column.Selection) column.Column {
		v := wordsOf(r, x, sel)
		w := r.writer(column.Of(column.String), v.nulls())
		for _, i := range r.rows(sel) {
			if w.begin(i) {
				w.out.Data = f(w.out.Data, v.at(i))
			}
			w.end()
		}
		return w.done()
	}
}

// text2 gives a text for two texts.
func text2(x, y *node, f func(dst, a, b []byte) []byte) evalFunc {
	return func(r *run, sel column.Selection) column.Column {
		v, u := wordsOf(r, x, sel), wordsOf(r, y, sel)
		w := r.writer(column.Of(column.String), v.nulls(), u.nulls())
		for _, i := range r.rows(sel) {
			if w.begin(i) {
				w.out.Data = f(w.out.Data, v.at(i), u.at(i))
			}
			w.end()
		}
		return w.done()
	}
}

// textBool gives a bool for two texts.
func textBool(x, y *node, f func(a, b []byte) bool) evalFunc {
	return func(r *run, sel column.Selection) column.Column {
		v, u := wordsOf(r, x, sel), wordsOf(r, y, sel)
		out := fixed[bool](r, column.Of(column.Bool))
		r.strict(&out.Valid, v.nulls(), u.nulls())
		for _, i := range r.rows(sel) {
			out.Values[i] = f(v.at(i), u.at(i))
		}
		return out
	}
}

// textInt gives an int for a text.
func textInt(x *node, f func(text []byte) int) evalFunc {
	return func(r *run, sel column.Selection) column.Column {
		v := wordsOf(r, x, sel)
		out := fixed[int32](r, column.Of(column.Int))
		r.strict(&out.Valid, v.nulls())
		for _, i := range r.rows(sel) {
			out.Values[i] = int32(f(v.at(i)))
		}
		return out
	}
}

// textPart gives the part of a text that two numbers name; without the second node it is 0.
func textPart(x, y, z *node, f func(text []byte, a, b int64) []byte) evalFunc {
	return func(r *run, sel column.Selection) column.Column {
		v, a, b := wordsOf(r, x, sel), vecOf[int64](r, y, sel), vecOf[int64](r, z, sel)
		w := r.writer(column.Of(column.String), v.nulls(), a.nulls(), b.nulls())
		for _, i := range r.rows(sel) {
			if w.begin(i) {
				w.out.Data = append(w.out.Data, f(v.at(i), a.at(i), b.at(i))...)
			}
			w.end()
		}
		return w.done()
	}
}

// concat joins texts; values of other scalar types are written as CAST writes them. With skip nulls are left
// out, else one makes the whole null.
func (c *checker) concat(what string, args []*node, skip bool) *node {
	texts, ok := c.texts(what, args)
	if !ok {
		return &node{failed: true}
	}
	return c.joined(nil, texts, skip)
}

// texts casts args to strings.
func (c *checker) texts(what string, args []*node) (texts []*node, ok bool) {
	ok = true
	for _, x := range args {
		switch {
		case x.failed:
			ok = false
			continue
		case !ordered(x.typ) || x.kind() == column.Binary:
			c.fail(x.at, "%s: expected string or what can be written as one, found %s", what, x.typ)
			ok = false
			continue
		case x.untyped():
			x = nullOf(column.Of(column.String))
		case x.kind() != column.String:
			x = c.strict(column.Of(column.String), castKernel(x, column.Of(column.String), false), x)
		}
		texts = append(texts, x)
	}
	return texts, ok
}

// joined is the texts one behind the other, with between (nil: nothing) in the gaps.
func (c *checker) joined(between *node, texts []*node, skip bool) *node {
	gap := between
	if gap == nil {
		gap = textConstant("")
	}
	views := make([]words, len(texts))
	eval := func(r *run, sel column.Selection) column.Column {
		g := wordsOf(r, gap, sel)
		w := r.writer(column.Of(column.String), g.nulls())
		for k, t := range texts {
			views[k] = wordsOf(r, t, sel)
			if nulls := views[k].nulls(); nulls != nil && !skip {
				w.valid.And(nulls)
			}
		}
		for _, i := range r.rows(sel) {
			if w.begin(i) {
				w.join(views, &g, i)
			}
			w.end()
		}
		clear(views)
		return w.done()
	}
	if !skip {
		return c.strict(column.Of(column.String), eval, append([]*node{gap}, texts...)...)
	}
	if gap.null() {
		return nullOf(column.Of(column.String))
	}
	n := &node{typ: column.Of(column.String), nullable: gap.nullable, eval: eval}
	return fold(n, append([]*node{gap}, texts...)...)
}

// join writes row i of each view that has one.
func (w *writer) join(views []words, gap *words, i int32) {
	first := true
	for k := range views {
		v := &views[k]
		if v.null(i) {
			continue
		}
		if !first {
			w.out.Data = append(w.out.Data, gap.at(i)...)
		}
		first = false
		w.out.Data = append(w.out.Data, v.at(i)...)
	}
}

// appendLower and appendUpper map each character by itself, by Unicode's simple case mapping.
func appendLower(dst, text []byte) []byte {
	for i, c := range text {
		if c >= utf8.RuneSelf {
			return appendMapped(dst, text[i:], unicode.ToLower)
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

func appendUpper(dst, text []byte) []byte {
	for i, c := range text {
		if c >= utf8.RuneSelf {
			return appendMapped(dst, text[i:], unicode.ToUpper)
		}
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

func appendMapped(dst, text []byte, f func(rune) rune) []byte {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		dst = utf8.AppendRune(dst, f(r))
		text = text[size:]
	}
	return dst
}

// trimLeft and trimRight take away characters that are in set.
func trimLeft(text, set []byte) []byte {
	for len(text) > 0 {
		_, size := utf8.DecodeRune(text)
		if !bytes.Contains(set, text[:size]) {
			break
		}
		text = text[size:]
	}
	return text
}

func trimRight(text, set []byte) []byte {
	for len(text) > 0 {
		_, size := utf8.DecodeLastRune(text)
		if !bytes.Contains(set, text[len(text)-size:]) {
			break
		}
		text = text[:len(text)-size]
	}
	return text
}

// substring is the characters from the place start on, of which the first has 1 and the last -1, at most
// count of them. What lies outside the text is left out.
func substring(text []byte, start, count int64) []byte {
	length := int64(utf8.RuneCount(text))
	if start < 0 {
		start += length
	} else {
		start--
	}
	if count <= 0 || start >= length {
		return nil
	}
	end := length
	if start < 0 || count < length-start {
		end = min(start+count, length)
	}
	start = max(start, 0)
	if end <= start {
		return nil
	}
	from := characters(text, start)
	return text[from : from+characters(text[from:], end-start)]
}

// characters is how many bytes the first n characters of text have, of which it has as many.
func characters(text []byte, n int64) int {
	if len(text) >= int(n) && ascii(text[:n]) {
		return int(n)
	}
	at := 0
	for range n {
		_, size := utf8.DecodeRune(text[at:])
		at += size
	}
	return at
}

func ascii(text []byte) bool {
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// leftPart is the first n characters; for a negative n all but the last -n.
func leftPart(text []byte, n, _ int64) []byte {
	length := int64(utf8.RuneCount(text))
	if n < 0 {
		n = max(length+n, 0)
	}
	return text[:characters(text, min(n, length))]
}

// rightPart is the last n characters; for a negative n all but the first -n.
func rightPart(text []byte, n, _ int64) []byte {
	length := int64(utf8.RuneCount(text))
	if n < 0 {
		n = max(length+n, 0)
	}
	return text[characters(text, length-min(n, length)):]
}

// appendReplaced writes text with each old replaced; an empty old is nowhere.
func appendReplaced(dst, text, old, with []byte) []byte {
	for len(old) > 0 {
		i := bytes.Index(text, old)
		if i < 0 {
			break
		}
		dst = append(append(dst, text[:i]...), with...)
		text = text[i+len(old):]
	}
	return append(dst, text...)
}

// splitPart is the n-th part of text cut at each separator, counted from 1, or from the end by -1. A part that is
// not there is empty, and an empty separator cuts nothing.
func splitPart(text, separator []byte, n int64) []byte {
	if len(separator) == 0 {
		if n == 1 || n == -1 {
			return text
		}
		return nil
	}
	for ; n > 1; n-- {
		i := bytes.Index(text, separator)
		if i < 0 {
			return nil
		}
		text = text[i+len(separator):]
	}
	for ; n < -1; n++ {
		i := bytes.LastIndex(text, separator)
		if i < 0 {
			return nil
		}
		text = text[:i]
	}
	switch n {
	case 1:
		if i := bytes.Index(text, separator); i >= 0 {
			return text[:i]
		}
		return text
	case -1:
		if i := bytes.LastIndex(text, separator); i >= 0 {
			return text[i+len(separator):]
		}
		return text
	}
	return nil
}

func hasPrefix(text, prefix []byte) bool { return bytes.HasPrefix(text, prefix) }
func hasSuffix(text, suffix []byte) bool { return bytes.HasSuffix(text, suffix) }
func hasPart(text, part []byte) bool     { return bytes.Contains(text, part) }

// trimmer binds trim, ltrim or rtrim.
func trimmer(cut func(text, set []byte) []byte) func(c *checker, name string, args []*node) *node {
	return func(c *checker, name string, args []*node) *node {
		x, set := c.want(name, args[0], column.String), textConstant(" ")
		if len(args) == 2 {
			set = c.want(name, args[1], column.String)
		}
		return c.strict(column.Of(column.String), text2(x, set, func(dst, text, set []byte) []byte { return append(dst, cut(text, set)...) }), x, set)
	}
}

// substr binds substr; without a count it goes to the end.
func substr(c *checker, name string, args []*node) *node {
	x, start := c.want(name, args[0], column.String), c.want(name, args[1], column.Long)
	count := constant(column.Of(column.Long), int64(math.MaxInt64))
	if len(args) == 3 {
		count = c.want(name, args[2], column.Long)
	}
	return c.strict(column.Of(column.String), textPart(x, start, count, substring), x, start, count)
}

// part1 binds left or right.
func part1(f func(text []byte, n, _ int64) []byte) func(c *checker, name string, args []*node) *node {
	return func(c *checker, name string, args []*node) *node {
		x, n := c.want(name, args[0], column.String), c.want(name, args[1], column.Long)
		return c.strict(column.Of(column.String), textPart(x, n, n, f), x, n)
	}
}

// replace binds replace.
func replace(c *checker, name string, args []*node) *node {
	x, old, with := c.want(name, args[0], column.String), c.want(name, args[1], column.String), c.want(name, args[2], column.String)
	return c.strict(column.Of(column.String), func(r *run, sel column.Selection) column.Column {
		v, o, u := wordsOf(r, x, sel), wordsOf(r, old, sel), wordsOf(r, with, sel)
		w := r.writer(column.Of(column.String), v.nulls(), o.nulls(), u.nulls())
		for _, i := range r.rows(sel) {
			if w.begin(i) {
				w.out.Data = appendReplaced(w.out.Data, v.at(i), o.at(i), u.at(i))
			}
			w.end()
		}
		return w.done()
	}, x, old, with)
}

// split binds split_part.
func split(c *checker, name string, args []*node) *node {
	x, separator, n := c.want(name, args[0], column.String), c.want(name, args[1], column.String), c.want(name, args[2], column.Long)
	return c.strict(column.Of(column.String), func(r *run, sel column.Selection) column.Column {
		v, s, at := wordsOf(r, x, sel), wordsOf(r, separator, sel), vecOf[int64](r, n, sel)
		w := r.writer(column.Of(column.String), v.nulls(), s.nulls(), at.nulls())
		for _, i := range r.rows(sel) {
			if w.begin(i) {
				w.out.Data = append(w.out.Data, splitPart(v.at(i), s.at(i), at.at(i))...)
			}
			w.end()
		}
		return w.done()
	}, x, separator, n)
}

// runeLength binds length.
func runeLength(c *checker, name string, args []*node) *node {
	x := c.want(name, args[0], column.String)
	return c.strict(column.Of(column.Int), textInt(x, utf8.RuneCount), x)
}

// byteLength binds octet_length.
func byteLength(c *checker, name string, args []*node) *node {
	x := args[0]
	if x.kind() != column.Binary {
		x = c.want(name, x, column.String)
	}
	return c.strict(column.Of(column.Int), textInt(x, func(text []byte) int { return len(text) }), x)
}
