package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace-io/millrace/engine/column"
)

// Ports is what a task reaches the world through. The names are those of the plan; Tables also holds the
// quarantine table.
type Ports struct {
	Sources     map[string]Source
	Tables      map[string]Table
	Checkpoints Checkpoints
}

// Options say how a task runs. The zero value is the default everywhere.
type Options struct {
	Task          string        // names the task within the pipeline; default "all"
	Lanes         int           // lanes a keyed stage; default GOMAXPROCS
	Memory        int64         // bytes of batches in flight; default DefaultMemory
	StateMemory   int64         // bytes of operators' state; default DefaultStateMemory
	Final         bool          // with UntilCaughtUp: the end is the end of all input, and nothing may come after it
	UntilCaughtUp bool          // stop when every source has reached the end it had at the start
	Standby       bool          // wait until the owner writes no more checkpoints for Takeover
	Takeover      time.Duration // at least two beats of the owner (see Heartbeat); default DefaultTakeover, or three beats
	NewLine       bool          // start anew though a table holds commits of an earlier line of checkpoints
	RedoEpoch     bool          // give up the newest checkpoint, whose files are gone, if no table has it
	DropState     []string      // operators whose saved state is given up, by id
	DropSource    []string      // sources that are in the definition no more, whose positions are given up
	Discover      time.Duration // how often to look for new partitions; default DefaultDiscover
	Logger        *slog.Logger  // default: discard
}

// The defaults of Options.
const (
	DefaultMemory   = 64 << 20
	DefaultTakeover = 30 * time.Second
	DefaultDiscover = 30 * time.Second
)

const inboxBound = 4 // batches a sender may have waiting in a lane's inbox

// A Task runs a plan: all its partitions, lanes and tables, with one line of checkpoints. Several tasks
// may one day share a pipeline; nothing in a Task is shared with another.
type Task struct {
	plan  *Plan
	ports Ports
	opt   Options
	log   *slog.Logger

	process string // unique to this run
	graph   *graph
	seed    uint64
	arenas  column.Pool // of batches
	refused column.Pool // of what goes to quarantine
	budget  *budget
	scale   scale
	clock   stopwatches
	reasons reasons
	unknown atomic.Int64
	watches map[string]*watchers
	waiting map[string][]string // Plan.waiting
	began   time.Time

	events  chan event
	intake  intake
	found   chan *discovery
	look    chan struct{} // a partition has ended: look what comes after it
	started chan struct{} // closed when the task is this process's
	stopped chan struct{} // closed by Stop
	stop    sync.Once
	closed  atomic.Bool // nothing more is admitted
	ended   atomic.Bool // with closed: nothing more will ever be
	fail    context.CancelCauseFunc
	work    sync.WaitGroup // every goroutine of the run but the loop

	mu      sync.Mutex // the fields below
	entries []*entry   // of all sources; only ever appended to
	epochs  map[Epoch]*epochWork
	status  epochStatus

	// Owned by what runs between a written event and the next write: one goroutine at a time.
	last  *Checkpoint
	chain *chain
	first Ledger       // of the checkpoint this run began with
	saved []savedState // opened at the start, until the lanes have loaded it
	made  bool         // the lanes are, and have their state
	hasty bool         // claim first, then load: a living owner has written a checkpoint while this process loaded
	ctx   context.Context
}

// errStopped says that the task takes nothing more in; it is no failure.
var errStopped = errors.New("the task has stopped")

// NewTask prepares a task. The plan is checked again where it is cheap.
func NewTask(plan *Plan, ports Ports, opt Options) (*Task, error) {
	if opt.Task == "" {
		opt.Task = "all"
	}
	if opt.Lanes == 0 {
		opt.Lanes = runtime.GOMAXPROCS(0)
	}
	if opt.Lanes < 1 || opt.Lanes > column.Slots {
		return nil, fmt.Errorf("%d lanes: from 1 to %d are possible", opt.Lanes, column.Slots)
	}
	if opt.Memory == 0 {
		opt.Memory = DefaultMemory
	}
	beat := beatOf(plan.Commit)
	if opt.Takeover == 0 {
		opt.Takeover = max(DefaultTakeover, 3*beat)
	}
	if opt.Takeover < 2*beat {
		return nil, fmt.Errorf("a takeover after %v: an owner that is well may be silent for %v; at least %v are needed", opt.Takeover, beat, 2*beat)
	}
	if opt.StateMemory == 0 {
		opt.StateMemory = DefaultStateMemory
	}
	if opt.Final && !opt.UntilCaughtUp {
		return nil, errors.New("the end of all input is the end that a task has caught up with: Final goes with UntilCaughtUp")
	}
	if opt.Discover == 0 {
		opt.Discover = DefaultDiscover
	}
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	g, err := newGraph(plan, opt.Lanes)
	if err != nil {
		return nil, err
	}
	t := &Task{
		waiting: plan.waiting(),
		plan:    plan, ports: ports, opt: opt, process: newID(), log: opt.Logger.With("pipeline", plan.Pipeline), graph: g,
		budget: newBudget(opt.Memory), scale: scale{limit: opt.StateMemory}, watches: map[string]*watchers{},
		events: make(chan event, 16), intake: intake{poke: make(chan struct{}, 1)}, found: make(chan *discovery, 1), look: make(chan struct{}, 1),
		started: make(chan struct{}), stopped: make(chan struct{}), epochs: map[Epoch]*epochWork{}, chain: newChain(),
	}
	for _, s := range plan.Sources {
		if ports.Sources[s.Name] == nil {
			return nil, fmt.Errorf("source %s: nothing was given to read it by", s.Name)
		}
		t.watches[s.Name] = &watchers{}
	}
	for _, s := range plan.Streams {
		t.watches[s.Name] = &watchers{}
	}
	for _, name := range g.tables() {
		if ports.Tables[name] == nil {
			return nil, fmt.Errorf("table %s: nothing was given to write it by", name)
		}
		t.watches[name] = &watchers{}
	}
	return t, nil
}

