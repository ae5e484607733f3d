package derive_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine/enginetest/optest"
	"github.com/millrace-io/millrace/operators/derive"
)

func Example() {
	config := optest.Decode(&derive.Config{}, `
name: concat_ws(' ', first, last)
greeting: "'Hello ' || name"
age: CAST(age AS long) + 1
share: 100 / age`)
	optest.Print(config, "first: string, last: string!, age: int",
		`{"first": "Ada", "last": "Lovelace", "age": 36}`,
		`{"last": "Bo", "age": null}`,
		`{"first": "Cy", "last": "Twombly", "age": -1}`)
	// Output:
	// columns first: string, last: string!, age: long, name: string!, greeting: string!, share: double
	// quarantine eval share: /: division of 100 by zero {"first":"Cy","last":"Twombly","age":-1}
	// row {"first":"Ada","last":"Lovelace","age":37,"name":"Ada Lovelace","greeting":"Hello Ada Lovelace","share":2.7027027027027026}
	// row {"first":null,"last":"Bo","age":null,"name":"Bo","greeting":"Hello Bo","share":null}
}

func TestConforms(t *testing.T) {
	config := derive.Config{Columns: []derive.Column{{Name: "c", Expr: "a / b"}, {Name: "a", Expr: "10 / (a - 7)"}, {Name: "d", Expr: "5"}}}
	var rows []string
	for i := range 60 {
		rows = append(rows, fmt.Sprintf(`{"a": %d, "b": %d}`, i%9, i%4), fmt.Sprintf(`{"a": %d}`, i))
	}
	optest.Conform(t, config, "a: long, b: long", rows...)
}

func TestFaults(t *testing.T) {
	config := derive.Config{Columns: []derive.Column{{Name: "x", Expr: "a + titel"}, {Name: "y", Expr: "x || title"}, {Name: "z", Expr: "'x' || a > titel"}}}
	_, _, err := config.Bind(optest.Schema("a: long, title: string"))
	want := []string{
		`x+4: no column "titel" (did you mean title?)`, // y reads x: what is wrong with it may come of that
		`z+11: no column "titel" (did you mean title?)`,
	}
	if diff := cmp.Diff(want, optest.FaultsOf(err)); diff != "" {
		t.Error(diff)
	}
}

// TestCutByYAML: {c: coalesce(a, title)} without quotes.
func TestCutByYAML(t *testing.T) {
	config := derive.Config{Columns: []derive.Column{{Name: "c", Expr: "coalesce(a"}, {Name: "title)"}}}
	_, _, err := config.Bind(optest.Schema("a: string, title: string"))
	want := []string{"c+10: the expression ends within parentheses: YAML has cut it at the comma, so put it in quotes"}
	if diff := cmp.Diff(want, optest.FaultsOf(err)); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkDerive(b *testing.B) {
	config := derive.Config{Columns: []derive.Column{{Name: "c", Expr: "n * 2 + 1"}, {Name: "name", Expr: "concat_ws(' ', first, last)"}}}
	optest.Benchmark(b, config, "n: long, first: string, last: string", func(i int) string {
		return fmt.Sprintf(`{"n": %d, "first": "Ada", "last": "Lovelace"}`, i)
	})
}
