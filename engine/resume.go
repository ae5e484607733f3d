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

// resume goes on from c. Everything that may keep this process from running is looked at before it claims
// the task: an owner that lives is not fenced by one that can't take its place.
func (t *Task) resume(ctx context.Context, c *Checkpoint, found map[PartitionID]Partition) error {
	if err := t.check(c); err != nil {
		return err
	}
	if err := t.openTables(ctx, c, t.belongs); err != nil {
		return t.fenced(ctx, c, err)
	}
	newest := c
	if t.opt.RedoEpoch {
		var err error
		if c, err = t.redo(ctx, c); err != nil {
			return err
		}
	}
	n := t.next(c)
	if t.opt.RedoEpoch {
		n.Epoch++ // the epoch given up keeps its number: no other checkpoint may have it
	}
	var err error
	if n.Partitions, err = t.goOn(t.retime(c), found, n.Epoch); err != nil {
		return err
	}
	if n.Operators, err = t.graph.stateful(); err != nil {
		return err
	}
	n.Times = t.plan.times(c.Times)
	for _, p := range c.Tables {
		if err := t.present(ctx, p); err != nil {
			return err
		}
	}
	pending := t.pending(c)
	if err := t.commitAll(ctx, c, c.Tables); err != nil {
		return t.fenced(ctx, newest, err)
	}
	if c.Final {
		return t.over(ctx, c, pending)
	}
	maps.Copy(n.IDs, t.status.tableIDs())
	n.Before = t.status.otherLines(c.Before)
	if err := t.restore(ctx, c, n); err != nil {
		return t.overtaken(ctx, newest, err) // who went on from c may have deleted state that c names
	}
	if t.seed = c.Seed; !t.hasty {
		if err := t.makeLanes(ctx); err != nil {
			return t.overtaken(ctx, newest, err)
		}
	}
	if err := t.ports.Checkpoints.Write(ctx, n); err != nil {
		return fmt.Errorf("claim epoch %d: %w", n.Epoch, err)
	}
	t.adopt(n)
	return nil
}

// pending says whether a commit of c is not done yet.
func (t *Task) pending(c *Checkpoint) bool {
	return slices.ContainsFunc(c.Tables, func(p Prepared) bool { return t.status.epoch(p.Table) != p.Epoch })
}

// over ends a start that finds that the input has ended with c. If the run that ended it had not done its last commits,
// they are done now, and a run that is to come to that end has come there.
func (t *Task) over(ctx context.Context, c *Checkpoint, finished bool) error {
	t.adopt(c)
	if err := t.conclude(ctx); err != nil {
		return err
	}
	if finished && t.opt.Final {
		return errStopped
	}
	return fmt.Errorf("it has come to the end of its input with epoch %d, by --final: its windows are closed, and rows that came now would be too late for them; "+
		"to go on, give the pipeline another name or delete its checkpoints and start with --new-line", c.Epoch)
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
	errs := append(t.checkDropped(c), t.checkTimes(c)...)
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
	for _, p := range c.Tables {
		if t.ports.Tables[p.Table] == nil {
			errs = append(errs, fmt.Errorf("table %s is not in the definition any more, and its commit of epoch %d may not be done: "+
				"run once with it, stop in good order, and then take it out", p.Table, p.Epoch))
		}
	}
	return errors.Join(errs...)
}

// checkDropped says what --drop-state and --drop-source name that c does not have.
func (t *Task) checkDropped(c *Checkpoint) []error {
	var errs []error
	for _, id := range t.opt.DropState {
		if _, ok := c.Operators[id]; !ok {
			errs = append(errs, fmt.Errorf("--drop-state %s: no operator of this name has saved state; those that have are %v", id, slices.Sorted(maps.Keys(c.Operators))))
		}
	}
	for _, name := range t.opt.DropSource {
		if t.stageOf(name) != nil {
			errs = append(errs, fmt.Errorf("--drop-source %s: it is still in the definition", name))
		}
	}
	return errs
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
	return before, t.check(before)
}

// savedState is the sections of a state object that lanes have to load. The zero State goes with none.
type savedState struct {
	state    State
	sections []Section // all that it lists
	count    []int     // numbers of those that count
}

// openWidth is how many state objects are opened at once: a start waits for the store, not for the processor.
const openWidth = 16

// restore opens the state that c names for the lanes to load, and names in n what counts of it. State that is given
// up is overwritten, slot by slot, with nothing: a state object holds the sections of many operators, so it
// can't just be left out. Unless everything is given up: then none is looked at, and may be gone.
func (t *Task) restore(ctx context.Context, c, n *Checkpoint) error {
	t.chain, t.saved, n.State = newChain(), nil, []StateRef{}
	if t.dropsAll(c) {
		return nil
	}
	began := time.Now()
	opened := make([]State, len(c.State))
	err := together(len(opened), openWidth, func(i int) (err error) {
		opened[i], err = t.ports.Checkpoints.OpenState(ctx, c.State[i])
		return err
	})
	if err != nil {
		return fmt.Errorf("read state of epoch %d: %w", c.Epoch, err)
	}
	var all [][]Section
	for i, ref := range c.State {
		all = append(all, opened[i].Sections())
		t.chain.add(ref, all[i])
	}
	if dropped := emptied(all, t.opt.DropState); len(dropped) > 0 {
		ref, err := t.ports.Checkpoints.WriteState(ctx, n.Epoch, dropped)
		if err != nil {
			return fmt.Errorf("give up state in epoch %d: %w", n.Epoch, err)
		}
		t.chain.add(ref, dropped)
		all = append(all, dropped)
	}
	n.State = t.chain.refs()
	for i, count := range counting(all)[:len(opened)] {
		t.saved = append(t.saved, savedState{opened[i], all[i], count})
	}
	t.log.Info("state opened", "objects", len(c.State), "bytes", bytesOf(c.State), "took", time.Since(began).Round(time.Millisecond).String())
	return nil
}

func bytesOf(refs []StateRef) (sum int64) {
	for _, r := range refs {
		sum += r.Size
	}
	return sum
}

// dropsAll says whether the state of each operator of c is given up.
func (t *Task) dropsAll(c *Checkpoint) bool {
	for id := range c.Operators {
		if !slices.Contains(t.opt.DropState, id) {
			return false
		}
	}
	return true
}

// emptied gives an empty whole section for each slot of the operators named.
func emptied(objects [][]Section, operators []string) []Section {
	var all []Section
	seen := map[stateKey]bool{}
	for _, sections := range objects {
		for _, s := range sections {
			k := stateKey{s.Operator, s.Slot}
			if slices.Contains(operators, s.Operator) && !seen[k] {
				seen[k] = true
				all = append(all, Section{Operator: s.Operator, Slot: s.Slot, Whole: true})
			}
		}
	}
	return all
}
