package recovery

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/checkpoint"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/operators/dedupe"
)

// TestFill: the operator that loads what Fill wrote remembers each of its rows and no other.
func TestFill(t *testing.T) {
	for _, f := range []Fill{{Rows: 30_000, Deltas: 5, Lanes: 3}, {Rows: 1000, Lanes: 1}} {
		checkpoints := checkpoint.New(mem.New())
		begun := &engine.Checkpoint{
			Format: engine.CheckpointFormat, Pipeline: Pipeline, Task: "all", Incarnation: "line", Attempt: "first", Seed: 7,
			Operators: map[string]string{Operator: "print"},
		}
		if err := checkpoints.Write(t.Context(), begun); err != nil {
			t.Fatal(err)
		}
		c, err := f.Write(t.Context(), checkpoints)
		if err != nil {
			t.Fatal(err)
		}
		if newest, err := checkpoints.Newest(t.Context()); err != nil || newest.Epoch != c.Epoch || len(newest.State) != f.Lanes*(f.Deltas+1) {
			t.Errorf("%+v: the newest checkpoint is %+v, %v", f, newest, err)
		}
		k := &kept{}
		apply(t, load(t, checkpoints, c), f.Rows-10, f.Rows+10, k)
		if k.duplicates != 10 || k.rows != 10 {
			t.Errorf("%+v: of ten old and ten new rows %d were old and %d new", f, k.duplicates, k.rows)
		}
		apply(t, load(t, checkpoints, c), 0, f.Rows, k)
		if k.rows != 10 {
			t.Errorf("%+v: %d rows were forgotten", f, k.rows-10)
		}
	}
}

func load(t *testing.T, checkpoints engine.Checkpoints, c *engine.Checkpoint) engine.Operator {
	t.Helper()
	op, _, err := dedupe.Config{By: []string{"id"}, Within: within, Seed: c.Seed}.Bind(schema)
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range c.State {
		o, err := checkpoints.OpenState(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		for n, s := range o.Sections() {
			err := o.Read(t.Context(), []int{n}, func(_ int, r io.Reader) error { return op.(engine.Stateful).Load(s.Slot, r) })
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	return op
}

func apply(t *testing.T, op engine.Operator, from, to int64, k *kept) {
	t.Helper()
	b := &engine.Batch{Schema: schema, Arena: column.NewArena(), Upto: engine.MinTime, Rows: int(to - from)}
	ids := b.Arena.Column(column.Of(column.Long)).(*column.Longs)
	for id := from; id < to; id++ {
		ids.Append(id)
		b.At, b.Mark = append(b.At, engine.TimeOf(time.Now())), append(b.Mark, engine.MinTime)
	}
	b.Columns = []column.Column{ids}
	if err := op.Apply(t.Context(), b, k); err != nil {
		t.Fatal(err)
	}
}

type kept struct {
	nowhere
	rows, duplicates int
}

func (k *kept) Rows(b *engine.Batch) error { k.rows += b.Count(); return nil }

func (k *kept) Drop(_ engine.DropReason, n int) { k.duplicates += n }

func TestFillRefuses(t *testing.T) {
	if _, err := (Fill{Rows: 1, Lanes: 1}).Write(t.Context(), checkpoint.New(mem.New())); err == nil || !strings.Contains(err.Error(), "run it once") {
		t.Errorf("got %v without a checkpoint", err)
	}
}

// TestEvents: what tells how far a start is comes as events, everything else goes to the rest.
func TestEvents(t *testing.T) {
	log := `{"time":"2026-01-02T03:04:05.5Z","level":"INFO","msg":"listening","http":"127.0.0.1:8089"}
panic: no
{"msg":"something else"}
{"msg":"committed","epoch":7,"tables":1,"took":"3ms"}
`
	var rest bytes.Buffer
	var got []Event
	for e := range Events(strings.NewReader(log), &rest) {
		got = append(got, e)
	}
	want := []Event{
		{Time: time.Date(2026, 1, 2, 3, 4, 5, 5e8, time.UTC), Message: Listening, HTTP: "127.0.0.1:8089"},
		{Message: Committed, Epoch: 7, Tables: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("panic: no\n{\"msg\":\"something else\"}\n", rest.String()); diff != "" {
		t.Error(diff)
	}
}
