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

	// Reshards has partitions split and merged: their rows come behind those of their parents, in the family of parentsOf.
	// The rows of a key that stays in one partition go on in one of its children.
	Reshards bool

	// Grows says that partitions may come later. (Of a stream with an operator that compares event times the law
	// does not speak then: a new partition begins with the lanes' watermark.)
	Grows bool

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
	full  *fullShards // of a case that Reshards
}

const maxCrashes = 4

func (r *run) all(ctx context.Context) error {
	r.in = r.c.generate(r.rnd)
	r.full = newStream(r.rnd.IntN(2) == 0, false)
	want := r.c.Model(r.in)
	for crash := range r.rnd.IntN(maxCrashes + 1) {
		if err := r.mishap(ctx); err != nil {
			return fmt.Errorf("start %d: %w", crash+1, err)
		}
	}
	return r.finish(ctx, want)
}

// CrashAtEveryCall runs the case with one input and choice of everything else over and over: in the n-th
// life of the pipeline the fault comes at the n-th call to the store, then a second start finishes. It
// gives the number of calls it went through.
func (c Case) CrashAtEveryCall(t *testing.T, seed uint64, kind fault.Kind) (calls int, err error) {
	for n, reached := 1, true; reached; n++ {
		synctest.Test(t, func(t *testing.T) {
			r := &run{c: c, rnd: rand.New(rand.NewPCG(seed, 0)), store: mem.New()}
			r.in = c.generate(r.rnd)
			r.full = newStream(false, false)
			if reached, err = r.start(t.Context(), fault.At(n, fault.Fault{Kind: kind})); err == nil {
				err = r.finish(t.Context(), c.Model(r.in))
			}
		})
		if err != nil {
			return n, fmt.Errorf("call %d: %w", n, err)
		}
		calls = n
	}
	return calls, nil
}

// finish runs the pipeline to the end and compares. A second start finds nothing to do and must leave
// everything as it is.
func (r *run) finish(ctx context.Context, want Outcome) error {
	for range 2 {
		if _, err := r.start(ctx, nil); err != nil {
			return fmt.Errorf("last start: %w", err)
		}
		if diff := cmp.Diff(want, r.outcome(ctx, want)); diff != "" {
			return fmt.Errorf("not what the model says (-model +run):\n%s", diff)
		}
	}
	return nil
}

// mishap starts the pipeline and has something happen to it: a fault at a call to the store, the end of its
// life at some moment, or a long pause in which another process takes over.
func (r *run) mishap(ctx context.Context) error {
	n := 1 + r.rnd.IntN(60)
	switch r.rnd.IntN(5) {
	case 0:
		ctx, cancel := context.WithTimeout(ctx, time.Duration(r.rnd.Int64N(int64(2*time.Second))))
		defer cancel()
		_, err := r.start(ctx, nil)
		return err
	case 1:
		return r.takeover(ctx, n)
	default:
		kinds := []fault.Kind{fault.CrashBefore, fault.CrashAfter, fault.FailBefore, fault.FailAfter}
		_, err := r.start(ctx, fault.At(n, fault.Fault{Kind: kinds[r.rnd.IntN(len(kinds))]}))
		return err
	}
}

// takeover starts two processes: the first is held up at its n-th call to the store for much longer than
// the second, which stands by, waits. The second finishes; the first must do no harm when it goes on.
func (r *run) takeover(ctx context.Context, n int) error {
	const wait = 2 * engine.Heartbeat
	zombie, err := r.task(fault.At(n, fault.Fault{Delay: 100 * wait}), engine.Options{})
	if err != nil {
		return err
	}
	standby, err := r.task(nil, engine.Options{Standby: true, Takeover: wait})
	if err != nil {
		return err
	}
	ended := make(chan error)
	go func() {
		_, err := zombie.Run(ctx)
		ended <- err
	}()
	_, second := standby.Run(ctx)
	if first := <-ended; first != nil && !errors.Is(first, engine.ErrFenced) {
		return fmt.Errorf("the first process: %w", first)
	}
	return second
}

// start runs the pipeline until it has caught up or what hook does to it ends it; hit says that hook was
// called for a fault. Only an error that comes from elsewhere is given.
func (r *run) start(ctx context.Context, hook fault.Hook) (hit bool, err error) {
	counted := hook
	if hook != nil {
		counted = func(c fault.Call) fault.Fault {
			f := hook(c)
			hit = hit || f.Kind != fault.None
			return f
		}
	}
	task, err := r.task(counted, engine.Options{})
	if err != nil {
		return hit, err
	}
	endless, cancel := context.WithTimeoutCause(ctx, 24*time.Hour, errEndless)
	defer cancel()
	_, err = task.Run(endless)
	if err != nil && errors.Is(err, errEndless) {
		return hit, fmt.Errorf("%w: %+v", err, task.Status().Partitions)
	}
	if hit && (errors.Is(err, fault.ErrCrashed) || errors.Is(err, fault.ErrInjected)) || ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return hit, nil
	}
	return hit, err
}

// task makes a process's task, with the rest of its options chosen at random.
func (r *run) task(hook fault.Hook, opt engine.Options) (*engine.Task, error) {
	rig := r.rig(fault.New(r.store, hook))
	if r.plant != nil {
		r.plant(rig)
	}
	opt.Lanes, opt.Memory, opt.UntilCaughtUp = 1+r.rnd.IntN(4), 1<<r.rnd.IntN(16), true
	return engine.NewTask(rig.Plan, rig.Ports, opt)
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
	var port engine.Source = source
	if r.c.Reshards {
		port = newShards(source, r.full)
	}
	return &Rig{
		Plan: plan, Source: source, Blobs: blobs,
		Ports: engine.Ports{
			Sources: map[string]engine.Source{SourceName: port}, Tables: tables,
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
