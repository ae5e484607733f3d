package spec

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/millrace-io/millrace/engine/column"
)

// A JSONSchemer is a config, or a part of one, that describes itself to editors: it gives a JSON Schema
// (draft 2020-12) of what its UnmarshalNode takes.
type JSONSchemer interface{ JSONSchema() map[string]any }

// A schema is a JSON Schema in the making. encoding/json writes its keys sorted.
type schema = map[string]any

// JSONSchema is the JSON Schema (draft 2020-12) of definitions that name these kinds, for editors that
// complete and check YAML. It is made from the same structs that definitions are decoded into. Load finds
// more than it can say.
func JSONSchema(kinds Kinds) []byte {
	s := structSchema(reflect.ValueOf(newLayout()))
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "millrace pipeline definition"
	// A part of the definition may stand in another file, and a file without a pipeline is such a part.
	s["anyOf"] = []schema{{"required": s["required"]}, {"required": []string{"include"}}, {"not": schema{"required": []string{"pipeline"}}}}
	delete(s, "required")
	properties := s["properties"].(schema)
	properties["sources"].(schema)["additionalProperties"] = sourceSchema(kinds)
	properties["streams"].(schema)["additionalProperties"] = streamSchema(kinds)
	for _, section := range []string{"sources", "streams"} {
		properties[section].(schema)["propertyNames"] = schema{"pattern": legalName.String()}
	}
	properties["pipeline"].(schema)["pattern"] = orVariable(legalName.String())
	out, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("spec: the JSON Schema of an operator or source is not JSON: %v", err))
	}
	return append(out, '\n')
}

// SchemaOf is the JSON Schema of what Decode takes for v, whose values are the defaults. A config that
// reads its own node and passes parts of it to Decode makes its JSONSchema of this.
func SchemaOf(v any) map[string]any { return schemaOf(reflect.ValueOf(v), field{}) }

func sourceSchema(kinds Kinds) schema {
	s := structSchema(reflect.ValueOf(newSourceLayout()))
	properties := s["properties"].(schema)
	var oneOf []schema
	for _, kind := range slices.Sorted(maps.Keys(kinds.Sources)) {
		properties[kind] = schemaOf(reflect.ValueOf(kinds.Sources[kind]()).Elem(), field{})
		oneOf = append(oneOf, schema{"required": []string{kind}})
	}
	if oneOf != nil {
		s["oneOf"] = oneOf
	}
	names := slices.Sorted(maps.Keys(kinds.Formats))
	options := schema{}
	for _, name := range names {
		options[name] = schema{"type": []string{"object", "null"}}
	}
	properties["format"] = schema{
		"description": "Format of the records: its name, or its name with options.",
		"anyOf": []schema{
			{"type": "string", "anyOf": []schema{{"enum": names}, {"pattern": holePattern}}},
			{"type": "object", "properties": options, "additionalProperties": false, "minProperties": 1, "maxProperties": 1},
		},
	}
	return s
}

func streamSchema(kinds Kinds) schema {
	s := structSchema(reflect.ValueOf(streamLayout{}))
	steps := schema{}
	for name, open := range kinds.Operators {
		config := open()
		v := reflect.ValueOf(config)
		if v.Kind() == reflect.Pointer {
			v = v.Elem()
		}
		steps[name] = schemaOf(v, field{})
	}
	s["properties"].(schema)["steps"].(schema)["items"] = schema{
		"type": "object", "properties": steps, "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
	}
	return s
}

