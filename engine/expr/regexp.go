package expr

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unsafe"

	"github.com/millrace-io/millrace/engine/column"
)

// pattern compiles a regular expression, which must be a constant.
func (c *checker) pattern(what string, n *node) *regexp.Regexp {
	text, ok := c.constantText(what, "the pattern", n)
	if !ok {
		return nil
	}
	re, err := regexp.Compile(text)
	if err != nil {
		c.fail(n.at, "%s: %s", what, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		return nil
	}
	return re
}

// constantText is the value of an argument that must be the same for all rows.
func (c *checker) constantText(what, role string, n *node) (string, bool) {
	if n = c.want(what, n, column.String); n.failed {
		return "", false
	}
	if n.lit == nil || n.null() {
		c.fail(n.at, "%s: %s must be a constant text", what, role)
		return "", false
	}
	return string(n.lit.(*column.Texts).At(0)), true
}

// regexpLike says whether the pattern matches anywhere in x.
func (c *checker) regexpLike(what string, args []*node) *node {
	x, re := c.want(what, args[0], column.String), c.pattern(what, args[1])
	if x.failed || re == nil {
		return &node{failed: true}
	}
	return c.strict(column.Of(column.Bool), func(r *run, sel column.Selection) column.Column {
		v := wordsOf(r, x, sel)
		out := fixed[bool](r, column.Of(column.Bool))
		r.strict(&out.Valid, v.nulls())
		for _, i := range r.rows(sel) {
			out.Values[i] = re.Match(v.at(i))
		}
		return out
	}, x)
}

// regexpExtract is what the pattern, or a group of it, matched first.
func (c *checker) regexpExtract(what string, args []*node) *node {
	x, re := c.want(what, args[0], column.String), c.pattern(what, args[1])
	group := 0
	if len(args) == 3 {
		n := c.want(what, args[2], column.Int)
		switch {
		case n.failed:
			return n
		case n.lit == nil || n.null():
			return c.fail(n.at, "%s: the group must be a constant number", what)
		}
		group = int(n.lit.(*column.Ints).Values[0])
		if re != nil && (group < 0 || group > re.NumSubexp()) {
			return c.fail(n.at, "%s: the pattern has no group %d, but 0 to %d", what, group, re.NumSubexp())
		}
	}
	if x.failed || re == nil {
		return &node{failed: true}
	}
	if group == 0 {
		return c.strict(column.Of(column.String), text1(x, func(dst, text []byte) []byte { return append(dst, re.Find(text)...) }), x)
	}
	return c.strict(column.Of(column.String), text1(x, func(dst, text []byte) []byte {
		if m := re.FindSubmatchIndex(text); m != nil && m[2*group] >= 0 {
			dst = append(dst, text[m[2*group]:m[2*group+1]]...)
		}
		return dst
	}), x)
}

// regexpReplace replaces the first match of the pattern, or with the option g all of them.
func (c *checker) regexpReplace(what string, args []*node) *node {
	x, re := c.want(what, args[0], column.String), c.pattern(what, args[1])
	with, ok := c.constantText(what, "the replacement", args[2])
	all := false
	if len(args) == 4 {
		options, constant := c.constantText(what, "the options", args[3])
		if constant && options != "g" && options != "" {
			return c.fail(args[3].at, "%s: expected the option 'g' (all matches), found %s", what, quoted(options))
		}
		all, ok = options == "g", ok && constant
	}
	if x.failed || re == nil || !ok {
		return &node{failed: true}
	}
	parts, err := replacement(with, re.NumSubexp())
	if err != nil {
		return c.fail(args[2].at, "%s: %v", what, err)
	}
	return c.strict(column.Of(column.String), text1(x, newReplacer(re, parts, all).append), x)
}

// A replacementPart is a text, or the number of a group whose match stands there.
type replacementPart struct {
	text  string
	group int // -1: text
}

// replacement reads \0 to \9 as groups and \\ as a backslash.
func replacement(with string, groups int) ([]replacementPart, error) {
	var parts []replacementPart
	for {
		i := strings.IndexByte(with, '\\')
		if i < 0 {
			return append(parts, replacementPart{with, -1}), nil
		}
		parts = append(parts, replacementPart{with[:i], -1})
		with = with[i+1:]
		switch {
		case with != "" && with[0] == '\\':
			parts = append(parts, replacementPart{`\`, -1})
		case with != "" && digit(with[0]) && int(with[0]-'0') <= groups:
			parts = append(parts, replacementPart{"", int(with[0] - '0')})
		default:
			return nil, fmt.Errorf(`in the replacement \ stands before \ or the number of a group, 0 to %d`, min(groups, 9))
		}
		with = with[1:]
	}
}

// A replacer writes texts with the matches of a pattern replaced.
type replacer struct {
	re    *regexp.Regexp
	parts []replacementPart
	limit int  // of matches; -1: all
	whole bool // appendWhole serves
}

func newReplacer(re *regexp.Regexp, parts []replacementPart, all bool) *replacer {
	r := &replacer{re, parts, 1, true}
	if all {
		r.limit, r.whole = -1, !looksBack(re)
	}
	for _, p := range parts {
		r.whole = r.whole && p.group <= 0
	}
	return r
}

// looksBack says whether a match may depend on what stands before it.
func looksBack(re *regexp.Regexp) bool {
	tree, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		panic(err) // it was compiled
	}
	var looks func(*syntax.Regexp) bool
	looks = func(t *syntax.Regexp) bool {
		switch t.Op {
		case syntax.OpBeginLine, syntax.OpBeginText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
			return true
		}
		return slices.ContainsFunc(t.Sub, looks)
	}
	return looks(tree)
}

func (r *replacer) append(dst, text []byte) []byte {
	if r.whole {
		if out, ok := r.appendWhole(dst, text); ok {
			return out
		}
	}
	done := 0
	for _, m := range r.re.FindAllSubmatchIndex(text, r.limit) {
		dst = r.appendParts(append(dst, text[done:m[0]]...), text, m)
		done = m[1]
	}
	return append(dst, text[done:]...)
}

// appendWhole allocates nothing, which regexp does for each place it tells of: it asks for the matches themselves,
// one behind the other. ok is false if one is empty.
func (r *replacer) appendWhole(dst, text []byte) (out []byte, ok bool) {
	for n := 0; n != r.limit; n++ {
		if len(text) == 0 {
			if n == 0 && r.re.Match(text) {
				return nil, false
			}
			break // an empty match behind the last one is none
		}
		m := r.re.Find(text)
		if m == nil {
			break
		}
		if len(m) == 0 {
			return nil, false // it does not say where it is
		}
		from := int(uintptr(unsafe.Pointer(&m[0])) - uintptr(unsafe.Pointer(&text[0])))
		to := from + len(m)
		dst = r.appendParts(append(dst, text[:from]...), text, []int{from, to})
		text = text[to:]
	}
	return append(dst, text...), true
}

// appendParts writes what stands for a match, whose groups lie at the places m in text.
func (r *replacer) appendParts(dst, text []byte, m []int) []byte {
	for _, p := range r.parts {
		switch {
		case p.group < 0:
			dst = append(dst, p.text...)
		case m[2*p.group] >= 0:
			dst = append(dst, text[m[2*p.group]:m[2*p.group+1]]...)
		}
	}
	return dst
}
