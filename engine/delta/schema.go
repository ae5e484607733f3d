package delta

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/millrace-io/millrace/engine/column"
)

// A Schema is the columns of a table as its log has them. It may hold types that the engine has no columns
// for: such a table can be looked at, its rows can't be read.
type Schema []Field

// A Field is a column of a Schema.
type Field struct {
	Name     string
	Type     string // for people: "long", "decimal(10,2)", "map<string, array<long>>"
	Required bool   // never null

	column    column.Type // zero where the engine has none
	invariant string      // a condition that writers must keep, of the column or one nested in it
}

// index is the position of the column called name, or -1.
func (s Schema) index(name string) int {
	return slices.IndexFunc(s, func(f Field) bool { return f.Name == name })
}

// String writes the field as definitions do: "index: long!".
func (f Field) String() string {
	if f.Required {
		return f.Name + ": " + f.Type + "!"
	}
	return f.Name + ": " + f.Type
}

// Columns is the schema for the engine. The error names every column whose type it lacks.
func (s Schema) Columns() (column.Schema, error) {
	columns := make(column.Schema, len(s))
	var errs []error
	for i, f := range s {
		if f.column.Kind == column.Invalid {
			errs = append(errs, fmt.Errorf("column %s is of type %s: %w", f.Name, f.Type, ErrUnsupported))
		}
		columns[i] = column.Field{Name: f.Name, Type: f.column, Required: f.Required}
	}
	return columns, errors.Join(errs...)
}

// sparkTypes are Delta's names of the engine's types.
var sparkTypes = [...]struct {
	kind column.Kind
	name string
}{
	{column.Bool, "boolean"}, {column.Int, "integer"}, {column.Long, "long"}, {column.Float, "float"}, {column.Double, "double"},
	{column.String, "string"}, {column.Binary, "binary"}, {column.Date, "date"}, {column.Timestamp, "timestamp"},
}

func sparkType(k column.Kind) string {
	for _, t := range sparkTypes {
		if t.kind == k {
			return t.name
		}
	}
	panic(fmt.Sprintf("delta: no name of type %v", k))
}

func kindOf(spark string) column.Kind {
	for _, t := range sparkTypes {
		if t.name == spark {
			return t.kind
		}
	}
	return column.Invalid
}

// The JSON of a schema (PROTOCOL.md, schema serialization format).
type (
	structJSON struct {
		Type   string      `json:"type"` // "struct"
		Fields []fieldJSON `json:"fields"`
	}
	fieldJSON struct {
		Name     string                     `json:"name"`
		Type     json.RawMessage            `json:"type"` // a name, or an object with a type of its own
		Nullable bool                       `json:"nullable"`
		Metadata map[string]json.RawMessage `json:"metadata"`
	}
	nestedJSON struct {
		Type         string          `json:"type"` // "struct", "array" or "map"
		Fields       []fieldJSON     `json:"fields"`
		ElementType  json.RawMessage `json:"elementType"`
		ContainsNull bool            `json:"containsNull"`
		KeyType      json.RawMessage `json:"keyType"`
		ValueType    json.RawMessage `json:"valueType"`
	}
)

// SchemaString is the schema as metaData holds it. It refuses what Spark would not read: no columns, names
// that differ in case only, and names with characters that Parquet columns may not have.
func SchemaString(schema column.Schema) (string, error) {
	if err := errors.Join(CheckColumns(schema)...); err != nil {
		return "", err
	}
	s := structJSON{Type: "struct", Fields: []fieldJSON{}}
	for _, f := range schema {
		t := `"` + sparkTypeOf(f.Type) + `"`
		if f.Type.Kind == column.Array {
			t = `{"type":"array","elementType":"` + sparkType(f.Type.Elem) + `","containsNull":true}`
		}
		s.Fields = append(s.Fields, fieldJSON{f.Name, json.RawMessage(t), !f.Required, map[string]json.RawMessage{}})
	}
	b, err := json.Marshal(s)
	return string(b), err
}

