package enginetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/fault"
	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/checkpoint"
)

// lives is a pipeline over many lives on one store.
type lives struct {
	c       Case
	rnd     *rand.Rand
	store   *mem.Store
	in      Input
	shown   int // partitions that the source has by now
	mutant  Simulation
	backups []*mem.Store // what the store held before each life

	crashes map[Kind]int
	rows    int64
}

// CheckpointHome is where the checkpoints of a simulation are.
const CheckpointHome = "_millrace/law/all"

const (
	home     = CheckpointHome
	pipeline = "law"
)

// live is one life with its mishap. An error is a promise broken.
func (l *lives) live(ctx context.Context, m Mishap) error {
	switch m.Kind {
	case KillAt:
		return l.killAt(ctx, m)
	case Zombie:
		return l.zombie(ctx, m)
	case Rival:
		return l.rival(ctx, m)
	case SourceFails:
		return l.sourceFails(ctx, m)
	case NewestLost, AllLost, BackupBack, TableDropped, TablesBack:
		return l.replaced(ctx, m)
	case PartitionsNew:
		if l.shown < len(l.in) {
			l.shown = len(l.in)
			l.crashes[m.Kind]++
		}
		return l.start(ctx, nil)
	case Vacuumed, Optimized:
		if err := l.faulty(ctx, Mishap{Kind: CrashAfter, N: m.N}, m.Kind); err != nil {
			return err
		}
		return l.maintain(ctx, m.Kind)
	}
	return l.faulty(ctx, m, m.Kind)
}

// faultOf is what the mishap does to its call.
func (l *lives) faultOf(m Mishap) fault.Fault {
	switch m.Kind {
	case CrashBefore:
		return fault.Fault{Kind: fault.CrashBefore}
	case CrashAfter:
		return fault.Fault{Kind: fault.CrashAfter}
	case FailBefore:
		return fault.Fault{Kind: fault.FailBefore}
	case FailAfter:
		return fault.Fault{Kind: fault.FailAfter}
	case ExistsAfter:
		return fault.Fault{Kind: fault.FailAfter, Err: fmt.Errorf("%w: %w", fault.ErrInjected, blob.ErrExists)}
	case Slow:
		return fault.Fault{Delay: 3 * time.Minute}
	case LateAnswer:
		return fault.Fault{Late: 3 * time.Minute}
	case StaleList:
		return fault.Fault{Stale: l.store.Clone()}
	}
	panic("no fault of mishap " + m.String())
}

// faulty is a life with a fault at a call, counted under a kind. It may end it: with the fault's own error, or, where
// the store told an untruth (a stale list, 412 for one's own), with any: what matters is that no table is wrong.
func (l *lives) faulty(ctx context.Context, m Mishap, as Kind) error {
	f, hit := l.faultOf(m), atomic.Bool{}
	lists := 0
	err := l.start(ctx, func(c fault.Call) fault.Fault {
		if m.Kind == StaleList { // the n-th list, of which there are fewer
			if c.Op != "List" {
				return fault.Fault{}
			}
			if lists++; lists != 1+m.N%8 {
				return fault.Fault{}
			}
		} else if c.N != m.N {
			return fault.Fault{}
		}
		hit.Store(true)
		return f
	})
	if hit.Load() {
		l.crashes[as]++
		if errors.Is(err, fault.ErrCrashed) || errors.Is(err, fault.ErrInjected) || m.Kind == StaleList || m.Kind == ExistsAfter {
			return nil
		}
	}
	return err
}

// killAt is a life that ends at some moment.
func (l *lives) killAt(ctx context.Context, m Mishap) error {
	ctx, cancel := context.WithTimeout(ctx, m.T)
	defer cancel()
	err := l.start(ctx, nil)
	if err != nil && ctx.Err() != nil {
		l.crashes[m.Kind]++
		return nil
	}
	return err
}

