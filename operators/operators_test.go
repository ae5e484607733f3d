package operators_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/spec"
	"github.com/millrace-io/millrace/operators"
)

// TestKinds: every operator makes configs of its own, which describe themselves.
func TestKinds(t *testing.T) {
	if diff := cmp.Diff([]string{"clean", "dedupe", "derive", "filter", "select", "window"}, slices.Sorted(maps.Keys(operators.Kinds()))); diff != "" {
		t.Error(diff)
	}
	for name, open := range operators.Kinds() {
		config := open()
		if config == open() {
			t.Errorf("%s: two calls gave one config", name)
		}
		schema := spec.SchemaOf(reflect.ValueOf(config).Elem().Interface())
		text, err := json.Marshal(schema)
		if err != nil || !strings.Contains(string(text), `"description"`) {
			t.Errorf("%s: JSON Schema %s, %v", name, text, err)
		}
	}
}

type source struct {
	Path string `yaml:"path"`
}

func (*source) Validate() error { return nil }

type decoder struct{}

func (decoder) Decode(engine.Frame, *engine.Rows) error { return nil }

func kinds() spec.Kinds {
	return spec.Kinds{
		Operators: operators.Kinds(),
		Sources:   map[string]func() spec.SourceConfig{"files": func() spec.SourceConfig { return &source{} }},
		Formats: map[string]func(column.Schema, spec.Node) (func() engine.Decoder, error){
			"json": func(column.Schema, spec.Node) (func() engine.Decoder, error) {
				return func() engine.Decoder { return decoder{} }, nil
			},
		},
	}
}

const head = `pipeline: p
lake: l
sources:
  pins:
    files: {path: x}
    format: json
    schema: {index: long!, title: string, followers: string, created: string}
tables:
  t: {from: s}
streams:
  s:
    from: pins
    steps:
`

func TestDefinition(t *testing.T) {
	d, err := spec.Load("p.yaml", []byte(head+`
      - clean:
          "*": {empty_to_null: true}
          title: {null_if: No Title}
          followers: {parse: magnitude}
          created: {parse: {timestamp: [iso, "yyyy:MM:dd HH:mm:ss"]}}
      - derive: {popular: followers > 1000 AND title IS NOT NULL}
      - filter: popular
      - select: {ind: index, title:, followers:}
      - dedupe: {by: ind, within: 7d}
`), kinds(), spec.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range d.Streams[0].Steps {
		got = append(got, s.Name+": "+s.Schema.String())
	}
	want := []string{
		"clean: index: long!, title: string, followers: long, created: timestamp",
		"derive: index: long!, title: string, followers: long, created: timestamp, popular: bool",
		"filter: index: long!, title: string, followers: long, created: timestamp, popular: bool",
		"select: ind: long!, title: string, followers: long",
		"dedupe: ind: long!, title: string, followers: long",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestFaultsHavePlaces: what is wrong is found where it stands, all at once.
func TestFaultsHavePlaces(t *testing.T) {
	for _, c := range []struct{ step, want string }{
		{`clean: {titel: {trim: true}}`, `p.yaml:14:17: no column "titel" (did you mean title?)`},
		{`clean: {title: {parse: lnog}}`, `p.yaml:14:32: can't parse as "lnog": expected int, long, double, bool, magnitude, timestamp, date (did you mean long?)`},
		{`clean: {title: {trm: true}}`, `p.yaml:14:25: unknown key "trm": expected null_if, empty_to_null, trim, strip_prefix, strip_suffix, replace, replace_regexp, map, lower, upper, parse or on_error (did you mean trim?)`},
		{`clean: {title: [{trim: true}, {replace_regexp: {"a(": b}}]}`, "p.yaml:14:57: not a regular expression: error parsing regexp: missing closing ): `a(`"},
		{`derive: {x: title || titel}`, `p.yaml:14:30: no column "titel" (did you mean title?)`},
		{`filter: index > 1 AND titel`, `p.yaml:14:31: no column "titel" (did you mean title?)`},
		{`select: {a: index, titel: }`, `p.yaml:14:28: no column "titel" (did you mean title?)`},
		{`select: [index, titel]`, `p.yaml:14:25: no column "titel" (did you mean title?)`},
		{`dedupe: {by: [index, indx], within: 0s}`, "p.yaml:14:30: no column \"indx\" (did you mean index?)\np.yaml:14:45: expected a span of at least 1ms, found 0s"},
	} {
		_, err := spec.Load("p.yaml", []byte(head+"      - "+c.step+"\n"), kinds(), spec.Options{})
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\ngot      %v\nexpected %s", c.step, err, c.want)
		}
	}
}
