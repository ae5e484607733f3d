package spec

import (
	"fmt"
	"slices"
	"strings"
)

// A Kind is the shape of a Node.
type Kind int

// The kinds.
const (
	Null   Kind = iota // nothing, null or ~
	Scalar             // text, quoted or not; a number is text too
	List
	Mapping
)

// String names the kind for messages.
func (k Kind) String() string { return [...]string{"nothing", "a value", "a list", "a map"}[k] }

// A Node is a value in a definition with its place. The zero Node is a Null without a place. Nodes are
// small, are passed by value and never change.
type Node struct{ t *tree }

// A Pair is a key of a map with its value.
type Pair struct{ Key, Value Node }

// A tree is what a Node refers to.
type tree struct {
	doc    *document
	parent *tree
	key    string // in the parent: a key's text or an index
	name   *tree  // the key's own node, in a map
	kind   Kind
	isKey  bool
	step   bool // paths of faults begin here

	line, col int // of the first character, a quote too
	style     style
	masked    string // as the parser gave it
	text      string
	spans     []span
	broken    bool // a variable has no value: what is said of the text is beside the point

	pairs []Pair
	items []Node
}

type style uint8

const (
	plain style = iota
	singleQuoted
	doubleQuoted
	block // literal or folded
)

// Kind is the node's shape.
func (n Node) Kind() Kind {
	if n.t == nil {
		return Null
	}
	return n.t.kind
}

// Pairs lists a map's keys and values in the order written; it is nil for other kinds. Keys are unique.
func (n Node) Pairs() []Pair {
	if n.t == nil {
		return nil
	}
	return n.t.pairs
}

// Items lists a list's values; it is nil for other kinds.
func (n Node) Items() []Node {
	if n.t == nil {
		return nil
	}
	return n.t.items
}

// Get is the value of a key of a map; ok is false where there is none.
func (n Node) Get(key string) (value Node, ok bool) {
	for _, p := range n.Pairs() {
		if p.Key.Text() == key {
			return p.Value, true
		}
	}
	return Node{}, false
}

// Text is a scalar's text: variables replaced, quotes and escapes resolved. It is "" for other kinds.
func (n Node) Text() string {
	if n.t == nil {
		return ""
	}
	return n.t.text
}

// Quoted says whether a scalar was written in quotes or as a block.
func (n Node) Quoted() bool { return n.t != nil && n.t.style != plain }

// Path gives the keys and indexes that lead to the node from the step it belongs to, or from the file's
// root outside of steps. It is the Path of an engine.Fault.
func (n Node) Path() []string {
	var path []string
	for t := n.t; t != nil && t.parent != nil && !t.step; t = t.parent {
		path = append(path, t.key)
	}
	slices.Reverse(path)
	return path
}

// Line is the line of the file that the node begins on, from 1; 0 for the zero Node.
func (n Node) Line() int {
	if n.t == nil {
		return 0
	}
	return n.t.line
}

// Errorf makes an error at the node's place. A value that came from the environment is shown as ${NAME},
// also when it is among args.
func (n Node) Errorf(format string, args ...any) error {
	return n.errorAt(0, fmt.Sprintf(format, args...), "")
}

// errorAt makes an error at an offset, in bytes, of a scalar's text.
func (n Node) errorAt(offset int, message, nearest string) *Error {
	if n.t == nil {
		return &Error{Line: 1, Column: 1, Message: message, Nearest: nearest}
	}
	line, col := n.t.line, n.t.col
	if n.t.kind == Scalar && (offset > 0 || n.t.style == block) {
		line, col = n.t.placeOf(n.t.maskOffset(offset))
	}
	return n.t.doc.newError(line, col, n.t.hide(message), n.t.hide(nearest))
}

// keyError makes an error at the key that n is the value of, or at n where there is none.
func (n Node) keyError(message, nearest string) *Error {
	if n.t != nil && n.t.name != nil {
		return Node{n.t.name}.errorAt(0, n.t.hide(message), n.t.hide(nearest))
	}
	return n.errorAt(0, message, nearest)
}

// shown is the text of a scalar for messages: with variables' names where they came from outside.
func (t *tree) shown() string {
	var b strings.Builder
	at := 0
	for _, s := range t.spans {
		b.WriteString(t.text[at:s.text])
		b.WriteString(s.value.shown)
		at = s.textEnd
	}
	b.WriteString(t.text[at:])
	return b.String()
}

// outside says whether a part of the scalar came from the environment or the command line.
func (t *tree) outside() bool {
	return slices.ContainsFunc(t.spans, func(s span) bool { return s.value.shown != s.value.text })
}

// describe is what messages say was found.
func (n Node) describe() string {
	switch n.Kind() {
	case Scalar:
		return fmt.Sprintf("%q", n.t.shown())
	default:
		return n.Kind().String()
	}
}
