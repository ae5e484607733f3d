package spec

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// An Error is one thing that is wrong in a definition, with its place.
type Error struct {
	File    string `json:"file"`
	Line    int    `json:"line"`              // from 1
	Column  int    `json:"column"`            // in characters, from 1
	Message string `json:"message"`           // lower case: what was found and what was expected
	Nearest string `json:"nearest,omitempty"` // a name that may have been meant, or ""
	Source  string `json:"-"`                 // the line of the file without its end; "" where it holds a secret
}

// Error is "file:line:col: message (did you mean nearest?)".
func (e *Error) Error() string {
	s := fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
	if e.Nearest != "" {
		s += fmt.Sprintf(" (did you mean %s?)", e.Nearest)
	}
	return s
}

// String is Error and, below it, the line of the file with a caret under the place.
func (e *Error) String() string {
	if strings.TrimSpace(e.Source) == "" {
		return e.Error()
	}
	number := fmt.Sprintf("%5d | ", e.Line)
	return e.Error() + "\n" + number + e.Source + "\n" +
		strings.Repeat(" ", len(number)-2) + "| " + indentOf(e.Source, e.Column) + "^"
}

// indentOf is blank as wide as the part of line before column; tabs stay, so that the caret stands right.
func indentOf(line string, column int) string {
	var b strings.Builder
	for range column - 1 {
		r, size := utf8.DecodeRuneInString(line)
		line = line[size:]
		if r != '\t' {
			r = ' '
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Errors is all that is wrong in a definition, sorted by place, each once.
type Errors []*Error

// Error is one line an error.
func (e Errors) Error() string { return e.join((*Error).Error) }

// String shows each error with its line of the file, for terminals.
func (e Errors) String() string { return e.join((*Error).String) }

// Unwrap lets errors.As find each one.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, x := range e {
		all[i] = x
	}
	return all
}

func (e Errors) join(text func(*Error) string) string {
	lines := make([]string, len(e))
	for i, x := range e {
		lines[i] = text(x)
	}
	return strings.Join(lines, "\n")
}

// orNil sorts e and drops repetitions; it is nil, not an empty Errors, where nothing is wrong.
func (e Errors) orNil() error {
	if len(e) == 0 {
		return nil
	}
	slices.SortStableFunc(e, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.CompactFunc(e, func(a, b *Error) bool { return a.Error() == b.Error() })
}

// flatten adds what err holds to e: an *Error and Errors as they are, each of several errors that were
// joined, and anything else at the place of n.
func (e Errors) flatten(n Node, err error) Errors {
	var one *Error
	if err == nil {
		return e
	}
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, x := range several.Unwrap() {
			e = e.flatten(n, x)
		}
		return e
	}
	if errors.As(err, &one) {
		return append(e, one)
	}
	return append(e, n.faults(err)...)
}
