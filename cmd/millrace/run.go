package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime/pprof"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/monitor"
	"github.com/millrace-io/millrace/engine/spec"
)

// runOptions are the flags of run.
type runOptions struct {
	loadOptions
	engine engine.Options
	http   string
	json   bool
	cpu    string // file for a CPU profile
}

func newRun() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run FILE…",
		Short: "Run definitions, continuously and exactly once",
		Long: `run takes each definition from its sources to its tables until it is stopped: SIGINT or SIGTERM
finishes the open epoch and exits with 0, a second one stops at once, which is safe, as a crash is.
After any end the next run goes on where the tables are. A FILE may be the name of a pipeline that ships
with millrace: pinterest, or pinterest-streaming, which reads Kinesis.`,
		Example: `  millrace run my.yaml
  millrace run my.yaml --until-caught-up --json
  millrace run my.yaml --until-caught-up --final   # the input is whole: give the results of open windows too
  BROKERS=broker:9092 millrace run pinterest --lake ./lake
  millrace run my.yaml --standby          # a second process that takes over when the first falls silent`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(cmd.Context(), args, o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	o.add(f)
	f.StringVar(&o.http, "http", defaultHTTP, `where to serve /metrics, /status and tail; the next free port if taken; "" for not at all`)
	f.BoolVar(&o.json, "json", false, "end with one JSON object a pipeline on stdout")
	f.StringVar(&o.cpu, "cpu-profile", "", "write a CPU profile of the run to this `file`, for go tool pprof")
	f.BoolVar(&o.engine.UntilCaughtUp, "until-caught-up", false, "end when every source has reached the end it had at the start")
	f.BoolVar(&o.engine.Final, "final", false, "with --until-caught-up: that end is the end of all input; windows close, and no later run goes on")
	f.BoolVar(&o.engine.Standby, "standby", false, "wait, and take over when the owner has written no checkpoint for --takeover")
	f.DurationVar(&o.engine.Takeover, "takeover", 0, "how long the owner must be silent (default 30s, or three times commit.every if that is longer)")
	f.IntVar(&o.engine.Lanes, "lanes", 0, "lanes a keyed stage (default: the number of processors)")
	f.BoolVar(&o.engine.NewLine, "new-line", false, "start anew though a table holds commits of this pipeline and the checkpoints are gone; rows may come twice")
	f.BoolVar(&o.engine.RedoEpoch, "redo-epoch", false, "read the newest epoch again, whose files are gone, if no table has it")
	f.StringArrayVar(&o.engine.DropState, "drop-state", nil, "STREAM/STEP: give up the saved state of an operator that was changed")
	f.StringArrayVar(&o.engine.DropSource, "drop-source", nil, "NAME: give up the position of a source that is in the definition no more")
	return cmd
}

func run(ctx context.Context, files []string, o runOptions, stdout, stderr io.Writer) error {
	defs, err := loadAll(files, o.loadOptions)
	if err != nil {
		return showErrors(err, false, stdout, stderr)
	}
	for _, d := range defs {
		for _, w := range d.Warnings {
			fmt.Fprintf(stderr, "warning: %s\n", w)
		}
	}
	return runAll(ctx, defs, o, stdout, stderr)
}

// runAll runs the definitions in this process, until they end or a signal comes.
func runAll(ctx context.Context, defs []*spec.Definition, o runOptions, stdout, stderr io.Writer) error {
	log := newLogger(stderr)
	if isTerminal(stderr) {
		log = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn})) // the live line shows the rest
	}
	fleet, err := newFleet(defs, o.engine, log)
	if err != nil {
		return err
	}
	if o.http != "" {
		done, err := fleet.serve(ctx, o.http, log)
		if err != nil {
			return err
		}
		defer done()
	}
	if o.cpu != "" {
		done, err := profileCPU(o.cpu)
		if err != nil {
			return usageError{err}
		}
		defer done()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer onSignals(fleet.stop, func() { cancel(errInterrupted) })()
	stopProgress := showProgress(stderr, fleet)
	err = fleet.run(ctx)
	stopProgress()
	return errors.Join(err, fleet.report(stdout, stderr, o.json))
}

// profileCPU writes where the CPU time goes to a file until done is called.
func profileCPU(name string) (done func(), err error) {
	f, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("CPU profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("CPU profile: %w", err), f.Close())
	}
	return func() {
		pprof.StopCPUProfile()
		f.Close()
	}, nil
}

