package engine_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/checkpoint"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/enginetest"
)

// ages are records whose event times, column at, are far from those of the records themselves.
func ages(n int) enginetest.Input {
	var all [][]byte
	for i := range n {
		all = append(all, enginetest.Row("k", 1e10+engine.Time(i), int64(i)))
	}
	return enginetest.Input{all}
}

// atOf is the event time of column at.
func atOf(as ...string) engine.EventTime { return engine.EventTime{Column: "at", As: as} }

// ofV is the event time of column v.
func ofV() engine.EventTime {
	return engine.EventTime{Column: "v", As: []string{"epoch_us"}, Read: func(out *column.Longs, in column.Column) {
		for _, v := range in.(*column.Longs).Values {
			out.Append(v)
		}
	}}
}

// retimed is a rig with a stream that has state, which has read ten records with an event time.
func retimed(t *testing.T, of engine.EventTime) *rig {
	t.Helper()
	r := newRig(enginetest.NewSource(ages(10), 1, 5, 0))
	c := numbered()
	r.plan.Streams, r.plan.Tables, r.plan.Sources[0].Time = c.Streams, c.Tables, of
	if _, err := r.task(t).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// again runs the rig with another event time over n records.
func (r *rig) again(t *testing.T, n int, of engine.EventTime) error {
	t.Helper()
	r.plan.Sources[0].Time, r.source = of, enginetest.NewSource(ages(n), 1, 5, 0)
	_, err := r.task(t).Run(t.Context())
	return err
}

func (r *rig) newest(t *testing.T) *engine.Checkpoint {
	t.Helper()
	c, err := checkpoint.New(r.store).Newest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestEventTimeChanged: state that was made with one event time is not gone on with under another; what does not change
// how a value is read may change. A refused start changes nothing.
func TestEventTimeChanged(t *testing.T) {
	of := func(change func(*engine.EventTime)) engine.EventTime {
		to := atOf("iso", "yyyy")
		change(&to)
		return to
	}
	for name, c := range map[string]struct {
		to   engine.EventTime
		want string // in the error; "": it goes on
	}{
		"another column":        {ofV(), "was that of column at as iso or yyyy and now is that of column v as epoch_us"},
		"the record's own":      {engine.EventTime{}, "and now is that of record.timestamp"},
		"another format":        {atOf("epoch_ms"), "and now is that of column at as epoch_ms"},
		"formats the other way": {atOf("yyyy", "iso"), "and now is that of column at as yyyy or iso"},
		"a format before":       {atOf("dd", "iso", "yyyy"), "and now is that of column at as dd or iso or yyyy"},
		"a format behind":       {atOf("iso", "yyyy", "dd"), ""},
		"one format less":       {atOf("iso"), ""},
		"nothing":               {atOf("iso", "yyyy"), ""},
		"max_delay":             {of(func(e *engine.EventTime) { e.MaxDelay = time.Hour }), ""},
		"max_ahead":             {of(func(e *engine.EventTime) { e.MaxAhead = 48 * time.Hour }), ""},
		"late":                  {of(func(e *engine.EventTime) { e.DropLate = true }), ""},
		"idle_after":            {of(func(e *engine.EventTime) { e.IdleAfter = time.Hour }), ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := retimed(t, atOf("iso", "yyyy"))
				before := len(r.store.Snapshot())
				err := r.again(t, 12, c.to)
				switch {
				case c.want == "":
					if err != nil || r.rows(t) != 12 {
						t.Errorf("got error %v and %d rows, want 12", err, r.rows(t))
					}
					return
				case err == nil:
					t.Fatal("it went on with the state of another event time")
				}
				for _, want := range []string{"source in: ", c.want, "change it back", "another name", "--drop-state s/number"} {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("got error %v, want one with %q", err, want)
					}
				}
				if got := len(r.store.Snapshot()); got != before {
					t.Errorf("%d objects after the refused start, %d before", got, before)
				}
			})
		})
	}
}

