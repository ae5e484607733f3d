package tabletest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob/fault"
)

// testCommitTwice: a commit that is repeated, by whomever, is the one that was done.
func (t *trial) testCommitTwice() {
	p := t.start(plain(), "L")
	first := p.prepared(engine.NoEpoch, 3, p.files(rows(0, 5)...))
	version := p.commit(first)
	if version <= p.state.Version {
		t.Errorf("the commit made version %d of %d", version, p.state.Version)
	}
	again := func(who *process, c engine.Prepared, want int64) {
		t.Helper()
		if got, err := who.Commit(t.Context(), c, who.info(c)); err != nil || got != want {
			t.Errorf("repeated it gave version %d, %v; want %d", got, err, want)
		}
	}
	again(p, first, version)
	again(t.start(plain(), "L"), first, version)

	other := t.start(plain(), "M")
	otherVersion := other.commit(other.prepared(engine.NoEpoch, 1, other.files(rows(5, 10)...)))
	again(p, first, version)
	again(t.start(plain(), "L"), first, version)

	second := p.prepared(3, 4, p.files(rows(10, 15)...))
	last := p.commit(second)
	again(t.start(plain(), "L"), second, last)
	if last <= otherVersion {
		t.Errorf("version %d came after version %d", last, otherVersion)
	}
	p.is(4, last, "M")
	t.holds(plain().Schema, rows(0, 15))
}

// testCommitForeign: a commit that does not follow on what the log has changes nothing.
func (t *trial) testCommitForeign() {
	p := t.start(plain(), "L")
	p.commit(p.prepared(engine.NoEpoch, 2, p.files(rows(0, 5)...)))
	version := p.commit(p.prepared(2, 5, p.files(rows(5, 10)...)))
	files := p.files(rows(10, 15)...)
	for _, c := range []struct{ prev, epoch engine.Epoch }{
		{engine.NoEpoch, 6}, {2, 6}, {4, 6}, {6, 7}, {1, 2}, {engine.NoEpoch, 2}, {engine.NoEpoch, 1}, {3, 4},
	} {
		for who, table := range map[string]*process{"the one that committed": p, "another": t.start(plain(), "L")} {
			bad := p.prepared(c.prev, c.epoch, files)
			if v, err := table.Commit(t.Context(), bad, p.info(bad)); !errors.Is(err, engine.ErrForeign) {
				t.Errorf("epoch %d after %d, by %s: version %d, %v; want %v", c.epoch, c.prev, who, v, err, engine.ErrForeign)
			}
		}
	}
	for _, id := range []string{"", "another", p.state.ID + "0"} {
		bad := p.prepared(5, 6, files)
		bad.ID = id
		if v, err := p.Commit(t.Context(), bad, p.info(bad)); !errors.Is(err, engine.ErrForeign) {
			t.Errorf("to the table %q: version %d, %v; want %v", id, v, err, engine.ErrForeign)
		}
	}
	p.is(5, version)
	t.holds(plain().Schema, rows(0, 10))
	p.commit(p.prepared(5, 6, files))
	t.holds(plain().Schema, rows(0, 15))
}

// race commits at once, each by a process of its own.
func (t *trial) race(line string, all []engine.Prepared) (versions []int64, errs []error) {
	t.Helper()
	versions, errs = make([]int64, len(all)), make([]error, len(all))
	var racers sync.WaitGroup
	start := make(chan struct{})
	for i, c := range all {
		p := t.start(plain(), line)
		racers.Go(func() {
			<-start
			versions[i], errs[i] = p.Commit(t.Context(), c, p.info(c))
		})
	}
	close(start)
	racers.Wait()
	return versions, errs
}

const racers = 6

// testCommitAtOnce: a commit that several processes make is done once; of several that follow on one epoch
// one is done.
func (t *trial) testCommitAtOnce() {
	p := t.start(plain(), "L")
	same := p.prepared(engine.NoEpoch, 1, p.files(rows(0, 5)...))
	versions, errs := t.race("L", slices.Repeat([]engine.Prepared{same}, racers))
	for i, v := range versions {
		if errs[i] != nil || v != versions[0] {
			t.Errorf("of those that made one commit number %d got version %d, %v; the first %d", i, v, errs[i], versions[0])
		}
	}
	p.is(1, versions[0])
	t.holds(plain().Schema, rows(0, 5))

	var different []engine.Prepared
	for i := range racers {
		different = append(different, p.prepared(1, engine.Epoch(2+i), p.files(row(10+i))))
	}
	won := -1
	versions, errs = t.race("L", different)
	for i, err := range errs {
		switch {
		case err == nil && won < 0:
			won = i
		case !errors.Is(err, engine.ErrForeign):
			t.Errorf("of those that follow on one epoch number %d got version %d, %v; number %d has won", i, versions[i], err, won)
		}
	}
	if won < 0 {
		t.Fatal("none has won")
	}
	p.is(different[won].Epoch, versions[won])
	t.holds(plain().Schema, rows(0, 5), []string{row(10 + won)})
}

