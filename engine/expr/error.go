package expr

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// An Error is one thing that is wrong with an expression.
type Error struct {
	Offset  int    // in bytes, where in the source it begins: 0 to len(source)
	Message string // lower case: what was found and what was expected
	Nearest string // a name that may have been meant, or ""
}

// Error is "at OFFSET: message (did you mean nearest?)".
func (e *Error) Error() string {
	s := fmt.Sprintf("at %d: %s", e.Offset, e.Message)
	if e.Nearest != "" {
		s += " (did you mean " + e.Nearest + "?)"
	}
	return s
}

// Errors is all that is wrong with an expression, in the order of the source. A source that does not parse
// has one: what stands behind its place was not looked at.
type Errors []*Error

// Error joins the errors by "; ".
func (e Errors) Error() string {
	all := make([]string, len(e))
	for i, x := range e {
		all[i] = x.Error()
	}
	return strings.Join(all, "; ")
}

// Unwrap lets errors.As find each one.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, x := range e {
		all[i] = x
	}
	return all
}

// sorted gives e in the order of the source, each error once.
func (e Errors) sorted() Errors {
	slices.SortStableFunc(e, func(a, b *Error) int { return cmp.Compare(a.Offset, b.Offset) })
	return slices.CompactFunc(e, func(a, b *Error) bool { return *a == *b })
}

// nearest is the one of names that name may be a slip of, or "". It has its twin in spec, which stands
// above this package.
func nearest(name string, names []string) string {
	best, found := 1+max(1, len(name)/3), ""
	for _, n := range names {
		if d := distance(strings.ToLower(name), strings.ToLower(n)); d < best && n != name {
			best, found = d, n
		}
	}
	return found
}

// distance counts the letters to add, drop, change or swap with a neighbour to make b of a (optimal string
// alignment).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			change := 1
			if x[i-1] == y[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
