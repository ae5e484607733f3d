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
	seed    uint64
	rnd     *rand.Rand // of the life at hand
	store   *mem.Store
	written promises
	in      Input
	full    *fullShards // of a case that Reshards
	shown   int         // partitions that the source has by now
	upto    int         // per cent of each partition's records, or of the stream's time, that are there by now
	brief   bool        // the life at hand is some seconds long, and not hours
	mutant  Simulation
	backups []*mem.Store // what the store held before each life
	toll    Toll
}

// CheckpointHome is where the checkpoints of a simulation are.
const CheckpointHome = "_millrace/law/all"

const (
	home     = CheckpointHome
	pipeline = "law"
)

// come lets records come, and partitions be split and merged in the life that begins.
func (l *lives) come(upto int) {
	if l.upto = max(l.upto, upto); l.c.Reshards {
		l.full.live(l.rnd, l.upto, len(l.in))
	}
}

// live is one life with its mishap. An error is a promise broken.
func (l *lives) live(ctx context.Context, m Mishap) error {
	l.rnd = rand.New(rand.NewPCG(l.seed, m.Seed))
	l.come(m.Upto)
	l.brief = !slices.Contains([]Kind{Slow, LateAnswer, Zombie, ZombieLate, HeirDies}, m.Kind)
	switch m.Kind {
	case Calm:
		return l.start(ctx, nil)
	case KillAt:
		return l.killAt(ctx, m)
	case Zombie, ZombieLate, HeirDies:
		return l.zombie(ctx, m)
	case Rival, RivalDies:
		return l.rival(ctx, m)
	case SourceFails, SourceAgain, SourceDown, SourceDeaf, PartitionsNew, PartitionsAt:
		return l.broker(ctx, m)
	case NewestLost, AllLost, BackupBack, TableDropped, TableAnew, TablesBack:
		return l.replaced(ctx, m)
	case Vacuumed, Optimized:
		err := l.faulty(ctx, Mishap{Kind: CrashAfter, N: m.N})
		if err != nil {
			return err
		}
		l.toll.Borne[m.Kind]++
		return l.maintain(ctx, m.Kind)
	}
	return l.faulty(ctx, m)
}

// ended counts what a mishap that came to pass did to a process: it ended it, or was borne.
func (l *lives) ended(k Kind, err error) {
	if err != nil {
		l.toll.Crashes[k]++
	} else {
		l.toll.Borne[k]++
	}
}

// errConflict is what S3 answers with 409: nothing was decided.
var errConflict = errors.New("409: a conflicting operation is under way, try again")

// ErrConflict is the answer of a Conflict, for mutants that misread it.
func ErrConflict() error { return errConflict }

// faultOf is what the mishap does to its call.
func (l *lives) faultOf(m Mishap) fault.Fault {
	switch m.Kind {
	case CrashBefore, PutBefore:
		return fault.Fault{Kind: fault.CrashBefore}
	case CrashAfter, PutAfter:
		return fault.Fault{Kind: fault.CrashAfter}
	case FailBefore:
		return fault.Fault{Kind: fault.FailBefore}
	case FailAfter:
		return fault.Fault{Kind: fault.FailAfter}
	case Conflict:
		return fault.Fault{Kind: fault.FailBefore, Err: errConflict}
	case ExistsAfter:
		return fault.Fault{Kind: fault.FailAfter, Err: blob.ErrExists}
	case Slow:
		return fault.Fault{Delay: 3 * time.Minute}
	case LateAnswer:
		return fault.Fault{Late: 3 * time.Minute}
	}
	panic("no fault of mishap " + m.String())
}

// faulty is a life with a fault at a call. A process may die of it, or give up with the fault's own error. A 409 and a
// 412 for one's own say what is to be done and end nothing; a stale list may end it with any error: what matters is
// that no table is wrong.
func (l *lives) faulty(ctx context.Context, m Mishap) error {
	hook, hit := l.hookOf(m)
	err := l.start(ctx, hook)
	if !hit.Load() {
		return err
	}
	if may := errors.Is(err, fault.ErrCrashed) || errors.Is(err, fault.ErrInjected) || m.Kind == StaleList; err != nil && (!may || errors.Is(err, errEndless)) {
		return err
	}
	l.ended(m.Kind, err)
	return nil
}

// hookOf makes the mishap happen at its call, and says when it has.
func (l *lives) hookOf(m Mishap) (hook fault.Hook, hit *atomic.Bool) {
	hit = &atomic.Bool{}
	if m.Kind == StaleList {
		return l.staleHook(m.N, hit), hit
	}
	f := l.faultOf(m)
	is := nth(m.N)
	switch m.Kind {
	case PutBefore, PutAfter, Conflict, ExistsAfter:
		is = nthPut(m.N)
	}
	return func(c fault.Call) fault.Fault {
		if !is(c) {
			return fault.Fault{}
		}
		hit.Store(true)
		if f.Kind == fault.CrashBefore || f.Kind == fault.CrashAfter {
			l.toll.At[placeOf(c)]++
		}
		return f
	}, hit
}

// nth says of each call in turn whether it is the n-th of those that count.
func nth(n int) func(fault.Call) bool {
	pieces := 0
	return func(c fault.Call) bool {
		if c.Op == "Writer.Write" {
			if pieces++; pieces%8 != 1 {
				return false
			}
		}
		n--
		return n == 0
	}
}

// nthPut says of each call in turn whether it is the n-th put-if-absent.
func nthPut(n int) func(fault.Call) bool {
	return func(c fault.Call) bool {
		if c.Op != "PutIfAbsent" {
			return false
		}
		n--
		return n == 0
	}
}

