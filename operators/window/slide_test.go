package window

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
)

// A twin is two operators of the same windows, of which one slides and the other merges each window from its panes.
type twin struct {
	config *Config
	ops    [2]*operator
	got    [2]record
	chain  [column.Slots][][]byte // what the first has saved
}

func (w *twin) start(t *testing.T) {
	t.Helper()
	for i := range w.ops {
		op, _, err := w.config.Bind(optest.Schema(factSchema))
		if err != nil {
			t.Fatal(err)
		}
		w.ops[i] = op.(*operator)
		if !w.ops[i].unmerges {
			t.Fatal("the aggregates do not unmerge")
		}
		w.ops[i].unmerges = i == 0
	}
}

// again saves what the first holds, and goes on with two that were made anew from it.
func (w *twin) again(t *testing.T) {
	t.Helper()
	for slot := range w.chain {
		var b bytes.Buffer
		whole, err := w.ops[0].Save(slot, &b)
		if err != nil {
			t.Fatal(err)
		}
		if whole {
			w.chain[slot] = nil
		}
		if whole || b.Len() > 0 {
			w.chain[slot] = append(w.chain[slot], b.Bytes())
		}
	}
	w.start(t)
	for slot, sections := range w.chain {
		for _, s := range sections {
			if err := errors.Join(w.ops[0].Load(slot, bytes.NewReader(s)), w.ops[1].Load(slot, bytes.NewReader(s))); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (w *twin) apply(t *testing.T, b *engine.Batch) {
	t.Helper()
	for i, o := range w.ops {
		lent := *b
		w.got[i] = record{}
		if err := o.Apply(context.Background(), &lent, &w.got[i]); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(w.got[1].rows, w.got[0].rows); diff != "" {
		t.Fatalf("the windows that end at or before %v are others where they slide (-merged +slid):\n%s", b.Upto.Std(), diff)
	}
	if diff := cmp.Diff(w.got[1].wrong, w.got[0].wrong); diff != "" {
		t.Fatalf("quarantine is another where windows slide (-merged +slid):\n%s", diff)
	}
}

// TestSlides: a window that slides has what one has that is merged from its panes, whatever keys come and go.
func TestSlides(t *testing.T) {
	const aggregates = `
by: id
aggregates:
  n: count()
  c: count(v) filter (where v > 0)
  s: sum(v)
  a: avg(v)
  d: sum(CAST(v AS decimal(20,1)))
  e: avg(CAST(v AS decimal(20,1)))
`
	for _, yaml := range []string{
		"hop: {size: 20s, every: 1s}", "hop: {size: 5s, every: 3s}", "hop: {size: 4s, every: 3s}", "hop: {size: 300s, every: 2s}",
		"hop: {size: 20s, every: 1s}\nemit: changes\nkeep: 3s",
	} {
		t.Run(yaml, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(2) {
				w := twin{config: optest.Decode(New(), yaml+aggregates)}
				w.start(t)
				rnd := rand.New(rand.NewPCG(seed, 11))
				now, upto := clock, engine.MinTime
				for turn := range 70 {
					switch rnd.IntN(20) {
					case 0:
						now += engine.Time(rnd.IntN(100)) * second
					case 1:
						w.again(t)
					}
					now += engine.Time(rnd.Int64N(int64(2 * second)))
					w.apply(t, slideBatch(rnd, turn, now, &upto))
				}
				w.apply(t, &engine.Batch{Schema: optest.Schema(factSchema), Columns: optest.Batch(optest.Schema(factSchema)).Columns, Upto: engine.MaxTime, Barrier: 1, Arena: column.NewArena()})
			}
		})
	}
}

// slideBatch makes rows of keys that go as others come, none behind upto, which comes nearer. Some have many keys, so that
// panes of few keys get the memory of such ones.
func slideBatch(rnd *rand.Rand, turn int, now engine.Time, upto *engine.Time) *engine.Batch {
	var texts []string
	var at []engine.Time
	rows := rnd.IntN(50)
	if rnd.IntN(40) == 0 {
		rows = 400
	}
	for range rows {
		f := fact{id: fmt.Sprint(10*turn + rnd.IntN(1+rows)), null: rnd.IntN(5) == 0, v: rnd.Int64N(100) - 50, at: now - engine.Time(rnd.Int64N(int64(4*second)))}
		if rnd.IntN(50) == 0 {
			f.v = math.MaxInt64 - f.v
		}
		if f.at >= *upto {
			texts, at = append(texts, f.json()), append(at, f.at)
		}
	}
	b := optest.Batch(optest.Schema(factSchema), texts...)
	copy(b.At, at)
	*upto = max(*upto, now-engine.Time(rnd.Int64N(int64(6*second))))
	b.Upto, b.Barrier = *upto, engine.Epoch(rnd.IntN(2))
	return b
}

// TestSlidesForgets: the sliding window keeps no more groups that no pane has than such that one has.
func TestSlidesForgets(t *testing.T) {
	w := twin{config: optest.Decode(New(), "hop: {size: 4s, every: 1s}\nby: id\naggregates: {n: count()}\n")}
	w.start(t)
	const keys, held = 300, 4
	for sec := range 40 {
		var texts []string
		for i := range keys {
			texts = append(texts, fact{id: fmt.Sprint(sec*keys + i)}.json())
		}
		b := optest.Batch(optest.Schema(factSchema), texts...)
		for i := range b.At {
			b.At[i] = engine.Time(sec) * second
		}
		b.Upto = engine.Time(sec) * second
		w.apply(t, b)
		if n := len(w.ops[0].store.(*panes).slide.keys); n > 3*held*keys {
			t.Fatalf("after %d s the sliding window has %d groups, and its panes %d", sec, n, held*keys)
		}
	}
}
