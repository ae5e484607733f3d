package sourcetest

import (
	"context"
	"strconv"
	"sync"

	"github.com/millrace-io/millrace/engine"
)

// A counted is a memory that counts the records of a partition from where it began with it: an engine.Positioned source.
// The position of a record is "#" and its place in the log.
type counted struct {
	*memory
	mu     sync.Mutex
	shifts map[string]engine.Offset // by partition: from its own numbers to those of the log
	from   map[string]engine.Start
}

func newCounted(m *memory) *counted {
	return &counted{memory: m, shifts: map[string]engine.Offset{}, from: map[string]engine.Start{}}
}

func positionOf(o engine.Offset) string { return "#" + strconv.FormatInt(int64(o), 10) }

func (c *counted) Partitions(ctx context.Context) ([]engine.Partition, error) {
	all, err := c.memory.Partitions(ctx)
	for i := range all {
		all[i].FirstAt, all[i].EndAt = positionOf(all[i].First-1), positionOf(all[i].End-1)
		all[i].First, all[i].End = 0, engine.NoOffset
	}
	return all, err
}

func (c *counted) Read(ctx context.Context, from []engine.Start, sink engine.Sink) error {
	var places []engine.Start
	for _, start := range from {
		last, err := strconv.ParseInt(start.After[1:], 10, 64)
		if err != nil {
			return err
		}
		at := engine.Offset(last + 1)
		c.mu.Lock()
		c.shifts[start.Partition], c.from[start.Partition] = at-start.From, start
		c.mu.Unlock()
		places = append(places, engine.Start{Partition: start.Partition, From: at})
	}
	return c.memory.Read(ctx, places, countedSink{sink, c})
}

func (c *counted) shift(name string) engine.Offset {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.shifts[name]
}

// Position knows all that was taken, and what is on its way too: the sink has it.
func (c *counted) Position(name string, o engine.Offset) string {
	c.v.mu.Lock()
	defer c.v.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	start, ok := c.from[name]
	if !ok || o < start.From-1 || c.shifts[name]+o >= c.v.log(name).asked {
		return ""
	}
	return positionOf(c.shifts[name] + o)
}

// A countedSink takes what a memory reads, by the numbers of a counted.
type countedSink struct {
	engine.Sink
	c *counted
}

func (s countedSink) Frame(ctx context.Context, name string, f engine.Frame) error {
	shift, shifted := s.c.shift(name), engine.Frame{}
	for r, rest, ok := f.Next(); ok; r, rest, ok = rest.Next() {
		r.Offset -= shift
		shifted = shifted.AppendRecord(r)
	}
	return s.Sink.Frame(ctx, name, shifted)
}

func (s countedSink) Passed(name string, to engine.Offset) error {
	return s.Sink.Passed(name, to-s.c.shift(name))
}
