package engine

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A sink is what one source delivers to.
type sink struct {
	task   *Task
	source string
}

// Frame implements Sink.
func (s sink) Frame(ctx context.Context, partition string, f Frame) error {
	e := s.task.entry(PartitionID{s.source, partition})
	if e == nil {
		return s.task.refuse(fmt.Errorf("source %s: a frame of partition %s, which was not asked for", s.source, partition))
	}
	return s.task.refuse(e.frame(ctx, f))
}

// Lost implements Sink.
func (s sink) Lost(partition string, from, to Offset) error {
	e := s.task.entry(PartitionID{s.source, partition})
	if e == nil {
		return s.task.refuse(fmt.Errorf("source %s: loss in partition %s, which was not asked for", s.source, partition))
	}
	return s.task.refuse(e.lost(from, to))
}

// refuse ends the run on an error.
func (t *Task) refuse(err error) error {
	if err != nil && !errors.Is(err, errStopped) {
		t.fail(err)
	}
	return err
}

func (t *Task) entry(id PartitionID) *entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range t.entries {
		if e.id == id {
			return e
		}
	}
	return nil
}

// addEntry makes the way in of a partition whose first barrier will be that of epoch first.
func (t *Task) addEntry(ctx context.Context, state PartitionState, there Partition, first Epoch) error {
	st := t.stageOf(state.Source)
	if st == nil {
		return fmt.Errorf("source %s has a partition in the checkpoint and is not in the definition any more: "+
			"what it had not delivered would be lost; bring it back", state.Source)
	}
	t.mu.Lock()
	number := len(t.entries)
	t.mu.Unlock()
	e, err := t.newEntry(ctx, st, number, state, there.End)
	if err != nil {
		return err
	}
	e.inst.join(first, state.Watermark)
	if there.First > state.Next {
		if err := e.lost(state.Next, there.First); err != nil {
			return err
		}
	}
	t.mu.Lock()
	t.entries = append(t.entries, e)
	t.mu.Unlock()
	return nil
}

func (t *Task) stageOf(source string) *stage {
	for _, s := range t.graph.stages {
		if s.source != nil && s.source.Name == source {
			return s
		}
	}
	return nil
}

// addPartitions makes entries for partitions that came after checkpoint 0: each starts at its oldest
// record, with the watermark of those that are there. It gives where to read them from, by source.
func (t *Task) addPartitions(ctx context.Context, found map[PartitionID]Partition, first Epoch) (map[string][]Start, error) {
	var states []PartitionState
	for id, p := range found {
		if t.entry(id) == nil {
			states = append(states, PartitionState{
				Source: id.Source, Partition: id.Partition, Next: p.First, Watermark: t.watermark(id.Source), Joined: first,
			})
		}
	}
	sortPartitions(states)
	starts := map[string][]Start{}
	for _, s := range states {
		id := PartitionID{s.Source, s.Partition}
		if err := t.addEntry(ctx, s, found[id], first); err != nil {
			return nil, err
		}
		t.log.Info("new partition", "source", s.Source, "partition", s.Partition, "offset", int64(s.Next))
		starts[s.Source] = append(starts[s.Source], Start{s.Partition, s.Next})
	}
	return starts, nil
}

// watermark is the smallest promise of a source's partitions.
func (t *Task) watermark(source string) Time {
	least, known := MaxTime, false
	t.mu.Lock()
	entries := t.entries
	t.mu.Unlock()
	for _, e := range entries {
		if e.id.Source == source {
			least, known = min(least, e.place().Watermark), true
		}
	}
	if !known {
		return MinTime
	}
	return least
}

// admitPartitions lets partitions that were found while running join at the boundary before epoch.
func (t *Task) admitPartitions(ctx context.Context, found map[PartitionID]Partition, epoch Epoch) error {
	if len(found) == 0 {
		return nil
	}
	starts, err := t.addPartitions(ctx, found, epoch)
	if err != nil {
		return err
	}
	for source, from := range starts {
		t.read(ctx, source, from)
	}
	return nil
}

// discover looks for partitions that came since.
func (t *Task) discover(ctx context.Context) {
	found, err := t.partitions(ctx)
	if err != nil {
		if ctx.Err() == nil {
			t.log.Warn("could not look for new partitions; will try again", "error", err)
		}
		return
	}
	for id := range found {
		if t.entry(id) != nil {
			delete(found, id)
		}
	}
	if len(found) == 0 {
		return
	}
	select {
	case t.found <- found:
	case <-ctx.Done():
	}
}

// runSources starts reading all partitions.
func (t *Task) runSources(ctx context.Context) {
	for _, s := range t.plan.Sources {
		var from []Start
		for _, e := range t.entries {
			if e.id.Source == s.Name {
				from = append(from, Start{e.id.Partition, e.place().Next})
			}
		}
		t.read(ctx, s.Name, from)
	}
	if t.opt.UntilCaughtUp {
		t.goDo(func() { t.watchEnd(ctx) })
	}
}

func (t *Task) read(ctx context.Context, source string, from []Start) {
	if len(from) == 0 {
		return
	}
	t.goDo(func() {
		err := t.ports.Sources[source].Read(ctx, from, sink{t, source})
		switch {
		case ctx.Err() != nil, t.closed.Load():
		case err != nil:
			t.fail(fmt.Errorf("source %s: %w", source, err))
		default:
			t.fail(fmt.Errorf("source %s: reading ended though it has no end", source))
		}
	})
}

const (
	endLook  = 20 * time.Millisecond  // how often to look whether the end is reached
	endProbe = 250 * time.Millisecond // how long a partition is quiet before the source is asked whether anything is left
)

// watchEnd stops the task when every partition has reached the end it had at the start.
func (t *Task) watchEnd(ctx context.Context) {
	look := time.NewTicker(endLook)
	defer look.Stop()
	quiet := map[PartitionID]quietness{}
	for {
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
		t.mu.Lock()
		entries := t.entries
		t.mu.Unlock()
		left := 0
		for _, e := range entries {
			done, err := t.reachedEnd(ctx, e, quiet)
			if err != nil {
				t.fail(err)
				return
			}
			if !done {
				left++
			}
		}
		if left == 0 {
			t.Stop()
			return
		}
	}
}

// quietness is since when a partition has been at one place.
type quietness struct {
	next  Offset
	since time.Time
	done  bool
}

func (t *Task) reachedEnd(ctx context.Context, e *entry, quiet map[PartitionID]quietness) (bool, error) {
	next := e.place().Next
	q := quiet[e.id]
	switch {
	case next >= e.end || q.done:
		return true, nil
	case q.since.IsZero() || q.next != next:
		quiet[e.id] = quietness{next: next, since: time.Now()}
		return false, nil
	case time.Since(q.since) < endProbe:
		return false, nil
	}
	drained, err := t.ports.Sources[e.id.Source].Drained(ctx, e.id.Partition, next, e.end)
	if err != nil {
		if ctx.Err() != nil {
			return false, nil
		}
		return false, fmt.Errorf("source %s, partition %s: look for what is left before offset %d: %w", e.id.Source, e.id.Partition, e.end, err)
	}
	quiet[e.id] = quietness{next: next, since: time.Now(), done: drained}
	return drained, nil
}
