package optest

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// Conform runs the rows through config in one batch, and then again cut into batches at random, with rows
// among them that are not selected, and with memory that was used before. It fails t unless the same rows
// come of it each time.
func Conform(t testing.TB, config engine.Config, schema string, rows ...string) {
	t.Helper()
	in := Schema(schema)
	whole := Batch(in, rows...)
	want := kept(Run(config, whole))
	for seed := range uint64(30) {
		c := cutter{rnd: rand.New(rand.NewPCG(seed, 1)), rows: rows, whole: whole}
		if diff := cmp.Diff(want, kept(c.run(config))); diff != "" {
			t.Fatalf("seed %d: what comes of the rows depends on how they are cut (-one batch +many):\n%s", seed, diff)
		}
	}
}

// A cutter cuts rows into batches at random.
type cutter struct {
	rnd   *rand.Rand
	rows  []string
	whole *engine.Batch // all rows
	pool  column.Pool
}

func (c *cutter) run(config engine.Config) []string {
	op, out, err := config.Bind(c.whole.Schema)
	if err != nil {
		panic(err)
	}
	var sink Sink
	for next := 0; next < len(c.rows); {
		end := next + c.rnd.IntN(len(c.rows)-next+1)
		b := c.scattered(next, end)
		Apply(op, b, out, &sink)
		b.Arena.Release()
		next = end
	}
	return sink.Lines
}

// scattered makes a batch of rows from first to end with others, which are not selected, among them.
func (c *cutter) scattered(first, end int) *engine.Batch {
	arena := c.pool.Get()
	sel := arena.Selection(end - first)
	var texts []string
	for _, row := range c.rows[first:end] {
		for c.rnd.IntN(3) == 0 {
			texts = append(texts, c.rows[c.rnd.IntN(len(c.rows))])
		}
		sel = append(sel, int32(len(texts)))
		texts = append(texts, row)
	}
	b := BatchIn(arena, c.whole.Schema, texts...)
	for i, row := range sel {
		b.At[row], b.Mark[row], b.Offset[row], b.Recorded[row] = c.whole.At[first+i], c.whole.Mark[first+i], c.whole.Offset[first+i], c.whole.Recorded[first+i]
	}
	b.Sel, b.Upto, b.Barrier = sel, engine.MinTime, engine.Epoch(c.rnd.Int64N(3))
	if end > 0 {
		b.Upto = c.whole.Mark[end-1]
	}
	return b
}

// kept leaves out drops: how many rows one counts depends on the batch. Rows and quarantine are two
// streams, each with its order.
func kept(lines []string) (byStream [2][]string) {
	for _, l := range lines {
		switch l[0] {
		case 'r':
			byStream[0] = append(byStream[0], l)
		case 'q':
			byStream[1] = append(byStream[1], l)
		}
	}
	return byStream
}
