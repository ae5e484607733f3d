package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/bench/recovery"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/checkpoint"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/spec"
)

// recoveryOptions are the flags of bench recovery.
type recoveryOptions struct {
	state         string // size
	bytes         int64  // state, read
	deltas, rate  int
	runs          int
	every         time.Duration
	brokers, lake string
	json          bool
	cpu           string
}

func newBenchRecovery() *cobra.Command {
	var o recoveryOptions
	cmd := &cobra.Command{
		Use:   "recovery",
		Short: "How long from kill -9 to the next commit, with much state",
		Long: `bench recovery gives a pipeline's dedupe as many kept rows as its saved state is to be large, runs it in another
process with records coming all the while, kills that with -9, starts it again, and takes the time from the kill to the
first commit with new rows. Half of the records repeat kept rows: the table is read in the end, and holds
each new one once and no repeat, or the bench fails. Making the state takes about twice its size in memory.`,
		Example: `  millrace bench recovery
  millrace bench recovery --state 100MiB --runs 1 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			size, err := spec.ParseBytes(o.state)
			if o.bytes = int64(size); err != nil || o.bytes < 1<<20 {
				return usagef("--state %s: expected a size of at least 1MiB, such as 1GiB", o.state)
			}
			if o.rate < 2 || o.runs < 1 || o.deltas < 0 || o.deltas > 100 {
				return usagef("--rate must be at least 2, --runs at least 1 and --deltas from 0 to 100")
			}
			return benchRecovery(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.state, "state", "1GiB", "size of the saved state, 24 bytes a kept row")
	f.IntVar(&o.deltas, "deltas", 60, "epochs that the state was saved in after the one that saved it whole")
	f.IntVar(&o.rate, "rate", 1000, "records a second that come meanwhile")
	f.IntVar(&o.runs, "runs", 3, "kills, one after the other")
	f.DurationVar(&o.every, "every", 500*time.Millisecond, "commit.every of the pipeline")
	f.StringVar(&o.brokers, "brokers", "", "address of a broker (default: an embedded one in another process)")
	f.StringVar(&o.lake, "lake", "", "place for table and state, a folder or s3://bucket/prefix (default: a temporary folder)")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	f.StringVar(&o.cpu, "cpu-profile", "", "write a CPU profile of the last start to this `file`, for go tool pprof")
	return cmd
}

// A recoveryResult is what bench recovery --json prints.
type recoveryResult struct {
	At         string        `json:"at"`
	Workload   string        `json:"workload"` // "recovery"
	StateBytes int64         `json:"state_bytes"`
	Objects    int           `json:"objects"` // state objects that the checkpoint names before the first kill
	Rows       int64         `json:"rows"`    // that dedupe remembers
	Version    string        `json:"version"`
	Machine    string        `json:"machine"`
	Broker     string        `json:"broker"` // "embedded", or "given"
	Lake       string        `json:"lake"`
	Rate       int           `json:"rate"`
	Every      string        `json:"every"`
	Runs       []recoveryRun `json:"runs"`
	Kept       int64         `json:"kept"` // new records in the table in the end: each once, no repeat
}

// A recoveryRun is one kill and start. Times are since the kill, in milliseconds.
type recoveryRun struct {
	Dead     float64 `json:"dead_ms"`         // the process was gone and its memory free; the next one starts
	Opened   float64 `json:"opened_ms"`       // checkpoint and directories of the state objects read
	Loaded   float64 `json:"loaded_ms"`       // the operator has its state
	First    float64 `json:"first_record_ms"` // the first records were taken in
	Commit   float64 `json:"commit_ms"`       // the first commit with new rows was done
	CPUS     float64 `json:"cpu_s"`           // user and system of the new process, up to then
	MaxRSSMB float64 `json:"max_rss_mb"`      // of the new process, up to then
}

func benchRecovery(ctx context.Context, o recoveryOptions, stdout, stderr io.Writer) error {
	dir, err := os.MkdirTemp("", "millrace-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r := recoveryResult{
		At: time.Now().UTC().Format(time.RFC3339), Workload: "recovery", Rows: o.bytes / 24, Version: version, Rate: o.rate, Every: o.every.String(), Broker: "given", Lake: "folder",
		Machine: fmt.Sprintf("%s/%s, %d processors, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version()),
	}
	if o.brokers == "" {
		r.Broker = "embedded"
	}
	if at, _, _ := strings.Cut(o.lake, "?"); strings.HasPrefix(at, "s3://") {
		r.Lake = at
	}
	if o.lake == "" {
		o.lake = dir
	}
	brokers, done, err := (&freshnessOptions{brokers: o.brokers}).broker(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := o.measure(ctx, brokers, dir, &r, stderr); err != nil {
		return err
	}
	if o.json {
		return printJSONLine(stdout, r)
	}
	r.print(stdout)
	return nil
}

// measure makes the state and kills.
func (o *recoveryOptions) measure(ctx context.Context, brokers, dir string, r *recoveryResult, stderr io.Writer) error {
	name := fmt.Sprintf("recovery-%d", time.Now().UnixMilli())
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(brokers, ",")...), kgo.ProducerLinger(2*time.Millisecond))
	if err != nil {
		return err
	}
	defer client.Close()
	if _, err := makeTopic(ctx, client, name, 1); err != nil {
		return err
	}
	p := &recoveryProcess{definition: filepath.Join(dir, "recovery.yaml"), lake: below(o.lake, name)}
	p.args = []string{"run", p.definition, "--http", "127.0.0.1:0", "--lake", p.lake, "--set", "BROKERS=" + brokers, "--set", "TOPIC=" + name, "--set", "EVERY=" + o.every.String()}
	if err := os.WriteFile(p.definition, []byte(recovery.Definition), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(stderr, "making the state of %s kept rows …\n", count(r.Rows))
	if err := o.fill(ctx, p, r); err != nil {
		return err
	}
	load := &recoveryLoad{topic: name, client: client, kept: r.Rows}
	loading, end := context.WithCancel(ctx)
	loaded := make(chan error, 1)
	go func() { loaded <- load.run(loading, o.rate) }()
	err = o.kills(ctx, p, r, stderr)
	end()
	if err := errors.Join(err, <-loaded); err != nil {
		return err
	}
	if err := p.run(ctx, "--until-caught-up"); err != nil {
		return err
	}
	r.Kept, err = countKept(ctx, below(p.lake, recovery.Table), r.Rows)
	if err == nil && r.Kept != load.fresh {
		err = fmt.Errorf("%d new records were sent, the table holds %d rows: the state did not come back whole", load.fresh, r.Kept)
	}
	return err
}

// fill has the pipeline begin, and gives it its state.
func (o *recoveryOptions) fill(ctx context.Context, p *recoveryProcess, r *recoveryResult) error {
	if err := p.run(ctx, "--until-caught-up"); err != nil {
		return err
	}
	checkpoints, err := p.checkpoints()
	if err != nil {
		return err
	}
	c, err := recovery.Fill{Rows: r.Rows, Deltas: o.deltas, Lanes: runtime.GOMAXPROCS(0)}.Write(ctx, checkpoints)
	if err != nil {
		return err
	}
	r.Objects = len(c.State)
	for _, ref := range c.State {
		r.StateBytes += ref.Size
	}
	debug.FreeOSMemory() // the table that was made goes before another process needs as much
	return nil
}

// kills starts the pipeline, and then kills it and starts it again, run by run.
func (o *recoveryOptions) kills(ctx context.Context, p *recoveryProcess, r *recoveryResult, stderr io.Writer) error {
	if err := p.start(ctx); err != nil {
		return err
	}
	if _, err := p.untilCommit(time.Now(), 0); err != nil {
		return err
	}
	for n := range o.runs {
		if err := sleepFor(ctx, 2*o.every); err != nil { // it runs as ever when it is killed
			return errors.Join(err, p.kill())
		}
		fmt.Fprintf(stderr, "kill %d of %d …\n", n+1, o.runs)
		if n == o.runs-1 && o.cpu != "" {
			p.args = append(p.args, "--cpu-profile", o.cpu)
		}
		run, err := p.restart(ctx)
		if err != nil {
			return fmt.Errorf("kill %d: %w", n+1, err)
		}
		r.Runs = append(r.Runs, run)
	}
	return p.stop()
}

// checkpoints is where the pipeline keeps its checkpoints and state.
func (p *recoveryProcess) checkpoints() (*checkpoint.Store, error) {
	lake, err := openLake(p.lake)
	if err != nil {
		return nil, err
	}
	return checkpoint.New(blob.Sub(lake, stateHome(recovery.Pipeline, defaultTask))), nil
}

// countKept counts the table's rows, and fails if one of them is there twice or repeats one that was remembered.
func countKept(ctx context.Context, table string, remembered int64) (rows int64, err error) {
	s, store, err := latest(ctx, table)
	if err != nil {
		return 0, err
	}
	seen := map[int64]bool{}
	err = scan(ctx, store, s, []string{"id"}, -1, func(r scanned) error {
		for _, id := range r.columns[0].(*column.Longs).Values[:r.rows] {
			if id < remembered || seen[id] {
				return fmt.Errorf("%s holds record %d, which repeats a kept one", table, id)
			}
			seen[id] = true
		}
		return nil
	})
	return int64(len(seen)), err
}

// A recoveryLoad sends records at a steady rate, new ones and repeats of kept ones in turn.
type recoveryLoad struct {
	topic  string
	client *kgo.Client
	kept   int64 // ids below are remembered
	fresh  int64 // new ones sent
}

// run sends until ctx is done, and then waits for what is under way.
func (l *recoveryLoad) run(ctx context.Context, rate int) error {
	tick := time.NewTicker(2 * time.Second / time.Duration(rate))
	defer tick.Stop()
	var failed error
	done := func(_ *kgo.Record, err error) { failed = errors.Join(failed, err) } // one at a time
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			err := l.client.Flush(context.WithoutCancel(ctx))
			return errors.Join(err, failed)
		}
		for _, id := range []int64{l.kept + l.fresh, (l.fresh * 7919) % l.kept} {
			value, err := json.Marshal(map[string]int64{"id": id})
			if err != nil {
				return err
			}
			l.client.Produce(context.WithoutCancel(ctx), &kgo.Record{Topic: l.topic, Value: value}, done)
		}
		l.fresh++
	}
}

func (r recoveryResult) print(w io.Writer) {
	fmt.Fprintf(w, "recovery: %s of state, %s kept rows in %d objects, %s records/s meanwhile, a commit every %s, broker %s, lake %s, %s\n\n",
		size(r.StateBytes), count(r.Rows), r.Objects, count(int64(r.Rate)), r.Every, r.Broker, r.Lake, r.Machine)
	header := []string{"kill", "process gone", "state opened", "state loaded", "first records", "first commit", "CPU", "peak RSS MB"}
	var rows [][]string
	var commits []float64
	for i, run := range r.Runs {
		row := []string{strconv.Itoa(i + 1)}
		for _, ms := range []float64{run.Dead, run.Opened, run.Loaded, run.First, run.Commit} {
			row = append(row, fmt.Sprintf("%.0f ms", ms))
		}
		rows = append(rows, append(row, fmt.Sprintf("%.2f s", run.CPUS), fmt.Sprintf("%.0f", run.MaxRSSMB)))
		commits = append(commits, run.Commit)
	}
	grid(w, header, rows, 0, header...)
	slices.Sort(commits)
	fmt.Fprintf(w, "\nmedian %.2f s from kill -9 to the first commit with new rows; all %s new records are in the table once, and no repeat\n", commits[len(commits)/2]/1e3, count(r.Kept))
}
