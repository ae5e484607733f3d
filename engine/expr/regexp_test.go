package expr

import (
	"regexp"
	"testing"
)

// TestReplacer: what replaces without allocating replaces as what asks regexp for all places does.
func TestReplacer(t *testing.T) {
	g := newGenerator(1)
	served := 0
	for _, pattern := range []string{"a", "^a", "a$", `\ba`, `a\b`, "(?m)^a", "a*", "", "a|$", "[ab]+", "(?i)A", ".", "é|日", "(a)(b)?"} {
		re := regexp.MustCompile(pattern)
		for _, with := range []string{"", "-", `<\0>`, `\0\0`} {
			parts, err := replacement(with, re.NumSubexp())
			if err != nil {
				t.Fatal(err)
			}
			for _, all := range []bool{false, true} {
				fast, slow := newReplacer(re, parts, all), newReplacer(re, parts, all)
				slow.whole = false
				for range 300 {
					text := []byte(g.text())
					got, want := string(fast.append([]byte("before "), text)), string(slow.append([]byte("before "), text))
					if got != want {
						t.Fatalf("%q, all: %v, by %q in %q: %q, want %q", pattern, all, with, text, got, want)
					}
					if fast.whole {
						if _, ok := fast.appendWhole(nil, text); ok {
							served++
						}
					}
				}
			}
		}
	}
	if served == 0 {
		t.Error("the fast way serves no text")
	}
}
