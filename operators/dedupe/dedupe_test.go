package dedupe_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
	"github.com/millrace-io/millrace/engine/spec"
	"github.com/millrace-io/millrace/operators/dedupe"
)

var _ spec.ArrivalOrdered = dedupe.Config{}

func Example() {
	config := optest.Decode(dedupe.New(), `{by: [id], within: 1h}`)
	optest.Print(config, "id: string, n: int",
		`{"id": "a", "n": 1, "@at": "2024-05-01T10:00:00Z"}`,
		`{"id": "b", "n": 2, "@at": "2024-05-01T10:05:00Z"}`,
		`{"id": "a", "n": 3, "@at": "2024-05-01T10:50:00Z"}`, // the same as 1
		`{"id": "a", "n": 4, "@at": "2024-05-01T11:20:00Z"}`, // not as 1, and 3 was not kept
		`{"id": "a", "n": 5, "@at": "2024-05-01T09:30:00Z"}`) // the same as 1, whichever is older
	// Output:
	// columns id: string, n: int
	// drop duplicate 2
	// row {"id":"a","n":1}
	// row {"id":"b","n":2}
	// row {"id":"a","n":4}
}

// A row that comes later than the watermark by more than the span does not see what was kept before.
func Example_late() {
	config := dedupe.Config{By: []string{"id"}, Within: time.Hour}
	optest.Print(config, "id: string, n: int",
		`{"id": "a", "n": 1, "@at": "2024-05-01T10:00:00Z"}`,
		`{"id": "a", "n": 2, "@at": "2024-05-01T10:00:00Z", "@mark": "2024-05-01T11:00:00Z"}`,
		`{"id": "a", "n": 3, "@at": "2024-05-01T10:00:00Z", "@mark": "2024-05-01T11:00:01Z"}`)
	// Output:
	// columns id: string, n: int
	// drop duplicate 1
	// row {"id":"a","n":1}
	// row {"id":"a","n":3}
}

func TestConforms(t *testing.T) {
	rows := []string{}
	for i := range 200 {
		rows = append(rows, fmt.Sprintf(`{"id": "%d", "k": %d}`, i*i%7, i%2), `{"k": 1}`)
	}
	optest.Conform(t, dedupe.Config{By: []string{"id", "k"}, Within: 30 * time.Second}, "id: string, k: int", rows...)
}

func TestFaults(t *testing.T) {
	in := optest.Schema("id: string, k: int")
	for name, c := range map[string]struct {
		yaml string
		want []string
	}{
		"columns": {`{by: [idd, k, k], within: 0s}`, []string{
			`by.0: no column "idd" (did you mean id?)`, `by.2: column "k" is here twice`, `within: expected a span of at least 1ms, found 0s`,
		}},
		"no column": {`{by: [], within: 1h}`, []string{`by: no column makes up the key`}},
		"one":       {`{by: i, within: 1h}`, []string{`by.0: no column "i" (did you mean id?)`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := optest.Decode(dedupe.New(), c.yaml).Bind(in)
			if diff := cmp.Diff(c.want, optest.FaultsOf(err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// BenchmarkDedupe is one row in ten a duplicate of one of the last 50,000, with the keys of the last
// million rows, or thousand, held.
func BenchmarkDedupe(b *testing.B) {
	for _, held := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprint("held=", held), func(b *testing.B) {
			g := newGenerator()
			op, _, err := dedupe.Config{By: []string{"id"}, Within: time.Duration(held) * time.Microsecond}.Bind(g.batch.Schema)
			if err != nil {
				b.Fatal(err)
			}
			for range 2 * held / g.batch.Rows {
				if err := op.Apply(b.Context(), g.next(), optest.Discard{}); err != nil {
					b.Fatal(err)
				}
			}
			optest.BenchmarkBatch(b, op, g.next)
		})
	}
}

// A generator makes batches of 1,000 rows, a microsecond of event time a row.
type generator struct {
	batch *engine.Batch
	rnd   *rand.Rand
	row   uint64
}

func newGenerator() *generator {
	const rows = 1000
	texts := make([]string, rows)
	for i := range texts {
		texts[i] = `{}`
	}
	g := &generator{batch: optest.Batch(optest.Schema("id: string"), texts...), rnd: rand.New(rand.NewPCG(1, 2))}
	g.batch.Keys = make([]column.Key, rows)
	return g
}

func (g *generator) next() *engine.Batch {
	for i := range g.batch.Rows {
		id := g.row
		if g.rnd.Uint64()%10 == 0 && id > 0 {
			id -= g.rnd.Uint64() % min(id, 50_000)
		}
		g.batch.Keys[i] = column.Key{Hi: mix(id), Lo: mix(^id)}
		g.batch.At[i], g.batch.Mark[i] = engine.Time(g.row), engine.Time(g.row)-1
		g.batch.Upto = engine.Time(g.row)
		g.row++
	}
	return g.batch
}

// mix spreads the bits of x as a hash would (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
