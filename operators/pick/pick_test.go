package pick_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine/enginetest/optest"
	"github.com/millrace-io/millrace/operators/pick"
)

func Example() {
	config := optest.Decode(&pick.Config{}, `{ind: index, title:, unique_id:}`)
	optest.Print(config, "index: long!, unique_id: string, title: string, downloaded: int",
		`{"index": 7, "unique_id": "a", "title": "Lash", "downloaded": 1}`,
		`{"index": 8, "unique_id": "b"}`)
	// Output:
	// columns ind: long!, title: string, unique_id: string
	// row {"ind":7,"title":"Lash","unique_id":"a"}
	// row {"ind":8,"title":null,"unique_id":"b"}
}

func Example_list() {
	config := optest.Decode(&pick.Config{}, `[title, index]`)
	optest.Print(config, "index: long!, title: string", `{"index": 7, "title": "Lash"}`)
	// Output:
	// columns title: string, index: long!
	// row {"title":"Lash","index":7}
}

func TestConforms(t *testing.T) {
	optest.Conform(t, pick.Config{Columns: []pick.Column{{Name: "b", From: "a"}, {Name: "a"}}}, "a: long, c: string",
		`{"a": 1}`, `{"a": 2, "c": "x"}`, `{}`)
}

func TestFaults(t *testing.T) {
	in := optest.Schema("index: long!, title: string")
	for name, c := range map[string]struct {
		yaml string
		want []string
	}{
		"unknown":       {`{ind: indx, titel:}`, []string{`ind: no column "indx" (did you mean index?)`, `titel: no column "titel" (did you mean title?)`}},
		"twice":         {`[title, title]`, []string{`1: column "title" is here twice`}},
		"unknown, list": {`[title, indx]`, []string{`1: no column "indx" (did you mean index?)`}},
		"none":          {`[]`, []string{`no column is selected`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := optest.Decode(&pick.Config{}, c.yaml).Bind(in)
			if diff := cmp.Diff(c.want, optest.FaultsOf(err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRejectsText(t *testing.T) {
	defer func() {
		if p := recover(); p == nil {
			t.Error("a text was taken for columns")
		}
	}()
	optest.Decode(&pick.Config{}, `title`)
}

func BenchmarkSelect(b *testing.B) {
	optest.Benchmark(b, pick.Config{Columns: []pick.Column{{Name: "ind", From: "index"}, {Name: "title"}}},
		"index: long!, title: string", func(i int) string { return `{"index": 7, "title": "Lash"}` })
}
