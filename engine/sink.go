package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

// Passed implements Sink.
func (s sink) Passed(partition string, to Offset) error {
	e := s.task.entry(PartitionID{s.source, partition})
	if e == nil {
		return s.task.refuse(fmt.Errorf("source %s: news of partition %s, which was not asked for", s.source, partition))
	}
	e.passed(to)
	return nil
}

// Ended implements Sink.
func (s sink) Ended(partition string) error {
	e := s.task.entry(PartitionID{s.source, partition})
	if e == nil {
		return s.task.refuse(fmt.Errorf("source %s: the end of partition %s, which was not asked for", s.source, partition))
	}
	e.finish()
	return nil
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

// runSources starts reading all partitions.
func (t *Task) runSources(ctx context.Context) {
	for _, s := range t.plan.Sources {
		var from []Start
		for _, e := range t.entries {
			if e.id.Source == s.Name {
				if p := e.place(); !p.Ended {
					from = append(from, Start{e.id.Partition, p.Next, p.After})
				}
			}
		}
		t.read(ctx, s.Name, from)
	}
	if t.opt.UntilCaughtUp {
		t.goDo(func() { t.watchEnd(ctx) })
	}
}

// haveEnded says whether partitions that were read have all ended.
func (t *Task) haveEnded(source string, read []Start) bool {
	return !slices.ContainsFunc(read, func(s Start) bool {
		e := t.entry(PartitionID{source, s.Partition})
		return e == nil || !e.place().Ended
	})
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
		case !t.haveEnded(source, from):
			t.fail(fmt.Errorf("source %s: reading ended though it has no end", source))
		}
	})
}
