package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// An epochWork gathers what partitions and lanes give to an epoch, from the cut to the commit.
type epochWork struct {
	epoch      Epoch
	began      time.Time
	stirred    bool // a lane had something new
	final      bool // no row follows, ever
	pending    int  // lanes whose files and state are not in the store yet, and the cut itself
	partitions []PartitionState
	ledger     Ledger
	files      map[string][]File
	state      []storedState
	prepared   []Prepared // once written
}

// A storedState is a state object that was written, and what it is of.
type storedState struct {
	ref      StateRef
	sections []Section
}

// cut puts the barrier into every partition.
func (t *Task) cut(ctx context.Context, epoch Epoch, final bool) error {
	w := &epochWork{epoch: epoch, began: time.Now(), pending: 1, final: final, ledger: Ledger{}, files: map[string][]File{}}
	for _, s := range t.graph.stages {
		w.pending += len(s.lanes)
	}
	t.mu.Lock()
	t.epochs[epoch] = w
	entries := t.entries
	t.mu.Unlock()
	for _, e := range entries {
		state, counts, err := e.cut(epoch, final)
		if err != nil {
			return err
		}
		w.partitions = append(w.partitions, state)
		t.mu.Lock()
		w.ledger.Add(counts)
		t.mu.Unlock()
	}
	t.settle(ctx, w)
	return nil
}

// take takes a lane's part of an epoch and sees to its files and state.
func (t *Task) take(p part) {
	t.mu.Lock()
	w := t.epochs[p.epoch]
	w.ledger.Add(p.ledger)
	w.stirred = w.stirred || !p.quiet
	t.mu.Unlock()
	ctx := t.ctx
	t.goDo(func() {
		if err := t.store(ctx, w, p); err != nil {
			t.fail(err)
			return
		}
		t.settle(ctx, w)
	})
}

// store seals the files of a part and writes its state.
func (t *Task) store(ctx context.Context, w *epochWork, p part) error {
	for i, s := range p.sealings {
		files, err := s.s.Seal(ctx)
		if err != nil {
			for _, rest := range p.sealings[i+1:] {
				rest.s.Discard()
			}
			return fmt.Errorf("epoch %d: table %s: %w", p.epoch, s.table, err)
		}
		t.mu.Lock()
		w.files[s.table] = append(w.files[s.table], files...)
		t.mu.Unlock()
	}
	if len(p.sections) == 0 {
		return nil
	}
	ref, err := t.ports.Checkpoints.WriteState(ctx, p.epoch, p.sections)
	if err != nil {
		return fmt.Errorf("epoch %d: write state: %w", p.epoch, err)
	}
	for i := range p.sections {
		p.sections[i].Data = nil // written: only what it is of counts from here on
	}
	t.mu.Lock()
	w.state = append(w.state, storedState{ref, p.sections})
	t.mu.Unlock()
	return nil
}

// settle counts a part as done; the last one makes the epoch ready.
func (t *Task) settle(ctx context.Context, w *epochWork) {
	t.mu.Lock()
	w.pending--
	done := w.pending == 0
	t.mu.Unlock()
	if done {
		t.clock.seal.Add(time.Since(w.began))
		t.report(ctx, event{kind: ready, epoch: w.epoch})
	}
}

// write writes the epoch's checkpoint. All commits of the epoch before are done.
func (t *Task) write(ctx context.Context, epoch Epoch) error {
	defer t.clock.checkpoint.since(time.Now())
	t.mu.Lock()
	w := t.epochs[epoch]
	t.mu.Unlock()
	c := t.next(t.last)
	c.Partitions, c.Final = w.partitions, w.final
	c.Ledger.Add(w.ledger)
	for _, table := range t.changed(w) {
		files := w.files[table]
		slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
		p := Prepared{Table: table, ID: t.status.id(table), Prev: c.prev(table), Epoch: epoch, Files: files, Replace: t.plan.replaces(table)}
		if err := t.ports.Tables[table].Prepare(ctx, p); err != nil {
			return fmt.Errorf("epoch %d: table %s: %w", epoch, table, err)
		}
		c.Tables = append(c.Tables, p)
		c.Prev[table] = epoch
	}
	for _, s := range w.state {
		t.chain.add(s.ref, s.sections)
	}
	c.State = t.chain.refs()
	if err := t.ports.Checkpoints.Write(ctx, c); err != nil {
		return fmt.Errorf("epoch %d: %w", epoch, err)
	}
	w.prepared = c.Tables
	t.last = c
	return nil
}

