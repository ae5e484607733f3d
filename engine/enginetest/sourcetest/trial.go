package sourcetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
)

const (
	patience = 20 * time.Second      // how long what must happen may take
	moment   = 50 * time.Millisecond // how long what must not happen is given to happen
)

// A trial is one test at work.
type trial struct {
	testing.TB
	Harness
}

// need skips the test if the harness lacks something.
func (t *trial) need(what string, there bool) {
	t.Helper()
	if !there {
		t.Skipf("the harness has no %s", what)
	}
}

func (t *trial) must(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// open makes a source that is closed when the test is over.
func (t *trial) open() engine.Source {
	s := t.Source()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// look asks the source for its partitions, by name.
func (t *trial) look(s engine.Source) map[string]engine.Partition {
	t.Helper()
	list, err := s.Partitions(t.Context())
	t.must(err)
	all := map[string]engine.Partition{}
	for _, p := range list {
		all[p.Name] = p
	}
	return all
}

// starts are the oldest records of the partitions.
func (t *trial) starts(s engine.Source, names ...string) []engine.Start {
	t.Helper()
	var from []engine.Start
	all := t.look(s)
	for _, name := range names {
		from = append(from, engine.Start{Partition: name, From: all[name].First, After: all[name].FirstAt})
	}
	return from
}

// offsets reads a partition, in a reading of its own, for the offsets of the records that it has.
func (t *trial) offsets(s engine.Source, name string, records int) (all []engine.Offset) {
	t.Helper()
	for _, start := range t.places(s, name, records)[:records] {
		all = append(all, start.From)
	}
	return all
}

// places reads a partition, in a reading of its own, for where its records are: the start of each, and of what follows the
// last.
func (t *trial) places(s engine.Source, name string, records int) []engine.Start {
	t.Helper()
	end := t.look(s)[name].End
	r, from := t.reader(), t.starts(s, name)
	r.read(s, from...)
	r.until("the partition's end", func() bool {
		p := r.parts[name]
		return end != engine.NoOffset && p.next >= end || end == engine.NoOffset && len(p.records) >= records
	})
	all := from
	for i, o := range r.parts[name].offsets() {
		all[i].From = o
		next := engine.Start{Partition: name, From: o + 1}
		if p, ok := s.(engine.Positioned); ok {
			if next.After = p.Position(name, o); next.After == "" {
				t.Errorf("partition %s: the source does not know the position of offset %d, which it delivered", name, o)
			}
		}
		all = append(all, next)
	}
	r.stop()
	if len(all) != records+1 {
		t.Fatalf("partition %s gave %d records, want %d", name, len(all)-1, records)
	}
	return all
}

// end is the start for what comes from now on.
func end(p engine.Partition) engine.Start {
	if p.End == engine.NoOffset {
		return engine.Start{Partition: p.Name, After: p.EndAt}
	}
	return engine.Start{Partition: p.Name, From: p.End}
}

// numbered makes records that tell their place: from ≤ number < to.
func numbered(partition string, from, to int) []Record {
	all := make([]Record, 0, to-from)
	for i := from; i < to; i++ {
		all = append(all, Record{At: time.UnixMilli(1_700_000_000_000 + int64(i)).UTC(), Value: fmt.Appendf(nil, "%s/%d", partition, i)})
	}
	return all
}

// bulkValue is the bytes of each value of bulk.
const bulkValue = 4 << 10

// bulk makes numbered records whose values are four times what a source may read ahead.
func (t *trial) bulk(partition string) []Record {
	all := numbered(partition, 0, max(200, 4*t.Ahead/bulkValue))
	for i := range all {
		all[i].Value = append(all[i].Value, bytes.Repeat([]byte{'.'}, bulkValue-len(all[i].Value))...)
	}
	return all
}

// kept is what a reader is given of the records.
func (t *trial) kept(records []Record) []Record {
	if t.Kept == nil {
		return records
	}
	all := make([]Record, len(records))
	for i, r := range records {
		all[i] = t.Kept(r)
	}
	return all
}

// await waits for what must happen.
func (t *trial) await(what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("%s: it did not happen", what)
	}
}

// never sees to it that what must not happen does not, for a moment.
func (t *trial) never(what string, done <-chan struct{}) {
	t.Helper()
	t.neverFor(moment, what, done)
}

func (t *trial) neverFor(d time.Duration, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
		t.Errorf("%s: it happened", what)
	case <-time.After(d):
	}
}

// eventually asks until the answer is yes.
func (t *trial) eventually(what string, done func() bool) {
	t.Helper()
	deadline, look := time.After(patience), time.NewTicker(moment/10)
	defer look.Stop()
	for !done() {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("%s: it did not happen", what)
		}
	}
}

var errRefused = errors.New("the sink refuses")

// gate is what a sink is held up at. Closing it lets all through.
type gate chan struct{}

// pass waits for the gate or for the end of ctx.
func (g gate) pass(ctx context.Context) error {
	select {
	case <-g:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