func sparkTypeOf(t column.Type) string {
	if t.Kind == column.Array {
		return "array"
	}
	return sparkType(t.Kind)
}

// CheckColumns reports everything that keeps a table from having these columns: there are none, one has no
// name or a name with characters that Parquet columns may not have, or two names differ in case only.
func CheckColumns(schema column.Schema) []error {
	var errs []error
	seen := map[string]string{}
	for _, f := range schema {
		if i := strings.IndexAny(f.Name, " ,;{}()\n\t="); i >= 0 {
			errs = append(errs, fmt.Errorf("column %q: a Delta table takes no %q in a column's name", f.Name, f.Name[i]))
		}
		if f.Name == "" {
			errs = append(errs, errors.New("a column has no name"))
		}
		lower := strings.ToLower(f.Name)
		if other, twice := seen[lower]; twice {
			errs = append(errs, fmt.Errorf("columns %q and %q: names in a Delta table differ in more than case", other, f.Name))
		}
		seen[lower] = f.Name
	}
	if len(schema) == 0 {
		errs = append(errs, errors.New("a table needs a column"))
	}
	return errs
}

// ParseSchema reads the schemaString of metaData. An empty one has no columns.
func ParseSchema(s string) (Schema, error) {
	if s == "" {
		return Schema{}, nil
	}
	var j structJSON
	if err := json.Unmarshal([]byte(s), &j); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	if j.Type != "struct" {
		return nil, fmt.Errorf("schema: it is a %q, a struct was expected", j.Type)
	}
	return parseFields(j.Fields)
}

func parseFields(fields []fieldJSON) (Schema, error) {
	schema := make(Schema, len(fields))
	for i, f := range fields {
		t, err := parseType(f.Type)
		if err != nil {
			return nil, fmt.Errorf("schema: column %s: %w", f.Name, err)
		}
		t.Name, t.Required = f.Name, !f.Nullable
		if condition, ok := f.Metadata["delta.invariants"]; ok {
			t.invariant = string(condition)
		}
		schema[i] = t
	}
	return schema, nil
}

// parseType reads a type into a field without a name.
func parseType(raw json.RawMessage) (Field, error) {
	var name string
	if json.Unmarshal(raw, &name) == nil {
		return primitive(name), nil
	}
	var n nestedJSON
	if err := json.Unmarshal(raw, &n); err != nil {
		return Field{}, fmt.Errorf("type %s: %w", raw, err)
	}
	switch n.Type {
	case "struct":
		return parseStruct(n)
	case "array":
		elem, err := parseType(n.ElementType)
		f := Field{Type: "array<" + elem.Type + ">", invariant: elem.invariant}
		if elem.column.Kind != column.Invalid && elem.column.Kind != column.Array {
			f.column = column.ArrayOf(elem.column.Kind)
		}
		return f, err
	case "map":
		key, err := parseType(n.KeyType)
		value, err2 := parseType(n.ValueType)
		return Field{Type: "map<" + key.Type + ", " + value.Type + ">", invariant: key.invariant + value.invariant}, errors.Join(err, err2)
	}
	return Field{}, fmt.Errorf("no type %q", n.Type)
}

// primitive is a type by its name; "int" is the engine's word for Delta's "integer", "bool" for "boolean".
func primitive(name string) Field {
	if k := kindOf(name); k != column.Invalid {
		return Field{Type: k.String(), column: column.Of(k)}
	}
	return Field{Type: name}
}

func parseStruct(n nestedJSON) (Field, error) {
	inner, err := parseFields(n.Fields)
	var parts []string
	invariant := ""
	for _, f := range inner {
		parts = append(parts, f.String())
		invariant += f.invariant
	}
	return Field{Type: "struct<" + strings.Join(parts, ", ") + ">", invariant: invariant}, err
}
