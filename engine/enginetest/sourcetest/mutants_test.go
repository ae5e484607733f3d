package sourcetest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/enginetest"
)

// TestCatches: each of these breaks, in one place, a source that keeps the contract, and the test named must
// notice.
func TestCatches(t *testing.T) {
	for name, c := range map[string]struct {
		test string
		by   func(*mutant)
	}{
		"an offset too early":            {"AnyOffset", func(m *mutant) { m.startShift = -1 }},
		"an offset too late":             {"AnyOffset", func(m *mutant) { m.startShift = +1 }},
		"a record left out":              {"Order", func(m *mutant) { m.frame = records(func(all []engine.Record) []engine.Record { return all[1:] }) }},
		"records in another order":       {"Order", func(m *mutant) { m.frame = records(reversed) }},
		"a record again, changed":        {"Order", func(m *mutant) { m.frame = records(changedAgain) }},
		"ends not known":                 {"Order", func(m *mutant) { m.noEnds = true }},
		"no headers":                     {"Records", func(m *mutant) { m.frame = each(func(r *engine.Record) { r.Headers = nil }) }},
		"no keys":                        {"Records", func(m *mutant) { m.frame = each(func(r *engine.Record) { r.Key = nil }) }},
		"tombstones made empty":          {"Records", func(m *mutant) { m.frame = each(func(r *engine.Record) { r.Value = append([]byte{}, r.Value...) }) }},
		"times cut to seconds":           {"Records", func(m *mutant) { m.frame = each(func(r *engine.Record) { r.At -= r.At % 1e6 }) }},
		"large records skipped":          {"LargeRecords", func(m *mutant) { m.frame = records(small) }},
		"only what is there":             {"AtTheEnd", func(m *mutant) { m.read = onlyWhatIsThere }},
		"partitions in another order":    {"Partitions", func(m *mutant) { m.list = slices.Reverse[[]engine.Partition] }},
		"an end for all":                 {"Pending", func(m *mutant) { m.list = func(all []engine.Partition) { all[0].End = m.v.log("0").end() } }},
		"an end too early":               {"Partitions", func(m *mutant) { m.list = func(all []engine.Partition) { all[2].End-- } }},
		"a first too late":               {"Partitions", func(m *mutant) { m.list = func(all []engine.Partition) { all[2].First++ } }},
		"a first that stays":             {"Lost", func(m *mutant) { m.list = func(all []engine.Partition) { all[0].First = 0 } }},
		"two calls at once":              {"BackPressure", func(m *mutant) { m.frame = twice }},
		"no bound":                       {"BackPressure", (*mutant).queue},
		"partitions wait for each other": {"BackPressure", (*mutant).oneByOne},
		"a sink's error ignored":         {"SinkFails", func(m *mutant) { m.frame = deaf }},
		"another error than the sink's":  {"SinkFails", func(m *mutant) { m.read = renamed }},
		"an error that waits for none":   {"SinkFailsBesideAnother", func(m *mutant) { m.read = hasty }},
		"an end that waits for none":     {"ContextEnds", func(m *mutant) { m.read = hasty }},
		"an end without error":           {"ContextEndsIdle", func(m *mutant) { m.read = silent }},
		"a sink that is not told":        {"ContextEndsSink", func(m *mutant) { m.frame = untold }},
		"a loss too short": {"Lost", func(m *mutant) {
			m.loss = func(s engine.Sink, p string, from, to engine.Offset) error { return s.Lost(p, from, to-1) }
		}},
		"a loss not told":   {"Lost", func(m *mutant) { m.loss = func(engine.Sink, string, engine.Offset, engine.Offset) error { return nil } }},
		"a loss told twice": {"LostAll", func(m *mutant) { m.loss = toldTwice }},
		"a refusal ignored": {"LostRefused", func(m *mutant) {
			m.loss = func(s engine.Sink, p string, from, to engine.Offset) error { _ = s.Lost(p, from, to); return nil }
		}},
		"a loss before its frames": {"LostWhileReading", (*mutant).queue},
		"hidden records awaited":   {"Passed", func(m *mutant) { m.passed = func(engine.Sink, string, engine.Offset) error { return nil } }},
		"passed too far": {"PassedIsNotLost", func(m *mutant) {
			m.passed = func(s engine.Sink, p string, to engine.Offset) error { return s.Passed(p, to+1) }
		}},
		"commits forgotten":            {"Committed", func(m *mutant) { m.forgets = true }},
		"goroutines left behind":       {"Close", (*mutant).leak},
		"reading goes on where it was": {"ReadAgain", (*mutant).remember},
		"one reading at a time":        {"PartitionAdded", (*mutant).queueReads},
		"one end ends all":             {"TwoReads", (*mutant).entangle},
		"an end before its records":    {"EndedWaits", func(m *mutant) { m.frame = endedEarly }},
		"an end not told":              {"Ended", func(m *mutant) { m.ended = func(engine.Sink, string) error { return nil } }},
		"an end told twice": {"EndedBefore", func(m *mutant) {
			m.ended = func(s engine.Sink, p string) error { _ = s.Ended(p); return s.Ended(p) }
		}},
		"one end for all":               {"AllEnded", func(m *mutant) { m.read = untilFirstEnd }},
		"children without parents":      {"Ended", func(m *mutant) { m.list = orphans }},
		"caught up before all is taken": {"CaughtUp", func(m *mutant) { m.caught = true }},
		"Read gives up":                 {"DownAtRead", func(m *mutant) { m.read = givesUp }},
		"reading gives up":              {"DownAndUp", func(m *mutant) { m.read = givesUp }},
		"Partitions gives up":           {"DownAtPartitions", func(m *mutant) { m.listGivesUp = true }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newService(partitions).harness(func(s engine.Source) engine.Source {
					m := &mutant{memory: s.(*memory), t: t}
					c.by(m)
					return m
				})
				if !enginetest.Fails(t, func(tb testing.TB) { tests()[c.test](&trial{tb, h}) }) {
					t.Errorf("the mutant survived %s", c.test)
				}
			})
		})
	}
}