// TestEventTimeChangedTwice: a format that is taken out has made state all the same.
func TestEventTimeChangedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := retimed(t, atOf("iso", "dd/MM/yyyy"))
		if err := r.again(t, 11, atOf("iso")); err != nil {
			t.Fatal(err)
		}
		if err := r.again(t, 12, atOf("iso", "MM/dd/yyyy")); err == nil || !strings.Contains(err.Error(), "column at as iso or dd/MM/yyyy") {
			t.Errorf("got error %v, want one that knows the first formats", err)
		}
	})
}

// TestEventTimeBeginsAnew: where no operator holds anything that was made with the old event time, the new one may be
// taken, and is not compared with where the old one had come.
func TestEventTimeBeginsAnew(t *testing.T) {
	for name, change := range map[string]func(r *rig){
		"state given up": func(r *rig) { r.opt.DropState = []string{"s/number"} },
		"no state": func(r *rig) {
			r.opt.DropState, r.plan.Streams = []string{"s/number"}, nil
			r.plan.Tables = []engine.TablePlan{{Name: "t", From: enginetest.SourceName}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := retimed(t, atOf("timestamp"))
				if at := r.newest(t).Partitions[0].Watermark; at != 1e10+9 {
					t.Fatalf("the watermark is %d before the change, want that of the tenth row", at)
				}
				change(r)
				if err := r.again(t, 12, engine.EventTime{}); err != nil {
					t.Fatal(err)
				}
				c := r.newest(t)
				if at := c.Partitions[0].Watermark; at != 11e6 || c.Times[enginetest.SourceName].Column != "record.timestamp" {
					t.Errorf("the watermark is %d and the event time that of %v, want 11 s and that of the records", at, c.Times)
				}
				r.opt.DropState = nil
				if err := r.again(t, 12, engine.EventTime{}); err != nil {
					t.Errorf("the next start: %v", err)
				}
			})
		})
	}
}

// TestEventTimeNotNoted: a checkpoint of a program that noted no event times is gone on from, and the next has them.
func TestEventTimeNotNoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(enginetest.NewSource(ages(10), 1, 5, 0))
		c := numbered()
		r.plan.Streams, r.plan.Tables, r.plan.Sources[0].Time = c.Streams, c.Tables, atOf("timestamp")
		ports := r.ports("t", "bad")
		ports.Checkpoints = enginetest.Rewriting{Checkpoints: ports.Checkpoints, Change: func(c *engine.Checkpoint) { c.Times = nil }}
		task, err := engine.NewTask(&r.plan, ports, r.opt)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := task.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := r.again(t, 12, ofV()); err != nil {
			t.Fatal(err)
		}
		if got := r.newest(t).Times[enginetest.SourceName]; got.Column != "v" || !slices.Equal(got.As, []string{"epoch_us"}) {
			t.Errorf("the checkpoint says %v, want column v as epoch_us", got)
		}
		if err := r.again(t, 12, atOf("timestamp")); err == nil {
			t.Error("the event time that was noted meanwhile is not compared")
		}
	})
}

// TestLongerMaxDelay: a watermark does not go back when max_delay grows, and rows below it stay late.
func TestLongerMaxDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const second = engine.Time(1e6)
		values := [][]byte{enginetest.Row("a", 100*second, 1), enginetest.Row("late", 99*second, 1), enginetest.Row("b", 100*second, 1), enginetest.Row("c", 161*second, 1)}
		r := untimely(values[:1], engine.EventTime{})
		r.ran(t)
		if at := r.newest(t).Partitions[0].Watermark; at != 100*second {
			t.Fatalf("the watermark is %d, want 100 s", at)
		}
		r.plan.Sources[0].Time.MaxDelay = time.Minute
		for i, want := range []engine.Time{100 * second, 100 * second, 101 * second} {
			n := i + 2
			r.source = enginetest.NewSource(enginetest.Input{values[:n]}, 1, 5, 0)
			r.ran(t)
			c := r.newest(t)
			if at, late := c.Partitions[0].Watermark, c.Ledger["s"].Late; at != want || late != 1 {
				t.Errorf("after %d records: the watermark is %d and %d rows are late, want %d and 1", n, at, late, want)
			}
		}
	})
}
