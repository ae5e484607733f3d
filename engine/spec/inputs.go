package spec

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/millrace-io/millrace/engine/column"
)

// inputs names what a stream reads: one name or a list.
type inputs []Node

// UnmarshalNode takes a name or a list. What each names is looked at when the streams are bound.
func (in *inputs) UnmarshalNode(n Node) error {
	if n.Kind() != List {
		*in = inputs{n}
		return nil
	}
	*in = inputs(n.Items())
	if len(*in) == 0 {
		return n.Errorf("expected the names of sources and streams, found an empty list")
	}
	return nil
}

// JSONSchema is a text or a list of texts.
func (inputs) JSONSchema() map[string]any {
	return schema{"anyOf": []schema{{"type": "string"}, {"type": "array", "items": schema{"type": "string"}}}}
}

// names lists the names, each once.
func (in inputs) names() []string {
	var all []string
	for _, n := range in {
		if !slices.Contains(all, n.Text()) {
			all = append(all, n.Text())
		}
	}
	return all
}

// Names are the names of one thing or several. Their JSON form is as in a definition: a text, or a list of several.
type Names []string

// MarshalJSON writes a text or a list.
func (n Names) MarshalJSON() ([]byte, error) {
	if len(n) == 1 {
		return json.Marshal(n[0])
	}
	return json.Marshal([]string(n))
}

// meet gives what comes to a stream of what it reads.
func (l *loader) meet(in inputs) *edge {
	var ups []*edge
	var from []Node
	for i, n := range in {
		if n.Kind() == Scalar && slices.Contains(in[:i].names(), n.Text()) {
			l.errorf(n, "%s is here twice", n.t.shown())
			continue
		}
		ups, from = append(ups, l.upstream(n)), append(from, n)
	}
	if len(ups) == 0 || slices.ContainsFunc(ups, func(e *edge) bool { return e == nil || e.schema == nil }) {
		return &edge{}
	}
	out := *ups[0]
	out.readers, out.schema = 0, slices.Clone(out.schema)
	for i, up := range ups[1:] {
		l.join(&out, up, from[0], from[i+1])
	}
	return &out
}

// join puts what leaves up to what left the first input. Rows of several inputs are in no order.
func (l *loader) join(out, up *edge, first, n Node) {
	out.order, out.ordered = nil, false
	for _, name := range up.sources {
		if !slices.Contains(out.sources, name) {
			out.sources = append(slices.Clip(out.sources), name)
		}
	}
	if message := differ(out.schema, up.schema, first.t.shown(), n.t.shown()); message != "" {
		l.errorf(n, "%s: the inputs of a stream have the same columns in the same order; select gives them other names and another order", message)
		return
	}
	if out.whole != up.whole {
		whole, once := first, n
		if up.whole {
			whole, once = n, first
		}
		l.errorf(n, "%s gives all its results anew in each epoch and %s gives each row once: they can't be one stream", whole.t.shown(), once.t.shown())
	}
	for i := range out.schema {
		out.schema[i].Required = out.schema[i].Required && up.schema[i].Required
	}
}

// differ says where the columns of two inputs are not the same. What is never null may differ.
func differ(a, b column.Schema, nameA, nameB string) string {
	for i := range max(len(a), len(b)) {
		switch {
		case i == len(b):
			return fmt.Sprintf("%s lacks the column %s of %s", nameB, a[i].Name, nameA)
		case i == len(a):
			return fmt.Sprintf("%s has a column %s, which %s lacks", nameB, b[i].Name, nameA)
		case a[i].Name != b[i].Name:
			return fmt.Sprintf("column %d is %s in %s and %s in %s", i+1, a[i].Name, nameA, b[i].Name, nameB)
		case a[i].Type != b[i].Type:
			return fmt.Sprintf("column %s is %s in %s and %s in %s", a[i].Name, a[i].Type, nameA, b[i].Type, nameB)
		}
	}
	return ""
}
