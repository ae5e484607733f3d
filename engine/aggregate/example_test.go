package aggregate_test

import (
	"fmt"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/aggregate"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/expr"
)

// pins is five rows: a category, who pinned, and how many followers they have.
func pins() *engine.Batch {
	schema := column.Schema{
		{Name: "category", Type: column.Of(column.String)},
		{Name: "user_name", Type: column.Of(column.String)},
		{Name: "followers", Type: column.Of(column.Long)},
	}
	category, user, followers := column.New(schema[0].Type).(*column.Texts), column.New(schema[1].Type).(*column.Texts), column.New(schema[2].Type).(*column.Longs)
	for i, name := range []string{"ada", "ben", "ada", "cleo", "ben"} {
		category.AppendString([]string{"art", "travel"}[i%2])
		user.AppendString(name)
		followers.Append([]int64{100, 20, 100, 3000, 40}[i])
	}
	return &engine.Batch{Schema: schema, Columns: []column.Column{category, user, followers}, Rows: 5,
		At: make([]engine.Time, 5), Offset: []engine.Offset{0, 1, 2, 3, 4}, Arena: column.NewArena()}
}

// compute gives an aggregate's result for the groups that the rows are in.
func compute(text string, b *engine.Batch, groups []uint32) (column.Column, error) {
	call, err := aggregate.Parse(text)
	if err != nil {
		return nil, err
	}
	agg, err := call.Bind(b.Schema)
	if err != nil {
		return nil, err
	}
	state := agg.NewState()
	state.Grow(2)
	in, rows, _ := agg.Eval(b)
	var taken []int32
	var of []uint32
	for row := range rows.All(b.Rows) {
		taken, of = append(taken, int32(row)), append(of, groups[row])
	}
	state.Add(in, taken, of)
	out := column.New(agg.Type)
	state.Result(out, []uint32{0, 1}, func(int, string) {})
	return out, nil
}

// The even rows are of art, the odd ones of travel.
func Example() {
	b := pins()
	for _, text := range []string{"count()", "count(distinct user_name)", "sum(followers) filter (where followers < 1000)", "median(followers)", "arg_max(user_name, followers)", "array_agg(distinct user_name, 10)"} {
		out, err := compute(text, b, []uint32{0, 1, 0, 1, 0})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: art %s, travel %s\n", text, column.AppendJSON(nil, out, 0), column.AppendJSON(nil, out, 1))
	}
	// Output:
	// count(): art 3, travel 2
	// count(distinct user_name): art 2, travel 2
	// sum(followers) filter (where followers < 1000): art 240, travel 20
	// median(followers): art 100, travel 1510
	// arg_max(user_name, followers): art "ada", travel "cleo"
	// array_agg(distinct user_name, 10): art ["ada","ben"], travel ["ben","cleo"]
}

// All that is wrong is told at once, with its place.
func ExampleCall_Bind() {
	call, err := aggregate.Parse("sum(category) filter (where folowers > 10)")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = call.Bind(pins().Schema)
	for _, e := range err.(expr.Errors) {
		fmt.Println(e)
	}
	// Output:
	// at 4: sum: expected a number, found string
	// at 28: no column "folowers" (did you mean followers?)
}

// A sum of doubles is the same in whatever order they come: 0.1 is added to what 1e16 has left.
func Example_order() {
	schema := column.Schema{{Name: "x", Type: column.Of(column.Double)}}
	for _, values := range [][]float64{{0.1, 1e16, -1e16}, {1e16, 0.1, -1e16}} {
		x := column.New(schema[0].Type).(*column.Doubles)
		for _, v := range values {
			x.Append(v)
		}
		b := &engine.Batch{Schema: schema, Columns: []column.Column{x}, Rows: 3, At: make([]engine.Time, 3), Offset: make([]engine.Offset, 3), Arena: column.NewArena()}
		out, err := compute("sum(x)", b, []uint32{0, 0, 0})
		fmt.Println(out.(*column.Doubles).Values[0], values[0]+values[1]+values[2], err)
	}
	// Output:
	// 0.1 0 <nil>
	// 0.1 0 <nil>
}
