package filter_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine/enginetest/optest"
	"github.com/millrace-io/millrace/operators/filter"
)

func Example() {
	config := optest.Decode(&filter.Config{}, `followers / downloaded >= 100 AND category <> 'art'`)
	optest.Print(config, "followers: long, downloaded: int, category: string",
		`{"followers": 500, "downloaded": 1, "category": "travel"}`,
		`{"followers": 500, "downloaded": 1, "category": "art"}`,
		`{"followers": 500, "downloaded": 1}`,
		`{"followers": 500, "downloaded": 0, "category": "travel"}`)
	// Output:
	// columns followers: long, downloaded: int, category: string
	// quarantine eval: /: division of 500 by zero {"followers":500,"downloaded":0,"category":"travel"}
	// drop filtered 2
	// row {"followers":500,"downloaded":1,"category":"travel"}
}

func TestConforms(t *testing.T) {
	var rows []string
	for i := range 60 {
		rows = append(rows, fmt.Sprintf(`{"a": %d, "b": %d}`, i, i%4), fmt.Sprintf(`{"a": %d}`, i))
	}
	optest.Conform(t, filter.Config{Where: "a / b > 5"}, "a: long, b: long", rows...)
	optest.Conform(t, filter.Config{Where: "true"}, "a: long, b: long", rows...)
	optest.Conform(t, filter.Config{Where: "a IS NULL"}, "a: long, b: long", rows...)
}

// TestRowsWithoutAValue: a row for which a part of the condition has no value goes to quarantine and nowhere else,
// also where the whole would be true.
func TestRowsWithoutAValue(t *testing.T) {
	batch := optest.Batch(optest.Schema("a: long, b: long"), `{"a": 6, "b": 1}`, `{"a": 1, "b": 0}`, `{"a": 5, "b": 1}`, `{"a": 1}`)
	got := optest.Run(filter.Config{Where: "coalesce(a / b, 9.0) > 5"}, batch)
	want := []string{
		`quarantine eval: /: division of 1 by zero {"a":1,"b":0}`,
		"drop filtered 1",
		`row {"a":6,"b":1}`,
		`row {"a":1,"b":null}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFaults(t *testing.T) {
	for where, want := range map[string][]string{
		"a + 1":           {"expected a condition, found an expression of type long"},
		"a > 1 AND titel": {`+10: no column "titel" (did you mean title?)`},
	} {
		_, _, err := filter.Config{Where: where}.Bind(optest.Schema("a: long, title: bool"))
		if diff := cmp.Diff(want, optest.FaultsOf(err)); diff != "" {
			t.Errorf("%s: %s", where, diff)
		}
	}
}

func BenchmarkFilter(b *testing.B) {
	optest.Benchmark(b, filter.Config{Where: "n % 2 = 0 AND category <> 'art'"}, "n: long, category: string", func(i int) string {
		return fmt.Sprintf(`{"n": %d, "category": "travel"}`, i)
	})
}
