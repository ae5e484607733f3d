package dedupe_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
	"github.com/millrace-io/millrace/operators/dedupe"
)

// BenchmarkDedupe is one row in ten a duplicate of one of the last 50,000, with the keys of the last
// million rows, or thousand, held.
func BenchmarkDedupe(b *testing.B) {
	for _, held := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprint("held=", held), func(b *testing.B) {
			g := newGenerator("id: string", `{}`)
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

// BenchmarkEventTime is the same in order of event time, with rows of 100 bytes: so many rows wait, in the order of their
// times or in none. Now and then what has changed is saved.
func BenchmarkEventTime(b *testing.B) {
	for _, wait := range []int{1_000, 1_000_000} {
		for _, spread := range []int{1, wait} {
			b.Run(fmt.Sprintf("wait=%d/spread=%d", wait, spread), func(b *testing.B) {
				g := newGenerator("id: string, n: long, title: string, at: timestamp",
					`{"id": "a text of 20 bytes..", "n": 1, "title": "a text of 60 bytes, as long as the title of a pin may well be.", "at": "2024-05-01T10:00:00Z"}`)
				g.wait, g.spread = wait, spread
				op, _, err := dedupe.Config{By: []string{"id"}, Within: time.Second, Order: "event_time"}.Bind(g.batch.Schema)
				if err != nil {
					b.Fatal(err)
				}
				for range 2*wait/g.batch.Rows + 10 {
					if err := op.Apply(b.Context(), g.next(), optest.Discard{}); err != nil {
						b.Fatal(err)
					}
				}
				optest.BenchmarkBatch(b, op, g.next)
				b.ReportMetric(float64(op.(engine.Sized).StateBytes())/float64(wait), "B/waiting")
			})
		}
	}
}

// BenchmarkEventTimeSave is what a checkpoint costs when 100,000 rows wait, of which a tenth came since the last.
func BenchmarkEventTimeSave(b *testing.B) {
	const wait, each = 100_000, 10
	g := newGenerator("id: string, n: long", `{"id": "a text of 20 bytes..", "n": 1}`)
	g.wait, g.spread = wait, 1
	op, _, err := dedupe.Config{By: []string{"id"}, Within: time.Millisecond, Order: "event_time"}.Bind(g.batch.Schema)
	if err != nil {
		b.Fatal(err)
	}
	apply := func(batches int) {
		for range batches {
			if err := op.Apply(b.Context(), g.next(), optest.Discard{}); err != nil {
				b.Fatal(err)
			}
		}
	}
	apply(2 * wait / g.batch.Rows)
	b.ReportAllocs()
	var written counted
	for b.Loop() {
		b.StopTimer()
		apply(each)
		b.StartTimer()
		for slot := range column.Slots {
			if _, err := op.(engine.Stateful).Save(slot, &written); err != nil {
				b.Fatal(err)
			}
		}
	}
	rows := float64(b.N * each * g.batch.Rows)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/rows, "ns/new-row")
	b.ReportMetric(float64(written)/rows, "B/new-row")
}

type counted int64

func (c *counted) Write(b []byte) (int, error) {
	*c += counted(len(b))
	return len(b), nil
}

// A generator makes batches of 1,000 rows, a microsecond of event time a row.
type generator struct {
	batch  *engine.Batch
	rnd    *rand.Rand
	row    uint64
	wait   int // microseconds that the promise is behind
	spread int // microseconds by which rows are out of order, more or less
}

func newGenerator(schema, row string) *generator {
	const rows = 1000
	texts := make([]string, rows)
	for i := range texts {
		texts[i] = row
	}
	g := &generator{batch: optest.Batch(optest.Schema(schema), texts...), rnd: rand.New(rand.NewPCG(1, 2)), spread: 1}
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
		at := engine.Time(g.row) - engine.Time(g.rnd.IntN(g.spread))
		g.batch.At[i], g.batch.Mark[i] = at, engine.Time(g.row)-1
		g.batch.Upto = engine.Time(g.row) - engine.Time(g.wait)
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
