package engine_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/enginetest"
)

// hoarder passes rows on and says that each has cost it a kilobyte. Its state is the number of rows.
type hoarder struct{ enginetest.Numbered }

func (hoarder) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) {
	return &hoard{}, in, nil
}

type hoard struct{ rows int64 }

func (h *hoard) Apply(_ context.Context, in *engine.Batch, emit engine.Emit) error {
	h.rows += int64(in.Count())
	return emit.Rows(in)
}

func (h *hoard) Save(int, io.Writer) (bool, error) { return false, nil }
func (h *hoard) Load(int, io.Reader) error         { return nil }
func (h *hoard) StateBytes() int64                 { return h.rows << 10 }
func (h *hoard) Largest(n int) []engine.KeySize {
	return []engine.KeySize{{Key: `{"id":"k"}`, Bytes: h.rows << 10}}[:min(n, 1)]
}

// TestStateBudget: near the budget there is a warning; at it the task stops with what to do, and all that it took in is
// in the table.
func TestStateBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(enginetest.NewSource(records(500), 1, 5, 10*time.Millisecond))
		r.plan.Streams = []engine.StreamPlan{{
			Name: "s", From: []string{enginetest.SourceName}, Steps: []engine.Step{{Name: "hoard", Config: hoarder{enginetest.Numbered{By: "id"}}}}, Schema: enginetest.InputSchema,
		}}
		r.plan.Tables[0].From = "s"
		r.opt.StateMemory = 100 << 10
		var log bytes.Buffer
		r.opt.Logger = slog.New(slog.NewTextHandler(&log, nil))
		task := r.task(t)
		_, err := task.Run(t.Context())
		for _, want := range []string{"the budget is 102400", "s/hoard holds", `{"id":"k"}`, "state: {memory: …}"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got error %v, want one that says %q", err, want)
			}
		}
		if !strings.Contains(log.String(), "near its budget") {
			t.Errorf("the log says nothing before the budget is used up:\n%s", &log)
		}
		if n := r.rows(t); n < 100 || n > 200 || int64(n) != task.Status().Ledger["s"].In {
			t.Errorf("the table holds %d rows and the ledger says %+v, want all that was taken in, some more than 100", n, task.Status().Ledger["s"])
		}
	})
}

// TestSilentPartition: a partition without records is named, in the status and once in the log, when others have gone ahead
// and an operator waits; with IdleAfter time passes without it.
func TestSilentPartition(t *testing.T) {
	for name, after := range map[string]time.Duration{"holds": 0, "idle": 30 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in := records(3, 0)
				in[0] = append(in[0], enginetest.Row("k", 3600e6, 1))
				r := newRig(enginetest.NewSource(in, 1, 5, 10*time.Millisecond))
				r.plan.Sources[0].Time = engine.EventTime{Column: "at", IdleAfter: after}
				r.plan.Streams = []engine.StreamPlan{{Name: "s", From: []string{enginetest.SourceName}, Steps: []engine.Step{{Name: "patient", Config: patient{}}}, Schema: enginetest.InputSchema}}
				r.plan.Tables[0].From = "s"
				r.opt.UntilCaughtUp = false
				var log bytes.Buffer
				r.opt.Logger = slog.New(slog.NewTextHandler(&log, nil))
				task := r.task(t)
				hold := holdAfter(t, task)
				warned := strings.Count(log.String(), "holds event time back")
				switch {
				case hold.Operator != "s/patient":
					t.Errorf("the status names %+v", hold)
				case after == 0 && (hold.Partition != "1" || hold.Watermark != engine.MinTime || hold.Ahead != 3600e6 || hold.Silent < 100 || warned != 1):
					t.Errorf("the status says %+v and the log warned %d times", hold, warned)
				case after != 0 && (hold.Watermark != 3600e6 || warned != 0):
					t.Errorf("time has not passed without the idle partition: %+v, warned %d times", hold, warned)
				}
			})
		})
	}
}

// holdAfter runs a task for two minutes of the bubble's clock, and gives what it waited for then.
func holdAfter(t *testing.T, task *engine.Task) (hold engine.Hold) {
	t.Helper()
	go func() {
		time.Sleep(2 * time.Minute)
		hold = task.Status().Waiting[0]
		task.Stop()
	}()
	if _, err := task.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return hold
}

// TestIdleAlone: a source that no operator waits for together with an idle partition does not keep time from passing.
func TestIdleAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := records(3, 0)
		in[0] = append(in[0], enginetest.Row("k", 3600e6, 1))
		r := newRig(enginetest.NewSource(in, 1, 5, 10*time.Millisecond))
		other := r.plan.Sources[0]
		other.Name = "other"
		r.plan.Sources[0].Time = engine.EventTime{Column: "at", IdleAfter: 30 * time.Second}
		r.plan.Sources = append(r.plan.Sources, other)
		r.plan.Streams = []engine.StreamPlan{{Name: "s", From: []string{enginetest.SourceName}, Steps: []engine.Step{{Name: "patient", Config: patient{}}}, Schema: enginetest.InputSchema}}
		r.plan.Tables[0].From = "s"
		r.opt.UntilCaughtUp = false
		ports := r.ports("t", "bad")
		ports.Sources["other"] = enginetest.NewSource(records(0), 2, 5, 0)
		task, err := engine.NewTask(&r.plan, ports, r.opt)
		if err != nil {
			t.Fatal(err)
		}
		if hold := holdAfter(t, task); hold.Watermark != 3600e6 {
			t.Errorf("time has not passed without the idle partition: %+v", hold)
		}
	})
}
