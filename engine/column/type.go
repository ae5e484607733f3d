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
	"fmt"
	"slices"
	"strings"
)

// A Kind is the shape of a column's values.
type Kind uint8

// The kinds, with the Go type that holds a value.
const (
	Invalid   Kind = iota // the zero Kind is no type
	Bool                  // bool
	Int                   // int32
	Long                  // int64
	Float                 // float32
	Double                // float64
	String                // UTF-8 bytes
	Binary                // bytes
	Date                  // int32, days since 1970-01-01
	Timestamp             // int64, microseconds since 1970-01-01 00:00:00 UTC
	Array                 // a list of one of the others
)

var kindNames = [...]string{"invalid", "bool", "int", "long", "float", "double", "string", "binary", "date", "timestamp", "array"}

// String gives the name that definitions use.
func (k Kind) String() string { return kindNames[k] }

// Numeric says whether arithmetic applies to the kind.
func (k Kind) Numeric() bool { return k >= Int && k <= Double }

// Integer says whether the kind holds whole numbers.
func (k Kind) Integer() bool { return k == Int || k == Long }

// A Type is what a column holds: a Kind, and for an Array the Kind of its elements (not Array).
// Types are comparable with ==.
type Type struct {
	Kind Kind
	Elem Kind // Invalid unless Kind is Array
}

// Of is the type of a kind that is not Array.
func Of(k Kind) Type { return Type{Kind: k} }

// ArrayOf is the type of lists of k.
func ArrayOf(k Kind) Type { return Type{Kind: Array, Elem: k} }

// String gives the name that definitions use: "long", "array<double>".
func (t Type) String() string {
	if t.Kind == Array {
		return "array<" + t.Elem.String() + ">"
	}
	return t.Kind.String()
}

// ParseType reads what String writes.
func ParseType(s string) (Type, error) {
	if inner, ok := strings.CutPrefix(s, "array<"); ok && strings.HasSuffix(inner, ">") {
		k := kindOf(strings.TrimSuffix(inner, ">"))
		if k == Invalid || k == Array {
			return Type{}, fmt.Errorf("no type %q", s)
		}
		return ArrayOf(k), nil
	}
	k := kindOf(s)
	if k == Invalid || k == Array {
		return Type{}, fmt.Errorf("no type %q", s)
	}
	return Of(k), nil
}

// TypeNames lists the names ParseType takes for types that are not arrays.
func TypeNames() []string { return slices.Clone(kindNames[Bool:Array]) }

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