// changed lists the tables that an epoch commits to: those with files, and those whose rows it replaces, with none as
// well, unless they hold what they held.
func (t *Task) changed(w *epochWork) []string {
	names := slices.Collect(maps.Keys(w.files))
	for _, p := range t.plan.Tables {
		if p.Replace && w.stirred && !slices.Contains(names, p.Name) {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	return names
}

// next is the checkpoint that follows c, with nothing new in it.
func (t *Task) next(c *Checkpoint) *Checkpoint {
	n := *c
	n.Epoch++
	n.Format = CheckpointFormat
	n.Attempt, n.Process, n.Owner = newID(), t.process, owner()
	n.Tables = nil
	n.Prev, n.IDs = maps.Clone(c.Prev), map[string]string{}
	maps.Copy(n.IDs, c.IDs)
	n.Ledger = maps.Clone(c.Ledger)
	return &n
}

// conclude writes a checkpoint without commits to repeat, once those of the last epoch are done: what runs
// next may be of a definition that has some of the tables no more.
func (t *Task) conclude(ctx context.Context) error {
	if len(t.last.Tables) == 0 {
		return nil
	}
	c := t.next(t.last)
	if err := t.ports.Checkpoints.Write(ctx, c); err != nil {
		return fmt.Errorf("conclude with epoch %d: %w", c.Epoch, err)
	}
	t.last = c
	return nil
}

func (c *Checkpoint) prev(table string) Epoch {
	if e, ok := c.Prev[table]; ok {
		return e
	}
	return NoEpoch
}

// commit commits the epoch's tables, all at once.
func (t *Task) commit(ctx context.Context, epoch Epoch) error {
	defer t.clock.commit.since(time.Now())
	t.mu.Lock()
	w := t.epochs[epoch]
	t.mu.Unlock()
	if err := t.commitAll(ctx, t.last, w.prepared); err != nil {
		return t.fenced(ctx, t.last, err)
	}
	t.mu.Lock()
	delete(t.epochs, epoch)
	t.mu.Unlock()
	t.status.committed(t.last, time.Now())
	t.log.Info("committed", "epoch", int64(epoch), "tables", len(w.prepared), "took", time.Since(w.began).Round(time.Millisecond).String())
	return nil
}

// fenced says whether a table does not fit because another process has taken over meanwhile.
func (t *Task) fenced(ctx context.Context, last *Checkpoint, err error) error {
	if !errors.Is(err, ErrForeign) {
		return err
	}
	return t.overtaken(ctx, last, err)
}

// overtaken says whether err came because another process has gone on from last meanwhile.
func (t *Task) overtaken(ctx context.Context, last *Checkpoint, err error) error {
	if newest, readErr := t.ports.Checkpoints.Newest(ctx); readErr == nil && newest != nil && newest.Attempt != last.Attempt {
		return fmt.Errorf("checkpoint %d was written by %s: %w", newest.Epoch, newest.Owner, ErrFenced)
	}
	return err
}

func (t *Task) commitAll(ctx context.Context, c *Checkpoint, prepared []Prepared) error {
	errs := make([]error, len(prepared))
	var all sync.WaitGroup
	for i, p := range prepared {
		all.Go(func() {
			info := CommitInfo{Pipeline: c.Pipeline, Epoch: p.Epoch, Ledger: t.ledgerOf(c, p.Table)}
			version, err := t.ports.Tables[p.Table].Commit(ctx, p, info)
			if err != nil {
				errs[i] = fmt.Errorf("commit epoch %d to table %s: %w", p.Epoch, p.Table, err)
				return
			}
			t.status.version(p, version)
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// ledgerOf is what the ledger says of the rows that a table holds: of its stream's or source's, but for those that the
// table refused; or of all that were refused for the quarantine table.
func (t *Task) ledgerOf(c *Checkpoint, table string) Count {
	for _, p := range t.plan.Tables {
		if p.Name == table {
			count, refused := c.Ledger[p.From], c.Ledger[table].Quarantined
			count.Out -= refused
			count.Quarantined += refused
			return count
		}
	}
	var refused int64
	for _, count := range c.Ledger {
		refused += count.refused()
	}
	return Count{In: refused, Out: refused}
}

// collectEvery is how many epochs pass between two collections of old checkpoints and state.
const collectEvery = 16

// tell tells the sources what is committed, and now and then drops what is not needed any more: all before
// the epoch before this one.
func (t *Task) tell(ctx context.Context, epoch Epoch) {
	next := map[string]map[string]Offset{}
	for _, p := range t.last.Partitions {
		if next[p.Source] == nil {
			next[p.Source] = map[string]Offset{}
		}
		next[p.Source][p.Partition] = p.Next
	}
	t.goDo(func() {
		for name, offsets := range next {
			if err := t.ports.Sources[name].Committed(ctx, offsets); err != nil && ctx.Err() == nil {
				t.log.Warn("could not mark what is committed: lag monitors will show too much", "source", name, "error", err)
			}
		}
		if epoch%collectEvery != 0 {
			return
		}
		if err := t.ports.Checkpoints.Collect(ctx, epoch-1); err != nil && ctx.Err() == nil {
			t.log.Warn("could not delete old checkpoints: they take up room, nothing else", "error", err)
		}
	})
}
