package window

import (
	"context"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/aggregate"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/expr"
)

// operator implements engine.Stateful and engine.Sized.
type operator struct {
	by         []int         // columns that arrive
	key        engine.Schema // of them
	schema     engine.Schema // of the rows that leave
	aggregates []*aggregate.Aggregate
	names      []string // of aggregates
	unmerges   bool     // all of them do
	newState   func(aggregate int) aggregate.State
	condition  *expr.Program // having; nil: none
	endless    bool          // the window has no bounds to tell
	changes    bool          // emit: changes
	keep       time.Duration
	hasher     *column.Hasher
	cols       []column.Column // scratch: of by

	store  store
	floor  engine.Time // Upto of the last batch: windows that end at or before it are closed. Invariant: it never falls
	gone   engine.Time // windows that end at or before it are no longer held; at most floor
	passed engine.Time // what was promised behind this operator

	intake
	results
	saving
}

// A store holds the windows of one kind.
type store interface {
	// put adds the rows of the intake, and gives how many it took.
	put(in *intake) (taken int, err error)
	// close gives the results of each window that ends at or before upto, in the order of their ends, and forgets it.
	close(upto engine.Time, give manner) error
	// held gives the results of each window that is held.
	held(give manner) error
	// forget drops what ends at or before gone.
	forget(gone engine.Time)
	// bytes is the memory held, about.
	bytes() int64
	keeper
}

func newOperator() *operator {
	o := &operator{hasher: column.NewHasher(0), unmerges: true, floor: engine.MinTime, gone: engine.MinTime, passed: engine.MinTime}
	o.fail = o.note
	o.newState = func(i int) aggregate.State { return o.aggregates[i].NewState() }
	return o
}

// Apply implements engine.Operator.
func (o *operator) Apply(_ context.Context, in *engine.Batch, emit engine.Emit) error {
	o.emit, o.ready = emit, false
	o.resume()
	if in.Count() > 0 {
		o.evaluate(in)
		o.keysOf(in)
		taken, err := o.store.put(&o.intake)
		if err != nil {
			return err
		}
		if taken > 0 {
			emit.Drop(engine.Aggregated, taken)
		}
	}
	if in.Upto > o.floor {
		if err := o.pass(in.Upto); err != nil {
			return err
		}
	}
	if o.changes && in.Barrier != 0 && !in.Quiet {
		if err := o.store.held(showing); err != nil {
			return err
		}
	}
	o.passed = in.Upto
	return emit.Rows(o.last(in))
}

// pass moves time on.
func (o *operator) pass(upto engine.Time) error {
	o.floor = upto
	gone, give := upto, closing
	if o.changes {
		gone, give = upto.Minus(o.keep), forgetting
		if upto == engine.MaxTime { // the end of the input is no time that passes: what is held stays
			return o.store.held(forgetting)
		}
	}
	if gone <= o.gone {
		return nil
	}
	err := o.store.close(gone, give)
	o.gone = gone
	return err
}

// last is the batch without rows that passes on what in says of time.
func (o *operator) last(in *engine.Batch) *engine.Batch {
	out := &engine.Batch{Schema: o.schema, Columns: make([]column.Column, len(o.schema)), Upto: in.Upto, Barrier: in.Barrier, Quiet: in.Quiet, Arena: in.Arena}
	for i, f := range o.schema {
		out.Columns[i] = in.Arena.Column(f.Type)
	}
	return out
}

// keysOf finds the key columns, and hashes them unless an exchange has.
func (o *operator) keysOf(in *engine.Batch) {
	o.cols = o.cols[:0]
	for _, i := range o.by {
		o.cols = append(o.cols, in.Columns[i])
	}
	if o.keys = in.Keys; in.Keys == nil {
		o.keys = in.Arena.Keys(in.Rows)
		o.hasher.Keys(o.keys, o.cols, in.Sel, in.Rows)
	}
}
