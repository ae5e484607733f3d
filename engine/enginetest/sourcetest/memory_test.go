package sourcetest

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/millrace-io/millrace/engine"
)

// A service is a stream in memory that can do all that a Harness asks for.
type service struct {
	mu      sync.Mutex
	logs    []*log
	down    bool
	marked  map[string]engine.Offset
	changed chan struct{} // closed, and made anew, with every change
}

// A log is a partition.
type log struct {
	first   engine.Offset
	records []engine.Record        // from offset 0 on; those before first are gone
	hidden  map[engine.Offset]bool // given to nobody
	pending int                    // records at the end that nobody may see yet
	asked   engine.Offset          // how far it was read
	closed  bool                   // nothing comes any more
	parents []string
}

func (l *log) end() engine.Offset { return engine.Offset(len(l.records)) }

// seen is the end for readers.
func (l *log) seen() engine.Offset { return l.end() - engine.Offset(l.pending) }

func newService(partitions int) *service {
	v := &service{marked: map[string]engine.Offset{}, changed: make(chan struct{})}
	for range partitions {
		v.grow()
	}
	return v
}

// change runs f alone, and tells those that wait.
func (v *service) change(f func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	f()
	close(v.changed)
	v.changed = make(chan struct{})
}

func (v *service) grow() string {
	v.change(func() { v.logs = append(v.logs, &log{hidden: map[engine.Offset]bool{}}) })
	return strconv.Itoa(len(v.logs) - 1)
}

// divide ends a partition; two come in its place.
func (v *service) divide(name string) []string {
	v.change(func() { v.log(name).closed = true })
	children := []string{v.grow(), v.grow()}
	v.change(func() {
		for _, c := range children {
			v.log(c).parents = []string{name}
		}
	})
	return children
}

func (v *service) log(name string) *log {
	n, _ := strconv.Atoi(name)
	return v.logs[n]
}

func (v *service) append(name string, records ...Record) {
	v.change(func() {
		l := v.log(name)
		for _, r := range records {
			rec := engine.Record{Offset: l.end(), At: engine.TimeOf(r.At), Key: r.Key, Value: r.Value}
			for _, h := range r.Headers {
				rec.Headers = engine.AppendHeader(rec.Headers, []byte(h.Name), h.Value)
			}
			l.records = append(l.records, rec)
		}
	})
}

func (v *service) hide(name string, records int) {
	v.change(func() {
		l := v.log(name)
		for range records {
			l.hidden[l.end()] = true
			l.records = append(l.records, engine.Record{Offset: l.end(), Value: []byte("hidden")})
		}
	})
}

func (v *service) pend(name string, records ...Record) (commit func()) {
	v.change(func() { v.log(name).pending = len(records) })
	v.append(name, records...)
	return func() { v.change(func() { v.log(name).pending = 0 }) }
}

// ahead is the bytes of a memory's frame, and so what it reads ahead.
const ahead = 64 << 10

// harness gives the service to the suite; sources pass through wrap.
func (v *service) harness(wrap func(engine.Source) engine.Source) Harness {
	var names []string
	for i := range v.logs {
		names = append(names, strconv.Itoa(i))
	}
	return Harness{
		Partitions: names, Source: func() engine.Source { return wrap(newMemory(v)) }, Append: v.append, Divide: v.divide, Grow: v.grow, Hide: v.hide, Pend: v.pend,
		Trim:   func(name string, before engine.Offset) { v.change(func() { v.log(name).first = before }) },
		Down:   func() { v.change(func() { v.down = true }) },
		Up:     func() { v.change(func() { v.down = false }) },
		Marked: func(name string) engine.Offset { return v.marked[name] },
		Asked:  func(name string) engine.Offset { v.mu.Lock(); defer v.mu.Unlock(); return v.log(name).asked },
		Ahead:  ahead,
	}
}

// A memory is the source of a service, as plain as the contract lets it be.
type memory struct {
	v     *service
	there map[string]engine.Offset // where the partitions being read ended when reading began
	taken map[string]engine.Offset // how far the sink has taken them
}

