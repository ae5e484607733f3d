package aggregate

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// manyRows is a batch of n longs and the texts of them, of up to different values.
func manyRows(g *rand.Rand, n, different int) *engine.Batch {
	schema := column.Schema{{Name: "n", Type: column.Of(column.Long)}, {Name: "name", Type: column.Of(column.String)}}
	numbers, names := column.New(schema[0].Type).(*column.Longs), column.New(schema[1].Type).(*column.Texts)
	for range n {
		v := int64(g.IntN(different))
		numbers.Append(v)
		names.AppendString(strconv.FormatInt(v, 10))
	}
	return batch(schema, []column.Column{numbers, names})
}

// TestManyValues: with so many values that sets have an index and sketches are sketches, order, splits, merges, and where
// states are saved and loaded make no difference.
func TestManyValues(t *testing.T) {
	for _, different := range []int{20, mostExact - 1, mostExact, mostExact + 1, 3000, 1 << 40} {
		for _, text := range []string{"count(distinct name)", "approx_count_distinct(name)", "approx_quantile(n, 0.9)", "sum(distinct n)", "median(n)", "array_agg(distinct name, 100)"} {
			g := rand.New(rand.NewPCG(uint64(different), 3))
			b := manyRows(g, 10_000, different)
			call, _ := Parse(text)
			agg, err := call.Bind(b.Schema)
			if err != nil {
				t.Fatal(err)
			}
			want := shown(valueAt(total(t, agg, b), 0))
			for range 5 {
				out, problems := newTrial(g, agg).run([]*engine.Batch{b}, [][]uint32{make([]uint32, b.Rows)})
				if got := shown(valueAt(out, 0)); got != want || len(problems) > 0 {
					t.Errorf("%s of %d different: gives %s %v, expected %s", text, different, got, problems, want)
				}
			}
		}
	}
}

// TestFewAreExact: up to 1,024 different values are counted exactly.
func TestFewAreExact(t *testing.T) {
	schema := column.Schema{{Name: "n", Type: column.Of(column.Long)}}
	n := column.New(schema[0].Type).(*column.Longs)
	for i := range 3 * mostExact {
		n.Append(int64(i % mostExact))
	}
	call, _ := Parse("approx_count_distinct(n)")
	agg, err := call.Bind(schema)
	if err != nil {
		t.Fatal(err)
	}
	in, _, _ := agg.Eval(batch(schema, []column.Column{n}))
	s := agg.NewState().(*table[rough, *rough])
	s.Grow(1)
	for row := range int32(3 * mostExact) {
		s.Add(in, []int32{row}, []uint32{0})
	}
	if s.cells[0].sketch != nil || s.cells[0].count() != mostExact {
		t.Errorf("%d different values are counted as %d", mostExact, s.cells[0].count())
	}
}

// TestSketchesAreNear: both sketches are as near to the truth as they say.
func TestSketchesAreNear(t *testing.T) {
	g := rand.New(rand.NewPCG(4, 4))
	for _, different := range []int{500, 5_000, 50_000} {
		b := manyRows(g, 3*different, different)
		numbers := slices.Clone(b.Columns[0].(*column.Longs).Values)
		slices.Sort(numbers)
		for _, p := range []float64{0, 0.01, 0.5, 0.99, 1} {
			call, _ := Parse("approx_quantile(n, " + strconv.FormatFloat(p, 'f', -1, 64) + ")")
			agg, err := call.Bind(b.Schema)
			if err != nil {
				t.Fatal(err)
			}
			got, want := valueAt(total(t, agg, b), 0).(float64), float64(numbers[max(0, int(math.Ceil(p*float64(len(numbers))))-1)])
			if math.Abs(got-want) > relativeError*want*1.0001 {
				t.Errorf("approx_quantile at %v of %d: %v, exactly %v", p, different, got, want)
			}
		}
		numbers = slices.Compact(numbers)
		call, _ := Parse("approx_count_distinct(name)")
		agg, err := call.Bind(b.Schema)
		if err != nil {
			t.Fatal(err)
		}
		got := total(t, agg, b).(*column.Longs).Values[0]
		if off := math.Abs(float64(got)/float64(len(numbers)) - 1); off > 0.03 || different < mostExact && off > 0 {
			t.Errorf("approx_count_distinct: %d, exactly %d", got, len(numbers))
		}
	}
}