// placeOf says what a call is for, as "PutIfAbsent log".
func placeOf(c fault.Call) string {
	object := "data"
	switch {
	case strings.Contains(c.Name, "_delta_log"):
		object = "log"
	case strings.HasPrefix(c.Name, home+"/checkpoints"):
		object = "checkpoint"
	case strings.HasPrefix(c.Name, home+"/state"):
		object = "state"
	}
	return c.Op + " " + object
}

// staleHook answers the n-th list with what the store held before an earlier life, at the life's start, or some calls
// ago.
func (l *lives) staleHook(n int, hit *atomic.Bool) fault.Hook {
	const ago = 6 // calls, at most
	earlier := l.store.Clone()
	moving := l.rnd.IntN(2) == 0
	if l.rnd.IntN(3) == 0 {
		earlier, moving = l.backups[l.rnd.IntN(len(l.backups))], false
	}
	lists := 0
	return func(c fault.Call) fault.Fault {
		if c.Op == "List" {
			if lists++; lists == n {
				hit.Store(true)
				return fault.Fault{Stale: earlier}
			}
		}
		if moving && c.N%ago == 0 {
			earlier = l.store.Clone()
		}
		return fault.Fault{}
	}
}

// killAt is a life that ends at some moment, and with it all that the process could still have done.
func (l *lives) killAt(ctx context.Context, m Mishap) error {
	ctx, cancel := context.WithTimeout(ctx, m.T)
	defer cancel()
	err := l.start(ctx, func(fault.Call) fault.Fault {
		if ctx.Err() != nil {
			return fault.Fault{Kind: fault.CrashBefore}
		}
		return fault.Fault{}
	})
	if err == nil || ctx.Err() == nil {
		return err
	}
	l.ended(m.Kind, err)
	return nil
}

// start is a life that ends when it has caught up, or as hook has it.
func (l *lives) start(ctx context.Context, hook fault.Hook) error {
	task, err := l.task(hook, engine.Options{}, nil)
	if err != nil {
		return err
	}
	return toEnd(ctx, task)
}

// errEndless is a life that neither ends nor fails.
var errEndless = errors.New("the process did not end within a day of its time")

// toEnd runs a task to its end.
func toEnd(ctx context.Context, task *engine.Task) error {
	ctx, cancel := context.WithTimeoutCause(ctx, 24*time.Hour, errEndless)
	defer cancel()
	_, err := task.Run(ctx)
	return err
}

// task makes a process's task, with all that must not matter chosen at random. change may change what it runs on.
func (l *lives) task(hook fault.Hook, opt engine.Options, change func(*Rig)) (*engine.Task, error) {
	var store blob.Store = fault.New(&recorded{l.store, &l.written}, hook)
	if l.mutant.Store != nil {
		store = l.mutant.Store(store)
	}
	rig, err := l.rig(store)
	if err != nil {
		return nil, err
	}
	for _, f := range []func(*Rig){change, l.mutant.Plant} {
		if f != nil {
			f(rig)
		}
	}
	opt.Lanes, opt.Memory, opt.UntilCaughtUp = 1+l.rnd.IntN(4), 1<<l.rnd.IntN(16), true
	if l.c.Reshards && opt.Discover == 0 && l.brief && l.rnd.IntN(2) == 0 { // children may be found before their parents have ended
		opt.Discover = time.Duration(20+l.rnd.IntN(180)) * time.Millisecond
	}
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
	source := NewSource(l.visible(), l.rnd.Uint64(), 1+l.rnd.IntN(12), time.Duration(l.rnd.Int64N(int64(300*time.Millisecond))))
	ports := engine.Ports{
		Sources: map[string]engine.Source{SourceName: source}, Tables: map[string]engine.Table{}, Checkpoints: checkpoint.New(blob.Sub(blobs, home)),
	}
	small := l.rnd.IntN(2) == 0
	for _, t := range l.tables() {
		table, err := t.open(blobs, small)
		if err != nil {
			return nil, err
		}
		ports.Tables[t.name] = table
	}
	if l.c.Reshards {
		ports.Sources[SourceName] = newShards(source, l.full)
	}
	return &Rig{Plan: plan, Source: source, Blobs: blobs, Ports: ports}, nil
}

// visible is what the source has by now.
func (l *lives) visible() Input {
	in := make(Input, l.shown)
	for p := range in {
		n := len(l.in[p]) * l.upto / 100
		if l.c.Reshards {
			n = come(len(l.in[p]), p, l.upto, len(l.in))
		}
		in[p] = l.in[p][:n]
	}
	return in
}

// first is an input with at most n records: the longest partitions are cut.
func (in Input) first(n int) Input {
	some := append(Input(nil), in...)
	for total := some.records(); total > n; total-- {
		longest := 0
		for p := range some {
			if len(some[p]) > len(some[longest]) {
				longest = p
			}
		}
		some[longest] = some[longest][:len(some[longest])-1]
	}
	return some
}

func (in Input) records() (n int) {
	for _, p := range in {
		n += len(p)
	}
	return n
}

// names lists the objects below a prefix.
func names(s *mem.Store, prefix string) []string {
	var all []string
	for info, err := range s.List(context.Background(), prefix, "") {
		if err != nil {
			panic(fmt.Sprintf("list %s: %v", prefix, err)) // memory does not fail
		}
		all = append(all, info.Name)
	}
	return all
}

// isLog says whether an object is an entry of a table's log.
func isLog(name string) bool {
	return strings.Contains(name, "/_delta_log/") && strings.HasSuffix(name, ".json")
}
