package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/checkpoint"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/spec"
	"github.com/millrace-io/millrace/operators/dedupe"
)

// recoveryOptions are the flags of bench recovery.
type recoveryOptions struct {
	state spec.Bytes
	runs  int
	json  bool
}

func newBenchRecovery() *cobra.Command {
	o := recoveryOptions{state: 1 << 30}
	cmd := &cobra.Command{
		Use:   "recovery",
		Short: "How long from a start after kill -9 to the first new commit",
		Long: `recovery gives a pipeline with dedupe as many kept rows as take the bytes in its checkpoint, kills its process with
-9, starts another, and measures the time from that start to the first version of the table that the new process
commits. Records keep coming all the while; a commit is due every 100 ms.`,
		Example: "  millrace bench recovery\n  millrace bench recovery --state 100MiB --runs 5 --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.runs < 1 {
				return usagef("--runs %d: expected at least 1", o.runs)
			}
			return benchRecovery(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().Var(&bytesFlag{&o.state}, "state", "`size` of the operator's state in the checkpoint")
	cmd.Flags().IntVar(&o.runs, "runs", 3, "kills, one after the other")
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON object")
	return cmd
}

// A recoveryResult is what bench recovery --json prints.
type recoveryResult struct {
	At      string        `json:"at"`
	Version string        `json:"version"`
	Machine string        `json:"machine"`
	State   int64         `json:"state_bytes"` // in the checkpoint
	Kept    int64         `json:"kept_rows"`
	Runs    []recoveryRun `json:"runs"`
}

// A recoveryRun is one kill.
type recoveryRun struct {
	ClaimS   float64 `json:"claim_s"`  // from the start of the process to its first checkpoint
	CommitS  float64 `json:"commit_s"` // to the first version of the table that it commits
	MaxRSSMB float64 `json:"max_rss_mb"`
}

const recoveryDefinition = `
pipeline: recovery
lake: "%s"
sources:
  in:
    kafka: {brokers: "%s", topic: %s}
    format: json
    schema: {id: long!}
streams: {once: {from: in, steps: [dedupe: {by: [id], within: 1d}]}}
tables: {first: {from: once}}
commit: {every: 100ms}
`

func benchRecovery(ctx context.Context, o recoveryOptions, stdout, stderr io.Writer) error {
	dir, err := os.MkdirTemp("", "millrace-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	brokers, done, err := (&benchOptions{}).emptyBroker(ctx)
	if err != nil {
		return err
	}
	defer done()
	r := &recovery{dir: dir, definition: filepath.Join(dir, "recovery.yaml"), topic: "recovery"}
	text := fmt.Sprintf(recoveryDefinition, filepath.Join(dir, "lake"), brokers, r.topic)
	if err := os.WriteFile(r.definition, []byte(text), 0o644); err != nil {
		return err
	}
	stop, err := r.produce(ctx, brokers)
	if err != nil {
		return err
	}
	defer stop()
	fmt.Fprintf(stderr, "making a state of %v …\n", o.state)
	result := recoveryResult{
		At: time.Now().UTC().Format(time.RFC3339), Version: version, Machine: fmt.Sprintf("%s/%s, %d processors, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version()),
	}
	if result.State, result.Kept, err = r.prepare(ctx, int64(o.state)); err != nil {
		return err
	}
	for n := range o.runs {
		fmt.Fprintf(stderr, "kill %d of %d …\n", n+1, o.runs)
		run, err := r.kill(ctx)
		if err != nil {
			return fmt.Errorf("kill %d: %w", n+1, err)
		}
		result.Runs = append(result.Runs, run)
	}
	if o.json {
		return printJSONLine(stdout, result)
	}
	result.print(stdout)
	return nil
}

func (r recoveryResult) print(w io.Writer) {
	fmt.Fprintf(w, "recovery: %s of state in the checkpoint, %s kept rows, %s\n\n", size(r.State), count(r.Kept), r.Machine)
	var rows [][]string
	for i, x := range r.Runs {
		rows = append(rows, []string{strconv.Itoa(i + 1), fmt.Sprintf("%.2f", x.ClaimS), fmt.Sprintf("%.2f", x.CommitS), fmt.Sprintf("%.0f", x.MaxRSSMB)})
	}
	header := []string{"kill", "first checkpoint s", "first commit s", "peak RSS MB"}
	grid(w, header, rows, 0, header...)
}

// emptyBroker starts a broker in another process.
func (o *benchOptions) emptyBroker(ctx context.Context) (string, func(), error) {
	o.workload.Records = 1 // it makes a topic that nobody reads
	return o.broker(ctx)
}

// A recovery is a pipeline that is killed.
type recovery struct {
	dir        string
	definition string
	topic      string
}

func (r *recovery) lake() string { return filepath.Join(r.dir, "lake") }

// produce sends a few records all the time.
func (r *recovery) produce(ctx context.Context, brokers string) (stop func(), err error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(brokers, ",")...))
	if err != nil {
		return nil, err
	}
	if _, err := makeTopic(ctx, client, r.topic, 1); err != nil {
		client.Close()
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer client.Close()
		for id := 0; sleepFor(ctx, 10*time.Millisecond) == nil; id++ {
			client.Produce(ctx, &kgo.Record{Topic: r.topic, Value: fmt.Appendf(nil, `{"id":%d}`, id)}, nil)
		}
	}()
	return cancel, nil
}

// prepare runs the pipeline for a moment, and then gives its operator a large state: a checkpoint that follows the
// last one and names it.
func (r *recovery) prepare(ctx context.Context, bytes int64) (size, kept int64, err error) {
	cmd, err := r.start(ctx)
	if err != nil {
		return 0, 0, err
	}
	if err := r.await(ctx, 0); err != nil {
		return 0, 0, errors.Join(err, cmd.Process.Kill())
	}
	if err := errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()); err != nil {
		return 0, 0, err
	}
	lake, err := openLake(r.lake())
	if err != nil {
		return 0, 0, err
	}
	kept = bytes / stateOfRow
	sections, err := largeState(ctx, kept)
	if err != nil {
		return 0, 0, err
	}
	checkpoints := checkpoint.New(blob.Sub(lake, stateHome("recovery", defaultTask)))
	c, err := checkpoints.Newest(ctx)
	if err != nil {
		return 0, 0, err
	}
	next := *c
	next.Epoch, next.Attempt, next.Tables = c.Epoch+1, "bench", nil
	ref, err := checkpoints.WriteState(ctx, next.Epoch, sections)
	if err != nil {
		return 0, 0, err
	}
	next.State = []engine.StateRef{ref}
	return ref.Size, kept, checkpoints.Write(ctx, &next)
}

