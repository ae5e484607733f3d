package expr

import (
	"testing"
)

// TestLikeMatchers: the fast matchers agree with the plain one on all short texts and patterns.
func TestLikeMatchers(t *testing.T) {
	texts, patterns := wordsOver(4, "a", "b", "é"), wordsOver(5, "a", "%", "_", "!", "é")
	for _, pattern := range patterns {
		for _, escape := range []rune{noEscape, '!'} {
			if dangling([]byte(pattern), escape) {
				continue
			}
			constant := likeMatcher([]byte(pattern), escape)
			for _, text := range texts {
				want := likePlain([]rune(text), []rune(pattern), escape)
				if got := likeMatch([]byte(text), []byte(pattern), escape); got != want {
					t.Fatalf("%q LIKE %q, escape %q: %v, want %v", text, pattern, escape, got, want)
				}
				if got := constant([]byte(text)); got != want {
					t.Fatalf("%q LIKE the constant %q, escape %q: %v, want %v", text, pattern, escape, got, want)
				}
			}
		}
	}
}

// wordsOver are all strings of at most n letters.
func wordsOver(n int, letters ...string) []string {
	all := []string{""}
	for last := all; n > 0; n-- {
		var longer []string
		for _, s := range last {
			for _, l := range letters {
				longer = append(longer, s+l)
			}
		}
		all, last = append(all, longer...), longer
	}
	return all
}

// likePlain is LIKE as the standard tells it.
func likePlain(text, pattern []rune, escape rune) bool {
	if len(pattern) == 0 {
		return len(text) == 0
	}
	c, rest := pattern[0], pattern[1:]
	switch {
	case c == escape:
		return len(text) > 0 && text[0] == rest[0] && likePlain(text[1:], rest[1:], escape)
	case c == '%':
		return likePlain(text, rest, escape) || len(text) > 0 && likePlain(text[1:], pattern, escape)
	case c == '_':
		return len(text) > 0 && likePlain(text[1:], rest, escape)
	}
	return len(text) > 0 && text[0] == c && likePlain(text[1:], rest, escape)
}

// TestLikeIsNoRegexp: a pattern that many regexp engines need exponential time for is done at once.
func TestLikeIsNoRegexp(t *testing.T) {
	var text, pattern []byte
	for range 20_000 {
		text = append(text, 'a')
	}
	for range 200 {
		pattern = append(pattern, "%a"...)
	}
	if likeMatch(text, append(pattern, 'b'), noEscape) {
		t.Error("a text without b matches a pattern that ends in one")
	}
}
