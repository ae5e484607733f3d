// Package recovery makes what the benchmark "recovery" starts from: a pipeline that remembers many rows.
//
// The rows are not sent through the pipeline, which would take minutes, but through its operator: Fill binds the
// dedupe of the Definition, gives it keys that never were in a topic, has it save what it keeps, and writes the
// checkpoint that names it. To the next start nothing of it looks otherwise than if the rows had come.
package recovery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/operators/dedupe"
)

// Definition is the pipeline.
const Definition = `
pipeline: recovery
lake: "${LAKE}"
vars: {BROKERS: "localhost:9092", TOPIC: recovery, LAKE: ./lake, EVERY: 500ms}
sources:
  in:
    kafka: {brokers: "${BROKERS}", topic: "${TOPIC}"}
    format: json
    schema: {id: long!}
streams:
  once: {from: in, steps: [dedupe: {by: [id], within: 240h}]}
tables: {kept: {from: once}}
commit: {every: "${EVERY}"}
`

// What the Definition is made of.
const (
	Pipeline = "recovery"
	Operator = "once/dedupe"
	Table    = "kept" // below the lake
	within   = 240 * time.Hour
)

const (
	batchRows = 8192
	spread    = time.Hour // of event time, over all rows
)

// A Fill says what the operator remembers.
type Fill struct {
	Rows   int64 // kept rows; their ids are 0 to Rows-1
	Deltas int   // epochs that saved what changed, after one that saved the slots whole
	Lanes  int   // state objects an epoch
}

// schema is that of the rows that reach the operator.
var schema = engine.Schema{{Name: "id", Type: column.Of(column.Long), Required: true}}

// wholeShare is the part of the rows in the whole sections: a chain is in the middle of its life.
const wholeShare = 0.6

// Write writes the state and the checkpoint after the newest one. The pipeline must not run.
func (f Fill) Write(ctx context.Context, checkpoints engine.Checkpoints) (*engine.Checkpoint, error) {
	c, err := checkpoints.Newest(ctx)
	if err != nil {
		return nil, err
	}
	if c == nil || c.Operators[Operator] == "" || len(c.State) > 0 {
		return nil, errors.New("the pipeline has no checkpoint without state: run it once over an empty topic first")
	}
	op, _, err := dedupe.Config{By: []string{"id"}, Within: within, Seed: c.Seed}.Bind(schema)
	if err != nil {
		return nil, err
	}
	r := rememberer{Fill: f, op: op.(engine.Stateful), now: time.Now()}
	for n := range f.Deltas + 1 {
		if err := r.upTo(ctx, f.after(n)); err != nil {
			return nil, err
		}
		c.Epoch++
		refs, err := r.save(ctx, checkpoints, c.Epoch)
		if err != nil {
			return nil, err
		}
		c.State = append(c.State, refs...)
	}
	c.Attempt, c.Process, c.Owner, c.Tables = "bench recovery", "bench recovery", "bench recovery", nil
	return c, checkpoints.Write(ctx, c)
}

// after is how many rows there are when the n-th epoch ends.
func (f Fill) after(n int) int64 {
	whole := int64(float64(f.Rows) * wholeShare)
	if f.Deltas == 0 {
		whole = f.Rows
	}
	return whole + (f.Rows-whole)*int64(n)/int64(max(f.Deltas, 1))
}

// A rememberer feeds an operator.
type rememberer struct {
	Fill
	op   engine.Stateful
	now  time.Time
	next int64 // id
}

// upTo gives the operator the rows before end.
func (r *rememberer) upTo(ctx context.Context, end int64) error {
	pool := column.Pool{}
	for r.next < end {
		b := &engine.Batch{Schema: schema, Arena: pool.Get(), Upto: engine.MinTime}
		ids := b.Arena.Column(column.Of(column.Long)).(*column.Longs)
		for ; b.Rows < batchRows && r.next < end; r.next++ {
			ids.Append(r.next)
			back := spread - time.Duration(float64(spread)*float64(r.next)/float64(r.Rows))
			b.At = append(b.At, engine.TimeOf(r.now.Add(-back)))
			b.Mark = append(b.Mark, engine.MinTime)
			b.Rows++
		}
		b.Columns = []column.Column{ids}
		err := r.op.Apply(ctx, b, nowhere{})
		b.Arena.Release()
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// save writes a state object for each lane that has anything to save.
func (r *rememberer) save(ctx context.Context, checkpoints engine.Checkpoints, epoch engine.Epoch) ([]engine.StateRef, error) {
	var refs []engine.StateRef
	for lane := range r.Lanes {
		var sections []engine.Section
		for slot := lane * column.Slots / r.Lanes; slot < (lane+1)*column.Slots/r.Lanes; slot++ {
			var data bytes.Buffer
			whole, err := r.op.Save(slot, &data)
			if err != nil {
				return nil, fmt.Errorf("save slot %d: %w", slot, err)
			}
			if whole || data.Len() > 0 {
				sections = append(sections, engine.Section{Operator: Operator, Slot: slot, Whole: whole, Data: data.Bytes()})
			}
		}
		if len(sections) == 0 {
			continue
		}
		ref, err := checkpoints.WriteState(ctx, epoch, sections)
		if err != nil {
			return nil, err
		}
		refs = append(refs, ref)
	}
	return refs, nil
}

// nowhere is an engine.Emit that wants nothing.
type nowhere struct{}

// Rows implements engine.Emit.
func (nowhere) Rows(*engine.Batch) error { return nil }

// Drop implements engine.Emit.
func (nowhere) Drop(engine.DropReason, int) {}

// Made implements engine.Emit.
func (nowhere) Made(int) {}

// Quarantine implements engine.Emit.
func (nowhere) Quarantine(*engine.Batch, int, engine.Reason, string, string) {}
