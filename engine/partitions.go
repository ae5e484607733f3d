package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

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
	t.mu.Lock()
	number := len(t.entries)
	t.mu.Unlock()
	e, err := t.newEntry(ctx, t.stageOf(state.Source), number, state, there.End)
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

// goOn gives where the partitions are in the claim of an epoch: those of a checkpoint, which must still be
// there, and those that came since.
func (t *Task) goOn(before []PartitionState, found map[PartitionID]Partition, epoch Epoch) ([]PartitionState, error) {
	var kept []PartitionState
	for _, p := range before {
		if slices.Contains(t.opt.DropSource, p.Source) {
			continue
		}
		there, ok := found[PartitionID{p.Source, p.Partition}]
		if err := t.fits(p, there, ok); err != nil {
			return nil, err
		}
		kept = append(kept, p)
	}
	return append(kept, t.joining(kept, found, epoch)...), nil
}

// fits says whether a partition is what the checkpoint remembers, and whether all that is left of it can be
// read.
func (t *Task) fits(p PartitionState, there Partition, ok bool) error {
	st := t.stageOf(p.Source)
	switch {
	case st == nil:
		return fmt.Errorf("source %s has a position in the checkpoint and is not in the definition any more: "+
			"bring it back, or give its position up with --drop-source %s", p.Source, p.Source)
	case !ok:
		return fmt.Errorf("source %s: partition %s is in the checkpoint but not in the source any more", p.Source, p.Partition)
	case p.Next > there.End:
		return fmt.Errorf("source %s, partition %s: the checkpoint has read up to offset %d but the partition ends at %d: "+
			"it was cut short or made anew since", p.Source, p.Partition, p.Next, there.End)
	case there.First > p.Next && !st.source.AllowLoss:
		return lossError(PartitionID{p.Source, p.Partition}, p.Next, there.First)
	}
	return nil
}

// joining gives where those partitions begin that were found and are not among before. A source's first
// partitions begin where the definition says; those that come later at their oldest record, with the
// watermark of those that are there.
func (t *Task) joining(before []PartitionState, found map[PartitionID]Partition, epoch Epoch) []PartitionState {
	watermarks := map[string]Time{}
	have := map[PartitionID]bool{}
	for _, p := range before {
		have[PartitionID{p.Source, p.Partition}] = true
		if w, ok := watermarks[p.Source]; !ok || p.Watermark < w {
			watermarks[p.Source] = p.Watermark
		}
	}
	var all []PartitionState
	for id, p := range found {
		if have[id] {
			continue
		}
		s := PartitionState{Source: id.Source, Partition: id.Partition, Next: p.First, Watermark: MinTime, Joined: epoch}
		if w, ok := watermarks[id.Source]; ok {
			s.Watermark = w
		} else if t.stageOf(id.Source).source.Latest {
			s.Next = p.End
		}
		all = append(all, s)
	}
	sortPartitions(all)
	return all
}

// addPartitions makes entries for partitions that were found while running. It gives where to read them
// from, by source.
func (t *Task) addPartitions(ctx context.Context, found map[PartitionID]Partition, first Epoch) (map[string][]Start, error) {
	t.mu.Lock()
	entries := t.entries
	t.mu.Unlock()
	var before []PartitionState
	for _, e := range entries {
		before = append(before, e.place())
	}
	starts := map[string][]Start{}
	for _, s := range t.joining(before, found, first) {
		id := PartitionID{s.Source, s.Partition}
		if err := t.addEntry(ctx, s, found[id], first); err != nil {
			return nil, err
		}
		t.log.Info("new partition", "source", s.Source, "partition", s.Partition, "offset", int64(s.Next))
		starts[s.Source] = append(starts[s.Source], Start{Partition: s.Partition, From: s.Next})
	}
	return starts, nil
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

func sortPartitions(p []PartitionState) {
	slices.SortFunc(p, func(a, b PartitionState) int {
		if c := strings.Compare(a.Source, b.Source); c != 0 {
			return c
		}
		if len(a.Partition) != len(b.Partition) {
			return len(a.Partition) - len(b.Partition)
		}
		return strings.Compare(a.Partition, b.Partition)
	})
}
