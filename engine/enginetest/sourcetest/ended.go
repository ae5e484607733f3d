package sourcetest

import (
	"context"
	"slices"

	"github.com/millrace-io/millrace/engine"
)

// isEnded waits until the source has said that a partition has no more records.
func (r *reader) isEnded(name string) {
	r.t.Helper()
	r.until("the end of partition "+name, func() bool { return r.parts[name].ended })
}

// testEnded: a partition that ends while it is read gives all of its records and then says so; its children name it, and
// others are read on.
func (t *trial) testEnded() {
	t.need("way to end partitions", t.Divide != nil)
	old, other := t.Partitions[2], t.Partitions[0]
	t.Append(old, numbered(old, 0, 100)...)
	s, r := t.open(), t.reader()
	r.read(s, t.starts(s, t.Partitions...)...)
	r.has(old, 10)
	children := t.Divide(old)
	for _, c := range children {
		t.Append(c, numbered(c, 0, 50)...)
	}
	r.isEnded(old)
	r.check(old, numbered(old, 0, 100))
	t.Append(other, numbered(other, 0, 10)...)
	r.has(other, 10)
	all := t.look(s)
	if _, ok := all[old]; !ok {
		t.Errorf("partition %s is not listed any more, and its records are there", old)
	}
	for _, c := range children {
		if p := all[c]; !slices.Equal(p.Parents, []string{old}) {
			t.Errorf("partition %s came in the place of %s, and has the parents %q", c, old, p.Parents)
		}
		young := t.reader()
		young.read(s, t.starts(s, c)...)
		young.has(c, 50)
		young.check(c, numbered(c, 0, 50))
		young.stop()
	}
	t.never("Read returns while partitions are left", r.ended)
	r.stop()
}

// testEndedBefore: one that ended before reading of it began gives what it has and ends, wherever reading begins.
func (t *trial) testEndedBefore() {
	t.need("way to end partitions", t.Divide != nil)
	old := t.Partitions[2]
	t.Append(old, numbered(old, 0, 20)...)
	places := t.places(t.open(), old, 20)
	t.Divide(old)
	for _, i := range []int{0, 7, 20} {
		r := t.reader()
		r.read(t.open(), places[i])
		r.isEnded(old)
		r.returns(nil)
		r.check(old, numbered(old, i, 20))
	}
	empty := t.Partitions[1]
	t.Divide(empty)
	s, r := t.open(), t.reader()
	r.read(s, end(t.look(s)[old]), t.starts(s, empty)[0])
	r.isEnded(old)
	r.isEnded(empty)
	r.returns(nil)
	r.check(old, nil)
	r.check(empty, nil)
}

// testEndedWaits: the end comes after the last frame was taken, and Read returns after the end was.
func (t *trial) testEndedWaits() {
	t.need("way to end partitions", t.Divide != nil)
	old := t.Partitions[2]
	t.Append(old, numbered(old, 0, 20)...)
	t.Divide(old)
	s, r := t.open(), t.reader()
	goOn := make(gate)
	r.hold = func(ctx context.Context, _ string) error { return goOn.pass(ctx) }
	r.read(s, t.starts(s, old)...)
	r.called(old)
	t.never("Read returns while the sink has a frame", r.ended)
	if r.mu.Lock(); r.parts[old].ended {
		t.Error("the end was told before the last frame was taken")
	}
	r.mu.Unlock()
	close(goOn)
	r.isEnded(old)
	r.returns(nil)
	r.check(old, numbered(old, 0, 20))
}

// testAllEnded: Read returns nil when the last of its partitions has ended.
func (t *trial) testAllEnded() {
	t.need("way to end partitions", t.Divide != nil)
	first, second := t.Partitions[1], t.Partitions[2]
	t.Append(second, numbered(second, 0, 20)...)
	s, r := t.open(), t.reader()
	r.read(s, t.starts(s, first, second)...)
	t.Divide(second)
	r.isEnded(second)
	t.never("Read returns while a partition is left", r.ended)
	t.Append(first, numbered(first, 0, 10)...)
	t.Divide(first)
	r.isEnded(first)
	r.returns(nil)
	r.check(first, numbered(first, 0, 10))
	r.check(second, numbered(second, 0, 20))
}

// testCaughtUp: a source that can't say where a partition ends knows when the sink has taken what was there, and not
// before.
func (t *trial) testCaughtUp() {
	name, empty := t.Partitions[0], t.Partitions[1]
	t.Append(name, numbered(name, 0, 100)...)
	s := t.open()
	chasing, ok := s.(engine.Chasing)
	t.need("source that chases", ok)
	r := t.reader()
	goOn := make(gate)
	r.hold = func(ctx context.Context, _ string) error {
		if chasing.CaughtUp(name) {
			t.Errorf("partition %s is caught up, and the sink has not taken its records", name)
		}
		return goOn.pass(ctx)
	}
	if chasing.CaughtUp(name) {
		t.Errorf("partition %s is caught up before it was read", name)
	}
	r.read(s, t.starts(s, name, empty)...)
	r.called(name)
	t.eventually("an empty partition is caught up", func() bool { return chasing.CaughtUp(empty) })
	close(goOn)
	t.eventually("the partition is caught up", func() bool { return chasing.CaughtUp(name) })
	r.has(name, 100)
	behind := chasing.Behind()
	if _, ok := behind[name]; !ok || behind[name] != 0 || len(behind) != 2 {
		t.Errorf("at the ends of two partitions they are behind by %v", behind)
	}
	if t.Divide != nil {
		old := t.Partitions[2]
		t.Divide(old)
		ended := t.reader()
		ended.read(s, t.starts(s, old)...)
		ended.returns(nil)
		if !chasing.CaughtUp(old) {
			t.Errorf("partition %s has ended and is not caught up", old)
		}
	}
	r.stop()
}

// testPositions: a source knows the positions of all records that are not committed, and of the last that is; and of the
// record before the first that it was to read.
func (t *trial) testPositions() {
	s := t.open()
	p, ok := s.(engine.Positioned)
	t.need("source with positions", ok)
	name := t.Partitions[0]
	t.Append(name, numbered(name, 0, 100)...)
	starts := t.places(s, name, 100)
	r := t.reader()
	r.read(s, starts[10])
	r.has(name, 90)
	for i := 10; i <= 100; i++ {
		if got := p.Position(name, starts[i].From-1); got != starts[i].After {
			t.Errorf("the record before number %d is at %q, want %q", i, got, starts[i].After)
		}
	}
	for _, next := range []int{40, 40, 70, 100} {
		t.must(s.Committed(t.Context(), map[string]engine.Offset{name: starts[next].From}))
		for i := next; i <= 100; i++ {
			if got := p.Position(name, starts[i].From-1); got != starts[i].After {
				t.Errorf("all before number %d is committed, and the record before number %d is at %q, want %q", next, i, got, starts[i].After)
			}
		}
	}
	if got := p.Position(name, starts[100].From); got != "" {
		t.Errorf("a record that was never delivered is at %q", got)
	}
	if got := p.Position("no such partition", 0); got != "" {
		t.Errorf("a record of no partition is at %q", got)
	}
	r.stop()
}
