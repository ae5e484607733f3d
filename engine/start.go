package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
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
		before, t.hasty, t.made = newest, true, false
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
	found, err := t.partitions(ctx)
	if err != nil {
		return nil, err
	}
	if newest == nil {
		return found, t.begin(ctx, found)
	}
	return found, t.resume(ctx, newest, found)
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
func (t *Task) begin(ctx context.Context, found map[PartitionID]Partition) error {
	c := &Checkpoint{
		Format: CheckpointFormat, Pipeline: t.plan.Pipeline, Task: t.opt.Task, Incarnation: newID(), Attempt: newID(),
		Process: t.process, Owner: owner(), Seed: newSeed(), Slots: column.Slots, Prev: map[string]Epoch{}, Ledger: Ledger{}, State: []StateRef{},
	}
	var err error
	if c.Operators, err = t.graph.stateful(); err != nil {
		return err
	}
	if err := t.openTables(ctx, c, t.mayBegin); err != nil {
		return t.outrun(ctx, err)
	}
	c.IDs, c.Before = t.status.tableIDs(), t.status.otherLines(nil)
	c.Partitions, c.Times = t.joining(nil, found, 0), t.plan.times(nil)
	if err := t.ports.Checkpoints.Write(ctx, c); err != nil {
		return fmt.Errorf("write checkpoint 0: %w", err)
	}
	t.adopt(c)
	return nil
}

// outrun says whether a first start failed because another process made the first start meanwhile.
func (t *Task) outrun(ctx context.Context, err error) error {
	if newest, readErr := t.ports.Checkpoints.Newest(ctx); readErr == nil && newest != nil {
		return fmt.Errorf("checkpoint %d was written by %s meanwhile: %w", newest.Epoch, newest.Owner, ErrFenced)
	}
	return err
}

// openTables opens or makes every table for the line of c, and has judge look at each.
func (t *Task) openTables(ctx context.Context, c *Checkpoint, judge func(c *Checkpoint, name string, state TableState) error) error {
	var errs []error
	for _, name := range t.graph.tables() {
		state, err := t.ports.Tables[name].Open(ctx, c.Incarnation)
		if err == nil {
			err = judge(c, name, state)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("table %s: %w", name, err))
			continue
		}
		t.status.opened(name, state)
	}
	return errors.Join(errs...)
}

// mayBegin refuses to begin a second line of commits in a table unasked.
func (t *Task) mayBegin(_ *Checkpoint, _ string, state TableState) error {
	if len(state.Others) == 0 || t.opt.NewLine {
		return nil
	}
	return fmt.Errorf("it holds commits of pipeline %s (line %s), and there is no checkpoint of that line: "+
		"a new start would read everything again and double the rows; bring the checkpoints back, or use another table, or say --new-line",
		t.plan.Pipeline, strings.Join(state.Others, ", "))
}

// belongs says whether a table is where c left it: the same table, at the epoch of our last commit or, if c
// holds a commit that may not be done, at the one before; and without commits of a line that began when c's
// checkpoints were lost, and are back now.
func (t *Task) belongs(c *Checkpoint, name string, state TableState) error {
	const cure = "bring back what belongs together; or, to read everything again, delete the pipeline's checkpoints and start with --new-line"
	if id, known := c.IDs[name]; known && id != state.ID {
		return fmt.Errorf("its id is %s and the one we wrote to is %s, so it was made anew or its path was changed: %s: %w", state.ID, id, cure, ErrForeign)
	}
	if i := slices.IndexFunc(state.Others, func(line string) bool { return !slices.Contains(c.Before, line) }); i >= 0 && c.Before != nil && !t.opt.NewLine {
		return fmt.Errorf("it holds commits of line %s of this pipeline, of which checkpoint %d knows nothing, so the checkpoints are older than that line, or another's: "+
			"going on would double its rows: %s: %w", state.Others[i], c.Epoch, cure, ErrForeign)
	}
	want, pending := c.prev(name), false
	for _, p := range c.Tables {
		if p.Table == name {
			pending = state.Epoch == p.Prev
		}
	}
	if state.Epoch != want && !pending {
		return fmt.Errorf("its log ends with %s of this pipeline and checkpoint %d says %s, so one of them is older than the other: %s: %w",
			state.Epoch.text(), c.Epoch, want.text(), cure, ErrForeign)
	}
	return nil
}

// adopt takes c, which is written and ours, as the place to go on from.
func (t *Task) adopt(c *Checkpoint) {
	t.last, t.seed, t.first = c, c.Seed, maps.Clone(c.Ledger)
	t.status.committed(c, time.Now())
	close(t.started)
}

// makeLanes makes the lanes of every stage and gives them their state, all at once: it may be gigabytes, and each has
// slots of its own. What an attempt before made is given up.
func (t *Task) makeLanes(ctx context.Context) error {
	began := time.Now()
	var all []*lane
	for _, s := range t.graph.stages {
		s.discard()
		width := t.graph.width(s)
		for n := range width {
			l := &lane{inbox: newInbox(inboxBound)}
			l.first, l.end = slotRange(n, width)
			var err error
			if l.inst, err = t.newInstance(ctx, s, n); err != nil {
				return err
			}
			s.lanes = append(s.lanes, l)
		}
		all = append(all, s.lanes...)
	}
	err := together(len(all), runtime.GOMAXPROCS(0), func(i int) error { return all[i].load(ctx, t.saved) })
	if err != nil {
		return fmt.Errorf("load state: %w", err)
	}
	if len(t.saved) > 0 {
		t.log.Info("state loaded", "took", time.Since(began).Round(time.Millisecond).String())
	}
	t.saved, t.made = nil, true
	return nil
}

// discard gives up the stage's lanes, which have not run yet.
func (s *stage) discard() {
	for _, l := range s.lanes {
		l.discard()
	}
	s.lanes = nil
}

// joinLanes gives the lanes their places in one another's inboxes.
func (t *Task) joinLanes() {
	for _, s := range t.graph.stages {
		for _, l := range s.lanes {
			l.inst.join(t.last.Epoch+1, MinTime)
		}
	}
}

// makeEntries makes an entry for each partition of the checkpoint.
func (t *Task) makeEntries(ctx context.Context, found map[PartitionID]Partition) error {
	for _, p := range t.last.Partitions {
		if err := t.addEntry(ctx, p, found[PartitionID{p.Source, p.Partition}], t.last.Epoch+1); err != nil {
			return err
		}
	}
	t.release(discovery{found, t.ending()}) // found was looked up behind the checkpoint
	return nil
}
