package sourcetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
)

// A reader is a call of Read and the engine.Sink that it fills.
type reader struct {
	t    *trial
	hold func(ctx context.Context, partition string) error // called with each frame, before it is taken; nil: not
	lose func(partition string) error                      // what Lost answers; nil: nil

	cancel context.CancelFunc
	ended  chan struct{} // closed when Read has returned
	err    error         // what it returned

	mu      sync.Mutex
	parts   map[string]*part
	changed chan struct{} // closed, and made anew, with every call of the sink
	over    bool          // Read has returned
}

// A part is what a sink knows of a partition.
type part struct {
	from, next engine.Offset
	busy       bool            // a call of the sink is running
	ended      bool            // the source has said so
	refused    bool            // one was answered with an error
	records    []engine.Record // one an offset, in order
	lost       []engine.Offset // from and to, for each call of Lost
}

func (p *part) offsets() []engine.Offset {
	all := make([]engine.Offset, len(p.records))
	for i, r := range p.records {
		all[i] = r.Offset
	}
	return all
}

func (t *trial) reader() *reader {
	return &reader{t: t, ended: make(chan struct{}), parts: map[string]*part{}, changed: make(chan struct{})}
}

// read begins to read. The test's end ends it.
func (r *reader) read(s engine.Source, from ...engine.Start) {
	ctx, cancel := context.WithCancel(r.t.Context())
	r.readIn(ctx, cancel, s, from...)
}

func (r *reader) readIn(ctx context.Context, cancel context.CancelFunc, s engine.Source, from ...engine.Start) {
	for _, start := range from {
		r.parts[start.Partition] = &part{from: start.From, next: start.From}
	}
	r.cancel = cancel
	go func() {
		defer close(r.ended)
		r.err = s.Read(ctx, from, r)
		r.end()
	}()
	r.t.Cleanup(func() {
		cancel()
		select {
		case <-r.ended:
		case <-time.After(patience):
			r.t.Errorf("Read did not return when its context ended")
		}
	})
}

// end sees that Read has returned.
func (r *reader) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	for name, p := range r.parts {
		if p.busy {
			r.t.Errorf("Read returned %v while the sink was called for partition %s", r.err, name)
		}
	}
}

// stop ends the reading, which must say so.
func (r *reader) stop() {
	r.t.Helper()
	r.cancel()
	r.returns(context.Canceled)
}

// returns waits until Read returns with an error.
func (r *reader) returns(want error) {
	r.t.Helper()
	r.t.await("Read returns", r.ended)
	if !errors.Is(r.err, want) {
		r.t.Errorf("Read returned %v, want %v", r.err, want)
	}
}

