package parquet

import (
	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace-io/millrace/engine/column"
)

// A source is a column of a file as it is read, or a part of one: what it is for the engine, which leaves
// have its values, and what their levels mean. The leaves' entries whose repetition level is at most repeated
// and whose definition level is at least within are its rows: so many has what it is in.
type source struct {
	name     string
	typ      column.Type // for the engine; zero: nothing
	shape    column.Kind // of what has parts: Array, Map or Struct, even if typ is nothing
	said     string      // what the file says it is, for people
	required bool
	leaf     int      // its first, among the file's leaves
	parts    []source // fields of a struct, the element of an array, of a map the struct of a key and a value
	repeated int
	within   int
	defined  int // definition level from which on the row is not null; an array's with elements is one more
	physics      // of a leaf
}

// A physics is how values lie in a file.
type physics struct {
	physical format.Type
	length   int   // of each value, if physical is FixedLenByteArray
	unit     int64 // timestamps: so many to a microsecond, or if negative microseconds to each
	unsigned bool  // numbers without sign, in a column of a wider type
}

// flat says whether the rows of the column are its leaf's values and nulls.
func (s *source) flat() bool { return len(s.parts) == 0 && s.within == 0 && s.repeated == 0 }

// sourcesOf gives the columns that a file's schema describes, and the leaves in order.
func sourcesOf(schema []format.SchemaElement) (sources []source, leaves []*source, err error) {
	t := tree{rest: schema}
	root, err := t.node(deepestSchema)
	if err != nil {
		return nil, nil, err
	}
	if len(t.rest) > 0 || root.element.NumChildren.V == 0 {
		return nil, nil, errSchema
	}
	count := 0
	for _, n := range root.children {
		sources = append(sources, sourceOf(n, source{}, &count))
	}
	for i := range sources {
		leaves = sources[i].appendLeaves(leaves)
	}
	return sources, leaves, nil
}

func (s *source) appendLeaves(leaves []*source) []*source {
	if len(s.parts) == 0 {
		return append(leaves, s)
	}
	for i := range s.parts {
		leaves = s.parts[i].appendLeaves(leaves)
	}
	return leaves
}

// sourceOf says what a node is. place has the levels of what the node is in; leaves counts those seen.
func sourceOf(n node, place source, leaves *int) source {
	if n.is(format.Repeated) { // an array of old files: not null, its elements neither
		s := placed(n, place, *leaves)
		s.required = true
		s.parts = []source{ofNode(n, s.inner(), leaves)}
		s.parts[0].required = true
		return s.array()
	}
	if n.is(format.Optional) {
		place.defined++
	}
	return ofNode(n, place, leaves)
}

// placed is a source at a place; place.defined counts the node itself.
func placed(n node, place source, leaf int) source {
	return source{
		name: n.element.Name, leaf: leaf, required: !n.is(format.Optional),
		repeated: place.repeated, within: place.within, defined: place.defined,
	}
}

// inner is the place of the elements of the array s.
func (s *source) inner() source {
	return source{repeated: s.repeated + 1, within: s.defined + 1, defined: s.defined + 1}
}

// ofNode is sourceOf for what is not an array by being repeated.
func ofNode(n node, place source, leaves *int) source {
	s := placed(n, place, *leaves)
	repeated, ok := n.only()
	switch {
	case len(n.children) == 0:
		*leaves++
		s.describe(n.element)
		return s
	case n.isList() && ok:
		if repeated.wraps(s.name) {
			s.parts = []source{sourceOf(repeated.children[0], s.inner(), leaves)}
		} else {
			s.parts = []source{ofNode(repeated, s.inner(), leaves)}
		}
		return s.array()
	case n.isMap() && ok && len(repeated.children) == 2:
		s.parts = []source{structOf(repeated, s.inner(), leaves)}
		return s.asMap()
	}
	return structOf(n, place, leaves)
}

// structOf is a struct of the node's children.
func structOf(n node, place source, leaves *int) source {
	s := placed(n, place, *leaves)
	fields, known := column.Schema{}, true
	for _, child := range n.children {
		field := source{repeated: place.repeated, within: place.within, defined: place.defined}
		part := sourceOf(child, field, leaves)
		known = known && part.typ.Kind != column.Invalid && fields.Index(part.name) < 0
		fields = append(fields, column.Field{Name: part.name, Type: part.typ, Required: part.required})
		s.parts = append(s.parts, part)
	}
	s.shape = column.Struct
	s.said = "a struct of a type that millrace does not have"
	if known {
		s.typ = column.StructOf(fields...)
		s.said = s.typ.String()
	}
	return s
}

// array makes s an array of its only part.
func (s source) array() source {
	s.shape = column.Array
	s.said = "an array of " + s.parts[0].said
	if elem := s.parts[0].typ; elem.Kind != column.Invalid {
		s.typ = column.ArrayOf(elem)
	}
	return s
}

// asMap makes s a map of the pairs in its only part. Their names are the writer's own choice.
func (s source) asMap() source {
	s.shape = column.Map
	pair := s.parts[0].parts
	pair[0].name, pair[1].name = "key", "value"
	s.said = "a map of " + pair[0].said + " to " + pair[1].said
	if key, value := pair[0].typ, pair[1].typ; key.Kind != column.Invalid && value.Kind != column.Invalid {
		s.typ = column.MapOf(key, value)
		s.parts[0].typ = s.typ.Elem()
	}
	return s
}