// Result is what a run did.
type Result struct {
	Epochs   int64            // epochs committed
	Ledger   Ledger           // of this run
	Total    Ledger           // since the first start
	Versions map[string]int64 // version of each table that was committed to
	Files    map[string]int64 // files added, by table
	Rows     map[string]int64 // rows added, by table
}

// Started is closed when this process owns the task: a standby may wait for long before.
func (t *Task) Started() <-chan struct{} { return t.started }

// Stop ends the task in good order: the open epoch is committed, then Run returns nil.
func (t *Task) Stop() { t.stop.Do(func() { close(t.stopped) }) }

// Run runs the task until Stop, until it is caught up if the options say so, or until something fails.
// When ctx is cancelled it stops at once, as after a crash: what was not committed will come again. It is
// called once.
func (t *Task) Run(ctx context.Context) (Result, error) {
	t.began = time.Now()
	ctx, t.fail = context.WithCancelCause(ctx)
	defer t.fail(nil)
	t.ctx = ctx
	found, err := t.start(ctx)
	if errors.Is(err, errStopped) {
		return t.result(), nil
	}
	if err != nil {
		return Result{}, err
	}
	if !t.made {
		if err := t.makeLanes(ctx); err != nil {
			return Result{}, err
		}
	}
	for _, s := range t.graph.stages {
		for _, l := range s.lanes {
			l.weigh()
		}
	}
	if err := t.overweightError(); err != nil {
		return Result{}, err
	}
	t.joinLanes()
	if err := t.makeEntries(ctx, found); err != nil {
		return Result{}, err
	}
	t.runLanes()
	t.runSources(ctx)
	if len(t.waiting) > 0 {
		t.goDo(func() { t.watchTime(ctx) })
	}
	err = t.loop(ctx)
	t.closed.Store(true)
	t.fail(errStopped)
	for _, s := range t.graph.stages {
		for _, l := range s.lanes {
			l.inbox.stop()
		}
	}
	t.work.Wait()
	if err == nil {
		err = t.overweightError()
	}
	return t.result(), err
}

// runLanes sets the lanes going.
func (t *Task) runLanes() {
	for _, s := range t.graph.stages {
		for _, l := range s.lanes {
			t.goDo(func() {
				if err := l.run(); err != nil && !errors.Is(err, errStopped) {
					t.fail(err)
				}
			})
		}
	}
}

// loop feeds the coordinator and does what it says.
func (t *Task) loop(ctx context.Context) error {
	co := newCoordinator(t.plan.Commit, t.last.Epoch+1)
	discover := time.NewTicker(t.opt.Discover)
	defer discover.Stop()
	stopped := t.stopped
	var joined *discovery
	for {
		deadline := t.timer(co)
		var e event
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case e = <-t.events:
		case <-t.intake.poke:
			e.kind = admitted
			e.rows, e.bytes = t.intake.take()
		case <-stopped:
			stopped, e.kind = nil, stop
		case <-discover.C:
			t.goDo(func() { t.discover(ctx) })
		case <-t.look:
			t.goDo(func() { t.discover(ctx) })
		case joined = <-t.found:
		case <-deadline:
		}
		e.at = t.now()
		for _, a := range co.step(e) {
			switch a.kind {
			case cut:
				if err := t.admitPartitions(ctx, joined, a.epoch); err != nil {
					return err
				}
				joined = nil
				t.closed.Store(co.final)
				if err := t.cut(ctx, a.epoch, co.final && t.ended.Load()); err != nil {
					return err
				}
			case write:
				t.goReport(ctx, event{kind: written, epoch: a.epoch}, t.write)
			case commit:
				t.goReport(ctx, event{kind: committed, epoch: a.epoch}, t.commit)
			case tell:
				t.tell(ctx, a.epoch)
			case finish:
				return t.conclude(ctx)
			}
		}
	}
}

// timer ends at the coordinator's deadline; nil, which never does, if it has none.
func (t *Task) timer(co *coordinator) <-chan time.Time {
	if at, ok := co.deadline(); ok {
		return time.After(at - t.now())
	}
	return nil
}

// now is the time since the task began.
func (t *Task) now() time.Duration { return time.Since(t.began) }

// goDo runs f beside the loop; Run waits for it.
func (t *Task) goDo(f func()) {
	t.work.Add(1)
	go func() {
		defer t.work.Done()
		f()
	}()
}

// goReport runs do beside the loop and reports e when it is done; an error ends the run.
func (t *Task) goReport(ctx context.Context, e event, do func(context.Context, Epoch) error) {
	t.goDo(func() {
		if err := do(ctx, e.epoch); err != nil {
			t.fail(err)
			return
		}
		t.report(ctx, e)
	})
}

func (t *Task) report(ctx context.Context, e event) {
	select {
	case t.events <- e:
	case <-ctx.Done():
	}
}

// admitted counts what was taken into the open epoch.
func (t *Task) admitted(rows, bytes int64) { t.intake.add(rows, bytes) }

// owner names this process for people.
func owner() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return fmt.Sprintf("%s, pid %d", host, os.Getpid())
}
