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
		from = append(from, engine.Start{Partition: name, From: all[name].First})
	}
	return from
}

// offsets reads a partition, in a reading of its own, for the offsets of the records that it has.
func (t *trial) offsets(s engine.Source, name string, records int) []engine.Offset {
	t.Helper()
	end := t.look(s)[name].End
	r := t.reader()
	r.read(s, t.starts(s, name)...)
	r.until("the partition's end", func() bool { return r.parts[name].next >= end })
	r.stop()
	all := r.parts[name].offsets()
	if len(all) != records {
		t.Fatalf("partition %s gave %d records, want %d", name, len(all), records)
	}
	return all
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
