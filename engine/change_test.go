package engine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/checkpoint"
	"github.com/millrace-io/millrace/engine/enginetest"
)

// A table may be taken out of the definition after a run that ended in good order. After a crash its last
// commit may not be done, and then the start says what to do.
func TestTableRemoved(t *testing.T) {
	for name, crash := range map[string]bool{"after a stop": false, "after a crash": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(enginetest.NewSource(records(10), 1, 5, 0))
				r.plan.Tables = append(r.plan.Tables, engine.TablePlan{Name: "u", From: enginetest.SourceName})
				task, err := engine.NewTask(&r.plan, r.ports("t", "u", "bad"), r.opt)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := task.Run(t.Context()); err != nil {
					t.Fatal(err)
				}
				if crash {
					r.forgetNewest(t)
				}
				r.plan.Tables = r.plan.Tables[:1]
				_, err = r.task(t).Run(t.Context())
				if crash && (err == nil || !strings.Contains(err.Error(), "table u is not in the definition any more")) {
					t.Errorf("got error %v, want one that names table u", err)
				}
				if !crash && err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func (r *rig) ports(tables ...string) engine.Ports {
	p := engine.Ports{Sources: map[string]engine.Source{enginetest.SourceName: r.source}, Tables: map[string]engine.Table{}, Checkpoints: checkpoint.New(r.store)}
	for _, n := range tables {
		p.Tables[n] = enginetest.NewTable(r.store, n)
	}
	return p
}

// forgetNewest deletes the newest checkpoint, as if the process had died before it wrote that.
func (r *rig) forgetNewest(t *testing.T) {
	t.Helper()
	c, err := checkpoint.New(r.store).Newest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.store.Delete(t.Context(), fmt.Sprintf("checkpoints/%020d.json", c.Epoch)); err != nil {
		t.Fatal(err)
	}
}

// A table that was made anew, or is an older one, does not belong to the checkpoint. The start says so and
// changes nothing.
func TestTableOfAnother(t *testing.T) {
	for name, change := range map[string]func(name string) bool{
		"made anew":     func(name string) bool { return strings.HasPrefix(name, "t/") },
		"an older copy": func(name string) bool { return strings.HasPrefix(name, "t/log/") && !strings.HasSuffix(name, "00") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(enginetest.NewSource(records(10), 1, 5, 0))
				if _, err := r.task(t).Run(t.Context()); err != nil {
					t.Fatal(err)
				}
				for name := range r.store.Snapshot() {
					if change(name) {
						if err := r.store.Delete(t.Context(), name); err != nil {
							t.Fatal(err)
						}
					}
				}
				before := len(r.store.Snapshot())
				_, err := r.task(t).Run(t.Context())
				if !errors.Is(err, engine.ErrForeign) || !strings.Contains(err.Error(), "table t") {
					t.Errorf("got error %v, want one that table t does not belong", err)
				}
				made := 0
				for name := range r.store.Snapshot() {
					if name == "t/log/00000000000000000000" {
						made++
					}
				}
				if got := len(r.store.Snapshot()); got-made > before {
					t.Errorf("%d objects after the refused start, %d before", got, before)
				}
			})
		})
	}
}

// A source that is taken out of the definition is asked about: its position is given up only if told.
func TestSourceRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(enginetest.NewSource(records(10), 1, 5, 0))
		if _, err := r.task(t).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.plan.Sources[0].Name = "renamed"
		r.plan.Tables[0].From = "renamed"
		start := func() error {
			ports := r.ports("t", "bad")
			ports.Sources = map[string]engine.Source{"renamed": r.source}
			task, err := engine.NewTask(&r.plan, ports, r.opt)
			if err != nil {
				t.Fatal(err)
			}
			_, err = task.Run(t.Context())
			return err
		}
		if err := start(); err == nil || !strings.Contains(err.Error(), "--drop-source in") {
			t.Errorf("got error %v, want one that tells of --drop-source in", err)
		}
		r.opt.DropSource = []string{"in"}
		if err := start(); err != nil {
			t.Error(err)
		}
		r.opt.DropSource = []string{"renamed"}
		if err := start(); err == nil || !strings.Contains(err.Error(), "still in the definition") {
			t.Errorf("got error %v, want one that the source is still there", err)
		}
	})
}

// A start that can't read fences nobody.
func TestStartThatCannotReadFencesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(enginetest.NewSource(records(10), 1, 5, 0))
		if _, err := r.task(t).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		before := len(r.store.Snapshot())
		r.source = enginetest.NewSource(records(3), 1, 5, 0)
		if _, err := r.task(t).Run(t.Context()); err == nil {
			t.Error("a partition that was cut short went unnoticed")
		}
		if got := len(r.store.Snapshot()); got != before {
			t.Errorf("%d objects after the refused start, %d before", got, before)
		}
	})
}

