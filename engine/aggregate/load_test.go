package aggregate

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/millrace-io/millrace/engine/column"
)

// FuzzLoad: what Load is given may be any bytes. It never panics, and takes no more memory than a multiple of them; what it
// takes for good gives results.
func FuzzLoad(f *testing.F) {
	calls := loaded(f)
	g := rand.New(rand.NewPCG(6, 6))
	for i, agg := range calls {
		s := agg.NewState()
		s.Grow(1)
		for _, b := range randomRows(g, 10) {
			in, rows, _ := agg.Eval(b)
			var all []int32
			for row := range rows.All(b.Rows) {
				all = append(all, int32(row))
			}
			s.Add(in, all, make([]uint32, len(all)))
		}
		f.Add(byte(i), s.Append(nil, 0, false))
	}
	f.Fuzz(func(t *testing.T, which byte, b []byte) {
		agg := calls[int(which)%len(calls)]
		s := agg.NewState()
		s.Grow(2)
		empty := s.Bytes()
		_, err := s.Load(b, 0)
		if most := int64(100*len(b)) + 1<<16; s.Bytes()-empty > most {
			t.Fatalf("%d bytes take %d", len(b), s.Bytes()-empty)
		}
		if err != nil {
			return
		}
		s.Merge(s, []uint32{0}, []uint32{1})
		s.Result(column.New(agg.Type), []uint32{0, 1}, func(int, string) {})
		again := s.Append(nil, 0, false)
		if _, err := s.Load(again, 1); err != nil && len(again) > 0 {
			s.Clear(1)
			if rest, err := s.Load(again, 1); err != nil || len(rest) > 0 {
				t.Fatalf("what Append wrote is no state: %v", err)
			}
		}
	})
}

// loaded is an aggregate of each kind of state.
func loaded(t testing.TB) []*Aggregate {
	var all []*Aggregate
	for _, text := range []string{"count()", "count(distinct name)", "sum(n)", "sum(vast)", "sum(d)", "var_samp(d)", "min(d)", "max(name)",
		"first(pair)", "last(list)", "arg_max(name, vast)", "array_agg(list, 5)", "array_agg(distinct day, 5)", "bool_or(yes)", "median(d)",
		"quantile_disc(vast, 0.5)", "quantile_disc(name, 0.5)", "approx_count_distinct(name)", "approx_quantile(d, 0.5)", "sum(distinct d)"} {
		call, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		agg, err := call.Bind(randomSchema())
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, agg)
	}
	return all
}

// TestDamagedStates: a state that was cut short is an error.
func TestDamagedStates(t *testing.T) {
	g := rand.New(rand.NewPCG(7, 7))
	for i, agg := range loaded(t) {
		s := agg.NewState()
		s.Grow(2)
		for _, b := range randomRows(g, 30) {
			in, rows, _ := agg.Eval(b)
			var all []int32
			for row := range rows.All(b.Rows) {
				all = append(all, int32(row))
			}
			s.Add(in, all, make([]uint32, len(all)))
		}
		b := s.Append(nil, 0, false)
		for n := range b {
			s.Clear(1)
			if _, err := s.Load(b[:n], 1); err == nil {
				t.Errorf("aggregate %d: %d of %d bytes are a state", i, n, len(b))
			}
		}
		s.Clear(1)
		if rest, err := s.Load(append(bytes.Clone(b), 1, 2), 1); err != nil || !bytes.Equal(rest, []byte{1, 2}) {
			t.Errorf("aggregate %d: rest %v, %v", i, rest, err)
		}
	}
}