// Frame implements engine.Sink.
func (r *reader) Frame(ctx context.Context, name string, f engine.Frame) error {
	p := r.enter(name)
	defer r.leave(p)
	bytesThen := bytes.Clone(f)
	if r.hold != nil {
		if err := r.hold(ctx, name); err != nil {
			return r.refuse(p, err)
		}
	}
	if !bytes.Equal(bytesThen, f) {
		r.t.Errorf("partition %s: the frame's bytes changed while the sink had it", name)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for rec, rest, ok := engine.Frame(bytesThen).Next(); ok; rec, rest, ok = rest.Next() {
		r.take(name, p, rec)
	}
	return nil
}

// take keeps a record that is new. One that comes again must be as it was.
func (r *reader) take(name string, p *part, rec engine.Record) {
	if rec.Offset >= p.next {
		p.records = append(p.records, rec)
		p.next = rec.Offset + 1
		return
	}
	at, seen := slices.BinarySearchFunc(p.records, rec.Offset, func(r engine.Record, o engine.Offset) int { return int(r.Offset - o) })
	switch {
	case rec.Offset < p.from && r.t.Repeats:
	case !seen:
		r.t.Errorf("partition %s: offset %d came when offset %d was next; reading began at %d", name, rec.Offset, p.next, p.from)
	case !bytes.Equal(rec.Value, p.records[at].Value) || !bytes.Equal(rec.Key, p.records[at].Key):
		r.t.Errorf("partition %s: offset %d came twice, with %q and then with %q", name, rec.Offset, p.records[at].Value, rec.Value)
	}
}

// Passed implements engine.Sink.
func (r *reader) Passed(name string, to engine.Offset) error {
	p := r.enter(name)
	defer r.leave(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	p.next = max(p.next, to)
	return nil
}

// Lost implements engine.Sink.
func (r *reader) Lost(name string, from, to engine.Offset) error {
	p := r.enter(name)
	defer r.leave(p)
	r.lost(name, p, from, to)
	if r.lose == nil {
		return nil
	}
	return r.refuse(p, r.lose(name))
}

// Ended implements engine.Sink.
func (r *reader) Ended(name string) error {
	p := r.enter(name)
	defer r.leave(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	p.ended = true
	return nil
}

// refuse gives the sink's answer, after which no other call may come if it is an error.
func (r *reader) refuse(p *part, err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.refused = p.refused || err != nil
	return err
}

func (r *reader) lost(name string, p *part, from, to engine.Offset) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if from < p.next || to <= from {
		r.t.Errorf("partition %s: offsets %d to %d are lost, offset %d was next", name, from, to, p.next)
	}
	p.lost, p.next = append(p.lost, from, to), max(p.next, to)
}

// enter checks that the call may come now.
func (r *reader) enter(name string) *part {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.tell()
	p := r.parts[name]
	if p == nil {
		r.t.Errorf("the sink was called for partition %q, which is not read here", name)
		p = &part{}
		r.parts[name] = p
	}
	switch {
	case r.over:
		r.t.Errorf("partition %s: the sink was called after Read had returned", name)
	case p.busy:
		r.t.Errorf("partition %s: two calls of the sink at once", name)
	case p.refused:
		r.t.Errorf("partition %s: the sink was called again after it had failed", name)
	case p.ended:
		r.t.Errorf("partition %s: the sink was called again after the partition had ended", name)
	}
	p.busy = true
	return p
}

func (r *reader) leave(p *part) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p.busy = false
	r.tell()
}

// tell wakes those that wait for something to have changed. mu is held.
func (r *reader) tell() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// until waits until what it waits for is so; done is asked with mu held.
func (r *reader) until(what string, done func() bool) {
	r.t.Helper()
	timeout := time.After(patience)
	for {
		r.mu.Lock()
		ok, changed, state := done(), r.changed, r.state()
		r.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-r.ended:
			r.t.Fatalf("Read returned %v before %s; partitions: %s", r.err, what, state)
		case <-timeout:
			r.t.Fatalf("%s: it did not come; partitions: %s", what, state)
		}
	}
}

// state shows how far the partitions are.
func (r *reader) state() string {
	s := ""
	for name, p := range r.parts {
		s += fmt.Sprintf("%s has %d records up to offset %d, lost %v; ", name, len(p.records), p.next, p.lost)
	}
	return s
}

// has waits until a partition has given so many records.
func (r *reader) has(name string, records int) {
	r.t.Helper()
	r.until(fmt.Sprintf("%d records of partition %s", records, name), func() bool { return len(r.parts[name].records) >= records })
}

// called waits until the sink has a frame of a partition.
func (r *reader) called(name string) {
	r.t.Helper()
	r.until("a frame of partition "+name, func() bool { return r.parts[name].busy })
}

// check compares what a partition gave with what was put into it.
func (r *reader) check(name string, want []Record) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.parts[name].records
	for i, w := range r.t.kept(want)[:min(len(want), len(got))] {
		if g := r.t.plain(got[i], w.At); !reflect.DeepEqual(g, w) {
			r.t.Errorf("partition %s, record %d, offset %d: -want +got\n%s", name, i, got[i].Offset, cmp.Diff(w, g))
			return
		}
	}
	if len(got) != len(want) {
		r.t.Errorf("partition %s gave %d records, want %d", name, len(got), len(want))
	}
}

// plain is a record of a frame as it was put in; its time is left out if at, which is wanted, is zero.
func (t *trial) plain(r engine.Record, at time.Time) Record {
	p := Record{Key: r.Key, Value: r.Value}
	if !at.IsZero() {
		p.At = r.At.Std()
	}
	engine.EachHeader(r.Headers, func(name, value []byte) {
		if t.Own == nil || !t.Own(string(name)) {
			p.Headers = append(p.Headers, Header{string(name), value})
		}
	})
	return p
}
