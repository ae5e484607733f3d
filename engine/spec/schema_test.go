package spec

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func testSchema(t *testing.T) map[string]any {
	t.Helper()
	var s map[string]any
	if err := json.Unmarshal(JSONSchema(testKinds()), &s); err != nil {
		t.Fatalf("the JSON Schema is not JSON: %v", err)
	}
	return s
}

// yamlValue is what an editor sees of a node: YAML gives plain words types.
func yamlValue(n Node) any {
	switch n.Kind() {
	case Null:
		return nil
	case List:
		all := []any{}
		for _, i := range n.Items() {
			all = append(all, yamlValue(i))
		}
		return all
	case Mapping:
		all := map[string]any{}
		for _, p := range n.Pairs() {
			all[p.Key.Text()] = yamlValue(p.Value)
		}
		return all
	}
	if x, err := strconv.ParseFloat(n.Text(), 64); err == nil && !n.Quoted() {
		return x
	}
	if !n.Quoted() && (n.Text() == "true" || n.Text() == "false") {
		return n.Text() == "true"
	}
	return n.Text()
}

// validate is as much of JSON Schema as JSONSchema writes. It fails on a word it does not know, so that
// the schema says nothing that this test does not check.
func validate(s map[string]any, v any, at string) error {
	for _, word := range slices.Sorted(mapsKeys(s)) {
		check, ok := validators()[word]
		if !ok {
			return fmt.Errorf("the schema says %s, which this test does not know", word)
		}
		if err := check(s, v, at); err != nil {
			return err
		}
	}
	return nil
}

func mapsKeys(m map[string]any) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

type validator func(s map[string]any, v any, at string) error

func validators() map[string]validator {
	fine := func(map[string]any, any, string) error { return nil }
	return map[string]validator{
		"$schema": fine, "title": fine, "description": fine, "default": fine,
		"type": validType, "properties": validProperties, "additionalProperties": validAdditional,
		"propertyNames": func(s map[string]any, v any, at string) error {
			m, _ := v.(map[string]any)
			for k := range m {
				if err := validate(s["propertyNames"].(map[string]any), k, at+"."+k); err != nil {
					return err
				}
			}
			return nil
		},
		"required": func(s map[string]any, v any, at string) error {
			m, isMap := v.(map[string]any)
			for _, k := range s["required"].([]any) {
				if _, ok := m[k.(string)]; isMap && !ok {
					return fmt.Errorf("%s: %s is missing", at, k)
				}
			}
			return nil
		},
		"enum": func(s map[string]any, v any, at string) error {
			if !slices.ContainsFunc(s["enum"].([]any), func(x any) bool { return reflect.DeepEqual(x, v) }) {
				return fmt.Errorf("%s: %v is none of %v", at, v, s["enum"])
			}
			return nil
		},
		"pattern": func(s map[string]any, v any, at string) error {
			if text, ok := v.(string); ok && !regexp.MustCompile(s["pattern"].(string)).MatchString(text) {
				return fmt.Errorf("%s: %q is not like %s", at, text, s["pattern"])
			}
			return nil
		},
		"items": func(s map[string]any, v any, at string) error {
			list, _ := v.([]any)
			for i, x := range list {
				if err := validate(s["items"].(map[string]any), x, fmt.Sprintf("%s[%d]", at, i)); err != nil {
					return err
				}
			}
			return nil
		},
		"minProperties": func(s map[string]any, v any, at string) error {
			if m, ok := v.(map[string]any); ok && float64(len(m)) < s["minProperties"].(float64) {
				return fmt.Errorf("%s: too few keys", at)
			}
			return nil
		},
		"maxProperties": func(s map[string]any, v any, at string) error {
			if m, ok := v.(map[string]any); ok && float64(len(m)) > s["maxProperties"].(float64) {
				return fmt.Errorf("%s: too many keys", at)
			}
			return nil
		},
		"not": func(s map[string]any, v any, at string) error {
			if validate(s["not"].(map[string]any), v, at) == nil {
				return fmt.Errorf("%s: fits what it must not", at)
			}
			return nil
		},
		"anyOf": func(s map[string]any, v any, at string) error { return validCount(s["anyOf"], v, at, 99) },
		"oneOf": func(s map[string]any, v any, at string) error { return validCount(s["oneOf"], v, at, 1) },
	}
}

