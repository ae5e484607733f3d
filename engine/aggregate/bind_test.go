package aggregate

import (
	"slices"
	"testing"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// TestBindErrors: all that is wrong with a call is told at once, with its place in the text.
func TestBindErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"cuont(n)", `at 0: no aggregate "cuont" (did you mean count?)`},
		{"stdev(n)", `at 0: no aggregate "stdev" (did you mean stddev?)`},
		{"sum(nn)", `at 4: no column "nn" (did you mean n?)`},
		{"sum(name) filter (where n)", "at 4: sum: expected a number, found string; at 24: filter: expected bool, found int"},
		{"sum()", "at 0: sum: found 0 arguments, expected sum(x number) number"},
		{"count(n, tiny)", "at 0: count: found 2 arguments, expected count() long or count(x value) long"},
		{"count(distinct)", "at 6: count: DISTINCT needs an argument"},
		{"min(list)", "at 4: min: expected a value that has an order, found array<double>"},
		{"median(name)", "at 7: median: expected a number (quantile_disc takes all that has an order), found string"},
		{"quantile(n, 1.5)", "at 12: quantile: expected a number from 0 to 1, found 1.5"},
		{"quantile(n, f)", "at 12: quantile: expected a constant, found f"},
		{"quantile(n, '0.5')", "at 12: quantile: expected double, found string"},
		{"quantile(n, NULL)", "at 12: quantile: expected a constant, found NULL"},
		{"array_agg(n)", "at 0: array_agg: found 1 argument, expected array_agg(x value, n long) array"},
		{"array_agg(n, 0)", "at 13: array_agg: expected a whole number from 1 to 10000, found 0"},
		{"array_agg(n, 10001)", "at 13: array_agg: expected a whole number from 1 to 10000, found 10001"},
		{"arg_max(name, pair)", "at 14: arg_max: expected a value that has an order, found struct<a: long, b: string>"},
		{"arg_max(nam, pari)", `at 8: no column "nam" (did you mean name?); at 13: no column "pari" (did you mean pair?)`},
		{"first(distinct n)", "at 6: first: it has no DISTINCT"},
		{"bool_and(n)", "at 9: bool_and: expected bool, found int"},
		{"stddev(yes)", "at 7: stddev: expected double, found bool"},
		{"count(NULL)", "at 6: NULL has no type here: write CAST(NULL AS type)"},
		{"sum(n) filter (where wide > name)", "at 28: >: expected long as before, found string"},
	} {
		call, err := Parse(c.text)
		if err == nil {
			_, err = call.Bind(randomSchema())
		}
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\n%v, expected\n%s", c.text, err, c.want)
		}
	}
}

// TestTypes: of what type results are.
func TestTypes(t *testing.T) {
	for text, want := range map[string]string{
		"count()": "long!", "count(distinct name)": "long!", "approx_count_distinct(n)": "long!", "sum(tiny)": "long", "sum(f)": "double",
		"sum(price)": "decimal(38,2)", "avg(price)": "double", "min(small)": "short", "max(day)": "date", "first(need)": "long", "last(list)": "array<double>",
		"arg_max(pair, n)": "struct<a: long, b: string>", "array_agg(name, 3)": "array<string>", "median(n)": "double", "quantile_disc(at, 0.5)": "timestamp",
		"bool_or(yes)": "bool", "var_pop(price)": "double", "approx_quantile(f, 0.1)": "double", "sum(distinct n)": "long",
	} {
		call, _ := Parse(text)
		agg, err := call.Bind(randomSchema())
		if err != nil {
			t.Fatal(err)
		}
		if got := (column.Field{Name: "x", Type: agg.Type, Required: agg.Required}).String(); got != "x: "+want {
			t.Errorf("%s: %s, expected %s", text, got, want)
		}
	}
}