// errInterrupted ends a run at the second signal.
var errInterrupted = errors.New("interrupted: what was not committed will come again")

// sameSignal is how soon a second signal is the first one still: timeout(1) and some supervisors send theirs
// to the process and to its group.
const sameSignal = 300 * time.Millisecond

// onSignals calls first at the first SIGINT or SIGTERM and second at the next one.
func onSignals(first, second func()) (done func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	ended := make(chan struct{})
	go func() {
		var came time.Time
		for {
			select {
			case <-signals:
			case <-ended:
				return
			}
			switch {
			case came.IsZero():
				came = time.Now()
				first()
			case time.Since(came) > sameSignal:
				second()
				return
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(ended)
	}
}

// A fleet is the pipelines of one process.
type fleet struct {
	pipelines []*pipeline
	began     time.Time

	mu      sync.Mutex
	results []engine.Result
	ended   []bool
}

func newFleet(defs []*spec.Definition, opt engine.Options, log *slog.Logger) (*fleet, error) {
	f := &fleet{began: time.Now(), results: make([]engine.Result, len(defs)), ended: make([]bool, len(defs))}
	for _, d := range defs {
		p, err := wire(d, opt, log)
		if err != nil {
			return nil, fmt.Errorf("pipeline %s: %w", d.Plan.Pipeline, err)
		}
		f.pipelines = append(f.pipelines, p)
	}
	return f, nil
}

// run runs all pipelines. The first that fails stops the others in good order.
func (f *fleet) run(ctx context.Context) error {
	errs := make([]error, len(f.pipelines))
	var all sync.WaitGroup
	for i, p := range f.pipelines {
		all.Go(func() {
			result, err := p.run(ctx)
			if err != nil {
				errs[i] = fmt.Errorf("pipeline %s: %w", p.def.Plan.Pipeline, err)
				f.stop()
			}
			f.mu.Lock()
			f.results[i], f.ended[i] = result, err == nil
			f.mu.Unlock()
			if err := p.close(); err != nil && errs[i] == nil {
				errs[i] = fmt.Errorf("pipeline %s: close its sources: %w", p.def.Plan.Pipeline, err)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// run runs the pipeline once its lake has shown that it is one.
func (p *pipeline) run(ctx context.Context) (engine.Result, error) {
	if err := probe(ctx, p.lake); err != nil {
		return engine.Result{}, err
	}
	defer p.keep(ctx)()
	return p.task.Run(ctx)
}

// stop ends all pipelines in good order.
func (f *fleet) stop() {
	for _, p := range f.pipelines {
		p.task.Stop()
	}
}

// shown is what can be asked of the pipelines.
func (f *fleet) shown() (all []monitor.Pipeline) {
	for _, p := range f.pipelines {
		all = append(all, monitor.Pipeline{Name: p.def.Plan.Pipeline, Task: p.task, Maintenance: p.keeper.Status, Requests: func() map[string]int64 { return requests(p.lake) }})
	}
	return all
}

// serve shows the pipelines over HTTP, and leaves the address where tail looks for it.
func (f *fleet) serve(ctx context.Context, addr string, log *slog.Logger) (done func(), err error) {
	l, err := monitor.Listen(addr)
	if err != nil {
		return nil, usagef("--http %s: %w", addr, err)
	}
	log.Info("listening", "http", l.Addr().String())
	over, end := context.WithCancel(ctx)
	for _, p := range f.pipelines {
		go p.leaveAddress(over, l.Addr().String(), log)
	}
	go func() {
		if err := monitor.Serve(l, monitor.Handler(f.shown())); err != nil && !errors.Is(err, net.ErrClosed) {
			log.Warn("metrics and tail are gone", "error", err)
		}
	}()
	return func() { end(); l.Close() }, nil
}

// leaveAddress leaves the address in the lake once the pipeline is this process's: a standby is not the one
// to look at.
func (p *pipeline) leaveAddress(ctx context.Context, addr string, log *slog.Logger) {
	select {
	case <-p.task.Started():
	case <-ctx.Done():
		return
	}
	if err := writeAddress(ctx, p.lake, p.def.Plan.Pipeline, addr); err != nil && ctx.Err() == nil {
		log.Warn("could not leave the address for tail: name it with --from", "http", addr, "error", err)
	}
}
