package json

import (
	"fmt"
	"slices"
	"strings"

	"github.com/millrace-io/millrace/engine/codec"
	"github.com/millrace-io/millrace/engine/column"
)

// A node is an object that is read member by member: the record's value, and each object on the path of a
// column.
type node struct {
	members  map[string]*member // by key; grows by unknown keys up to learnLimit
	start    edge               // from '{' to the first member
	other    member             // stands for keys that members has no room for
	envelope bool               // it holds the root somewhere below: its unknown members are not counted
	column   string             // a column below it, to name in faults
	learned  int                // unknown keys in members
	mark     uint64             // serial of the last record that had the object
}

// A member is a key of a node: a field, an object on the path of fields, or neither (unknown).
type member struct {
	edge        // to the member that follows
	field int   // in Decoder.fields, -1: none
	child *node // nil: none
}

// An edge is what followed a value last time. lead is all bytes from the end of that value to the
// beginning of the next one, as `, "title": `; where they come again, they mean the same again, because
// what is before them ends in the same place of the grammar. Comparing them is all there is to find the
// next value.
type edge struct {
	lead []byte // empty: not known
	to   *member
}

const (
	learnLimit = 256 // unknown keys that a node remembers
	leadLimit  = 256 // bytes of an edge
)

func newNode() *node {
	return &node{members: map[string]*member{}, other: member{field: none}}
}

const none = -1

// member gives what key stands for.
func (n *node) member(key []byte) *member {
	if m := n.members[string(key)]; m != nil {
		return m
	}
	if n.learned == learnLimit || len(key) > leadLimit {
		return &n.other
	}
	n.learned++
	m := &member{field: none}
	n.members[string(key)] = m
	return m
}

func (e *edge) learn(lead []byte, to *member) {
	if len(lead) > leadLimit {
		return
	}
	e.lead, e.to = append(e.lead[:0], lead...), to
}

// lay builds the nodes and fields for a schema.
func (d *Decoder) lay(schema column.Schema, opts Options) error {
	var wrong []string
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	d.top = newNode()
	d.root = d.top
	if opts.Root != "" {
		d.layRoot(opts.Root, complain)
	}
	for i, f := range schema {
		if codec.IsRecordColumn(f.Name) {
			continue
		}
		path, ok := opts.Paths[f.Name]
		if !ok {
			path = f.Name
		}
		if key := badKey(f.Type); key.Kind != column.Invalid {
			complain("column %q: the keys of a JSON object can't be of type %v", f.Name, key)
		}
		d.fields = append(d.fields, field{Field: f, index: i, target: newTarget(f.Type)})
		d.layField(len(d.fields)-1, path, complain)
	}
	for name := range opts.Paths {
		if schema.Index(name) < 0 || codec.IsRecordColumn(name) {
			complain("a path is given for %q, which is no column of the value", name)
		}
	}
	if wrong == nil {
		return nil
	}
	slices.Sort(wrong)
	return fmt.Errorf("json: %s", strings.Join(wrong, "; "))
}

func (d *Decoder) layRoot(root string, complain func(string, ...any)) {
	d.rootPath = root
	for key := range strings.SplitSeq(root, ".") {
		if key == "" {
			complain("root %q has an empty key", root)
		}
		d.root.envelope = true
		next := newNode()
		d.root.members[key] = &member{field: none, child: next}
		d.root = next
	}
}

// layField puts field number i at path, making the objects on its way.
func (d *Decoder) layField(i int, path string, complain func(string, ...any)) {
	name := d.fields[i].Name
	keys := strings.Split(path, ".")
	if slices.Contains(keys, "") {
		complain("column %q: path %q has an empty key", name, path)
		return
	}
	n := d.root
	for _, key := range keys[:len(keys)-1] {
		m := n.members[key]
		if m == nil {
			m = &member{field: none, child: newNode()}
			m.child.column = name
			n.members[key] = m
		}
		if m.child == nil {
			complain("columns %q and %q: a value can't be both a %s and an object", d.fields[m.field].Name, name, d.fields[m.field].Type)
			return
		}
		n = m.child
	}
	switch last := n.members[keys[len(keys)-1]]; {
	case last == nil:
		n.members[keys[len(keys)-1]] = &member{field: i}
	case last.child != nil:
		complain("columns %q and %q: a value can't be both a %s and an object", name, last.child.column, d.fields[i].Type)
	default:
		complain("columns %q and %q have the same path", d.fields[last.field].Name, name)
	}
}

// badKey finds in a type a map whose keys no object can have.
func badKey(t column.Type) column.Type {
	switch t.Kind {
	case column.Array:
		return badKey(t.Elem())
	case column.Map:
		if key := t.Fields()[0].Type; !keyFits(key) {
			return key
		}
	}
	for _, f := range t.Fields() {
		if key := badKey(f.Type); key.Kind != column.Invalid {
			return key
		}
	}
	return column.Type{}
}