func newMemory(v *service) *memory {
	return &memory{v, map[string]engine.Offset{}, map[string]engine.Offset{}}
}

// wait waits until get says that it is done; get is called again, with the service's lock, after each change.
func (m *memory) wait(ctx context.Context, get func() (done bool)) error {
	for {
		m.v.mu.Lock()
		done, changed := !m.v.down && get(), m.v.changed
		m.v.mu.Unlock()
		if err := ctx.Err(); done || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
}

func (m *memory) Partitions(ctx context.Context) (all []engine.Partition, err error) {
	err = m.wait(ctx, func() bool {
		for i, l := range m.v.logs {
			all = append(all, engine.Partition{Name: strconv.Itoa(i), First: l.first, End: l.seen(), Parents: l.parents})
		}
		return true
	})
	return all, err
}

func (m *memory) Read(ctx context.Context, from []engine.Start, sink engine.Sink) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var all sync.WaitGroup
	for _, start := range from {
		all.Go(func() {
			m.took(start.Partition, start.From, true)
			for next, err := start.From, error(nil); err == nil; {
				if next, err = m.step(ctx, start.Partition, next, sink); err != nil && err != errEnded {
					fail(err)
				}
				m.took(start.Partition, next, false)
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// took notes how far the sink has taken a partition, and when reading begins where the partition ends.
func (m *memory) took(name string, next engine.Offset, begins bool) {
	m.v.mu.Lock()
	defer m.v.mu.Unlock()
	if m.taken[name] = next; begins {
		m.there[name] = m.v.log(name).seen()
	}
}

// errEnded is what a step of a partition gives that has ended.
var errEnded = errors.New("the partition has ended")

// step gives the sink the partition's next frame, or its loss.
func (m *memory) step(ctx context.Context, name string, next engine.Offset, sink engine.Sink) (engine.Offset, error) {
	var f engine.Frame
	from, lost, ended := next, false, false
	err := m.wait(ctx, func() bool {
		l := m.v.log(name)
		if lost = next < l.first; lost {
			next = l.first
			return true
		}
		for ; next < l.seen() && len(f) < ahead/2; next++ {
			if !l.hidden[next] {
				f = f.AppendRecord(l.records[next])
			}
		}
		l.asked = max(l.asked, next)
		ended = l.closed && next == from
		return next > from || ended
	})
	switch {
	case err != nil:
		return next, err
	case ended:
		if err := sink.Ended(name); err != nil {
			return next, err
		}
		return next, errEnded
	case lost:
		return next, sink.Lost(name, from, next)
	case len(f) == 0:
		return next, sink.Passed(name, next)
	}
	if err := sink.Frame(ctx, name, f); err != nil {
		return next, err
	}
	return next, sink.Passed(name, next)
}

func (m *memory) Committed(_ context.Context, next map[string]engine.Offset) error {
	m.v.change(func() {
		for name, o := range next {
			m.v.marked[name] = o
		}
	})
	return nil
}

func (m *memory) Ends() map[string]engine.Offset {
	m.v.mu.Lock()
	defer m.v.mu.Unlock()
	ends := map[string]engine.Offset{}
	for i, l := range m.v.logs {
		ends[strconv.Itoa(i)] = l.seen()
	}
	return ends
}

func (m *memory) CaughtUp(name string) bool {
	m.v.mu.Lock()
	defer m.v.mu.Unlock()
	there, ok := m.there[name]
	return ok && m.taken[name] >= there
}

func (m *memory) Behind() map[string]time.Duration {
	m.v.mu.Lock()
	defer m.v.mu.Unlock()
	behind := map[string]time.Duration{}
	for name := range m.there {
		behind[name] = 0
		if l := m.v.log(name); m.taken[name] < l.seen() {
			behind[name] = time.Second
		}
	}
	return behind
}

func (m *memory) Close() error { return nil }
