package enginetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/fault"
	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/checkpoint"
)

// QuarantineName is the quarantine table of every Case.
const QuarantineName = "quarantine"

// A Case is a pipeline over the fake source, and what must come of an input.
type Case struct {
	Name    string
	Streams []engine.StreamPlan
	Tables  []engine.TablePlan
	Time    engine.EventTime

	// Spread lets the rows of one key come from several partitions. Without it a key stays in one, as in a
	// keyed topic.
	Spread bool

	// Model says what the tables must hold, as JSON rows in any order, and what the ledger must say. It is
	// plain code that sees the whole input at once.
	Model func(in Input) Outcome
}

// An Outcome is what a pipeline leaves behind, as far as the law speaks of it.
type Outcome struct {
	Tables map[string][]string
	Ledger engine.Ledger
}

// A Rig is what one start of the pipeline runs on. A test that plants a mutant changes it.
type Rig struct {
	Plan   *engine.Plan
	Ports  engine.Ports
	Source *Source
	Blobs  blob.Store
}

// Law runs the case runs times, each with an input, frame sizes, interleavings, commit cadences, numbers of
// lanes and crashes of its own, and fails t with the seed of the first run whose tables or ledger differ
// from the model.
func Law(t *testing.T, c Case, runs int) {
	t.Helper()
	for seed := range uint64(runs) {
		if err := c.Run(t, seed, nil); err != nil {
			t.Fatalf("law %s, seed %d: %v", c.Name, seed, err)
		}
	}
}

// Catches fails t unless the mutant that plant puts into every start breaks the law in one of runs runs.
func Catches(t *testing.T, c Case, runs int, plant func(*Rig)) {
	t.Helper()
	for seed := range uint64(runs) {
		if err := c.Run(t, seed, plant); err != nil {
			t.Logf("caught by seed %d: %s", seed, strings.SplitN(err.Error(), "\n", 2)[0])
			return
		}
	}
	t.Errorf("law %s: the mutant survived %d runs", c.Name, runs)
}

// Run runs the case once; the same seed makes the same choices. An error says how the law was broken.
func (c Case) Run(t *testing.T, seed uint64, plant func(*Rig)) error {
	var broken error
	synctest.Test(t, func(t *testing.T) {
		r := &run{c: c, rnd: rand.New(rand.NewPCG(seed, 0)), store: mem.New(), plant: plant}
		broken = r.all(t.Context())
	})
	return broken
}

// A run is one life of a pipeline, over several starts.
type run struct {
	c     Case
	rnd   *rand.Rand
	store *mem.Store
	plant func(*Rig)
	in    Input
}

const maxCrashes = 4

func (r *run) all(ctx context.Context) error {
	r.in = Generate(r.rnd, r.c.Spread)
	want := r.c.Model(r.in)
	for crash := range r.rnd.IntN(maxCrashes + 1) {
		if err := r.start(ctx, true); err != nil {
			return fmt.Errorf("start %d: %w", crash+1, err)
		}
	}
	for range 2 { // the second finds nothing to do and must leave everything as it is
		if err := r.start(ctx, false); err != nil {
			return fmt.Errorf("last start: %w", err)
		}
		if diff := cmp.Diff(want, r.outcome(ctx, want)); diff != "" {
			return fmt.Errorf("not what the model says (-model +run):\n%s", diff)
		}
	}
	return nil
}

// start runs the pipeline, until it has caught up or, if it is to crash, until it does.
func (r *run) start(ctx context.Context, crash bool) error {
	var hook fault.Hook
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if crash {
		if r.rnd.IntN(4) == 0 {
			time.AfterFunc(time.Duration(r.rnd.Int64N(int64(2*time.Second))), cancel)
		} else {
			kinds := []fault.Kind{fault.CrashBefore, fault.CrashAfter, fault.FailBefore, fault.FailAfter}
			hook = fault.At(1+r.rnd.IntN(60), fault.Fault{Kind: kinds[r.rnd.IntN(len(kinds))]})
		}
	}
	blobs := fault.New(r.store, hook)
	rig := r.rig(blobs)
	if r.plant != nil {
		r.plant(rig)
	}
	task, err := engine.NewTask(rig.Plan, rig.Ports, engine.Options{
		Lanes: 1 + r.rnd.IntN(4), Memory: 1 << r.rnd.IntN(16), UntilCaughtUp: true,
	})
	if err != nil {
		return err
	}
	_, err = task.Run(ctx)
	switch {
	case err == nil, crash && (errors.Is(err, fault.ErrCrashed) || errors.Is(err, fault.ErrInjected) || errors.Is(err, context.Canceled)):
		return nil
	default:
		return err
	}
}

func (r *run) rig(blobs blob.Store) *Rig {
	cadence := engine.CommitPolicy{Rows: 1 + r.rnd.Int64N(40)}
	if r.rnd.IntN(2) == 0 {
		cadence = engine.CommitPolicy{Every: time.Duration(1 + r.rnd.Int64N(int64(time.Second)))}
	}
	plan := &engine.Plan{
		Pipeline: "law", Streams: r.c.Streams, Tables: r.c.Tables, Quarantine: QuarantineName, Commit: cadence,
		Sources: []engine.SourcePlan{{
			Name: SourceName, Schema: InputSchema, Time: r.c.Time, NewDecoder: func() engine.Decoder { return Decoder{} },
		}},
	}
	source := NewSource(r.in, r.rnd.Uint64(), 1+r.rnd.IntN(12), time.Duration(r.rnd.Int64N(int64(300*time.Millisecond))))
	tables := map[string]engine.Table{QuarantineName: NewTable(blobs, QuarantineName)}
	for _, t := range r.c.Tables {
		tables[t.Name] = NewTable(blobs, t.Name)
	}
	return &Rig{
		Plan: plan, Source: source, Blobs: blobs,
		Ports: engine.Ports{
			Sources: map[string]engine.Source{SourceName: source}, Tables: tables,
			Checkpoints: checkpoint.New(blob.Sub(blobs, "_millrace/law/all")),
		},
	}
}

// outcome reads what the run left, in the shape and order of want.
func (r *run) outcome(ctx context.Context, want Outcome) Outcome {
	got := Outcome{Tables: map[string][]string{}, Ledger: engine.Ledger{}}
	for name := range want.Tables {
		rows, err := NewTable(r.store, name).Rows(ctx)
		if err != nil {
			rows = []string{err.Error()}
		}
		slices.Sort(rows)
		slices.Sort(want.Tables[name])
		got.Tables[name] = rows
	}
	c, err := checkpoint.New(blob.Sub(r.store, "_millrace/law/all")).Newest(ctx)
	if err == nil && c != nil {
		got.Ledger = c.Ledger
	}
	return got
}
