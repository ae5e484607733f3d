package parquet

import (
	"errors"
	"fmt"
	"strings"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace-io/millrace/engine/column"
)

// A source is a column of a file as it is read: which leaf has its values, what they are, and what the levels
// mean.
type source struct {
	name     string
	leaf     int         // index among the file's leaves; -1: the file has no such column
	typ      column.Type // what the column is for the engine; zero: nothing
	said     string      // what the file says it is, for people
	physical format.Type
	length   int   // of each value, if physical is FixedLenByteArray
	unit     int64 // timestamps: so many to a microsecond, or if negative microseconds to each
	unsigned bool  // 32 bits without sign, in a column of longs
	levels   leveled
}

// leveled says what the levels of a column mean.
type leveled struct {
	list     bool
	required bool
	repeated int // greatest repetition level
	defined  int // definition level of a value
	element  int // arrays: definition level from which on there is an element
	null     int // arrays: definition level below which the array is null
}

// sourcesOf gives the columns that a file's schema describes, and the number of its leaves.
func sourcesOf(schema []format.SchemaElement) (sources []source, leaves int, err error) {
	t := tree{rest: schema}
	root, err := t.node(maxNesting)
	if err != nil {
		return nil, 0, err
	}
	if len(t.rest) > 0 || root.element.NumChildren.V == 0 {
		return nil, 0, errSchema
	}
	for _, n := range root.children {
		s := sourceOf(n)
		s.leaf = leaves
		leaves += n.leaves()
		sources = append(sources, s)
	}
	return sources, leaves, nil
}

var errSchema = errors.New("it is corrupt: its schema is no tree")

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

func (n node) leaves() int {
	if len(n.children) == 0 {
		return 1
	}
	sum := 0
	for _, c := range n.children {
		sum += c.leaves()
	}
	return sum
}

func (n node) is(r format.FieldRepetitionType) bool {
	return n.element.RepetitionType.Valid && n.element.RepetitionType.V == r
}

// sourceOf says what a column is. Arrays have three levels, two, or in old files one: a repeated value.
func sourceOf(n node) source {
	s := source{name: n.element.Name}
	outer := n
	s.levels.required = n.is(format.Required) || n.is(format.Repeated)
	if n.is(format.Optional) {
		s.levels.null++
		s.levels.defined++
	}
	if len(n.children) > 0 {
		if len(n.children) != 1 || !isList(n.element) || !n.children[0].is(format.Repeated) {
			s.said = "a group of columns"
			return s
		}
		n = n.children[0]
	}
	if n.is(format.Repeated) {
		s.levels.list, s.levels.repeated = true, 1
		s.levels.defined++
		s.levels.element = s.levels.defined
		if len(n.children) == 1 && len(n.children[0].children) == 0 && !legacyElement(n, outer) {
			if n = n.children[0]; n.is(format.Optional) {
				s.levels.defined++
			}
		}
	}
	if len(n.children) > 0 {
		s.said = "an array of groups"
		return s
	}
	s.describe(n.element)
	return s
}

func isList(e *format.SchemaElement) bool {
	_, is := e.LogicalType.Value.(*format.ListType)
	return is || e.ConvertedType.Valid && e.ConvertedType.V == deprecated.List
}

// legacyElement says whether the repeated group of a list is the element itself, a group of one column, and
// not what wraps the element (LogicalTypes.md, "Lists", backward-compatibility rules).
func legacyElement(repeated, outer node) bool {
	name := repeated.element.Name
	return name == "array" || name == outer.element.Name+"_tuple"
}

// describe settles the type of the values.
func (s *source) describe(e *format.SchemaElement) {
	s.physical, s.length = e.Type.V, int(e.TypeLength.V)
	s.said = strings.ToLower(e.Type.V.String())
	if e.LogicalType.Value != nil {
		s.said += " (" + e.LogicalType.Value.String() + ")"
	} else if e.ConvertedType.Valid {
		s.said += fmt.Sprintf(" (converted type %d)", e.ConvertedType.V)
	}
	if !e.Type.Valid {
		return
	}
	kind := s.kind(e)
	switch {
	case kind == column.Invalid:
	case s.levels.list:
		s.typ = column.ArrayOf(kind)
	default:
		s.typ = column.Of(kind)
	}
}

