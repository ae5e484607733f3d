package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

func (t *Task) entry(id PartitionID) *entry {
	for _, e := range t.all() {
		if e.id == id {
			return e
		}
	}
	return nil
}

// all is the entries now, of all sources.
func (t *Task) all() []*entry {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.entries
}

// addEntry makes the way in of a partition whose first barrier will be that of epoch first.
func (t *Task) addEntry(ctx context.Context, state PartitionState, there Partition, first Epoch) error {
	e, err := t.newEntry(ctx, t.stageOf(state.Source), len(t.all()), state, there.End)
	if err != nil {
		return err
	}
	e.inst.join(first, e.promise())
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
		if p.Ended && !ok {
			continue // and nothing can come of it any more
		}
		if err := t.fits(p, there, ok); err != nil {
			return nil, err
		}
		p.ID = cmp.Or(there.ID, p.ID)
		kept = append(kept, p)
	}
	return append(kept, t.joining(before, found, epoch)...), nil
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
	case madeAnew(p, there) != nil:
		return madeAnew(p, there)
	case there.End != NoOffset && p.Next > there.End:
		return fmt.Errorf("source %s, partition %s: the checkpoint has read up to offset %d but the partition ends at %d: "+
			"it was cut short or made anew since", p.Source, p.Partition, p.Next, there.End)
	case there.First > p.Next && !st.source.AllowLoss:
		return lossError(PartitionID{p.Source, p.Partition}, p.Next, there.First)
	}
	return nil
}

// madeAnew says whether a partition is another one than that of its name that was read. Who can't tell says no.
func madeAnew(p PartitionState, there Partition) error {
	if p.ID == "" || there.ID == "" || p.ID == there.ID {
		return nil
	}
	return fmt.Errorf("source %s, partition %s: it was deleted and made anew since, or the definition leads to another one now (it is %s and was %s), "+
		"so the positions of the checkpoint mean nothing there: "+
		"to read the new one from its beginning give the source another name in the definition, and start once with --drop-source %s",
		p.Source, p.Partition, there.ID, p.ID, p.Source)
}

// joining gives where those partitions begin that were found, are not among before and may begin now. A source's first
// partitions begin where the definition says; those that come later at their oldest record, with the watermark of
// their parents or, without any, of those that are there.
func (t *Task) joining(before []PartitionState, found map[PartitionID]Partition, epoch Epoch) []PartitionState {
	var all []PartitionState
	for source, f := range families(before, found) {
		latest := !f.known() && t.stageOf(source).source.Latest
		for _, p := range f.ready(latest) {
			s := PartitionState{Source: source, Partition: p.Name, Next: p.First, After: p.FirstAt, Watermark: f.watermark(p), Joined: epoch, ID: p.ID}
			if latest {
				s.After = p.EndAt
				if p.End != NoOffset {
					s.Next = p.End
				}
			}
			all = append(all, s)
		}
	}
	sortPartitions(all)
	return all
}

// addPartitions makes entries for partitions that were found while running. It gives where to read them
// from, by source.
func (t *Task) addPartitions(ctx context.Context, d discovery, first Epoch) (map[string][]Start, error) {
	var before []PartitionState
	for _, e := range t.all() {
		before = append(before, e.place())
	}
	starts := map[string][]Start{}
	for _, s := range t.joining(before, d.found, first) {
		id := PartitionID{s.Source, s.Partition}
		if err := t.addEntry(ctx, s, d.found[id], first); err != nil {
			return nil, err
		}
		t.log.Info("new partition", "source", s.Source, "partition", s.Partition, "offset", int64(s.Next))
		starts[s.Source] = append(starts[s.Source], Start{s.Partition, s.Next, s.After})
	}
	t.release(d)
	return starts, nil
}

// admitPartitions lets partitions that were found while running join at the boundary before epoch, and those that have
// ended leave.
func (t *Task) admitPartitions(ctx context.Context, d *discovery, epoch Epoch) error {
	if d == nil {
		return nil
	}
	starts, err := t.addPartitions(ctx, *d, epoch)
	if err != nil {
		return err
	}
	for source, from := range starts {
		t.read(ctx, source, from)
	}
	return nil
}

// discover looks for partitions that came since, and for what becomes of those that ended. One that was made anew while it
// was read ends the run.
func (t *Task) discover(ctx context.Context) {
	ended := t.ending()
	found, err := t.partitions(ctx)
	if err != nil {
		if ctx.Err() == nil {
			t.log.Warn("could not look for new partitions; will try again", "error", err)
		}
		return
	}
	for _, e := range t.all() {
		if err := madeAnew(e.place(), found[e.id]); err != nil {
			t.fail(err)
			return
		}
	}
	news := len(ended) > 0
	for id := range found {
		news = news || t.entry(id) == nil
	}
	if !news {
		return
	}
	select {
	case t.found <- &discovery{found, ended}:
	case <-ctx.Done():
	}
}

func sortPartitions(p []PartitionState) {
	slices.SortFunc(p, func(a, b PartitionState) int {
		return PartitionID{a.Source, a.Partition}.Compare(PartitionID{b.Source, b.Partition})
	})
}
