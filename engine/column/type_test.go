package column_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine/column"
)

func TestParseTypeReadsWhatStringWrites(t *testing.T) {
	for _, typ := range types() {
		got, err := column.ParseType(typ.String())
		if err != nil || got != typ {
			t.Errorf("%v: got %v, %v", typ, got, err)
		}
	}
	for written, typ := range map[string]string{
		" long ":                         "long",
		"decimal( 10 ,2 )":               "decimal(10,2)",
		"decimal(7)":                     "decimal(7,0)",
		"array < array<long> >":          "array<array<long>>",
		"map<string,long>":               "map<string, long>",
		"struct<a:long!,b:string>":       "struct<a: long!, b: string>",
		"struct< a : map<date,short>\n>": "struct<a: map<date, short>>",
	} {
		if got, err := column.ParseType(written); err != nil || got.String() != typ {
			t.Errorf("%q: got %v, %v", written, got, err)
		}
	}
}

// TestTypesThatAreNone: the error says where in the type what is wrong.
func TestTypesThatAreNone(t *testing.T) {
	for s, want := range map[string]string{
		"":                      `no type ""`,
		"invalid":               `no type "invalid"`,
		"text":                  `no type "text"`,
		"Long":                  `no type "Long": did you mean "long"?`,
		"long!":                 `type "long!": a type ends before "!"`,
		"long long":             `type "long long": a type ends before "long"`,
		"array":                 `type "array": array needs its types: array<string>`,
		"array<>":               `type "array<>": no type ""`,
		"array<long":            `type "array<long": a '>' is missing at the end`,
		"array<long,":           `type "array<long,": "," stands where a '>' was expected`,
		"map<long>":             `type "map<long>": ">" stands where a ',' was expected`,
		"map":                   `type "map": map needs its types: map<string, long>`,
		"struct<>":              `type "struct<>": a struct needs fields, as in struct<a: long, b: string!>`,
		"struct<a>":             `type "struct<a>": field a: ">" stands where a ':' was expected`,
		"struct<a: strin>":      `type "struct<a: strin>": field a: no type "strin": did you mean "string"?`,
		"struct<a: int, a:int>": `type "struct<a: int, a:int>": a struct has two fields "a"`,
		"decimal":               `decimal needs its digits and how many of them are behind the point: decimal(10,2)`,
		"decimal(39,0)":         `decimal(39,0): a decimal has 1 to 38 digits, and at most as many behind the point`,
		"decimal(2,3)":          `decimal(2,3): a decimal has 1 to 38 digits, and at most as many behind the point`,
		strings.Repeat("array<", 40) + "long" + strings.Repeat(">", 40): "types nest at most 32 deep",
	} {
		if got, err := column.ParseType(s); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%q: got %v, %v", s, got, err)
		}
	}
}

// TestTypesAreComparable: types made apart are one where they mean the same, and only there.
func TestTypesAreComparable(t *testing.T) {
	for i, a := range types() {
		for j, b := range types() {
			if (a == b) != (i == j) {
				t.Errorf("%v == %v is %v", a, b, a == b)
			}
		}
	}
	optional, required := column.Field{Name: "a", Type: column.Of(column.Int)}, column.Field{Name: "a", Type: column.Of(column.Int), Required: true}
	if column.StructOf(optional) == column.StructOf(required) {
		t.Error("a required field makes no difference")
	}
}

func TestNewRefusesNoType(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a column of the zero Type")
		}
	}()
	column.New(column.Type{})
}

func TestSchema(t *testing.T) {
	s := column.Schema{
		{Name: "index", Type: column.Of(column.Long), Required: true},
		{Name: "tags", Type: column.ArrayOf(column.String)},
	}
	if got, want := s.String(), "index: long!, tags: array<string>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if s.Index("tags") != 1 || s.Index("Tags") != -1 {
		t.Errorf("tags at %d, Tags at %d", s.Index("tags"), s.Index("Tags"))
	}
	if diff := cmp.Diff([]string{"index", "tags"}, s.Names()); diff != "" {
		t.Error(diff)
	}
	other := column.Schema{s[1], s[0]}
	if !s.Equal(s) || s.Equal(other) || s.Equal(s[:1]) {
		t.Error("Equal is wrong")
	}
}

func TestSelection(t *testing.T) {
	for _, c := range []struct {
		sel  column.Selection
		want []int
	}{
		{nil, []int{0, 1, 2, 3}},
		{column.Selection{}, nil},
		{column.Selection{1, 3}, []int{1, 3}},
	} {
		var got []int
		for row := range c.sel.All(4) {
			got = append(got, row)
		}
		if diff := cmp.Diff(c.want, got); diff != "" || c.sel.Count(4) != len(c.want) {
			t.Errorf("%v: %d rows: %s", c.sel, c.sel.Count(4), diff)
		}
		for range c.sel.All(4) {
			break // leaving early is allowed
		}
	}
}