func (s *source) kind(e *format.SchemaElement) column.Kind {
	switch s.physical {
	case format.Boolean:
		return column.Bool
	case format.Int32:
		return s.kind32(annotation(e))
	case format.Int64:
		return s.kind64(annotation(e))
	case format.Int96:
		return column.Timestamp
	case format.Float:
		return column.Float
	case format.Double:
		return column.Double
	case format.ByteArray:
		return kindOfBytes(annotation(e))
	case format.FixedLenByteArray:
		if _, is := annotation(e).(*format.UUIDType); s.length > 0 && (is || annotation(e) == nil) {
			return column.Binary
		}
	}
	return column.Invalid
}

func (s *source) kind32(a format.LogicalTypeValue) column.Kind {
	switch a := a.(type) {
	case nil:
		return column.Int
	case *format.DateType:
		return column.Date
	case *format.IntType:
		if s.unsigned = !a.IsSigned && a.BitWidth == 32; s.unsigned {
			return column.Long
		}
		return column.Int
	}
	return column.Invalid
}

func (s *source) kind64(a format.LogicalTypeValue) column.Kind {
	switch a := a.(type) {
	case nil:
		return column.Long
	case *format.IntType:
		if a.IsSigned {
			return column.Long
		}
	case *format.TimestampType:
		switch a.Unit.Value.(type) {
		case *format.MilliSeconds:
			s.unit = -1000
		case *format.MicroSeconds:
			s.unit = 1
		case *format.NanoSeconds:
			s.unit = 1000
		default:
			return column.Invalid
		}
		return column.Timestamp
	}
	return column.Invalid
}

func kindOfBytes(a format.LogicalTypeValue) column.Kind {
	switch a.(type) {
	case nil, *format.BsonType:
		return column.Binary
	case *format.StringType, *format.EnumType, *format.JsonType:
		return column.String
	}
	return column.Invalid
}

// annotation is the logical type of an element, also of one that has only the older converted type.
func annotation(e *format.SchemaElement) format.LogicalTypeValue {
	if e.LogicalType.Value != nil || !e.ConvertedType.Valid {
		return e.LogicalType.Value
	}
	micros := format.TimeUnit{Value: &format.MicroSeconds{}}
	millis := format.TimeUnit{Value: &format.MilliSeconds{}}
	switch e.ConvertedType.V {
	case deprecated.UTF8, deprecated.Enum, deprecated.Json:
		return &format.StringType{}
	case deprecated.Bson:
		return nil
	case deprecated.Date:
		return &format.DateType{}
	case deprecated.TimestampMillis:
		return &format.TimestampType{IsAdjustedToUTC: true, Unit: millis}
	case deprecated.TimestampMicros:
		return &format.TimestampType{IsAdjustedToUTC: true, Unit: micros}
	case deprecated.Int8, deprecated.Int16, deprecated.Int32, deprecated.Int64:
		return &format.IntType{BitWidth: 64, IsSigned: true}
	case deprecated.Uint8, deprecated.Uint16:
		return &format.IntType{BitWidth: 16}
	case deprecated.Uint32:
		return &format.IntType{BitWidth: 32}
	case deprecated.Uint64:
		return &format.IntType{BitWidth: 64}
	}
	return &format.NullType{} // decimals, times, maps: nothing that the engine has
}

// readable is the columns that the engine has types for.
func readable(sources []source) column.Schema {
	schema := column.Schema{}
	for _, s := range sources {
		if s.typ.Kind != column.Invalid {
			schema = append(schema, column.Field{Name: s.name, Type: s.typ, Required: s.levels.required})
		}
	}
	return schema
}

// match finds the column of the file for each that is wanted.
func match(wanted column.Schema, sources []source) ([]source, error) {
	var errs []error
	from := make([]source, len(wanted))
	for i, f := range wanted {
		from[i].leaf = -1
		for _, s := range sources {
			if s.name != f.Name {
				continue
			}
			if from[i] = s; !fits(s.typ, f.Type) {
				errs = append(errs, fmt.Errorf("column %s is %s, which can't be read as %v", f.Name, s.said, f.Type))
			}
			break
		}
	}
	return from, errors.Join(errs...)
}

// fits says whether values that are of type t are also of type wanted.
func fits(t, wanted column.Type) bool {
	if t.Kind == column.Array && wanted.Kind == column.Array {
		t, wanted = column.Of(t.Elem), column.Of(wanted.Elem)
	}
	switch {
	case t.Kind == column.Invalid:
		return false
	case t == wanted:
		return true
	case t.Kind == column.Int:
		return wanted.Kind == column.Long || wanted.Kind == column.Double
	case t.Kind == column.Float:
		return wanted.Kind == column.Double
	case t.Kind == column.Binary: // not every writer says that its strings are some
		return wanted.Kind == column.String
	case t.Kind == column.String:
		return wanted.Kind == column.Binary
	}
	return false
}
