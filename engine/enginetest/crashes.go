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
// A run is made of a seed: which case, which input, and a script of mishaps, one a life (see [Mishap]).
type Simulation struct {
	Cases []Case

	// What puts a mutant in: into every process, its store, or the vacuum between two lives. nil: none.
	Plant  func(*Rig)
	Store  func(blob.Store) blob.Store
	Vacuum func(*maintenance.Vacuum)
}

// A Script is what a run does; its text form is one mishap a line.
type Script []Mishap

// String is the script's text.
func (s Script) String() string {
	lines := make([]string, len(s))
	for i, m := range s {
		lines[i] = m.String()
	}
	return strings.Join(lines, "\n")
}

// ParseScript reads what String writes.
func ParseScript(text string) (Script, error) {
	var s Script
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		m, err := parseMishap(line)
		if err != nil {
			return nil, err
		}
		s = append(s, m)
	}
	return s, nil
}

// A Toll is what a simulation went through.
type Toll struct {
	Runs    int
	Crashes map[Kind]int // mishaps that came to pass, by kind
	Rows    int64        // in tables in the end, each once
}

// Sum is all mishaps that came to pass.
func (t *Toll) Sum() (n int) {
	for _, k := range t.Crashes {
		n += k
	}
	return n
}

// Add adds another's.
func (t *Toll) Add(o Toll) {
	t.Runs += o.Runs
	t.Rows += o.Rows
	if t.Crashes == nil {
		t.Crashes = map[Kind]int{}
	}
	for k, n := range o.Crashes {
		t.Crashes[k] += n
	}
}

// String is the toll on one line.
func (t *Toll) String() string {
	var kinds []string
	for _, k := range slices.Sorted(maps.Keys(t.Crashes)) {
		kinds = append(kinds, fmt.Sprintf("%d %s", t.Crashes[k], k))
	}
	return fmt.Sprintf("%d crashes and mishaps in %d runs, %d rows: 0 lost, 0 doubled (%s)", t.Sum(), t.Runs, t.Rows, strings.Join(kinds, ", "))
}

// Run makes the run of a seed. An error is a broken promise; it says how to make it again, with the shortest script
// that was found to break it.
func (s Simulation) Run(t *testing.T, seed uint64) (Toll, error) {
	script := s.Script(seed)
	toll, err := s.Play(t, seed, script)
	if err == nil {
		return toll, nil
	}
	shortest, why := s.shrink(t, seed, script, err)
	return toll, fmt.Errorf("seed %d: %w\nthe shortest script that breaks it, for MILLRACE_SEED=%d MILLRACE_SCRIPT=…:\n%s", seed, why, seed, shortest)
}

// Script is the mishaps of a seed.
func (s Simulation) Script(seed uint64) Script {
	rnd := rand.New(rand.NewPCG(seed, 2))
	c := s.caseOf(seed)
	script := make(Script, 4+rnd.IntN(9))
	for i := range script {
		script[i] = aMishap(rnd, c)
	}
	return script
}

func (s Simulation) caseOf(seed uint64) Case { return s.Cases[seed%uint64(len(s.Cases))] }

// Play makes the run of a seed with another script.
func (s Simulation) Play(t *testing.T, seed uint64, script Script) (toll Toll, err error) {
	synctest.Test(t, func(t *testing.T) {
		l := &lives{c: s.caseOf(seed), rnd: rand.New(rand.NewPCG(seed, 3)), store: mem.New(), mutant: s, crashes: map[Kind]int{}}
		l.in = Generate(rand.New(rand.NewPCG(seed, 4)), l.c.Spread)
		l.shown = len(l.in)
		if l.c.Grows && len(l.in) > 1 {
			l.shown = 1 + l.rnd.IntN(len(l.in))
		}
		err = l.all(t.Context(), script)
		toll = Toll{Runs: 1, Crashes: l.crashes, Rows: l.rows}
	})
	return toll, err
}

// all lives the script and looks at what is left.
func (l *lives) all(ctx context.Context, script Script) error {
	want := l.c.Model(l.in)
	l.backups = append(l.backups, l.store.Clone())
	for i, m := range script {
		if err := l.live(ctx, m); err != nil {
			return fmt.Errorf("life %d, %s: %w", i+1, m, err)
		}
		l.backups = append(l.backups, l.store.Clone())
	}
	l.shown = len(l.in)
	for range 2 { // the second time there is nothing to do, and nothing may change
		if err := l.start(ctx, nil); err != nil {
			return fmt.Errorf("the last life: %w", err)
		}
		if diff := cmp.Diff(want, l.outcome(ctx, want)); diff != "" {
			return fmt.Errorf("not what the model says (-model +run):\n%s", diff)
		}
	}
	for _, rows := range want.Tables {
		l.rows += int64(len(rows))
	}
	return l.agree(ctx)
}

// shrink looks for a shorter script that breaks the promise as well: it leaves out mishaps as long as that works.
// The order in which goroutines run is not the seed's, so each is tried a few times.
func (s Simulation) shrink(t *testing.T, seed uint64, script Script, err error) (Script, error) {
	for changed := true; changed; {
		changed = false
		for i := range script {
			shorter := slices.Delete(slices.Clone(script), i, i+1)
			if again := s.breaks(t, seed, shorter); again != nil {
				script, err, changed = shorter, again, true
				break
			}
		}
	}
	return script, err
}

func (s Simulation) breaks(t *testing.T, seed uint64, script Script) error {
	for range 3 {
		if _, err := s.Play(t, seed, script); err != nil {
			return err
		}
	}
	return nil
}
