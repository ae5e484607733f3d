package column_test

import (
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
	for _, s := range []string{"", "invalid", "array", "array<>", "array<array>", "array<array<long>>", "array<long", "Long", "long!", "text"} {
		if got, err := column.ParseType(s); err == nil {
			t.Errorf("%q: got %v", s, got)
		}
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