// testCommitsOfOthers: lines that commit at once each get every epoch in, as a version of its own.
func (t *trial) testCommitsOfOthers() {
	const epochs = 5
	var mu sync.Mutex
	versions := map[int64]bool{}
	var all sync.WaitGroup
	for i := range racers {
		p := t.start(plain(), fmt.Sprintf("L%d", i))
		var prepared []engine.Prepared
		for e := range engine.Epoch(epochs) {
			prepared = append(prepared, p.prepared(e-1, e, p.files(row(epochs*i+int(e)))))
		}
		all.Go(func() {
			last := int64(-1)
			for _, c := range prepared {
				v, err := p.Commit(t.Context(), c, p.info(c))
				if err != nil || v <= last {
					t.Errorf("line %d, epoch %d: version %d after %d, %v", i, c.Epoch, v, last, err)
				}
				last = v
				mu.Lock()
				versions[v] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(versions) != racers*epochs {
		t.Errorf("%d commits have %d versions", racers*epochs, len(versions))
	}
	t.holds(plain().Schema, rows(0, racers*epochs))
}

// testCommitAnswerLost: whatever comes of the put that commits, and of each call of the store after it, a commit
// that is repeated is done once.
func (t *trial) testCommitAnswerLost() {
	p := t.start(plain(), "L")
	prev, id := engine.NoEpoch, 0
	for _, kind := range []fault.Kind{fault.FailBefore, fault.FailAfter, fault.CrashBefore, fault.CrashAfter} {
		for n, hit := 1, true; hit; n++ {
			hit = false
			armed, calls := false, 0 // calls from the put on
			files := fault.New(t.Files, func(c fault.Call) fault.Fault {
				if armed && (calls > 0 || c.Op == "PutIfAbsent") {
					calls++
				}
				if hit || calls != n {
					return fault.Fault{}
				}
				hit = true
				return fault.Fault{Kind: kind}
			})
			shaken := t.startOn(files, plain(), "L")
			c := p.prepared(prev, prev+1, p.files(row(id)))
			armed = true
			if _, err := shaken.Commit(t.Context(), c, p.info(c)); err != nil && !errors.Is(err, fault.ErrInjected) && !errors.Is(err, fault.ErrCrashed) {
				t.Errorf("fault %d at call %d: %v", kind, n, err)
			}
			t.start(plain(), "L").commit(c)
			prev, id = c.Epoch, id+1
			t.holds(plain().Schema, rows(0, id))
		}
	}
}

// testPrepare changes nothing, and refuses what Commit would.
func (t *trial) testPrepare() {
	p := t.start(plain(), "L")
	c := p.prepared(engine.NoEpoch, 1, p.files(rows(0, 5)...))
	for range 2 {
		t.must(p.Prepare(t.Context(), c))
	}
	p.is(engine.NoEpoch, p.state.Version)
	t.holds(plain().Schema)
	p.commit(c)
	t.must(p.Prepare(t.Context(), c)) // by who comes later and does not know that it is done
	if t.Fake {
		return
	}
	ahead, other := p.prepared(3, 4, p.files(row(9))), p.prepared(1, 2, p.files(row(9)))
	other.ID = "another"
	for _, bad := range []engine.Prepared{ahead, other} {
		if err := p.Prepare(t.Context(), bad); !errors.Is(err, engine.ErrForeign) {
			t.Errorf("prepare epoch %d after %d of table %s: %v, want %v", bad.Epoch, bad.Prev, bad.ID, err, engine.ErrForeign)
		}
	}
}

// testContextIsOver: calls that come too late do nothing.
func (t *trial) testContextIsOver() {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := t.Table(t.Files, plain()).Open(over, "L"); !errors.Is(err, context.Canceled) {
		t.Errorf("open: %v", err)
	}
	p := t.start(plain(), "L")
	w := p.Writer(0)
	p.write(w, rows(0, 5)...)
	if files, err := w.Cut().Seal(over); !errors.Is(err, context.Canceled) {
		t.Errorf("seal: %v, %v", files, err)
	}
	c := p.prepared(engine.NoEpoch, 1, p.files(rows(5, 10)...))
	if _, err := p.Commit(over, c, p.info(c)); !errors.Is(err, context.Canceled) {
		t.Errorf("commit: %v", err)
	}
	if _, err := p.State(over); !errors.Is(err, context.Canceled) {
		t.Errorf("state: %v", err)
	}
	if _, err := p.Missing(over, c.Files); !errors.Is(err, context.Canceled) {
		t.Errorf("missing: %v", err)
	}
	p.is(engine.NoEpoch, p.state.Version)
	p.commit(c)
	t.holds(plain().Schema, rows(5, 10))
}
