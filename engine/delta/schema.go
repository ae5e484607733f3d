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
	whole     bool        // an array or a map in it may not hold null, which no type of the engine says
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

// sparkName is Delta's name of a type without parts; engineName is the engine's.
func sparkName(t column.Type) string {
	switch t.Kind {
	case column.Bool:
		return "boolean"
	case column.Int:
		return "integer"
	}
	return t.String()
}

func engineName(spark string) string {
	switch spark {
	case "boolean":
		return "bool"
	case "integer":
		return "int"
	case "decimal":
		return "decimal(10,0)"
	}
	return spark
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
	arrayJSON struct {
		Type         string          `json:"type"` // "array"
		ElementType  json.RawMessage `json:"elementType"`
		ContainsNull bool            `json:"containsNull"`
	}
	mapJSON struct {
		Type              string          `json:"type"` // "map"
		KeyType           json.RawMessage `json:"keyType"`
		ValueType         json.RawMessage `json:"valueType"`
		ValueContainsNull bool            `json:"valueContainsNull"`
	}
	nestedJSON struct { // any of them
		Type              string          `json:"type"`
		Fields            []fieldJSON     `json:"fields"`
		ElementType       json.RawMessage `json:"elementType"`
		ContainsNull      *bool           `json:"containsNull"`
		KeyType           json.RawMessage `json:"keyType"`
		ValueType         json.RawMessage `json:"valueType"`
		ValueContainsNull *bool           `json:"valueContainsNull"`
	}
)

// SchemaString is the schema as metaData holds it. It refuses what Spark would not read: no columns, names
// that differ in case only, and names with characters that Parquet columns may not have.
func SchemaString(schema column.Schema) (string, error) {
	if err := errors.Join(CheckColumns(schema)...); err != nil {
		return "", err
	}
	b, err := json.Marshal(fieldsJSON(schema))
	return string(b), err
}

func fieldsJSON(schema column.Schema) structJSON {
	s := structJSON{Type: "struct", Fields: []fieldJSON{}}
	for _, f := range schema {
		s.Fields = append(s.Fields, fieldJSON{f.Name, typeJSON(f.Type), !f.Required, map[string]json.RawMessage{}})
	}
	return s
}

func typeJSON(t column.Type) json.RawMessage {
	switch t.Kind {
	case column.Struct:
		return jsonOf(fieldsJSON(t.Fields()))
	case column.Array:
		return jsonOf(arrayJSON{"array", typeJSON(t.Elem()), true})
	case column.Map:
		pair := t.Fields()
		return jsonOf(mapJSON{"map", typeJSON(pair[0].Type), typeJSON(pair[1].Type), true})
	}
	return jsonOf(sparkName(t))
}

// CheckColumns reports everything that keeps a table from having these columns: there are none, one has no
// name or a name with characters that Parquet columns may not have, or two names differ in case only; the same
// of the fields of structs.
func CheckColumns(schema column.Schema) []error {
	errs := checkNames(schema, "")
	if len(schema) == 0 {
		errs = append(errs, errors.New("a table needs a column"))
	}
	return errs
}

// checkNames checks the names of columns, or of the fields of the struct called above, which ends in a dot.
func checkNames(schema column.Schema, above string) []error {
	var errs []error
	seen := map[string]string{}
	for _, f := range schema {
		name := above + f.Name
		if i := strings.IndexAny(f.Name, " ,;{}()\n\t="); i >= 0 {
			errs = append(errs, fmt.Errorf("column %q: a Delta table takes no %q in a column's name", name, f.Name[i]))
		}
		if f.Name == "" {
			errs = append(errs, errors.New("a column has no name"))
		}
		lower := strings.ToLower(f.Name)
		if other, twice := seen[lower]; twice {
			errs = append(errs, fmt.Errorf("columns %q and %q: names in a Delta table differ in more than case", other, name))
		}
		seen[lower] = name
		errs = append(errs, checkNested(f.Type, name)...)
	}
	return errs
}

func checkNested(t column.Type, name string) []error {
	switch t.Kind {
	case column.Struct:
		return checkNames(t.Fields(), name+".")
	case column.Array:
		return checkNested(t.Elem(), name)
	case column.Map:
		pair := t.Fields()
		return append(checkNested(pair[0].Type, name), checkNested(pair[1].Type, name)...)
	}
	return nil
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
		return parseArray(n)
	case "map":
		return parseMap(n)
	}
	return Field{}, fmt.Errorf("no type %q", n.Type)
}

// primitive is a type by its name; "int" is the engine's word for Delta's "integer", "bool" for "boolean".
func primitive(name string) Field {
	if t, err := column.ParseType(engineName(name)); err == nil && (t.Kind.Simple() || t.Kind == column.Decimal) {
		return Field{Type: t.String(), column: t}
	}
	return Field{Type: name}
}

func parseStruct(n nestedJSON) (Field, error) {
	inner, err := parseFields(n.Fields)
	f, parts := Field{}, make([]string, len(inner))
	columns, known := column.Schema{}, len(inner) > 0
	for i, part := range inner {
		parts[i] = part.String()
		f.add(part)
		known = known && part.column.Kind != column.Invalid
		columns = append(columns, column.Field{Name: part.Name, Type: part.column, Required: part.Required})
	}
	if f.Type = "struct<" + strings.Join(parts, ", ") + ">"; known {
		f.column = column.StructOf(columns...)
	}
	return f, err
}

func parseArray(n nestedJSON) (Field, error) {
	elem, err := parseType(n.ElementType)
	f := Field{Type: "array<" + elem.Type + ">", whole: isFalse(n.ContainsNull)}
	f.add(elem)
	if elem.column.Kind != column.Invalid {
		f.column = column.ArrayOf(elem.column)
	}
	return f, err
}

func parseMap(n nestedJSON) (Field, error) {
	key, err := parseType(n.KeyType)
	value, err2 := parseType(n.ValueType)
	f := Field{Type: "map<" + key.Type + ", " + value.Type + ">", whole: isFalse(n.ValueContainsNull)}
	f.add(key)
	f.add(value)
	if key.column.Kind != column.Invalid && value.column.Kind != column.Invalid {
		f.column = column.MapOf(key.column, value.column)
	}
	return f, errors.Join(err, err2)
}

// add takes over what a part asks of writers.
func (f *Field) add(part Field) {
	f.invariant += part.invariant
	f.whole = f.whole || part.whole
}

func isFalse(b *bool) bool { return b != nil && !*b }
