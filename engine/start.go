package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/millrace-io/millrace/engine/column"
)

const claimAttempts = 20 // an owner that lives writes a checkpoint now and then; a claim seldom meets one

// start finds out where the task is, makes it ours, and gives the first and end offset of each partition.
func (t *Task) start(ctx context.Context) (map[PartitionID]Partition, error) {
	if t.opt.Standby {
		if err := t.standBy(ctx); err != nil {
			return nil, err
		}
	}
	var before *Checkpoint
	for range claimAttempts {
		newest, err := t.ports.Checkpoints.Newest(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the newest checkpoint: %w", err)
		}
		if before != nil && newest.Process != before.Process {
			return nil, fmt.Errorf("checkpoint %d was written by %s meanwhile: %w", newest.Epoch, newest.Owner, ErrFenced)
		}
		partitions, err := t.claim(ctx, newest)
		if newest == nil || !errors.Is(err, ErrFenced) {
			return partitions, err
		}
		before = newest
		t.log.Info("the owner wrote a checkpoint at the same time; trying again to take over", "owner", newest.Owner)
	}
	return nil, fmt.Errorf("take over pipeline %s: %w", t.plan.Pipeline, ErrFenced)
}

// standBy waits until no checkpoint has come for the time of a takeover, by this process's own clock.
func (t *Task) standBy(ctx context.Context) error {
	newest, since := Epoch(-1), time.Now()
	look := time.NewTicker(t.opt.Takeover / 10)
	defer look.Stop()
	t.log.Info("standing by", "takeover", t.opt.Takeover)
	for {
		c, err := t.ports.Checkpoints.Newest(ctx)
		if err != nil {
			return fmt.Errorf("stand by: %w", err)
		}
		if c != nil && c.Epoch != newest {
			newest, since = c.Epoch, time.Now()
		}
		if time.Since(since) >= t.opt.Takeover {
			t.log.Info("taking over", "epoch", int64(newest))
			return nil
		}
		select {
		case <-look.C:
		case <-t.stopped:
			return errStopped
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// claim repeats the commits of the newest checkpoint and writes the next one; or makes checkpoint 0.
func (t *Task) claim(ctx context.Context, newest *Checkpoint) (map[PartitionID]Partition, error) {
	partitions, err := t.partitions(ctx)
	if err != nil {
		return nil, err
	}
	if newest == nil {
		return partitions, t.begin(ctx, partitions)
	}
	return partitions, t.resume(ctx, newest)
}

// partitions asks every source what there is.
func (t *Task) partitions(ctx context.Context) (map[PartitionID]Partition, error) {
	all := map[PartitionID]Partition{}
	for _, s := range t.plan.Sources {
		parts, err := t.ports.Sources[s.Name].Partitions(ctx)
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", s.Name, err)
		}
		for _, p := range parts {
			all[PartitionID{s.Name, p.Name}] = p
		}
	}
	return all, nil
}

// begin makes checkpoint 0: it pins where every partition starts, so that a crash before the first commit
// changes nothing.
func (t *Task) begin(ctx context.Context, partitions map[PartitionID]Partition) error {
	c := &Checkpoint{
		Format: CheckpointFormat, Pipeline: t.plan.Pipeline, Task: t.opt.Task, Incarnation: newID(), Attempt: newID(),
		Process: t.process, Owner: owner(), Seed: newSeed(), Slots: column.Slots, Prev: map[string]Epoch{}, Ledger: Ledger{}, State: []StateRef{},
	}
	var err error
	if c.Operators, err = t.graph.stateful(); err != nil {
		return err
	}
	if err := t.openTables(ctx, c); err != nil {
		return t.outrun(ctx, err)
	}
	for _, s := range t.plan.Sources {
		for id, p := range partitions {
			if id.Source != s.Name {
				continue
			}
			next := p.First
			if s.Latest {
				next = p.End
			}
			c.Partitions = append(c.Partitions, PartitionState{Source: id.Source, Partition: id.Partition, Next: next, Watermark: MinTime})
		}
	}
	sortPartitions(c.Partitions)
	if err := t.ports.Checkpoints.Write(ctx, c); err != nil {
		return fmt.Errorf("write checkpoint 0: %w", err)
	}
	return t.adopt(c)
}

// outrun says whether a first start failed because another process made the first start meanwhile.
func (t *Task) outrun(ctx context.Context, err error) error {
	if newest, readErr := t.ports.Checkpoints.Newest(ctx); readErr == nil && newest != nil {
		return fmt.Errorf("checkpoint %d was written by %s meanwhile: %w", newest.Epoch, newest.Owner, ErrFenced)
	}
	return err
}

// openTables opens or makes every table, and refuses to begin a second line of commits in one unasked.
func (t *Task) openTables(ctx context.Context, c *Checkpoint) error {
	var errs []error
	for _, name := range t.graph.tables() {
		state, err := t.ports.Tables[name].Open(ctx, c.Incarnation)
		if err != nil {
			errs = append(errs, fmt.Errorf("table %s: %w", name, err))
			continue
		}
		if c.Epoch == 0 && len(c.Prev) == 0 && len(state.Others) > 0 && !t.opt.NewLine {
			errs = append(errs, fmt.Errorf("table %s holds commits of pipeline %s (line %s), and there is no checkpoint of that line: "+
				"a new start would read everything again and double the rows; bring the checkpoints back, or use another table, or say --new-line",
				name, t.plan.Pipeline, strings.Join(state.Others, ", ")))
		}
		t.status.opened(name, state)
	}
	return errors.Join(errs...)
}

// resume goes on from c.
func (t *Task) resume(ctx context.Context, c *Checkpoint) error {
	if err := t.check(c); err != nil {
		return err
	}
	if err := t.openTables(ctx, c); err != nil {
		return err
	}
	if t.opt.RedoEpoch {
		var err error
		if c, err = t.redo(ctx, c); err != nil {
			return err
		}
	}
	for _, p := range c.Tables {
		if err := t.present(ctx, p); err != nil {
			return err
		}
	}
	if err := t.commitAll(ctx, c, c.Tables); err != nil {
		return t.fenced(ctx, c, err)
	}
	objects := make([][]Section, len(c.State))
	for i, ref := range c.State {
		var err error
		if objects[i], err = t.ports.Checkpoints.ReadState(ctx, ref); err != nil {
			return fmt.Errorf("read state of epoch %d: %w", c.Epoch, err)
		}
	}
	n := t.next(c)
	if t.opt.RedoEpoch {
		n.Epoch++ // the epoch given up keeps its number: no other checkpoint may have it
	}
	var err error
	if n.Operators, err = t.graph.stateful(); err != nil {
		return err
	}
	if err := t.ports.Checkpoints.Write(ctx, n); err != nil {
		return fmt.Errorf("claim epoch %d: %w", n.Epoch, err)
	}
	t.restore(c.State, objects)
	return t.adopt(n)
}

// check says whether this plan can go on from c.
func (t *Task) check(c *Checkpoint) error {
	switch {
	case c.Pipeline != t.plan.Pipeline || c.Task != t.opt.Task:
		return fmt.Errorf("the checkpoint is of pipeline %s, task %s, not of pipeline %s, task %s", c.Pipeline, c.Task, t.plan.Pipeline, t.opt.Task)
	case c.Slots != column.Slots:
		return fmt.Errorf("the checkpoint splits keys into %d slots, this program into %d", c.Slots, column.Slots)
	}
	now, err := t.graph.stateful()
	if err != nil {
		return err
	}
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(c.Operators)) {
		if slices.Contains(t.opt.DropState, id) || now[id] == c.Operators[id] {
			continue
		}
		what := "was changed since (its configuration or the columns that reach it)"
		if now[id] == "" {
			what = "is not in the definition any more"
		}
		errs = append(errs, fmt.Errorf("operator %s has saved state and %s: its state would mean something else; "+
			"change it back, or give its state up with --drop-state %s", id, what, id))
	}
	return errors.Join(errs...)
}

// present says whether the files of a prepared commit that is not done yet are all there.
func (t *Task) present(ctx context.Context, p Prepared) error {
	if t.status.epoch(p.Table) == p.Epoch {
		return nil
	}
	missing, err := t.ports.Tables[p.Table].Missing(ctx, p.Files)
	if err != nil {
		return fmt.Errorf("table %s: %w", p.Table, err)
	}
	if len(missing) > 0 {
		return fmt.Errorf("table %s: epoch %d was written but not committed, and its files are gone: %s; "+
			"bring them back, or read its rows again with --redo-epoch", p.Table, p.Epoch, strings.Join(missing, ", "))
	}
	return nil
}

// redo goes back to the checkpoint before c, if no table has the epoch of c.
func (t *Task) redo(ctx context.Context, c *Checkpoint) (*Checkpoint, error) {
	for _, p := range c.Tables {
		if t.status.epoch(p.Table) == p.Epoch {
			return nil, fmt.Errorf("redo epoch %d: table %s has committed it already: its rows would be doubled", c.Epoch, p.Table)
		}
	}
	before, err := t.ports.Checkpoints.Read(ctx, c.Epoch-1)
	if err != nil {
		return nil, fmt.Errorf("redo epoch %d: %w", c.Epoch, err)
	}
	return before, nil
}

// restore keeps the saved state for the lanes.
func (t *Task) restore(refs []StateRef, objects [][]Section) {
	t.chain = newChain()
	for i, o := range objects {
		t.chain.add(refs[i], o)
	}
	t.saved = slices.DeleteFunc(counting(objects), func(s Section) bool { return slices.Contains(t.opt.DropState, s.Operator) })
}

// adopt takes c, which is written and ours, as the place to go on from.
func (t *Task) adopt(c *Checkpoint) error {
	t.last, t.seed, t.first = c, c.Seed, maps.Clone(c.Ledger)
	t.status.committed(c, time.Now())
	return nil
}

// makeLanes makes the lanes of every stage and gives them their state.
func (t *Task) makeLanes(ctx context.Context) error {
	for _, s := range t.graph.stages {
		width := t.graph.width(s)
		for n := range width {
			l := &lane{inbox: newInbox(inboxBound)}
			l.first, l.end = slotRange(n, width)
			var err error
			if l.inst, err = t.newInstance(ctx, s, n); err != nil {
				return err
			}
			if err := l.load(t.saved); err != nil {
				return err
			}
			s.lanes = append(s.lanes, l)
		}
	}
	t.saved = nil
	for _, s := range t.graph.stages {
		for _, l := range s.lanes {
			l.inst.join(t.last.Epoch+1, MinTime)
		}
	}
	return nil
}

// makeEntries makes an entry for each partition of the checkpoint, and for those found that came since.
func (t *Task) makeEntries(ctx context.Context, found map[PartitionID]Partition) error {
	for _, p := range t.last.Partitions {
		id := PartitionID{p.Source, p.Partition}
		there, ok := found[id]
		if err := t.fits(p, there, ok); err != nil {
			return err
		}
		delete(found, id)
		if err := t.addEntry(ctx, p, there, t.last.Epoch+1); err != nil {
			return err
		}
	}
	_, err := t.addPartitions(ctx, found, t.last.Epoch+1)
	return err
}

// fits says whether a partition is what the checkpoint remembers.
func (t *Task) fits(p PartitionState, there Partition, ok bool) error {
	switch {
	case !ok:
		return fmt.Errorf("source %s: partition %s is in the checkpoint but not in the source any more", p.Source, p.Partition)
	case p.Next > there.End:
		return fmt.Errorf("source %s, partition %s: the checkpoint has read up to offset %d but the partition ends at %d: "+
			"it was cut short or made anew since", p.Source, p.Partition, p.Next, there.End)
	}
	return nil
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