// stateOfRow is what a kept row takes in a checkpoint, in bytes (package dedupe).
const stateOfRow = 24

// largeState is what a dedupe saves that has kept so many rows.
func largeState(ctx context.Context, rows int64) ([]engine.Section, error) {
	config := dedupe.Config{By: []string{"id"}, Within: 24 * time.Hour}
	op, _, err := config.Bind(engine.Schema{{Name: "id", Type: column.Of(column.Long), Required: true}})
	if err != nil {
		return nil, err
	}
	const batch = 1 << 16
	b := &engine.Batch{Keys: make([]column.Key, batch), At: make([]engine.Time, batch), Mark: make([]engine.Time, batch), Upto: engine.MinTime}
	rnd, now := rand.New(rand.NewPCG(1, 1)), engine.TimeOf(time.Now())
	for ; rows > 0; rows -= batch {
		b.Rows, b.Arena = int(min(rows, batch)), column.NewArena()
		for i := range b.Rows {
			b.Keys[i], b.At[i], b.Mark[i] = column.Key{Hi: rnd.Uint64(), Lo: rnd.Uint64()}, now, now
		}
		if err := op.Apply(ctx, b, nowhere{}); err != nil {
			return nil, err
		}
	}
	var sections []engine.Section
	for slot := range column.Slots {
		var data bytes.Buffer
		whole, err := op.(engine.Stateful).Save(slot, &data)
		if err != nil {
			return nil, err
		}
		sections = append(sections, engine.Section{Operator: "once/dedupe", Slot: slot, Whole: whole, Data: data.Bytes()})
	}
	return sections, nil
}

// nowhere is an engine.Emit that keeps nothing.
type nowhere struct{}

func (nowhere) Rows(*engine.Batch) error                                     { return nil }
func (nowhere) Drop(engine.DropReason, int)                                  {}
func (nowhere) Quarantine(*engine.Batch, int, engine.Reason, string, string) {}

// kill starts a process, waits until it commits, kills it, and measures the next one's way back.
func (r *recovery) kill(ctx context.Context) (run recoveryRun, err error) {
	victim, err := r.start(ctx)
	if err != nil {
		return run, err
	}
	if err := r.await(ctx, r.committed(ctx)+3); err != nil {
		return run, errors.Join(err, victim.Process.Kill())
	}
	if err := victim.Process.Kill(); err != nil {
		return run, err
	}
	_ = victim.Wait() // it was killed
	epoch, err := r.epoch()
	if err != nil {
		return run, err
	}
	began := time.Now()
	next, err := r.start(ctx)
	if err != nil {
		return run, err
	}
	defer func() {
		err = errors.Join(err, next.Process.Signal(syscall.SIGTERM), next.Wait())
		run.MaxRSSMB = float64(next.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) * 1024 / 1e6
	}()
	for time.Since(began) < patience {
		newest, err := r.epoch()
		if err != nil {
			return run, err
		}
		if run.ClaimS == 0 && newest > epoch {
			run.ClaimS = time.Since(began).Seconds()
		}
		// What the victim had prepared is committed too, but with its epoch.
		if r.committed(ctx) > epoch {
			run.CommitS = time.Since(began).Seconds()
			return run, nil
		}
		if err := sleepFor(ctx, 2*time.Millisecond); err != nil {
			return run, err
		}
	}
	return run, fmt.Errorf("no commit of the new process within %v", patience)
}

// patience is how long a commit may take before the benchmark gives up.
const patience = 2 * time.Minute

func (r *recovery) start(ctx context.Context) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "run", r.definition, "--http", "")
	return cmd, cmd.Start()
}

// committed is the last epoch that is in the table, -1 before the first.
func (r *recovery) committed(ctx context.Context) int64 {
	s, _, err := latest(ctx, filepath.Join(r.lake(), "first"))
	if err != nil {
		return -1 // there is no table yet
	}
	newest := int64(-1)
	for _, t := range s.Txns() {
		newest = max(newest, t.Version)
	}
	return newest
}

// epoch is that of the newest checkpoint, by its name.
func (r *recovery) epoch() (int64, error) {
	names, err := filepath.Glob(filepath.Join(r.lake(), stateHome("recovery", defaultTask), "checkpoints", "*.json"))
	if err != nil {
		return 0, err
	}
	if len(names) == 0 {
		return 0, errors.New("the pipeline has no checkpoint")
	}
	return strconv.ParseInt(strings.TrimSuffix(filepath.Base(slices.Max(names)), ".json"), 10, 64)
}

// await waits until an epoch is in the table.
func (r *recovery) await(ctx context.Context, epoch int64) error {
	for began := time.Now(); r.committed(ctx) < epoch; {
		if time.Since(began) > patience {
			return fmt.Errorf("epoch %d did not come into the table within %v", epoch, patience)
		}
		if err := sleepFor(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}