// structSchema describes a struct; the values that v holds are the defaults.
func structSchema(v reflect.Value) schema {
	properties, required := schema{}, []string{}
	for _, f := range fieldsOf(v.Type()) {
		at := v.FieldByIndex(f.index)
		p := schemaOf(at, f)
		if f.doc != "" {
			p["description"] = f.doc
		}
		if d := defaultOf(at); d != nil {
			p["default"] = d
		}
		properties[f.name] = p
		if f.required {
			required = append(required, f.name)
		}
	}
	s := schema{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

func defaultOf(v reflect.Value) any {
	if v.IsZero() {
		return nil
	}
	switch x := v.Interface().(type) {
	case time.Duration:
		return FormatDuration(x)
	case Bytes:
		return x.String()
	}
	switch v.Kind() {
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int64, reflect.Int32, reflect.Float64:
		return v.Interface()
	}
	return nil
}

// Patterns of texts with a grammar. A ${…} may stand anywhere.
const (
	holePattern     = `\$\{`
	durationPattern = `^([0-9.]+ *(ms|s|m|h|d) *)+$`
	sizePattern     = `^([0-9.]+ *([KMGT]i?)?B *)+$`
)

func orVariable(pattern string) string { return "(" + pattern + ")|" + holePattern }

// schemaOf describes a type. v may be the zero value of an interface-free type; it is only looked at.
func schemaOf(v reflect.Value, f field) schema {
	p := reflect.New(v.Type())
	switch x := p.Interface().(type) {
	case JSONSchemer:
		p.Elem().Set(v)
		return x.JSONSchema()
	case interface{ element() any }:
		return schema{"type": []string{"object", "null"}, "additionalProperties": elementSchema(x.element(), f)}
	case *Node, Unmarshaler: // only itself knows what it takes
		return schema{}
	case *time.Duration:
		return schema{"type": "string", "pattern": orVariable(durationPattern)}
	case *Bytes:
		return schema{"type": "string", "pattern": orVariable(sizePattern)}
	case *column.Type:
		return schema{"type": "string", "pattern": orVariable(typePattern(""))}
	case *column.Schema:
		return schema{"type": "object", "minProperties": 1, "additionalProperties": schema{"type": "string", "pattern": orVariable(typePattern("!?"))}}
	}
	switch v.Kind() {
	case reflect.Pointer:
		return schemaOf(reflect.New(v.Type().Elem()).Elem(), f)
	case reflect.Struct:
		return structSchema(v)
	case reflect.Slice:
		item := schemaOf(reflect.New(v.Type().Elem()).Elem(), field{enum: f.enum})
		list := schema{"type": "array", "items": item}
		if f.scalar {
			return schema{"anyOf": []schema{list, item}}
		}
		return list
	case reflect.String:
		return textSchema(f)
	case reflect.Bool:
		return schema{"anyOf": []schema{{"type": "boolean"}, {"type": "string", "pattern": holePattern}}}
	case reflect.Float32, reflect.Float64:
		return schema{"anyOf": []schema{{"type": "number"}, {"type": "string", "pattern": holePattern}}}
	default:
		return schema{"anyOf": []schema{{"type": "integer"}, {"type": "string", "pattern": holePattern}}}
	}
}

// elementSchema describes the values of a Map; a key may stand alone where Decode allows it.
func elementSchema(pointer any, f field) schema {
	v := reflect.ValueOf(pointer).Elem()
	s := schemaOf(v, field{enum: f.enum})
	if v.Kind() == reflect.String || v.Kind() == reflect.Pointer {
		return schema{"anyOf": []schema{s, {"type": "null"}}}
	}
	return s
}

// textSchema describes a string: YAML gives an unquoted number or word another type, which Decode takes as
// text.
func textSchema(f field) schema {
	if f.enum == "" {
		return schema{"type": []string{"string", "number", "boolean"}}
	}
	return schema{"anyOf": []schema{{"enum": strings.Split(f.enum, "|")}, {"type": "string", "pattern": holePattern}}}
}

// typePattern matches the names of types. What has parts is matched by its beginning and end: types nest, which
// no pattern can follow.
func typePattern(end string) string {
	return "^(" + strings.Join(column.TypeNames(), "|") + `|decimal *\(.*\)|(array|map|struct) *<.*>)` + end + "$"
}