// A mutant is a memory that is wrong where a field is set.
type mutant struct {
	*memory
	t *testing.T

	startShift  engine.Offset
	list        func([]engine.Partition)
	listGivesUp bool
	read        func(m *mutant, ctx context.Context, from []engine.Start, sink engine.Sink) error
	frame       func(s engine.Sink, ctx context.Context, partition string, f engine.Frame) error
	loss        func(s engine.Sink, partition string, from, to engine.Offset) error
	passed      func(s engine.Sink, partition string, to engine.Offset) error
	ended       func(s engine.Sink, partition string) error
	caught      bool
	noEnds      bool
	forgets     bool
}

var errDown = errors.New("the service is down")

func (m *mutant) isDown() bool {
	m.v.mu.Lock()
	defer m.v.mu.Unlock()
	return m.v.down
}

func (m *mutant) Partitions(ctx context.Context) ([]engine.Partition, error) {
	if m.listGivesUp && m.isDown() {
		return nil, errDown
	}
	all, err := m.memory.Partitions(ctx)
	if m.list != nil && err == nil {
		m.list(all)
	}
	return all, err
}

func (m *mutant) Read(ctx context.Context, from []engine.Start, sink engine.Sink) error {
	from = slices.Clone(from)
	for i := range from {
		from[i].From = max(0, from[i].From+m.startShift)
	}
	sink = mutantSink{m, sink}
	if m.read != nil {
		return m.read(m, ctx, from, sink)
	}
	return m.memory.Read(ctx, from, sink)
}

func (m *mutant) Committed(ctx context.Context, next map[string]engine.Offset) error {
	if m.forgets {
		return nil
	}
	return m.memory.Committed(ctx, next)
}

func (m *mutant) Ends() map[string]engine.Offset {
	if m.noEnds {
		return nil
	}
	return m.memory.Ends()
}

// CaughtUp may be true too early.
func (m *mutant) CaughtUp(name string) bool {
	if m.caught {
		_, ok := m.there[name]
		return ok
	}
	return m.memory.CaughtUp(name)
}

// endedEarly tells the end of a partition before its last frame.
func endedEarly(s engine.Sink, ctx context.Context, name string, f engine.Frame) error {
	return errors.Join(s.Ended(name), s.Frame(ctx, name, f))
}

// untilFirstEnd ends a reading with the first partition that ends.
func untilFirstEnd(m *mutant, ctx context.Context, from []engine.Start, sink engine.Sink) error {
	of, stop := context.WithCancel(ctx)
	defer stop()
	m.ended = func(s engine.Sink, p string) error { defer stop(); return s.Ended(p) }
	if err := m.memory.Read(of, from, sink); ctx.Err() != nil {
		return err
	}
	return nil
}

func orphans(all []engine.Partition) {
	for i := range all {
		all[i].Parents = nil
	}
}

// A countedMutant is a counted that is wrong where a field is set.
type countedMutant struct {
	*counted
	position func(c *counted, name string, o engine.Offset) string
	list     func([]engine.Partition)
}

func (m *countedMutant) Partitions(ctx context.Context) ([]engine.Partition, error) {
	all, err := m.counted.Partitions(ctx)
	if m.list != nil && err == nil {
		m.list(all)
	}
	return all, err
}

