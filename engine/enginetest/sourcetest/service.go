package sourcetest

import (
	"context"
	"errors"
	"runtime"

	"github.com/millrace-io/millrace/engine"
)

// testCommitted: offsets may be told at any time, of any number of partitions.
func (t *trial) testCommitted() {
	first, second := t.Partitions[0], t.Partitions[1]
	s := t.open()
	for _, next := range []map[string]engine.Offset{{first: 0, second: 5}, {first: 3, second: 5}, {second: 9}, {}} {
		if err := s.Committed(t.Context(), next); err != nil {
			t.Errorf("committed %v: %v", next, err)
		}
	}
	if t.Marked == nil {
		return
	}
	for name, want := range map[string]engine.Offset{first: 3, second: 9} {
		if got := t.Marked(name); got != want {
			t.Errorf("partition %s is marked at %d, want %d", name, got, want)
		}
	}
}

// testClose: a source that is closed leaves nothing running, however far it came.
func (t *trial) testClose() {
	name := t.Partitions[0]
	t.Append(name, numbered(name, 0, 100)...)
	t.must(t.Source().Close())
	life := func() {
		s, r := t.Source(), t.reader()
		r.read(s, t.starts(s, t.Partitions...)...)
		r.has(name, 100)
		t.must(s.Committed(t.Context(), map[string]engine.Offset{name: r.parts[name].next}))
		r.stop()
		t.must(s.Close())
	}
	life() // what is made once in a process is made now
	// Others may begin and end meanwhile, of tests before this one too: fewer than half as many as there are lives.
	before := runtime.NumGoroutine()
	const lives = 20
	for range lives {
		life()
	}
	t.eventually("all goroutines of closed sources end", func() bool { return runtime.NumGoroutine() < before+lives/2 })
}

// testDownAndUp: a service that is away for a while costs no record.
func (t *trial) testDownAndUp() {
	t.need("way to be down", t.Down != nil)
	name, quiet := t.Partitions[0], t.Partitions[1]
	t.Append(name, numbered(name, 0, 100)...)
	s, r := t.open(), t.reader()
	r.read(s, t.starts(s, name, quiet)...)
	r.has(name, 100)
	t.Down()
	t.neverFor(max(moment, t.Outage), "Read returns when the service is down", r.ended)
	t.Up()
	t.Append(name, numbered(name, 100, 200)...)
	t.Append(quiet, numbered(quiet, 0, 100)...)
	r.has(name, 200)
	r.has(quiet, 100)
	r.stop()
	r.check(name, numbered(name, 0, 200))
	r.check(quiet, numbered(quiet, 0, 100))
}

// testDownAtPartitions: Partitions waits for the service, as long as its context lives.
func (t *trial) testDownAtPartitions() {
	t.need("way to be down", t.Down != nil)
	s := t.open()
	t.Down()
	ctx, cancel := context.WithTimeout(t.Context(), moment)
	defer cancel()
	if _, err := s.Partitions(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("when the context ended: %v", err)
	}
	var list []engine.Partition
	var err error
	done := make(gate)
	go func() {
		defer close(done)
		list, err = s.Partitions(t.Context())
	}()
	t.neverFor(max(moment, t.Outage), "Partitions returns when the service is down", done)
	t.Up()
	t.await("Partitions returns", done)
	if err != nil || len(list) != partitions {
		t.Errorf("%d partitions, %v; want %d", len(list), err, partitions)
	}
}

// testDownAtRead: so does Read.
func (t *trial) testDownAtRead() {
	t.need("way to be down", t.Down != nil)
	name := t.Partitions[0]
	t.Append(name, numbered(name, 0, 100)...)
	s, r := t.open(), t.reader()
	from := t.starts(s, name)
	t.Down()
	r.read(s, from...)
	t.neverFor(max(moment, t.Outage), "Read returns when the service is down", r.ended)
	t.Up()
	r.has(name, 100)
	r.stop()
	r.check(name, numbered(name, 0, 100))
}
