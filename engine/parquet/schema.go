package parquet

import (
	"errors"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

var errSchema = errors.New("it is corrupt: its schema is no tree")

// deepestSchema bounds how deep the schema of a file nests; an array takes two levels.
const deepestSchema = 100

// tree makes nodes of a schema's elements, which stand depth first.
type tree struct{ rest []format.SchemaElement }

type node struct {
	element  *format.SchemaElement
	children []node
}

func (t *tree) node(depth int) (node, error) {
	if depth == 0 || len(t.rest) == 0 {
		return node{}, errSchema
	}
	n := node{element: &t.rest[0]}
	t.rest = t.rest[1:]
	if c := n.element.NumChildren.V; c < 0 || int(c) > len(t.rest) {
		return node{}, errSchema
	}
	for range n.element.NumChildren.V {
		child, err := t.node(depth - 1)
		if err != nil {
			return node{}, err
		}
		n.children = append(n.children, child)
	}
	return n, nil
}

func (n node) is(r format.FieldRepetitionType) bool {
	return n.element.RepetitionType.Valid && n.element.RepetitionType.V == r
}

func (n node) isList() bool {
	_, is := n.element.LogicalType.Value.(*format.ListType)
	return is || n.converted(deprecated.List)
}

func (n node) isMap() bool {
	_, is := n.element.LogicalType.Value.(*format.MapType)
	return is || n.converted(deprecated.Map) || n.converted(deprecated.MapKeyValue)
}

func (n node) converted(t deprecated.ConvertedType) bool {
	return n.element.ConvertedType.Valid && n.element.ConvertedType.V == t
}

// only gives the repeated group of a list or a map, its only child.
func (n node) only() (repeated node, ok bool) {
	if len(n.children) != 1 || !n.children[0].is(format.Repeated) {
		return node{}, false
	}
	return n.children[0], true
}

// wraps says whether n, the repeated group of the list called outer, has the elements in it, and is not itself
// the element: a struct of old writers (LogicalTypes.md, "Lists", backward-compatibility rules).
func (n node) wraps(outer string) bool {
	name := n.element.Name
	return len(n.children) == 1 && !n.children[0].is(format.Repeated) && name != "array" && name != outer+"_tuple"
}
