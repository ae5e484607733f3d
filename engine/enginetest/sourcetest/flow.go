package sourcetest

import (
	"context"
	"sync/atomic"
)

// testBackPressure: a partition that is held up stops, within bounds, and no other does.
func (t *trial) testBackPressure() {
	slow, fast := t.Partitions[0], t.Partitions[1]
	for _, name := range []string{slow, fast} {
		t.Append(name, t.bulk(name)...)
	}
	records := len(t.bulk(slow))
	s, r := t.open(), t.reader()
	goOn := make(gate)
	r.hold = func(ctx context.Context, name string) error {
		if name == slow {
			return goOn.pass(ctx)
		}
		return nil
	}
	from := t.starts(s, slow, fast)
	r.read(s, from...)
	r.called(slow)
	r.has(fast, records)
	r.check(fast, t.bulk(fast))
	if t.Asked != nil {
		if ahead := int(t.Asked(slow)-from[0].From) * bulkValue; ahead > t.Ahead {
			t.Errorf("%d bytes of a partition were read that its sink did not take: more than %d", ahead, t.Ahead)
		}
	}
	close(goOn)
	r.has(slow, records)
	r.check(slow, t.bulk(slow))
	r.stop()
}

// testSinkFails: what the sink refuses ends Read with the sink's error, and no record comes after it.
func (t *trial) testSinkFails() {
	for _, name := range t.Partitions {
		t.Append(name, numbered(name, 0, 1000)...)
	}
	last := t.Partitions[partitions-1]
	s, r := t.open(), t.reader()
	r.hold = func(_ context.Context, name string) error {
		if name == last {
			return errRefused
		}
		return nil
	}
	r.read(s, t.starts(s, t.Partitions...)...)
	r.returns(errRefused)
}

// testSinkFailsBesideAnother: a call for another partition is waited for.
func (t *trial) testSinkFailsBesideAnother() {
	first, second := t.Partitions[0], t.Partitions[1]
	t.Append(first, numbered(first, 0, 10)...)
	t.Append(second, numbered(second, 0, 10)...)
	s, r := t.open(), t.reader()
	fail, goOn := make(gate), make(gate)
	r.hold = func(ctx context.Context, name string) error {
		if name == first {
			<-goOn // whatever becomes of ctx
			return nil
		}
		if err := fail.pass(ctx); err != nil {
			return err
		}
		return errRefused
	}
	r.read(s, t.starts(s, first, second)...)
	r.called(first)
	r.called(second)
	close(fail)
	t.never("Read returns while the sink has a frame", r.ended)
	close(goOn)
	r.returns(errRefused)
}

// testContextEnds: Read returns when the sink has taken the frames that it has.
func (t *trial) testContextEnds() {
	for _, name := range t.Partitions {
		t.Append(name, numbered(name, 0, 10)...)
	}
	s, r := t.open(), t.reader()
	goOn := make(gate)
	r.hold = func(context.Context, string) error { <-goOn; return nil }
	r.read(s, t.starts(s, t.Partitions...)...)
	for _, name := range t.Partitions {
		r.called(name)
	}
	r.cancel()
	t.never("Read returns while the sink has a frame", r.ended)
	close(goOn)
	r.returns(context.Canceled)
}

// testContextEndsSink: a sink that waits learns from its context that the reading is over, and may answer
// with the context's error.
func (t *trial) testContextEndsSink() {
	name := t.Partitions[0]
	t.Append(name, numbered(name, 0, 10)...)
	s, r := t.open(), t.reader()
	var woken atomic.Bool
	r.hold = func(ctx context.Context, _ string) error {
		<-ctx.Done()
		woken.Store(true)
		return ctx.Err()
	}
	r.read(s, t.starts(s, name)...)
	r.called(name)
	r.stop()
	if !woken.Load() {
		t.Error("Read returned before the sink did")
	}
}

// testContextEndsIdle: with nothing to read Read ends with its context, even one that was over before.
func (t *trial) testContextEndsIdle() {
	s := t.open()
	from := t.starts(s, t.Partitions...)
	idle := t.reader()
	ctx, cancel := context.WithTimeout(t.Context(), moment)
	idle.readIn(ctx, cancel, s, from...)
	idle.returns(context.DeadlineExceeded)

	over := t.reader()
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	over.readIn(ctx, cancel, s, from...)
	over.returns(context.Canceled)

	again := t.reader() // the source is as good as new
	again.read(s, from...)
	if name := t.Partitions[0]; !t.Fixed {
		t.Append(name, numbered(name, 0, 1)...)
		again.has(name, 1)
	}
	again.stop()
}
