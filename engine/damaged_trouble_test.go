package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/checkpoint"
	"github.com/millrace-io/millrace/engine/enginetest"
)

// What a process left behind and somebody damaged ends the next start with its name, before it has changed
// anything; put back, the pipeline goes on.
func TestDamagedLeftovers(t *testing.T) {
	cut := func(b []byte) []byte { return b[:len(b)-1] }
	for name, c := range map[string]struct {
		kind   string
		damage func([]byte) []byte
		want   string
	}{
		"a checkpoint cut short":  {"checkpoints/", cut, "unexpected end"},
		"state cut short":         {"state/", cut, "--drop-state"},
		"a bit turned in a state": {"state/", func(b []byte) []byte { b[9] ^= 1; return b }, "operator s/number, slot"},
		"state gone":              {"state/", func([]byte) []byte { return nil }, "not found: bring it back"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := savedRig(t)
				newest := newestOf(r, c.kind)
				whole := r.store.Snapshot()[newest]
				replace(t, r, newest, c.damage(bytes.Clone(whole)))
				before := r.store.Snapshot()
				if _, err := r.task(t).Run(t.Context()); err == nil || !strings.Contains(err.Error(), newest) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got error %v, want one with %s and %q", err, newest, c.want)
				}
				if diff := cmp.Diff(before, r.store.Snapshot()); diff != "" {
					t.Errorf("the start changed something (-before +after):\n%s", diff)
				}
				replace(t, r, newest, whole)
				goesOn(t, r)
			})
		})
	}
}

// State that is gone or damaged can be given up, and the pipeline goes on without.
func TestDamagedStateGivenUp(t *testing.T) {
	for name, damaged := range map[string][]byte{"gone": nil, "damaged": []byte("MRST")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := savedRig(t)
				replace(t, r, newestOf(r, "state/"), damaged)
				r.opt.DropState = []string{"s/number"}
				r.source = enginetest.NewSource(records(15), 1, 5, 0)
				if _, err := r.task(t).Run(t.Context()); err != nil {
					t.Fatal(err)
				}
				r.opt.DropState = nil
				goesOn(t, r)
			})
		})
	}
}

// savedRig is a rig that has run over ten records with an operator that has state.
func savedRig(t *testing.T) *rig {
	t.Helper()
	r := newRig(enginetest.NewSource(records(10), 1, 5, 0))
	c := numbered()
	r.plan.Streams, r.plan.Tables = c.Streams, c.Tables
	if _, err := r.task(t).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// newestOf is the newest object whose name begins with prefix; of state, where several are as new, the largest.
func newestOf(r *rig, prefix string) string {
	all := r.store.Snapshot()
	newest := ""
	for name, data := range all {
		if strings.HasPrefix(name, prefix) && (newest == "" || prefix == "state/" && len(data) > len(all[newest]) || prefix != "state/" && name > newest) {
			newest = name
		}
	}
	return newest
}

// replace puts data in the place of an object; nil takes it away.
func replace(t *testing.T, r *rig, name string, data []byte) {
	t.Helper()
	err := r.store.Delete(t.Context(), name)
	if data != nil {
		err = r.store.Put(t.Context(), name, data)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// goesOn runs to record 20.
func goesOn(t *testing.T, r *rig) {
	t.Helper()
	r.source = enginetest.NewSource(records(20), 1, 5, 0)
	if _, err := r.task(t).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := r.rows(t); got != 20 {
		t.Errorf("%d rows, want 20", got)
	}
}

// An owner that lives and writes checkpoints faster than its state can be loaded is overtaken all the same: the second
// attempt claims before it loads.
func TestTakeoverWhileStateLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := savedRig(t)
		owner := &lively{Checkpoints: checkpoint.New(r.store)}
		r.source = enginetest.NewSource(records(20), 1, 5, 0)
		task, err := engine.NewTask(&r.plan, engine.Ports{
			Sources:     map[string]engine.Source{enginetest.SourceName: r.source},
			Tables:      map[string]engine.Table{"t": enginetest.NewTable(r.store, "t"), "bad": enginetest.NewTable(r.store, "bad")},
			Checkpoints: owner,
		}, r.opt)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := task.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := r.rows(t); got != 20 || owner.loads.Load() < 2 || !owner.fenced.Load() {
			t.Errorf("%d rows after %d loads, owner fenced: %v", got, owner.loads.Load(), owner.fenced.Load())
		}
	})
}

// lively is checkpoints whose owner writes one whenever another process reads state.
type lively struct {
	engine.Checkpoints
	loads  atomic.Int64
	fenced atomic.Bool
}

