package sourcetest

import (
	"context"
	"slices"
	"time"

	"github.com/millrace-io/millrace/engine"
)

// testLost: records that are gone before they were read are told of once, and reading goes on behind them.
func (t *trial) testLost() {
	t.need("way to drop records", t.Trim != nil)
	name, whole := t.Partitions[0], t.Partitions[1]
	t.Append(name, numbered(name, 0, 100)...)
	t.Append(whole, numbered(whole, 0, 100)...)
	s := t.open()
	at := t.offsets(s, name, 100)
	t.Trim(name, at[40])
	first := t.look(s)[name].First
	if first != at[40] {
		t.Fatalf("the oldest record is at offset %d, want %d", first, at[40])
	}
	for _, from := range []engine.Offset{at[10], at[39], at[40], at[41]} {
		r := t.reader()
		r.read(t.open(), engine.Start{Partition: name, From: from}, engine.Start{Partition: whole, From: t.look(s)[whole].First})
		place := max(40, slices.Index(at, from))
		r.has(name, 100-place)
		r.has(whole, 100)
		r.stop()
		r.check(name, numbered(name, place, 100))
		r.check(whole, numbered(whole, 0, 100))
		if from < first {
			r.lostIs(name, from, first)
		} else {
			r.lostIs(name)
		}
		r.lostIs(whole)
	}
}

// lostIs checks what Lost was told: from and to of each call.
func (r *reader) lostIs(name string, want ...engine.Offset) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if got := r.parts[name].lost; !slices.Equal(got, want) {
		r.t.Errorf("partition %s: lost from and to %v, want %v", name, got, want)
	}
}

// testLostAll: a partition that nothing is left of has an end.
func (t *trial) testLostAll() {
	t.need("way to drop records", t.Trim != nil)
	name := t.Partitions[0]
	t.Append(name, numbered(name, 0, 100)...)
	s, r := t.open(), t.reader()
	was := t.look(s)[name]
	t.Trim(name, was.End)
	if p := t.look(s)[name]; p.First != was.End || p.End != was.End {
		t.Errorf("the partition goes from %d to %d, want an empty one at %d", p.First, p.End, was.End)
	}
	r.read(s, engine.Start{Partition: name, From: was.First})
	r.until("the loss", func() bool { return r.parts[name].next == was.End })
	t.Append(name, numbered(name, 100, 110)...)
	r.has(name, 10)
	r.stop()
	r.check(name, numbered(name, 100, 110))
	r.lostIs(name, was.First, was.End)
}

// testLostRefused: what Lost answers ends Read.
func (t *trial) testLostRefused() {
	t.need("way to drop records", t.Trim != nil)
	name := t.Partitions[0]
	t.Append(name, numbered(name, 0, 100)...)
	s, r := t.open(), t.reader()
	at := t.offsets(s, name, 100)
	t.Trim(name, at[40])
	r.lose = func(string) error { return errRefused }
	r.read(s, engine.Start{Partition: name, From: at[10]})
	r.returns(errRefused)
	r.lostIs(name, at[10], at[40])
	r.check(name, nil)
}

// testLostWhileReading: records that go while the sink is behind. Each comes or is told to be lost, and Lost
// waits for the frames before it.
func (t *trial) testLostWhileReading() {
	t.need("way to drop records", t.Trim != nil && t.Ahead > 0)
	name, records := t.Partitions[0], t.bulk(t.Partitions[0])
	t.Append(name, records...)
	s, r := t.open(), t.reader()
	goOn, lost := make(gate), make(gate)
	r.hold = func(ctx context.Context, _ string) error {
		if err := goOn.pass(ctx); err != nil {
			return err
		}
		select { // the frame before the loss takes its time
		case <-lost:
		case <-time.After(moment / 5):
		case <-ctx.Done():
			return ctx.Err()
		}
		return nil
	}
	r.lose = func(string) error { close(lost); return nil }
	r.read(s, t.starts(s, name)...)
	r.called(name)
	p := t.look(s)[name]
	t.Trim(name, p.End-10)
	close(goOn)
	r.until("the end", func() bool { return r.parts[name].next == p.End })
	r.stop()
	if n := len(r.parts[name].lost); n != 2 {
		t.Fatalf("lost from and to %v, want one run of offsets", r.parts[name].lost)
	}
	before := slices.IndexFunc(r.parts[name].records, func(rec engine.Record) bool { return rec.Offset >= p.End-10 })
	if before < 0 {
		t.Fatal("none of the last records came")
	}
	r.lostIs(name, p.First+engine.Offset(before), p.End-10)
	r.check(name, slices.Concat(records[:before], records[len(records)-10:]))
}

// testPassed: what no reader is given is passed, so that who reads on reaches the end.
func (t *trial) testPassed() {
	t.need("records that no reader is given", t.Hide != nil)
	name := t.Partitions[0]
	t.Append(name, numbered(name, 0, 10)...)
	t.Hide(name, 10)
	t.Append(name, numbered(name, 10, 15)...)
	t.Hide(name, 10)
	s, r := t.open(), t.reader()
	p := t.look(s)[name]
	r.read(s, t.starts(s, name)...)
	r.until("the end", func() bool { return r.parts[name].next >= p.End })
	r.stop()
	r.check(name, numbered(name, 0, 15))
}

// testPassedIsNotLost: what is passed and then dropped is no loss.
func (t *trial) testPassedIsNotLost() {
	t.need("records that no reader is given", t.Hide != nil)
	t.need("way to drop records", t.Trim != nil)
	name := t.Partitions[0]
	t.Append(name, numbered(name, 0, 10)...)
	t.Hide(name, 10)
	s, r := t.open(), t.reader()
	p := t.look(s)[name]
	r.read(s, t.starts(s, name)...)
	r.until("the end", func() bool { return r.parts[name].next >= p.End })
	r.stop()
	t.Trim(name, p.End)
	t.Append(name, numbered(name, 10, 15)...)
	again := t.reader()
	again.read(s, engine.Start{Partition: name, From: r.parts[name].next})
	again.has(name, 5)
	again.stop()
	again.check(name, numbered(name, 10, 15))
	if l := again.parts[name].lost; len(l) > 0 {
		t.Errorf("lost from and to %v, though all was passed before", l)
	}
}
