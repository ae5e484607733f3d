package engine_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/enginetest"
)

// summing gives the sum of v over all rows so far, at the end of each epoch that brought any.
type summing struct{}

func (summing) Keys() []string { return nil }

func (summing) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) {
	return &sums{}, engine.Schema{{Name: "sum", Type: column.Of(column.Long)}}, nil
}

type sums struct {
	any bool
	sum int64
}

func (s *sums) Apply(_ context.Context, in *engine.Batch, emit engine.Emit) error {
	for row := range in.Sel.All(in.Rows) {
		s.sum, s.any = s.sum+in.Columns[2].(*column.Longs).Values[row], true
	}
	out := &engine.Batch{
		Schema: engine.Schema{{Name: "sum", Type: column.Of(column.Long)}}, Columns: []column.Column{in.Arena.Column(column.Of(column.Long))},
		Upto: in.Upto, Barrier: in.Barrier, Quiet: in.Quiet, Arena: in.Arena,
	}
	if in.Barrier != 0 && !in.Quiet && s.any {
		out.Rows, out.At, out.Mark, out.Offset = 1, []engine.Time{0}, []engine.Time{0}, []engine.Offset{0}
		out.Columns[0].(*column.Longs).Append(s.sum)
	}
	return emit.Rows(out)
}

// sumRig is a pipeline whose table holds one row, the sum over all input.
func sumRig(source engine.Source) *rig {
	r := newRig(source)
	r.plan.Streams = []engine.StreamPlan{{
		Name: "s", From: []string{enginetest.SourceName}, Steps: []engine.Step{{Name: "sum", Config: summing{}}}, Schema: engine.Schema{{Name: "sum", Type: column.Of(column.Long)}},
	}}
	r.plan.Tables = []engine.TablePlan{{Name: "t", From: "s", Replace: true}}
	r.plan.Commit.Every = 50 * time.Millisecond
	return r
}

// TestReplace: each epoch's rows take the place of those before, in one lane though there are no columns to exchange by, and
// epochs that bring nothing commit nothing.
func TestReplace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := sumRig(enginetest.NewSource(records(30, 40, 50), 1, 5, 100*time.Millisecond))
		r.opt.UntilCaughtUp = false
		task := r.task(t)
		go func() {
			time.Sleep(2 * time.Minute) // of the bubble's clock: all records in the first seconds, then heartbeats
			task.Stop()
		}()
		if _, err := task.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		rows, err := enginetest.NewTable(r.store, "t").Rows(t.Context())
		if err != nil || len(rows) != 1 || rows[0] != `{"sum":2440}` {
			t.Errorf("the table holds %v, %v; want the sum 2440 once", rows, err)
		}
		if s := task.Status(); s.Tables["t"] < 3 || int64(s.Epoch)-s.Tables["t"] < 20 {
			t.Errorf("%d commits in %d epochs, want some in the seconds with records and none in two minutes without", s.Tables["t"], s.Epoch)
		}
	})
}

// TestFinal: the end of all input is recorded, once; no later run of the line goes on.
func TestFinal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(enginetest.NewSource(records(5), 1, 5, 0))
		r.opt.Final = true
		if _, err := r.task(t).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := r.task(t).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "has come to the end of its input") {
				t.Errorf("got %v, want an error that says that the input has ended", err)
			}
		}
		if n := r.rows(t); n != 5 {
			t.Errorf("the table holds %d rows, want 5", n)
		}
	})
}

// TestUnion: a stream of two streams and a source takes the rows of all three, and a keyed step meets them in its lanes.
func TestUnion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, steps := range map[string][]engine.Step{"keyed": {{Name: "number", Config: enginetest.Numbered{By: "id"}}}, "not keyed": nil} {
			r := newRig(enginetest.NewSource(records(30, 20), 1, 5, 0))
			other := enginetest.NewSource(records(7, 8), 2, 5, 0)
			second := r.plan.Sources[0]
			second.Name = "second"
			r.plan.Sources = append(r.plan.Sources, second)
			r.plan.Streams = []engine.StreamPlan{
				{Name: "a", From: []string{enginetest.SourceName}, Schema: enginetest.InputSchema},
				{Name: "b", From: []string{"a"}, Steps: []engine.Step{{Name: "number", Config: enginetest.Numbered{By: "id"}}}, Schema: enginetest.InputSchema},
				{Name: "u", From: []string{"a", "b", "second"}, Steps: steps, Schema: enginetest.InputSchema},
				{Name: "v", From: []string{"u"}, Schema: enginetest.InputSchema},
			}
			r.plan.Tables[0].From = "v"
			ports := r.ports("t", "bad")
			ports.Sources["second"] = other
			task, err := engine.NewTask(&r.plan, ports, r.opt)
			if err != nil {
				t.Fatal(err)
			}
			result, err := task.Run(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if n := r.rows(t); n != 2*50+15 {
				t.Errorf("%s: the table holds %d rows, want 115", name, n)
			}
			if c := result.Ledger["u"]; c.In != 115 || c.Out != 115 {
				t.Errorf("%s: the ledger of the union is %+v", name, c)
			}
		}
	})
}

// clock keeps how far event time has come in the lane of a stream that waits.
type clock struct{ upto *atomic.Int64 }

func (c clock) Keys() []string { return nil }
func (c clock) Waits() bool    { return true }

func (c clock) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) { return c, in, nil }

func (c clock) Apply(_ context.Context, in *engine.Batch, emit engine.Emit) error {
	c.upto.Store(int64(in.Upto))
	return emit.Rows(in)
}

// MarshalJSON is for the fingerprint.
func (c clock) MarshalJSON() ([]byte, error) { return []byte("{}"), nil }

// TestSlowerSourceRules: in a stream of two sources event time is that of the one with the smaller watermark.
func TestSlowerSourceRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hour := enginetest.Input{{enginetest.Row("k", 3600e6, 1)}}
		r := newRig(enginetest.NewSource(hour, 1, 5, 0))
		r.plan.Sources[0].Time = engine.EventTime{Column: "at", MaxDelay: time.Minute}
		slower := r.plan.Sources[0]
		slower.Name, slower.Time.MaxDelay = "slower", 20*time.Minute
		r.plan.Sources = append(r.plan.Sources, slower)
		c := clock{&atomic.Int64{}}
		r.plan.Streams = []engine.StreamPlan{{Name: "u", From: []string{"slower", enginetest.SourceName}, Steps: []engine.Step{{Name: "clock", Config: c}}, Schema: enginetest.InputSchema}}
		r.plan.Tables[0].From = "u"
		ports := r.ports("t", "bad")
		ports.Sources["slower"] = enginetest.NewSource(hour, 2, 5, 0)
		task, err := engine.NewTask(&r.plan, ports, r.opt)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := task.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want := int64(40 * 60e6); c.upto.Load() != want {
			t.Errorf("event time has come to %d µs, want %d: an hour less the longer delay", c.upto.Load(), want)
		}
	})
}
