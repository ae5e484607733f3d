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

// Sorted gives e in the order of the source, each error once.
func (e Errors) Sorted() Errors {
	slices.SortStableFunc(e, func(a, b *Error) int { return cmp.Compare(a.Offset, b.Offset) })
	return slices.CompactFunc(e, func(a, b *Error) bool { return *a == *b })
}
