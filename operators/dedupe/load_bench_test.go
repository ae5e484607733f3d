package dedupe

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// BenchmarkLoad reads the state of a hundred thousand kept rows a slot, as a start does for 256 of them.
func BenchmarkLoad(b *testing.B) {
	const slot, entries = 7, 100_000
	config := Config{By: []string{"id"}, Within: time.Hour}
	op, _, err := config.Bind(engine.Schema{{Name: "id", Type: column.Of(column.String)}})
	if err != nil {
		b.Fatal(err)
	}
	d := op.(*dedupe)
	rnd := rand.New(rand.NewPCG(1, 2))
	t := &d.slots[slot]
	for range entries {
		if t.full() {
			d.scratch = t.grow(d.scratch)
		}
		t.add(entry{rnd.Uint64() | taken, rest{rnd.Uint64(), engine.Time(rnd.Int64N(1e12))}})
	}
	var saved bytes.Buffer
	t.fresh = []uint32{0}
	if whole, err := d.Save(slot, &saved); err != nil || !whole {
		b.Fatal(whole, err)
	}
	b.SetBytes(int64(saved.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Load(slot, bytes.NewReader(saved.Bytes())); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/entries, "ns/entry")
}