// zombie is two processes: the first sleeps at a call for much longer than the second, which stands by, waits.
func (l *lives) zombie(ctx context.Context, m Mishap) error {
	const wait = 2 * engine.Heartbeat
	slept := atomic.Bool{}
	first, err := l.task(func(c fault.Call) fault.Fault {
		if c.N != m.N {
			return fault.Fault{}
		}
		slept.Store(true)
		return fault.Fault{Delay: 100 * wait}
	}, engine.Options{})
	if err != nil {
		return err
	}
	second, err := l.task(nil, engine.Options{Standby: true, Takeover: wait})
	if err != nil {
		return err
	}
	return l.both(ctx, first, second, func() {
		if slept.Load() {
			l.crashes[m.Kind]++
		}
	})
}

// rival is two processes of which the second starts in the middle of the first.
func (l *lives) rival(ctx context.Context, m Mishap) error {
	first, err := l.task(nil, engine.Options{})
	if err != nil {
		return err
	}
	second, err := l.task(nil, engine.Options{})
	if err != nil {
		return err
	}
	return l.both(ctx, first, late{second, m.T}, func() { l.crashes[m.Kind]++ })
}

// A process is what runs a task.
type process interface {
	Run(ctx context.Context) (engine.Result, error)
}

// late is a process that starts after a time.
type late struct {
	process
	after time.Duration
}

// Run implements process.
func (p late) Run(ctx context.Context) (engine.Result, error) {
	time.Sleep(p.after)
	return p.process.Run(ctx)
}

// both runs two processes to their ends: one of them may be fenced, not both.
func (l *lives) both(ctx context.Context, first, second process, happened func()) error {
	ended := make(chan error)
	go func() {
		_, err := first.Run(ctx)
		ended <- err
	}()
	_, err2 := second.Run(ctx)
	err1 := <-ended
	happened()
	for _, err := range []error{err1, err2} {
		if err != nil && !errors.Is(err, engine.ErrFenced) && !errors.Is(err, engine.ErrForeign) {
			return err
		}
	}
	if err1 != nil && err2 != nil {
		return fmt.Errorf("both processes stopped: %w", errors.Join(err1, err2))
	}
	return nil
}

var errSource = errors.New("the source failed")

// sourceFails is a life whose source ends with an error at a frame.
func (l *lives) sourceFails(ctx context.Context, m Mishap) error {
	err := l.startWith(ctx, nil, func(r *Rig) {
		r.Ports.Sources[SourceName] = &failing{Source: r.Ports.Sources[SourceName], frames: int64(m.N)}
	})
	if errors.Is(err, errSource) {
		l.crashes[m.Kind]++
		return nil
	}
	return err
}

// failing is a source that fails at a frame.
type failing struct {
	engine.Source
	frames int64
}

// Read implements engine.Source.
func (f *failing) Read(ctx context.Context, from []engine.Start, sink engine.Sink) error {
	return f.Source.Read(ctx, from, &failingSink{sink, f, atomic.Int64{}})
}

type failingSink struct {
	engine.Sink
	source *failing
	seen   atomic.Int64
}

// Frame implements engine.Sink.
func (s *failingSink) Frame(ctx context.Context, partition string, f engine.Frame) error {
	if s.seen.Add(1) == s.source.frames {
		return errSource
	}
	return s.Sink.Frame(ctx, partition, f)
}

// replaced is a life that finds something gone or replaced by an older copy. It may go on where it can, rightly, or
// stop with an error that says what does not belong together; then everything is put back.
func (l *lives) replaced(ctx context.Context, m Mishap) error {
	before := l.store.Clone()
	if !l.replace(m) {
		return l.start(ctx, nil)
	}
	l.crashes[m.Kind]++
	err := l.start(ctx, nil)
	if err == nil {
		return nil
	}
	if text := err.Error(); !errors.Is(err, engine.ErrForeign) && !strings.Contains(text, "--new-line") && !strings.Contains(text, "--redo-epoch") {
		return fmt.Errorf("an error that does not say what to do: %w", err)
	}
	l.restore(before, "")
	return nil
}