func (l *lively) OpenState(ctx context.Context, ref engine.StateRef) (engine.State, error) {
	s, err := l.Checkpoints.OpenState(ctx, ref)
	return livelyState{s, l}, err
}

type livelyState struct {
	engine.State
	owner *lively
}

func (s livelyState) Read(ctx context.Context, numbers []int, load func(int, io.Reader) error) error {
	s.owner.loads.Add(1)
	c, err := s.owner.Newest(ctx)
	if err != nil {
		return err
	}
	next := *c
	next.Epoch, next.Attempt = c.Epoch+1, fmt.Sprint("owner's ", c.Epoch+1)
	if s.owner.fenced.Load() {
		return s.State.Read(ctx, numbers, load)
	}
	if s.owner.claimed(c) {
		s.owner.fenced.Store(true) // it would find the claim where its own checkpoint should go
	} else if err := s.owner.Write(ctx, &next); err != nil && !errors.Is(err, engine.ErrFenced) {
		return err
	}
	return s.State.Read(ctx, numbers, load)
}

// claimed says whether a checkpoint is another process's.
func (l *lively) claimed(c *engine.Checkpoint) bool {
	first, err := l.Read(context.Background(), 0)
	return err == nil && c.Process != first.Process
}

// A partition that the source has no more ends the start: what it had not delivered would be lost in silence.
// A partition that was made anew is not read on, whatever may be lost. Where the source or the checkpoint (one from before
// the source could) does not tell, it is taken for the same, and what was told last is remembered.
func TestPartitionMadeAnew(t *testing.T) {
	for name, c := range map[string]struct {
		ids     []string // one a run
		refused bool     // the last one is
	}{
		"the same":                        {[]string{"a", "a"}, false},
		"another":                         {[]string{"a", "b"}, true},
		"told since":                      {[]string{"", "a"}, false},
		"told since, then another":        {[]string{"", "a", "b"}, true},
		"not told any more":               {[]string{"a", ""}, false},
		"not told any more, then another": {[]string{"a", "", "b"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := &growing{Source: enginetest.NewSource(records(10), 1, 5, 0)}
				source.change = func(asked int, all []engine.Partition) []engine.Partition {
					all[0].ID = c.ids[asked-1]
					return all
				}
				r := newRig(source)
				r.plan.Sources[0].AllowLoss = true
				for i := range c.ids {
					before := r.store.Snapshot()
					_, err := r.task(t).Run(t.Context())
					if !c.refused || i < len(c.ids)-1 {
						if err != nil {
							t.Fatalf("run %d: %v", i, err)
						}
						continue
					}
					if want := "it was deleted and made anew since, or the definition leads to another one now (it is b and was a)"; err == nil || !strings.Contains(err.Error(), want) {
						t.Errorf("run %d ended with %v, want %q", i, err, want)
					}
					if diff := cmp.Diff(before, r.store.Snapshot()); diff != "" {
						t.Errorf("the start changed something (-before +after):\n%s", diff)
					}
				}
				if got := r.rows(t); got != 10 {
					t.Errorf("%d rows, want 10", got)
				}
			})
		})
	}
}

// One that is made anew while it is read ends the run when the source is asked again.
func TestPartitionMadeAnewWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(&growing{
			Source: enginetest.NewSource(records(10), 1, 5, 0),
			change: func(asked int, all []engine.Partition) []engine.Partition {
				all[0].ID = []string{"a", "a", "", "b"}[min(asked, 4)-1]
				return all
			},
		})
		r.opt.UntilCaughtUp, r.opt.Discover = false, time.Minute
		task := r.task(t)
		defer time.AfterFunc(time.Hour, task.Stop).Stop()
		began := time.Now()
		_, err := task.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "partition 0: it was deleted and made anew since") {
			t.Errorf("the run ended with %v, want that the partition was made anew", err)
		}
		if took := time.Since(began); took < 3*time.Minute || took >= 4*time.Minute {
			t.Errorf("it ended after %v, want at the third look", took)
		}
	})
}

func TestPartitionGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(enginetest.NewSource(records(10, 10), 1, 5, 0))
		if _, err := r.task(t).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.source = enginetest.NewSource(records(10), 1, 5, 0)
		before := r.store.Snapshot()
		_, err := r.task(t).Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "partition 1 is in the checkpoint but not in the source any more") {
			t.Errorf("got error %v, want one that names partition 1", err)
		}
		if diff := cmp.Diff(before, r.store.Snapshot()); diff != "" {
			t.Errorf("the start changed something (-before +after):\n%s", diff)
		}
	})
}
