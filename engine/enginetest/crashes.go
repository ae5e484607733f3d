package enginetest

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/maintenance"
)

// A Simulation runs pipelines on the real parts, Delta tables of Parquet files and the checkpoint store, in memory and
// in a time of its own, and lets them die: at any call to the store, before or after it landed, in the middle of
// reading, with two processes at once, with what they had kept lost or replaced. After each life the next one goes
// on; in the end every row must be in its table once, and everything that is written down must agree.
//
// A run is made of a seed: which case, which input, and a Script of mishaps, one a life (see [Mishap]). Records come
// while the run goes on: each life finds more of the input than the one before. The partitions of a case that Reshards are
// split and merged meanwhile, between two lives or at some moment of one.
type Simulation struct {
	Cases []Case

	// What puts a mutant in: into every process, its store, or the vacuum between two lives. nil: none.
	Plant  func(*Rig)
	Store  func(blob.Store) blob.Store
	Vacuum func(*maintenance.Vacuum)
}

// A Toll is what a simulation went through.
type Toll struct {
	Runs    int
	Crashes map[Kind]int   // processes that ended before their work was done, by what ended them
	Borne   map[Kind]int   // mishaps that came to pass and ended no process
	Refused map[Kind]int   // starts that were refused, rightly: what they found did not belong together
	At      map[string]int // by the call that a process died at, of those that died at one and alone
	Amid    map[string]int // crashes amid a split or merge of partitions, by what was done and what was not
	Rows    int64          // in tables in the end, each once
}

func newToll() Toll {
	return Toll{Crashes: map[Kind]int{}, Borne: map[Kind]int{}, Refused: map[Kind]int{}, At: map[string]int{}, Amid: map[string]int{}}
}

// Sum is all crashes.
func (t *Toll) Sum() int { return sum(t.Crashes) }

func addCounts[K comparable](to, counts map[K]int) {
	for k, n := range counts {
		to[k] += n
	}
}

func sum(counts map[Kind]int) (n int) {
	for _, k := range counts {
		n += k
	}
	return n
}

// Add adds another's.
func (t *Toll) Add(o Toll) {
	if t.Crashes == nil {
		*t = newToll()
	}
	t.Runs += o.Runs
	t.Rows += o.Rows
	addCounts(t.Crashes, o.Crashes)
	addCounts(t.Borne, o.Borne)
	addCounts(t.Refused, o.Refused)
	addCounts(t.At, o.At)
	addCounts(t.Amid, o.Amid)
}

// String is the toll on a line, and what it is made of on five.
func (t *Toll) String() string {
	return fmt.Sprintf("%d crashes in %d runs, %d rows: 0 lost, 0 doubled\n  ended a process: %s\n  died at a call: %s\n  amid a split or merge: %s\n  borne, %d: %s\n  starts refused, %d: %s",
		t.Sum(), t.Runs, t.Rows, byKind(t.Crashes), byKind(t.At), byKind(t.Amid), sum(t.Borne), byKind(t.Borne), sum(t.Refused), byKind(t.Refused))
}

func byKind[K ~string](counts map[K]int) string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%d %v", counts[k], k))
	}
	return strings.Join(all, ", ")
}

// Run makes the run of a seed. An error is a broken promise; it says how to make it again, with the simplest script
// that was found to break it.
func (s Simulation) Run(t *testing.T, seed uint64) (Toll, error) {
	script := s.Script(seed)
	toll, err := s.Play(t, seed, script)
	if err == nil {
		return toll, nil
	}
	simplest, why := s.Shrink(t, seed, script, err)
	return toll, fmt.Errorf(`seed %d, case %s: %w
again: MILLRACE_SEED=%d go test ./engine/enginetest -run Crashes -count=1
the simplest script found that breaks it (MILLRACE_SCRIPT=FILE in front of the same):
%s`, seed, s.caseOf(seed).Name, why, seed, simplest)
}

func (s Simulation) caseOf(seed uint64) Case { return s.Cases[seed%uint64(len(s.Cases))] }

// longest is how long a run may take by the clock on the wall. One that waits for a lock, and not for its own time, would
// stand still for ever and not say which it was.
const longest = 2 * time.Minute

// Play makes the run of a seed with another script.
func (s Simulation) Play(t *testing.T, seed uint64, script Script) (toll Toll, err error) {
	defer func() {
		if p := recover(); p != nil { // no goroutine can go on, or one has panicked here
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	defer time.AfterFunc(longest, func() { panic(fmt.Sprintf("simulation: seed %d stands still. Its script:\n%s", seed, script)) }).Stop()
	synctest.Test(t, func(t *testing.T) {
		rnd := rand.New(rand.NewPCG(seed, 4))
		l := &lives{c: s.caseOf(seed), seed: seed, rnd: rnd, store: mem.New(), mutant: s, full: newStream(false, true), toll: newToll()}
		l.in = l.c.generate(rnd).first(script.Records)
		l.shown = len(l.in)
		if l.c.Grows {
			l.shown = 1 + rnd.IntN(len(l.in))
		}
		err = l.all(t.Context(), script)
		toll = l.toll
		toll.Runs = 1
	})
	return toll, err
}

// all lives the script and looks at what is left.
func (l *lives) all(ctx context.Context, script Script) error {
	want := l.c.Model(l.in)
	l.backups = append(l.backups, l.store.Clone())
	for i, m := range script.Lives {
		crashes := l.toll.Sum()
		if err := l.live(ctx, m); err != nil {
			return fmt.Errorf("life %d, %s: %w", i+1, m, err)
		}
		if l.c.Reshards && l.toll.Sum() > crashes {
			l.amid(ctx)
		}
		l.backups = append(l.backups, l.store.Clone())
	}
	l.shown = len(l.in)
	for range 2 { // the second time there is nothing to do, and nothing may change
		l.come(100)
		if err := l.start(ctx, nil); err != nil {
			return fmt.Errorf("the last life: %w", err)
		}
		if diff := cmp.Diff(want, l.outcome(ctx, want)); diff != "" {
			return fmt.Errorf("not what the model says (-model +run):\n%s", diff)
		}
	}
	for _, rows := range want.Tables {
		l.toll.Rows += int64(len(rows))
	}
	return l.agree(ctx)
}
