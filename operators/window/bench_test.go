package window

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
)

// BenchmarkWindow is count and sum by a key, any of so many in each row. Keys are hashed before, as an exchange does. Of a
// thousand keys there is a row a second of event time each, of a million 4 a minute: results are made once a minute.
func BenchmarkWindow(b *testing.B) {
	for _, kind := range []string{"tumble: 1m", "hop: {size: 60m, every: 1m}", "session: {gap: 1m}"} {
		for _, by := range []string{"i", "s"} {
			for _, size := range []struct{ keys, perMinute int }{{1_000, 60}, {1_000, 10}, {1_000_000, 4}} {
				keys, perMinute := size.keys, size.perMinute
				b.Run(fmt.Sprintf("%s/by=%s/keys=%d/rows=%d", kind, by, keys, perMinute), func(b *testing.B) {
					config := optest.Decode(New(), fmt.Sprintf("{%s, by: %s, aggregates: {n: count(), v: sum(v)}}", kind, by))
					g := newGenerator(by, keys, keys*perMinute)
					op, _, err := config.Bind(g.batch.Schema)
					if err != nil {
						b.Fatal(err)
					}
					minutes := 3 // memory is used again from the third window on
					if strings.HasPrefix(kind, "hop") {
						minutes = 62 // and as many panes are held as ever
					}
					for range minutes * keys * perMinute / 1000 {
						if err := op.Apply(b.Context(), g.next(), optest.Discard{}); err != nil {
							b.Fatal(err)
						}
					}
					optest.BenchmarkBatch(b, op, g.next)
				})
			}
		}
	}
}

// A generator makes batches of 1,000 rows.
type generator struct {
	batch *engine.Batch
	all   []*engine.Batch
	turn  int
	row   int64
	step  float64 // event time of a row, µs
}

// newGenerator makes a minute of event time out of perMinute rows.
func newGenerator(by string, keys, perMinute int) *generator {
	const rows = 1000
	g := &generator{step: 60e6 / float64(perMinute)}
	rnd := rand.New(rand.NewPCG(1, 2))
	hasher := column.NewHasher(1)
	schema := optest.Schema("i: long!, s: string!, v: int")
	for range min(2000, max(20, 2*keys/rows)) {
		arena := column.NewArena()
		i, s, v := arena.Column(schema[0].Type).(*column.Longs), arena.Column(schema[1].Type).(*column.Texts), arena.Column(schema[2].Type).(*column.Ints)
		for range rows {
			key := rnd.Int64N(int64(keys))
			i.Append(key)
			s.AppendString(fmt.Sprintf("the key %d", key))
			v.Append(rnd.Int32N(1000))
		}
		b := &engine.Batch{Schema: schema, Columns: []column.Column{i, s, v}, Rows: rows, Arena: arena}
		b.At, b.Mark, b.Offset, b.Keys = make([]engine.Time, rows), make([]engine.Time, rows), make([]engine.Offset, rows), make([]column.Key, rows)
		hasher.Keys(b.Keys, b.Columns[schema.Index(by):schema.Index(by)+1], nil, rows)
		g.all = append(g.all, b)
	}
	g.batch = g.all[0]
	return g
}

func (g *generator) next() *engine.Batch {
	b := g.all[g.turn]
	if g.turn++; g.turn == len(g.all) {
		g.turn = 0
	}
	for i := range b.At {
		b.At[i] = engine.Time(float64(g.row) * g.step)
		g.row++
	}
	b.Upto = b.At[0]
	return b
}