// TestEval: rows pass the filter and have a value; those that have none are told once, whether it is the filter's or an
// argument's.
func TestEval(t *testing.T) {
	schema := column.Schema{{Name: "x", Type: column.Of(column.Int)}}
	x := column.New(schema[0].Type).(*column.Ints)
	for _, v := range []int32{0, 1, 2, 3, 4, 5} {
		x.Append(v)
	}
	b := batch(schema, []column.Column{x}).Select(column.Selection{0, 1, 2, 3, 5})
	for _, c := range []struct {
		text string
		rows column.Selection
		bad  []int
	}{
		{"count()", column.Selection{0, 1, 2, 3, 5}, nil},
		{"count() filter (where x < 4)", column.Selection{0, 1, 2, 3}, nil},
		{"sum(6 // x)", column.Selection{1, 2, 3, 5}, []int{0}},
		{"sum(6 // (x - 2)) filter (where x <> 3)", column.Selection{0, 1, 5}, []int{2}},
		{"arg_max(6 // (x - 3), 6 // (x - 1)) filter (where 6 // (x - 5) < 0)", column.Selection{0, 2}, []int{1, 3, 5}},
		{"arg_max(6 // (x - 3), 6 // (x - 3)) filter (where 6 // (x - 5) < 0)", column.Selection{0, 1, 2}, []int{3, 5}},
	} {
		call, err := Parse(c.text)
		if err != nil {
			t.Fatal(err)
		}
		agg, err := call.Bind(schema)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // scratch memory is used again
			_, rows, bad := agg.Eval(b)
			var badRows []int
			for _, e := range bad {
				badRows = append(badRows, e.Row)
			}
			if !slices.Equal(rows, c.rows) || !slices.Equal(badRows, c.bad) {
				t.Errorf("%s: rows %v, bad %v; expected %v, %v", c.text, rows, bad, c.rows, c.bad)
			}
		}
	}
}

// TestFailures: a result that is no value is null, and its group is named.
func TestFailures(t *testing.T) {
	schema := column.Schema{{Name: "x", Type: column.Of(column.Long)}, {Name: "d", Type: column.DecimalOf(38, 1)}}
	x, d := column.New(schema[0].Type).(*column.Longs), column.New(schema[1].Type).(*column.Decimals)
	most, err := column.ParseDecimal([]byte("99999999999999999999999999999999999999"), 38, 0)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		x.Append(1<<63 - 1)
		d.Append(most)
	}
	b := batch(schema, []column.Column{x, d})
	for text, want := range map[string]string{
		"sum(x)": "sum: 18446744073709551614 does not fit long",
		"sum(d)": "sum: 19999999999999999999999999999999999999.8 does not fit decimal(38,1)",
	} {
		call, _ := Parse(text)
		agg, err := call.Bind(schema)
		if err != nil {
			t.Fatal(err)
		}
		state, out := agg.NewState(), column.New(agg.Type)
		state.Grow(2)
		in, _, _ := agg.Eval(b)
		state.Add(in, []int32{0, 1, 2}, []uint32{0, 1, 1})
		var problems []string
		state.Result(out, []uint32{0, 1, 0}, func(i int, detail string) {
			if i != 1 {
				t.Errorf("%s: failed at %d", text, i)
			}
			problems = append(problems, detail)
		})
		if !slices.Equal(problems, []string{want}) || out.Nulls().Nulls() != 1 || !out.Nulls().Null(1) {
			t.Errorf("%s: %s, expected %s", text, problems, want)
		}
	}
}

// TestNoAllocations: once groups exist and have what they keep, rows allocate nothing; but for approx_quantile, whose
// library makes room now and then.
func TestNoAllocations(t *testing.T) {
	b, groups := fewValues(1000)
	for _, text := range []string{"count()", "count(x)", "sum(x)", "sum(d)", "avg(d)", "stddev(d)", "min(x)", "max(name)", "count(distinct name)", "sum(distinct x)",
		"first(name)", "last(x)", "arg_max(name, x)", "array_agg(name, 5)", "array_agg(distinct name, 5)", "bool_and(x > 0)", "approx_count_distinct(x)"} {
		call, _ := Parse(text)
		agg, err := call.Bind(b.Schema)
		if err != nil {
			t.Fatal(err)
		}
		in, rows, _ := agg.Eval(b)
		var all []int32
		for row := range rows.All(b.Rows) {
			all = append(all, int32(row))
		}
		state := agg.NewState()
		state.Grow(16)
		for range 20 {
			state.Add(in, all, groups)
		}
		if n := testing.AllocsPerRun(10, func() { state.Add(in, all, groups) }); n > 0 {
			t.Errorf("%s: %v allocations of %d rows", text, n, len(all))
		}
	}
}

// fewValues is n rows of few different values, in 16 groups.
func fewValues(n int) (b *engine.Batch, groups []uint32) {
	schema := column.Schema{{Name: "x", Type: column.Of(column.Long)}, {Name: "d", Type: column.Of(column.Double)}, {Name: "name", Type: column.Of(column.String)}}
	x, d, name := column.New(schema[0].Type).(*column.Longs), column.New(schema[1].Type).(*column.Doubles), column.New(schema[2].Type).(*column.Texts)
	for i := range n {
		x.Append(int64(i%50) - 10)
		d.Append(float64(i%77) / 3)
		name.AppendString([]string{"art", "travel", "diy", "food"}[i%4])
		groups = append(groups, uint32(i*7)%16)
	}
	return batch(schema, []column.Column{x, d, name}), groups
}