func (m *countedMutant) Position(name string, o engine.Offset) string {
	if m.position != nil {
		return m.position(m.counted, name, o)
	}
	return m.counted.Position(name, o)
}

// TestCatchesCounted: the same of a source with positions.
func TestCatchesCounted(t *testing.T) {
	for name, c := range map[string]struct {
		test string
		by   func(*countedMutant)
	}{
		"positions of the next record": {"AnyOffset", func(m *countedMutant) {
			m.position = func(c *counted, name string, o engine.Offset) string { return c.Position(name, o+1) }
		}},
		"a position that is not known": {"Positions", func(m *countedMutant) {
			m.position = func(c *counted, name string, o engine.Offset) string {
				if o == 50 {
					return ""
				}
				return c.Position(name, o)
			}
		}},
		"the position before the first forgotten": {"Positions", func(m *countedMutant) {
			m.position = func(c *counted, name string, o engine.Offset) string {
				if o < c.from[name].From {
					return ""
				}
				return c.Position(name, o)
			}
		}},
		"positions of records to come": {"Positions", func(m *countedMutant) {
			m.position = func(c *counted, name string, o engine.Offset) string { return positionOf(o) }
		}},
		"numbers of its own": {"Partitions", func(m *countedMutant) { m.list = func(all []engine.Partition) { all[0].First = 7 } }},
		"an end that is the beginning": {"AtTheEnd", func(m *countedMutant) {
			m.list = func(all []engine.Partition) { all[0].EndAt = all[0].FirstAt }
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := countedHarness(partitions, c.by)
				if !enginetest.Fails(t, func(tb testing.TB) { tests()[c.test](&trial{tb, h}) }) {
					t.Errorf("the mutant survived %s", c.test)
				}
			})
		})
	}
}

type mutantSink struct {
	m *mutant
	engine.Sink
}

func (s mutantSink) Frame(ctx context.Context, partition string, f engine.Frame) error {
	if s.m.frame != nil {
		return s.m.frame(s.Sink, ctx, partition, f)
	}
	return s.Sink.Frame(ctx, partition, f)
}

func (s mutantSink) Passed(partition string, to engine.Offset) error {
	if s.m.passed != nil {
		return s.m.passed(s.Sink, partition, to)
	}
	return s.Sink.Passed(partition, to)
}

func (s mutantSink) Ended(partition string) error {
	if s.m.ended != nil {
		return s.m.ended(s.Sink, partition)
	}
	return s.Sink.Ended(partition)
}

func (s mutantSink) Lost(partition string, from, to engine.Offset) error {
	if s.m.loss != nil {
		return s.m.loss(s.Sink, partition, from, to)
	}
	return s.Sink.Lost(partition, from, to)
}

// records passes frames on with other records.
func records(change func([]engine.Record) []engine.Record) func(engine.Sink, context.Context, string, engine.Frame) error {
	return func(s engine.Sink, ctx context.Context, p string, f engine.Frame) error {
		var all []engine.Record
		for r, rest, ok := f.Next(); ok; r, rest, ok = rest.Next() {
			all = append(all, r)
		}
		var g engine.Frame
		for _, r := range change(all) {
			g = g.AppendRecord(r)
		}
		return s.Frame(ctx, p, g)
	}
}

func each(change func(*engine.Record)) func(engine.Sink, context.Context, string, engine.Frame) error {
	return records(func(all []engine.Record) []engine.Record {
		for i := range all {
			change(&all[i])
		}
		return all
	})
}

func reversed(all []engine.Record) []engine.Record {
	slices.Reverse(all)
	return all
}

func changedAgain(all []engine.Record) []engine.Record {
	last := all[len(all)-1]
	last.Value = append(bytes.Clone(last.Value), '!')
	return append(all, last)
}

func small(all []engine.Record) []engine.Record {
	return slices.DeleteFunc(all, func(r engine.Record) bool { return len(r.Value) > 512<<10 })
}

func twice(s engine.Sink, ctx context.Context, p string, f engine.Frame) error {
	first, second := make(chan error), make(chan error)
	go func() { first <- s.Frame(ctx, p, f) }()
	go func() { second <- s.Frame(ctx, p, f) }()
	return errors.Join(<-first, <-second)
}

func deaf(s engine.Sink, ctx context.Context, p string, f engine.Frame) error {
	_ = s.Frame(ctx, p, f)
	return nil
}

func untold(s engine.Sink, ctx context.Context, p string, f engine.Frame) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*patience)
	defer cancel()
	return s.Frame(ctx, p, f)
}

func toldTwice(s engine.Sink, p string, from, to engine.Offset) error {
	return errors.Join(s.Lost(p, from, to), s.Lost(p, from, to))
}

