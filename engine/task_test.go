package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/checkpoint"
	"github.com/millrace-io/millrace/engine/enginetest"
)

// A rig is a pipeline of one source and one table in memory, for tests that look at one thing.
type rig struct {
	store  *mem.Store
	source engine.Source
	plan   engine.Plan
	opt    engine.Options
}

func newRig(source engine.Source) *rig {
	return &rig{
		store: mem.New(), source: source,
		plan: engine.Plan{
			Pipeline: "p", Quarantine: "bad", Commit: engine.CommitPolicy{Every: time.Second},
			Sources: []engine.SourcePlan{{Name: enginetest.SourceName, Schema: enginetest.InputSchema, NewDecoder: func() engine.Decoder { return enginetest.Decoder{} }}},
			Tables:  []engine.TablePlan{{Name: "t", From: enginetest.SourceName}},
		},
		opt: engine.Options{UntilCaughtUp: true, Lanes: 2},
	}
}

func (r *rig) task(t *testing.T) *engine.Task {
	t.Helper()
	task, err := engine.NewTask(&r.plan, engine.Ports{
		Sources:     map[string]engine.Source{enginetest.SourceName: r.source},
		Tables:      map[string]engine.Table{"t": enginetest.NewTable(r.store, "t"), "bad": enginetest.NewTable(r.store, "bad")},
		Checkpoints: checkpoint.New(r.store),
	}, r.opt)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func (r *rig) rows(t *testing.T) int {
	t.Helper()
	rows, err := enginetest.NewTable(r.store, "t").Rows(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(rows)
}

func records(partitions ...int) enginetest.Input {
	in := make(enginetest.Input, len(partitions))
	for p, n := range partitions {
		for i := range n {
			in[p] = append(in[p], enginetest.Row("k", engine.Time(i), int64(i)))
		}
	}
	return in
}

// growing is a source that has more partitions, or has lost its oldest records, when it is asked again.
type growing struct {
	*enginetest.Source
	change func(asked int, all []engine.Partition) []engine.Partition
	asked  int
}

func (g *growing) Partitions(ctx context.Context) ([]engine.Partition, error) {
	all, err := g.Source.Partitions(ctx)
	g.asked++
	return g.change(g.asked, all), err
}

func TestPartitionAddedWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &growing{
			Source: enginetest.NewSource(records(10, 20, 30), 1, 5, 0),
			change: func(asked int, all []engine.Partition) []engine.Partition { return all[:min(asked, 3)] },
		}
		r := newRig(source)
		r.opt.UntilCaughtUp, r.opt.Discover = false, time.Minute
		task := r.task(t)
		go func() {
			time.Sleep(10 * time.Minute)
			task.Stop()
		}()
		if _, err := task.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := r.rows(t); got != 60 {
			t.Errorf("%d rows of three partitions, want 60", got)
		}
		joined := 0
		for _, p := range task.Status().Partitions {
			if p.JoinedEpoch > 0 {
				joined++
			}
		}
		if joined != 2 {
			t.Errorf("status shows %d partitions that joined later, want 2", joined)
		}
	})
}

func TestRecordsGoneBeforeTheyWereRead(t *testing.T) {
	gone := func(asked int, all []engine.Partition) []engine.Partition {
		if asked == 2 {
			all[0].First = 15 // we have read up to 10
		}
		all[0].End = engine.Offset(10 * asked)
		return all
	}
	for name, allow := range map[string]bool{"fail": false, "continue": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(&growing{Source: enginetest.NewSource(records(10), 1, 5, 0), change: gone})
				r.plan.Sources[0].AllowLoss = allow
				if _, err := r.task(t).Run(t.Context()); err != nil {
					t.Fatal(err)
				}
				r.source.(*growing).Source = enginetest.NewSource(records(20), 1, 5, 0)
				result, err := r.task(t).Run(t.Context())
				if !allow {
					if err == nil || !strings.Contains(err.Error(), "from offset 10 to 14") {
						t.Fatalf("got error %v, want one that names offsets 10 to 14", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if got := result.Ledger[enginetest.SourceName].Lost; got != 5 {
					t.Errorf("ledger says %d lost, want 5", got)
				}
				if got := r.rows(t); got != 15 {
					t.Errorf("%d rows, want 15", got)
				}
			})
		})
	}
}

func TestPartitionCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(enginetest.NewSource(records(10), 1, 5, 0))
		if _, err := r.task(t).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.source = enginetest.NewSource(records(3), 1, 5, 0)
		_, err := r.task(t).Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "ends at 3") {
			t.Fatalf("got error %v, want one that says where the partition ends now", err)
		}
	})
}

func TestSecondLineIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(enginetest.NewSource(records(10), 1, 5, 0))
		if _, err := r.task(t).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		for name := range r.store.Snapshot() {
			if strings.HasPrefix(name, "checkpoints/") {
				if err := r.store.Delete(t.Context(), name); err != nil {
					t.Fatal(err)
				}
			}
		}
		_, err := r.task(t).Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "--new-line") {
			t.Fatalf("got error %v, want one that tells of --new-line", err)
		}
		r.opt.NewLine = true
		if _, err := r.task(t).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := r.rows(t); got != 20 {
			t.Errorf("%d rows after a second line that was meant, want 20", got)
		}
	})
}

func TestChangedOperatorIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(enginetest.NewSource(records(10), 1, 5, 0))
		c := numbered()
		r.plan.Streams, r.plan.Tables = c.Streams, c.Tables
		if _, err := r.task(t).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.plan.Streams[0].Steps[0].Config = enginetest.Numbered{By: "v"}
		_, err := r.task(t).Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "s/number") || !strings.Contains(err.Error(), "--drop-state") {
			t.Fatalf("got error %v, want one that names s/number and --drop-state", err)
		}
		r.opt.DropState = []string{"s/number"}
		if _, err := r.task(t).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestPreparedFileGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(enginetest.NewSource(records(10), 1, 5, 0))
		if _, err := r.task(t).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		// As after a crash between checkpoint and commit, with the files lost meanwhile.
		r.forgetNewest(t)
		for name := range r.store.Snapshot() {
			if strings.HasPrefix(name, "t/log/") && !strings.HasSuffix(name, "00") || strings.HasPrefix(name, "t/data/") {
				if err := r.store.Delete(t.Context(), name); err != nil {
					t.Fatal(err)
				}
			}
		}
		_, err := r.task(t).Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "--redo-epoch") {
			t.Fatalf("got error %v, want one that tells of --redo-epoch", err)
		}
		r.opt.RedoEpoch = true
		if _, err := r.task(t).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := r.rows(t); got != 10 {
			t.Errorf("%d rows after the epoch was done again, want 10", got)
		}
	})
}

func TestStopCommitsTheOpenEpoch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(enginetest.NewSource(records(100), 1, 5, time.Second))
		r.opt.UntilCaughtUp = false
		r.plan.Commit = engine.CommitPolicy{Every: time.Hour}
		task := r.task(t)
		time.AfterFunc(3*time.Second, task.Stop)
		result, err := task.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := int64(r.rows(t)); got == 0 || got != result.Rows["t"] || got != task.Status().Partitions[0].Records {
			t.Errorf("%d rows in the table, the result says %d, %d records were taken in", got, result.Rows["t"], task.Status().Partitions[0].Records)
		}
	})
}

func TestStandbyCanBeStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(enginetest.NewSource(records(1), 1, 5, 0))
		r.opt.Standby = true
		task := r.task(t)
		time.AfterFunc(time.Second, task.Stop)
		if _, err := task.Run(t.Context()); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if names := r.store.Snapshot(); len(names) != 0 {
			t.Errorf("a standby that never took over wrote %d objects", len(names))
		}
	})
}