func TestDropStateNamesAnOperator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(enginetest.NewSource(records(10), 1, 5, 0))
		c := numbered()
		r.plan.Streams, r.plan.Tables = c.Streams, c.Tables
		if _, err := r.task(t).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.opt.DropState = []string{"s/numbr"}
		if _, err := r.task(t).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "[s/number]") {
			t.Errorf("got error %v, want one that names the operators there are", err)
		}
	})
}

// State that was given up stays given up, also over the starts after that.
func TestDroppedStateStaysAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(nil)
		c := numbered()
		r.plan.Streams, r.plan.Tables = c.Streams, c.Tables
		run := func(n int, drop ...string) {
			r.opt.DropState, r.source = drop, enginetest.NewSource(records(n), 1, 5, 0)
			if _, err := r.task(t).Run(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		run(10)
		r.plan.Streams[0].Steps[0].Config = changedConfig{enginetest.Numbered{By: "id"}}
		run(10, "s/number") // nothing new comes
		before := r.rows(t)
		run(11)
		rows, err := enginetest.NewTable(r.store, "t").Rows(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := rows[before:]; len(got) != 1 || !strings.Contains(got[0], `"v":1}`) {
			t.Errorf("the first row after the state was given up is %v, want number 1", got)
		}
	})
}

// changedConfig has another fingerprint than enginetest.Numbered.
type changedConfig struct{ enginetest.Numbered }

// An operator that was removed, its state given up, and comes back begins with nothing.
func TestRemovedOperatorBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(enginetest.NewSource(records(10), 1, 5, 0))
		c := numbered()
		with := c.Streams
		without := []engine.StreamPlan{{Name: "s", From: []string{enginetest.SourceName}}}
		r.plan.Tables = c.Tables
		run := func(streams []engine.StreamPlan, n int, drop ...string) {
			r.plan.Streams, r.opt.DropState, r.source = streams, drop, enginetest.NewSource(records(n), 1, 5, 0)
			if _, err := r.task(t).Run(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		run(with, 10)
		run(without, 10, "s/number")
		before := r.rows(t)
		run(with, 11)
		rows, err := enginetest.NewTable(r.store, "t").Rows(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := rows[before:]; len(got) != 1 || !strings.Contains(got[0], `"v":1}`) {
			t.Errorf("the first row after the state was given up is %v, want number 1", got)
		}
	})
}

// A source that joins the definition later says start: latest.
func TestSourceAddedLaterStartsLatest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(enginetest.NewSource(records(10), 1, 5, 0))
		if _, err := r.task(t).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		second := r.plan.Sources[0]
		second.Name, second.Latest = "second", true
		r.plan.Sources = append(r.plan.Sources, second)
		r.plan.Tables = append(r.plan.Tables, engine.TablePlan{Name: "u", From: "second"})
		ports := r.ports("t", "u", "bad")
		ports.Sources["second"] = enginetest.NewSource(records(1000), 1, 5, 0)
		task, err := engine.NewTask(&r.plan, ports, r.opt)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := task.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		rows, err := enginetest.NewTable(r.store, "u").Rows(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) != 0 {
			t.Errorf("start: latest read %d rows that were there before", len(rows))
		}
	})
}

// An owner that commits seldom is well: a standby waits for longer than it may be silent.
func TestStandbyLeavesAHealthyOwnerAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(enginetest.NewSource(records(1000), 1, 5, time.Second))
		r.opt.UntilCaughtUp = false
		r.plan.Commit = engine.CommitPolicy{Every: time.Minute}
		owner := r.task(t)
		r.opt.Standby = true
		r.source = enginetest.NewSource(records(1000), 1, 5, time.Second)
		standby := r.task(t)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		go func() { _, err := owner.Run(ctx); ended <- err }()
		go func() { _, err := standby.Run(ctx); ended <- err }()
		time.AfterFunc(15*time.Minute, func() { owner.Stop(); standby.Stop() })
		errs := []error{<-ended, <-ended}
		cancel()
		if slices.ContainsFunc(errs, func(err error) bool { return errors.Is(err, engine.ErrFenced) }) {
			t.Errorf("a healthy owner that commits every minute was fenced by a standby that waits 30 s: %v", errs)
		}
	})
}

func TestTakeoverTooSoon(t *testing.T) {
	r := newRig(enginetest.NewSource(records(1), 1, 5, 0))
	r.opt.Takeover = 9 * time.Second
	if _, err := engine.NewTask(&r.plan, r.ports("t", "bad"), r.opt); err == nil || !strings.Contains(err.Error(), "at least 10s") {
		t.Errorf("got error %v, want one that says what is needed", err)
	}
}