// queue takes frames from the source and gives them to the sink when it likes them.
func (m *mutant) queue() {
	queues := map[string]chan func(){}
	var mu sync.Mutex
	m.frame = func(s engine.Sink, ctx context.Context, p string, f engine.Frame) error {
		mu.Lock()
		defer mu.Unlock()
		q := queues[p]
		if q == nil {
			q = make(chan func(), 10_000)
			queues[p] = q
			go func() {
				for ctx.Err() == nil {
					select {
					case give := <-q:
						give()
					case <-ctx.Done():
					}
				}
			}()
		}
		q <- func() { _ = s.Frame(ctx, p, f) }
		return nil
	}
}

// oneByOne gives the sink a frame at a time, one of partition 0, which the test holds up, first.
func (m *mutant) oneByOne() {
	turn, begun := make(chan struct{}, 1), make(chan struct{})
	begin := sync.OnceFunc(func() { close(begun) })
	m.frame = func(s engine.Sink, ctx context.Context, p string, f engine.Frame) error {
		if p != "0" {
			select {
			case <-begun:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		select {
		case turn <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		defer func() { <-turn }()
		if p == "0" {
			begin()
		}
		return s.Frame(ctx, p, f)
	}
}

func onlyWhatIsThere(m *mutant, ctx context.Context, from []engine.Start, sink engine.Sink) error {
	list, _ := m.memory.Partitions(ctx)
	from = slices.DeleteFunc(from, func(s engine.Start) bool {
		return slices.ContainsFunc(list, func(p engine.Partition) bool { return p.Name == s.Partition && p.End == s.From })
	})
	if len(from) == 0 {
		<-ctx.Done()
		return ctx.Err()
	}
	return m.memory.Read(ctx, from, sink)
}

func renamed(m *mutant, ctx context.Context, from []engine.Start, sink engine.Sink) error {
	return errors.New(m.memory.Read(ctx, from, sink).Error())
}

func silent(m *mutant, ctx context.Context, from []engine.Start, sink engine.Sink) error {
	_ = m.memory.Read(ctx, from, sink)
	return nil
}

// hasty returns when the reading is over and leaves the sink to its frames.
func hasty(m *mutant, ctx context.Context, from []engine.Start, sink engine.Sink) error {
	ctx, end := context.WithCancelCause(ctx)
	go func() { _ = m.memory.Read(ctx, from, failing{sink, end}) }()
	<-ctx.Done()
	return context.Cause(ctx)
}

type failing struct {
	engine.Sink
	end context.CancelCauseFunc
}

func (f failing) Frame(ctx context.Context, partition string, frame engine.Frame) error {
	err := f.Sink.Frame(ctx, partition, frame)
	if err != nil {
		f.end(err)
	}
	return err
}

func (m *mutant) leak() {
	over := make(chan struct{})
	m.t.Cleanup(func() { close(over) })
	m.read = func(m *mutant, ctx context.Context, from []engine.Start, sink engine.Sink) error {
		go func() { <-over }()
		return m.memory.Read(ctx, from, sink)
	}
}

// remember begins a reading where the one before it was.
func (m *mutant) remember() {
	m.read = func(m *mutant, ctx context.Context, from []engine.Start, sink engine.Sink) error {
		for i := range from {
			m.v.mu.Lock()
			from[i].From = max(from[i].From, m.v.log(from[i].Partition).asked)
			m.v.mu.Unlock()
		}
		return m.memory.Read(ctx, from, sink)
	}
}

func (m *mutant) queueReads() {
	turn := make(chan struct{}, 1)
	m.read = func(m *mutant, ctx context.Context, from []engine.Start, sink engine.Sink) error {
		select {
		case turn <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		defer func() { <-turn }()
		return m.memory.Read(ctx, from, sink)
	}
}

// entangle ends all readings with the first that ends.
func (m *mutant) entangle() {
	all, end := context.WithCancel(context.Background())
	m.t.Cleanup(end)
	m.read = func(m *mutant, ctx context.Context, from []engine.Start, sink engine.Sink) error {
		ctx, cancel := context.WithCancel(ctx)
		defer context.AfterFunc(all, cancel)()
		defer end()
		return m.memory.Read(ctx, from, sink)
	}
}

func givesUp(m *mutant, ctx context.Context, from []engine.Start, sink engine.Sink) error {
	ctx, fail := context.WithCancelCause(ctx)
	go func() {
		for ctx.Err() == nil {
			m.v.mu.Lock()
			down, changed := m.v.down, m.v.changed
			m.v.mu.Unlock()
			if down {
				fail(errDown)
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
			}
		}
	}()
	defer fail(nil)
	return m.memory.Read(ctx, from, sink)
}
