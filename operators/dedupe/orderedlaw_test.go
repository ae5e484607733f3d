package dedupe_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/enginetest"
	"github.com/millrace-io/millrace/operators/dedupe"
)

const (
	orderedRuns = 500
	patience    = 5 * time.Second // no row of the law's inputs is late by it
)

// TestOrderedLaw: the rows of a key come from any partition.
func TestOrderedLaw(t *testing.T) { enginetest.Law(t, orderedCase(ordered()), orderedRuns) }

func ordered() dedupe.Config {
	return dedupe.Config{By: []string{"id"}, Within: within, Order: "event_time"}
}

func orderedCase(step engine.Config) enginetest.Case {
	c := lawCase(step)
	c.Name, c.Spread = "dedupe in order of event time", true
	c.Time.MaxDelay = patience
	c.Model = func(in enginetest.Input) enginetest.Outcome {
		return orderedModel(in, c.Time, func(f enginetest.Fact) engine.Time { return f.At })
	}
	return c
}

// TestOrderedLawOfLateRows: many rows are late.
func TestOrderedLawOfLateRows(t *testing.T) {
	c := orderedCase(ordered())
	c.Time.MaxDelay, c.Time.DropLate = delay, true
	c.Model = func(in enginetest.Input) enginetest.Outcome {
		return orderedModel(in, c.Time, func(f enginetest.Fact) engine.Time { return f.At })
	}
	enginetest.Law(t, c, orderedRuns/2)
}

// TestOrderedLawOfTies: event times are the records' own, which are whole seconds: many rows of a key have the same.
func TestOrderedLawOfTies(t *testing.T) { enginetest.Law(t, tiesCase(ordered()), orderedRuns/2) }

func tiesCase(step engine.Config) enginetest.Case {
	c := orderedCase(step)
	c.Name, c.Time.Column = "dedupe in order of event time, ties", ""
	c.Model = func(in enginetest.Input) enginetest.Outcome {
		return orderedModel(in, c.Time, enginetest.Fact.RecordAt)
	}
	return c
}

// orderedModel sorts all rows that are not late and that the watermark has passed at the end, and keeps the first of each key.
func orderedModel(in enginetest.Input, of engine.EventTime, at func(enginetest.Fact) engine.Time) enginetest.Outcome {
	out, rows := enginetest.Entered(in, of.Column != "")
	count := engine.Count{In: int64(len(rows))}
	marks := make([]engine.Time, len(in))
	for p := range marks {
		marks[p] = engine.MinTime
	}
	rows = slices.DeleteFunc(rows, func(f enginetest.Fact) bool {
		late := at(f) < marks[f.Partition]
		if late {
			count.Late++
			count.LateDropped++
		}
		marks[f.Partition] = max(marks[f.Partition], at(f).Minus(of.MaxDelay))
		return late
	})
	rows = slices.DeleteFunc(rows, func(f enginetest.Fact) bool { return at(f) >= slices.Min(marks) })
	slices.SortFunc(rows, func(a, b enginetest.Fact) int {
		return cmp.Or(cmp.Compare(at(a), at(b)), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	last := map[string]engine.Time{}
	for _, f := range rows {
		if kept, ok := last[f.ID]; ok && at(f).Minus(within) <= kept {
			count.Duplicate++
			continue
		}
		last[f.ID] = at(f)
		count.Out++
		column := "null"
		if f.Timed {
			column = f.At.Std().Format(`"2006-01-02T15:04:05.000000Z"`)
		}
		out.Tables["t"] = append(out.Tables["t"], fmt.Sprintf(`{"id":%q,"at":%s,"v":%d}`, f.ID, column, f.V))
	}
	if count != (engine.Count{}) {
		out.Ledger["s"] = count
	}
	return out
}

func TestOrderedLawCatchesStateNotRestored(t *testing.T) {
	catchesOrdered(t, func(d engine.Stateful) engine.Stateful { return forgetful{d} })
}

// TestOrderedLawCatchesTimeOfTheBatch: a batch's own rows say how far time is.
func TestOrderedLawCatchesTimeOfTheBatch(t *testing.T) {
	catchesOrdered(t, func(d engine.Stateful) engine.Stateful {
		return retimed{d, func(b *engine.Batch) engine.Time {
			if b.Count() == 0 {
				return b.Upto
			}
			return max(b.Upto, slices.Max(b.At))
		}}
	})
}

// TestOrderedLawCatchesNoWait: rows are decided as they come.
func TestOrderedLawCatchesNoWait(t *testing.T) {
	catchesOrdered(t, func(d engine.Stateful) engine.Stateful {
		return retimed{d, func(*engine.Batch) engine.Time { return engine.MaxTime }}
	})
}

// TestOrderedLawCatchesAnyPartition: what partition and offset a row has does not settle a tie.
func TestOrderedLawCatchesAnyPartition(t *testing.T) {
	mutant := planted{ordered(), func(d engine.Stateful) engine.Stateful { return unplaced{d} }}
	enginetest.Catches(t, tiesCase(mutant), mutantRuns, nil)
}

// retimed shows the operator another time than the batch's.
type retimed struct {
	engine.Stateful
	upto func(b *engine.Batch) engine.Time
}

func (r retimed) Apply(ctx context.Context, in *engine.Batch, emit engine.Emit) error {
	lent := *in
	lent.Upto = r.upto(in)
	return r.Stateful.Apply(ctx, &lent, emit)
}

// unplaced hides where rows come from.
type unplaced struct{ engine.Stateful }

func (u unplaced) Apply(ctx context.Context, in *engine.Batch, emit engine.Emit) error {
	lent := *in
	lent.Origin = engine.PartitionID{}
	return u.Stateful.Apply(ctx, &lent, emit)
}

func catchesOrdered(t *testing.T, mutant func(engine.Stateful) engine.Stateful) {
	enginetest.Catches(t, orderedCase(planted{ordered(), mutant}), mutantRuns, nil)
}
