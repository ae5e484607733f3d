package aggregate

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// BenchmarkAdd is the cost of a row in the kernels, of 1,000 groups and of a million: batches of 4,096 rows whose groups are
// spread at random, and whose values are of like size.
func BenchmarkAdd(b *testing.B) {
	for _, groups := range []int{1000, 1_000_000} {
		for _, text := range []string{"count()", "sum(n)", "sum(d)", "avg(d)", "min(d)", "stddev(d)", "count(distinct n)"} {
			b.Run(text+"/"+strconv.Itoa(groups), func(b *testing.B) { benchmarkAdd(b, groups, text) })
		}
		b.Run("count and sum of longs/"+strconv.Itoa(groups), func(b *testing.B) { benchmarkAdd(b, groups, "count()", "sum(n)") })
		b.Run("count and sum of doubles/"+strconv.Itoa(groups), func(b *testing.B) { benchmarkAdd(b, groups, "count()", "sum(d)") })
	}
}

func benchmarkAdd(b *testing.B, groups int, texts ...string) {
	const rows, batches = 4096, 64
	schema := column.Schema{{Name: "n", Type: column.Of(column.Long)}, {Name: "d", Type: column.Of(column.Double)}}
	g := rand.New(rand.NewPCG(9, 9))
	var states []State
	var aggs []*Aggregate
	for _, text := range texts {
		call, err := Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		agg, err := call.Bind(schema)
		if err != nil {
			b.Fatal(err)
		}
		s := agg.NewState()
		s.Grow(groups)
		states, aggs = append(states, s), append(aggs, agg)
	}
	var all [batches]*engine.Batch
	var of [batches][]uint32
	var every []int32
	for i := range all {
		n, d := column.New(schema[0].Type).(*column.Longs), column.New(schema[1].Type).(*column.Doubles)
		for range rows {
			n.Append(g.Int64N(1000))
			d.Append(g.Float64() * 1000)
			of[i] = append(of[i], uint32(g.IntN(groups)))
		}
		all[i] = batch(schema, []column.Column{n, d})
	}
	for row := range rows {
		every = append(every, int32(row))
	}
	done := 0
	b.ResetTimer()
	for ; done < b.N; done += rows {
		i := done / rows % batches
		for k, s := range states {
			in, _, _ := aggs[k].Eval(all[i])
			s.Add(in, every, of[i])
		}
	}
	b.ReportMetric(float64(done)/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