// replace does to the store what the mishap says, and says whether that changed anything.
func (l *lives) replace(m Mishap) bool {
	older := l.backups[l.rnd.IntN(len(l.backups))]
	switch m.Kind {
	case NewestLost:
		names := l.names(home + "/checkpoints/")
		if len(names) == 0 {
			return false
		}
		l.delete(names[len(names)-1])
	case AllLost:
		return l.delete(l.names(home + "/")...)
	case BackupBack:
		l.restore(older, home+"/")
	case TableDropped:
		tables := l.tables()
		return l.delete(l.names(tables[m.N%len(tables)].name + "/")...)
	case TablesBack:
		for _, t := range l.tables() {
			l.restore(older, t.name+"/")
		}
	}
	return true
}

func (l *lives) names(prefix string) []string {
	var names []string
	for name := range l.store.Snapshot() {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (l *lives) delete(names ...string) bool {
	for _, name := range names {
		_ = l.store.Delete(context.Background(), name) // memory does not fail
	}
	return len(names) > 0
}

// restore makes what is below prefix what it is in another store.
func (l *lives) restore(from *mem.Store, prefix string) {
	l.delete(l.names(prefix)...)
	for name, data := range from.Snapshot() {
		if strings.HasPrefix(name, prefix) {
			_ = l.store.Put(context.Background(), name, data) // memory does not fail
		}
	}
}

// start is a life that ends when it has caught up, or as hook has it.
func (l *lives) start(ctx context.Context, hook fault.Hook) error { return l.startWith(ctx, hook, nil) }

func (l *lives) startWith(ctx context.Context, hook fault.Hook, change func(*Rig)) error {
	task, err := l.taskWith(hook, engine.Options{}, change)
	if err != nil {
		return err
	}
	_, err = task.Run(ctx)
	return err
}

func (l *lives) task(hook fault.Hook, opt engine.Options) (*engine.Task, error) {
	return l.taskWith(hook, opt, nil)
}

// taskWith makes a process's task, with all that must not matter chosen at random.
func (l *lives) taskWith(hook fault.Hook, opt engine.Options, change func(*Rig)) (*engine.Task, error) {
	var store blob.Store = fault.New(l.store, hook)
	if l.mutant.Store != nil {
		store = l.mutant.Store(store)
	}
	rig, err := l.rig(store)
	if err != nil {
		return nil, err
	}
	for _, f := range []func(*Rig){l.mutant.Plant, change} {
		if f != nil {
			f(rig)
		}
	}
	opt.Lanes, opt.Memory, opt.UntilCaughtUp = 1+l.rnd.IntN(4), 1<<l.rnd.IntN(16), true
	return engine.NewTask(rig.Plan, rig.Ports, opt)
}

func (l *lives) rig(blobs blob.Store) (*Rig, error) {
	cadence := engine.CommitPolicy{Rows: 1 + l.rnd.Int64N(40)}
	if l.rnd.IntN(2) == 0 {
		cadence = engine.CommitPolicy{Every: time.Duration(1 + l.rnd.Int64N(int64(time.Second)))}
	}
	plan := &engine.Plan{
		Pipeline: pipeline, Streams: l.c.Streams, Tables: l.c.Tables, Quarantine: QuarantineName, Commit: cadence,
		Sources: []engine.SourcePlan{{
			Name: SourceName, Schema: InputSchema, Time: l.c.Time, NewDecoder: func() engine.Decoder { return Decoder{} },
		}},
	}
	source := NewSource(l.in[:l.shown], l.rnd.Uint64(), 1+l.rnd.IntN(12), time.Duration(l.rnd.Int64N(int64(300*time.Millisecond))))
	ports := engine.Ports{
		Sources: map[string]engine.Source{SourceName: source}, Tables: map[string]engine.Table{}, Checkpoints: checkpoint.New(blob.Sub(blobs, home)),
	}
	for _, t := range l.tables() {
		table, err := t.open(blobs)
		if err != nil {
			return nil, err
		}
		ports.Tables[t.name] = table
	}
	return &Rig{Plan: plan, Source: source, Blobs: blobs, Ports: ports}, nil
}