func validCount(of, v any, at string, most int) error {
	right, errs := 0, []string{}
	for _, s := range of.([]any) {
		if err := validate(s.(map[string]any), v, at); err != nil {
			errs = append(errs, err.Error())
		} else {
			right++
		}
	}
	if right == 0 || right > most {
		return fmt.Errorf("%s: %d alternatives fit: %s", at, right, strings.Join(errs, "; "))
	}
	return nil
}

func validType(s map[string]any, v any, at string) error {
	names, ok := s["type"].([]any)
	if !ok {
		names = []any{s["type"]}
	}
	is := map[reflect.Kind]string{reflect.String: "string", reflect.Float64: "number", reflect.Bool: "boolean", reflect.Slice: "array", reflect.Map: "object"}
	got := "null"
	if v != nil {
		got = is[reflect.TypeOf(v).Kind()]
	}
	x, number := v.(float64)
	if slices.Contains(names, any(got)) || number && x == float64(int64(x)) && slices.Contains(names, any("integer")) {
		return nil
	}
	return fmt.Errorf("%s: %v is no %v", at, v, names)
}

func validProperties(s map[string]any, v any, at string) error {
	m, _ := v.(map[string]any)
	for k, p := range s["properties"].(map[string]any) {
		if x, ok := m[k]; ok {
			if err := validate(p.(map[string]any), x, at+"."+k); err != nil {
				return err
			}
		}
	}
	return nil
}

func validAdditional(s map[string]any, v any, at string) error {
	m, _ := v.(map[string]any)
	known, _ := s["properties"].(map[string]any)
	for k, x := range m {
		if _, ok := known[k]; ok {
			continue
		}
		more, ok := s["additionalProperties"].(map[string]any)
		if !ok {
			return fmt.Errorf("%s: %s is not known", at, k)
		}
		if err := validate(more, x, at+"."+k); err != nil {
			return err
		}
	}
	return nil
}

func validateYAML(t *testing.T, yaml string) error {
	t.Helper()
	// Variables stay as they are: an editor does not know their values.
	root, err := Parse("p.yaml", []byte(yaml), nil, func(name string) (string, bool) { return "${" + name + "}", true })
	if err != nil {
		t.Fatal(err)
	}
	return validate(testSchema(t), yamlValue(root), "")
}

// TestSchemaTakesTheExample: what Load takes, an editor must not mark.
func TestSchemaTakesTheExample(t *testing.T) {
	if err := validateYAML(t, example(t)); err != nil {
		t.Error(err)
	}
}

// TestSchemaRefuses: an editor marks what a definition can't hold.
func TestSchemaRefuses(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"commit:", "comit:", "comit is not known"},
		{"every: 10s", "every: 10", "10 is no"},
		{"every: 10s", "every: 10w", "is not like"},
		{"every: 10s", "every: ${EVERY}", ""},
		{"long!", "lung", "is not like"},
		{"kafka:", "kafak:", "kafak is not known"},
		{"format: json", "format: avro", "alternatives"},
		{"format: json", "format: {json: {root: x}}", ""},
		{"format: json", "format: json\n    files: {path: /x}", "2 alternatives fit"},
		{"dedupe:", "dedup:", "dedup is not known"},
		{"by: [unique_id]", "by: unique_id", "is no [array]"},
		{", within: 1h}\n", "}\n", "within is missing"},
		{"clean:", "filter: id > 5\n      - clean:", ""},
		{"parse: magnitude", "parse: number", "alternatives"},
		{"    from: pins\n", "", "from is missing"},
		{"    from: pins\n", "    from: [pins, more]\n", ""},
		{"    from: pins\n", "    from: {a: b}\n", "alternatives"},
		{"tables:\n  pin_table: {from: clean_pins, path: pin_table, partition_by: [category]}\n", "", "tables is missing"},
		{"tables:\n  pin_table: {from: clean_pins, path: pin_table, partition_by: [category]}\n", "include: a.yaml\n", ""},
		{"pipeline: pinterest", "", ""},
		{"partition_by", "partitionby", "partitionby is not known"},
	} {
		yaml := strings.Replace(example(t), c.old, c.new, 1)
		err := validateYAML(t, yaml)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s for %s: got %v, want %q", c.new, c.old, err, c.want)
		}
	}
}
