package aggregate

import (
	"testing"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// TestFunctions: the example of every aggregate gives what its documentation says.
func TestFunctions(t *testing.T) {
	schema, cols := Sample()
	for _, f := range functions() {
		if f.Doc == "" || f.Nulls == "" || f.State == "" {
			t.Errorf("%s: not all of it is documented", f.Name)
		}
		call, err := Parse(f.Example)
		if err != nil {
			t.Fatal(err)
		}
		agg, err := call.Bind(schema)
		if err != nil {
			t.Fatalf("%s: %v", f.Example, err)
		}
		if got := string(column.AppendJSON(nil, total(t, agg, batch(schema, cols)), 0)); got != f.Result {
			t.Errorf("%s: gives %s, documented is %s", f.Example, got, f.Result)
		}
	}
}

// batch makes a batch of columns, a minute between rows.
func batch(schema column.Schema, cols []column.Column) *engine.Batch {
	b := &engine.Batch{Schema: schema, Columns: cols, Arena: column.NewArena()}
	if len(cols) > 0 {
		b.Rows = cols[0].Len()
	}
	b.Origin = engine.PartitionID{Source: "pins", Partition: "0"}
	for i := range b.Rows {
		b.At = append(b.At, engine.Time(i)*60e6)
		b.Offset = append(b.Offset, engine.Offset(i))
	}
	return b
}

// total aggregates all rows of a batch in one group.
func total(t *testing.T, agg *Aggregate, b *engine.Batch) column.Column {
	t.Helper()
	in, rows, bad := agg.Eval(b)
	if len(bad) > 0 {
		t.Fatal(bad)
	}
	state := agg.NewState()
	state.Grow(1)
	all := make([]int32, 0, b.Rows)
	for row := range rows.All(b.Rows) {
		all = append(all, int32(row))
	}
	state.Add(in, all, make([]uint32, len(all)))
	out := column.New(agg.Type)
	state.Result(out, []uint32{0}, func(_ int, detail string) { t.Error(detail) })
	if out.Len() != 1 {
		t.Fatalf("%d rows of result", out.Len())
	}
	return out
}
