// Package column holds rows as typed columns in the Arrow memory layout.
//
// A column is a slice of values with a validity bitmap beside it; text and lists are offsets into one
// run of bytes or elements. Columns are appended to without an allocation a row, and come from an
// Arena that is reused when the last owner of a batch has released it. There is no any, no map and no
// interface call a value: code that walks rows asks once for the concrete column ([Longs], [Texts], …)
// and loops over its slices.
//
// One thing differs from Arrow: a bool is a byte, not a bit, so that kernels are the same for every
// fixed-width type.
package column

import (
	"slices"
	"strconv"
	"strings"
)

// A Kind is the shape of a column's values.
type Kind uint8

// The kinds, with the Go type that holds a value. Those before Decimal are types by themselves.
const (
	Invalid      Kind = iota // the zero Kind is no type
	Bool                     // bool
	Byte                     // int8
	Short                    // int16
	Int                      // int32
	Long                     // int64
	Float                    // float32
	Double                   // float64
	String                   // UTF-8 bytes
	Binary                   // bytes
	Date                     // int32, days since 1970-01-01
	Timestamp                // int64, microseconds since 1970-01-01 00:00:00 UTC
	TimestampNTZ             // int64, microseconds of a clock on the wall, as if it were at UTC: no zone is meant
	Decimal                  // Int128, a number times 10 to the power of the type's scale
	Array                    // a list of values of one type
	Struct                   // a value of each of its fields
	Map                      // a list of pairs of a key, never null, and a value
)

var kindNames = [...]string{"invalid", "bool", "byte", "short", "int", "long", "float", "double", "string", "binary", "date", "timestamp", "timestamp_ntz", "decimal", "array", "struct", "map"}

// String gives the name that definitions use.
func (k Kind) String() string { return kindNames[k] }

// Simple says whether the kind is a type by itself: it has no digits and no parts to tell.
func (k Kind) Simple() bool { return Bool <= k && k < Decimal }

// Numeric says whether arithmetic applies to the kind.
func (k Kind) Numeric() bool { return Byte <= k && k <= Double || k == Decimal }

// Integer says whether the kind holds whole numbers.
func (k Kind) Integer() bool { return Byte <= k && k <= Long }

// A Type is what a column holds: a Kind, and what a Decimal, Array, Struct or Map has besides. It is small,
// and types are comparable with ==. The zero Type is none.
type Type struct {
	Kind             Kind
	precision, scale uint8 // of a Decimal
	parts            parts // of an Array, Struct or Map
}

// Of is the type of a kind that is Simple.
func Of(k Kind) Type { return Type{Kind: k} }

// MostDigits is the greatest precision of a decimal.
const MostDigits = 38

// DecimalOf is the type of numbers of precision digits, 1 to MostDigits, of which scale, at most as many, are
// behind the point.
func DecimalOf(precision, scale int) Type {
	return Type{Kind: Decimal, precision: uint8(precision), scale: uint8(scale)}
}

// ArrayOf is the type of lists of elem, a type or a Simple kind. Elements may be null.
func ArrayOf[T Kind | Type](elem T) Type {
	t, ok := any(elem).(Type)
	if !ok {
		t = Of(any(elem).(Kind))
	}
	return Type{Kind: Array, parts: partsOf(Field{Name: "element", Type: t})}
}

// StructOf is the type of structs with the fields, at least one, whose names differ.
func StructOf(fields ...Field) Type { return Type{Kind: Struct, parts: partsOf(fields...)} }

// MapOf is the type of maps from keys, which may not be null, to values, which may.
func MapOf(key, value Type) Type {
	return Type{Kind: Map, parts: partsOf(Field{Name: "key", Type: key, Required: true}, Field{Name: "value", Type: value})}
}

// Precision is the number of digits of a Decimal.
func (t Type) Precision() int { return int(t.precision) }

// Scale is the number of digits behind the point of a Decimal.
func (t Type) Scale() int { return int(t.scale) }

// Elem is the type of an Array's elements, of a Map's the struct of its key and its value; else none.
func (t Type) Elem() Type {
	switch t.Kind {
	case Array:
		return t.parts.first().Type
	case Map:
		return Type{Kind: Struct, parts: t.parts}
	}
	return Type{}
}

// Fields are those of a Struct, in order; of a Map its key and its value; of others none. They are the caller's.
func (t Type) Fields() []Field {
	if t.Kind != Struct && t.Kind != Map {
		return nil
	}
	return t.parts.all()
}

// Keyable says whether keys are made of the type's values: of all but maps, whose pairs have no order.
func (t Type) Keyable() bool {
	switch t.Kind {
	case Map:
		return false
	case Array:
		return t.Elem().Keyable()
	case Struct:
		return !slices.ContainsFunc(t.Fields(), func(f Field) bool { return !f.Type.Keyable() })
	}
	return true
}

// Equal is ==, for libraries that look for it.
func (t Type) Equal(o Type) bool { return t == o }

// String gives the name that definitions use: "long", "decimal(10,2)", "array<double>",
// "struct<a: long!, b: map<string, date>>".
func (t Type) String() string {
	switch t.Kind {
	case Decimal:
		return "decimal(" + strconv.Itoa(t.Precision()) + "," + strconv.Itoa(t.Scale()) + ")"
	case Array:
		return "array<" + t.Elem().String() + ">"
	case Struct:
		return "struct<" + Schema(t.Fields()).String() + ">"
	case Map:
		pair := t.Fields()
		return "map<" + pair[0].Type.String() + ", " + pair[1].Type.String() + ">"
	}
	return t.Kind.String()
}

// TypeNames lists the names ParseType takes for types that have no parts.
func TypeNames() []string { return slices.Clone(kindNames[Bool:Decimal]) }

func kindOf(name string) Kind {
	if i := slices.Index(kindNames[:], name); i > 0 {
		return Kind(i)
	}
	return Invalid
}

// A Field is one column of a Schema.
type Field struct {
	Name     string
	Type     Type
	Required bool // never null; definitions write it "long!"
}

// String writes the field as definitions do: "index: long!".
func (f Field) String() string {
	if f.Required {
		return f.Name + ": " + f.Type.String() + "!"
	}
	return f.Name + ": " + f.Type.String()
}

// A Schema is the columns of a batch, in order. Names are unique.
type Schema []Field

// Index is the position of the column called name, or -1.
func (s Schema) Index(name string) int {
	return slices.IndexFunc(s, func(f Field) bool { return f.Name == name })
}

// Names lists the columns' names in order.
func (s Schema) Names() []string {
	names := make([]string, len(s))
	for i, f := range s {
		names[i] = f.Name
	}
	return names
}

// Equal says whether both have the same columns in the same order.
func (s Schema) Equal(o Schema) bool { return slices.Equal(s, o) }

// String writes the schema on one line: "index: long!, title: string".
func (s Schema) String() string {
	parts := make([]string, len(s))
	for i, f := range s {
		parts[i] = f.String()
	}
	return strings.Join(parts, ", ")
}
