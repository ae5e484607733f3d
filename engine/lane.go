package engine

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/millrace-io/millrace/engine/column"
)

// A lane is one goroutine that owns the state of its share of keys in one stage.
type lane struct {
	inst  *instance
	inbox *inbox
	first int // the slots it owns: first ≤ slot < end
	end   int

	weight int64 // of its state when it was weighed last, in bytes
}

// A part is what one lane gives to an epoch.
type part struct {
	epoch    Epoch
	quiet    bool
	ledger   Ledger
	sections []Section
	sealings []tableSealing
}

type tableSealing struct {
	table string
	s     Sealing
}

// slotRange is the slots that lane number n of width owns.
func slotRange(n, width int) (first, end int) {
	// the inverse of laneOf: the least slot with slot*width/Slots >= n
	edge := func(n int) int { return (n*column.Slots + width - 1) / width }
	return edge(n), edge(n + 1)
}

// run takes batches until the inbox is stopped or something fails. Open files are given up on the way out:
// what was cut before belongs to the task.
func (l *lane) run() error {
	defer l.discard()
	for {
		m, upto, ok := l.inbox.take()
		if !ok {
			return nil
		}
		if m.batch == nil {
			m.barrier.upto = upto
			if err := l.barrier(m.barrier); err != nil {
				return err
			}
			continue
		}
		m.batch.Upto = upto
		err := l.inst.run(m.batch)
		m.batch.Arena.Release()
		if err == nil {
			err = l.inst.flushRejects()
		}
		if err != nil {
			return err
		}
		l.weigh()
	}
}

// barrier ends an epoch: the operators see it, then their state is saved, the files are cut, and the stages
// behind are told.
func (l *lane) barrier(b barrier) error {
	if err := l.inst.run(l.empty(b)); err != nil {
		return err
	}
	if err := l.inst.flushRejects(); err != nil {
		return err
	}
	p := part{epoch: b.epoch, quiet: b.quiet, ledger: l.inst.takeCounts()}
	var err error
	if p.sections, err = l.save(); err != nil {
		return err
	}
	for _, w := range l.inst.writers {
		if s := w.w.Cut(); s != nil {
			p.sealings = append(p.sealings, tableSealing{w.table, s})
		}
	}
	l.inst.barrier(b)
	l.inst.task.take(p)
	return nil
}

// empty is a batch without rows that carries the barrier and the time.
func (l *lane) empty(end barrier) *Batch {
	b := &Batch{Schema: l.inst.stage.schema, Upto: end.upto, Barrier: end.epoch, Quiet: end.quiet, Arena: column.NewArena()}
	for _, f := range b.Schema {
		b.Columns = append(b.Columns, b.Arena.Column(f.Type))
	}
	return b
}

func (l *lane) save() ([]Section, error) {
	var all []Section
	for _, s := range l.inst.stateful {
		for slot := l.first; slot < l.end; slot++ {
			var buf bytes.Buffer
			whole, err := s.op.Save(slot, &buf)
			if err != nil {
				return nil, fmt.Errorf("%s: save slot %d: %w", s.id, slot, err)
			}
			if whole || buf.Len() > 0 {
				all = append(all, Section{Operator: s.id, Slot: slot, Whole: whole, Data: buf.Bytes()})
			}
		}
	}
	return all, nil
}

// load gives the lane's operators the sections of its slots, in the order saved.
func (l *lane) load(ctx context.Context, saved []savedState) error {
	ops := map[string]Stateful{}
	for _, s := range l.inst.stateful {
		ops[s.id] = s.op
	}
	ours, sizes := make([][]int, len(saved)), map[stateKey]int64{}
	for i, o := range saved {
		for _, n := range o.count {
			if s := o.sections[n]; ops[s.Operator] != nil && s.Slot >= l.first && s.Slot < l.end && s.Size > 0 {
				ours[i] = append(ours[i], n)
				sizes[stateKey{s.Operator, s.Slot}] += s.Size
			}
		}
	}
	for k, size := range sizes {
		if op, ok := ops[k.operator].(Expecting); ok {
			op.Expect(k.slot, size)
		}
	}
	for i, o := range saved {
		err := o.state.Read(ctx, ours[i], func(n int, data io.Reader) error {
			return ops[o.sections[n].Operator].Load(o.sections[n].Slot, data)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *lane) discard() {
	for _, w := range l.inst.writers {
		w.w.Discard()
	}
}
