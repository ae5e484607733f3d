package dedupe_test

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/enginetest"
	"github.com/millrace-io/millrace/operators/dedupe"
)

const (
	lawRuns    = 300
	mutantRuns = 300
	within     = 2 * time.Second
	delay      = 500 * time.Millisecond // rows of the law's inputs are up to 5 s out of order
)

func TestLaw(t *testing.T) {
	t.Parallel()
	enginetest.Law(t, lawCase(config()), lawRuns)
}

func config() dedupe.Config { return dedupe.Config{By: []string{"id"}, Within: within} }

// lawCase is one stream of one step, which has the dedupe's meaning.
func lawCase(step engine.Config) enginetest.Case {
	return enginetest.Case{
		Name:    "dedupe",
		Time:    engine.EventTime{Column: "at", MaxDelay: delay},
		Streams: []engine.StreamPlan{{Name: "s", From: []string{enginetest.SourceName}, Steps: []engine.Step{{Name: "dedupe", Config: step}}}},
		Tables:  []engine.TablePlan{{Name: "t", From: "s"}},
		Model:   model,
	}
}

func model(in enginetest.Input) enginetest.Outcome {
	out, rows := enginetest.Entered(in, true)
	kept := map[string][]engine.Time{}
	marks := map[int]engine.Time{}
	var count engine.Count
	for _, f := range rows {
		mark, ok := marks[f.Partition]
		if !ok {
			mark = engine.MinTime
		}
		marks[f.Partition] = max(mark, f.At.Minus(delay))
		count.In++
		if seen(kept[f.ID], f.At, mark) {
			count.Duplicate++
			continue
		}
		count.Out++
		kept[f.ID] = append(kept[f.ID], f.At)
		out.Tables["t"] = append(out.Tables["t"], fmt.Sprintf(`{"id":%q,"at":%q,"v":%d}`, f.ID, f.At.Std().Format("2006-01-02T15:04:05.000000Z"), f.V))
	}
	if count != (engine.Count{}) {
		out.Ledger["s"] = count
	}
	return out
}

func seen(kept []engine.Time, at, mark engine.Time) bool {
	for _, k := range kept {
		visible := k >= mark.Minus(within)
		if apart := max(at-k, k-at); visible && apart <= engine.Time(within.Microseconds()) {
			return true
		}
	}
	return false
}

// Each of these breaks the operator in one place, from outside. The law must notice.

func TestLawCatchesStateNotRestored(t *testing.T) {
	catches(t, func(d engine.Stateful) engine.Stateful { return forgetful{d} })
}

type forgetful struct{ engine.Stateful }

func (forgetful) Load(int, io.Reader) error { return nil }

func TestLawCatchesWatermarkPerBatch(t *testing.T) {
	catches(t, func(d engine.Stateful) engine.Stateful {
		return remarked{d, func(b *engine.Batch, _ int) engine.Time { return b.Mark[b.Rows-1] }}
	})
}

// TestLawCatchesByWhatWasCollected: rows see all that memory holds, which a restart has swept.
func TestLawCatchesByWhatWasCollected(t *testing.T) {
	catches(t, func(d engine.Stateful) engine.Stateful {
		return remarked{d, func(*engine.Batch, int) engine.Time { return engine.MinTime }}
	})
}

// remarked shows the operator other watermarks than the rows'.
type remarked struct {
	engine.Stateful
	mark func(b *engine.Batch, row int) engine.Time
}

func (r remarked) Apply(ctx context.Context, in *engine.Batch, emit engine.Emit) error {
	lent := *in
	lent.Mark = nil
	for row := range in.Rows {
		lent.Mark = append(lent.Mark, r.mark(in, row))
	}
	return r.Stateful.Apply(ctx, &lent, emit)
}

func catches(t *testing.T, mutant func(engine.Stateful) engine.Stateful) {
	enginetest.Catches(t, lawCase(planted{config(), mutant}), mutantRuns, nil)
}

// planted is a dedupe with a mutant around it.
type planted struct {
	dedupe.Config
	mutant func(engine.Stateful) engine.Stateful
}

func (p planted) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) {
	op, out, err := p.Config.Bind(in)
	return p.mutant(op.(engine.Stateful)), out, err
}
