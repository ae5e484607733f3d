package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/bench/freshness"
	"github.com/millrace-io/millrace/engine/blob"
)

// freshnessOptions are the flags of bench freshness.
type freshnessOptions struct {
	rate, seconds, warm int
	every               time.Duration
	brokers, lake       string
	json                bool
	svg                 string
}

func newBenchFreshness() *cobra.Command {
	var o freshnessOptions
	cmd := &cobra.Command{
		Use:   "freshness",
		Short: "How long from a record's produce to its row in the table",
		Long: `freshness produces records at a steady rate, runs a pipeline over them in another process, and reads the table in
this one: the delay of a row is from when its record was due to be produced until this process has read it. A load
that falls behind shows as delay.`,
		Example: `  millrace bench freshness
  millrace bench freshness --brokers localhost:9092 --rate 200000 --svg docs/freshness.svg`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.rate < 1 || o.seconds <= o.warm || o.warm < 0 {
				return usagef("--rate must be at least 1, and --seconds more than --warm-up")
			}
			return benchFreshness(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.rate, "rate", 200_000, "records a second")
	f.IntVar(&o.seconds, "seconds", 60, "how long")
	f.IntVar(&o.warm, "warm-up", 10, "seconds at the beginning that do not count")
	f.DurationVar(&o.every, "every", 500*time.Millisecond, "commit.every of the pipeline")
	f.StringVar(&o.brokers, "brokers", "", "address of a broker (default: an embedded one in another process)")
	f.StringVar(&o.lake, "lake", "", "place for the table, a folder or s3://bucket/prefix (default: a temporary folder)")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	f.StringVar(&o.svg, "svg", "", "draw the delays by percentile into this `file`")
	return cmd
}

// A freshnessResult is what bench freshness --json prints. Delays are in milliseconds.
type freshnessResult struct {
	At       string  `json:"at"`
	Version  string  `json:"version"`
	Machine  string  `json:"machine"`
	Broker   string  `json:"broker"`
	Lake     string  `json:"lake"`
	Rate     int     `json:"rate"`
	Produced float64 `json:"produced_per_s"` // what the load came to
	Every    string  `json:"every"`
	Rows     int64   `json:"rows"`     // in the table in the end: as many as records
	Measured int64   `json:"measured"` // without the warm-up
	P50      float64 `json:"p50_ms"`
	P99      float64 `json:"p99_ms"`
	P999     float64 `json:"p99_9_ms"`
	Max      float64 `json:"max_ms"`
	CPUUs    float64 `json:"cpu_us_per_record"` // of the engine's process
}

func benchFreshness(ctx context.Context, o freshnessOptions, stdout, stderr io.Writer) error {
	dir, err := os.MkdirTemp("", "millrace-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if o.lake == "" {
		o.lake = dir
	}
	brokers, done, err := o.broker(ctx)
	if err != nil {
		return err
	}
	defer done()
	r, h, err := o.measure(ctx, brokers, dir, stderr)
	if err != nil {
		return err
	}
	if o.svg != "" {
		title := fmt.Sprintf("Delay from produce to readable: %s records/s, a commit every %v, %s", count(int64(o.rate)), o.every, r.Lake)
		var picture bytes.Buffer
		if err := errors.Join(h.WriteSVG(&picture, title), os.WriteFile(o.svg, picture.Bytes(), 0o644)); err != nil {
			return err
		}
	}
	if o.json {
		return printJSONLine(stdout, r)
	}
	fmt.Fprintf(stdout, "freshness: %s records/s asked for, %s produced, a commit every %v, broker %s, lake %s, %s\n\n", count(int64(o.rate)), count(int64(r.Produced)), o.every, r.Broker, r.Lake, r.Machine)
	if err := h.WriteText(stdout); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "\n%s rows measured of %s in the table, each record once; the engine took %.2f µs of CPU a record\n", count(r.Measured), count(r.Rows), r.CPUUs)
	return err
}

func (o *freshnessOptions) broker(ctx context.Context) (string, func(), error) {
	b := benchOptions{brokers: o.brokers}
	if o.brokers != "" {
		return o.brokers, func() {}, nil
	}
	b.workload.Records = 1 // it makes a topic that nobody reads
	return b.broker(ctx)
}

// measure produces, runs and watches.
func (o *freshnessOptions) measure(ctx context.Context, brokers, dir string, stderr io.Writer) (r freshnessResult, h *freshness.Histogram, err error) {
	name := fmt.Sprintf("freshness-%d", time.Now().UnixMilli())
	lake := below(o.lake, name)
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(brokers, ",")...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerLinger(2*time.Millisecond), kgo.MaxBufferedRecords(1_000_000))
	if err != nil {
		return r, nil, err
	}
	defer client.Close()
	if _, err := makeTopic(ctx, client, name, freshness.Partitions); err != nil {
		return r, nil, err
	}
	engine, stop, err := o.startEngine(ctx, brokers, name, lake, dir)
	if err != nil {
		return r, nil, err
	}
	store, err := openLake(lake)
	if err != nil {
		return r, nil, errors.Join(err, stop())
	}
	h = freshness.NewHistogram()
	watching, endWatch := context.WithCancel(ctx)
	watched := make(chan error, 1)
	began := time.Now()
	go func() {
		watched <- freshness.Watch(watching, blob.Sub(store, freshness.Table), began.Add(time.Duration(o.warm)*time.Second), h)
	}()
	fmt.Fprintf(stderr, "producing %s records a second for %d s …\n", count(int64(o.rate)), o.seconds)
	sent, err := freshness.Load{Rate: o.rate, Seconds: o.seconds, Topic: name, Client: client}.Run(ctx)
	took := time.Since(began)
	if err == nil {
		err = sleepFor(ctx, 2*o.every+2*time.Second) // the last rows come
	}
	endWatch()
	if err := errors.Join(err, <-watched, stop()); err != nil {
		return r, nil, err
	}
	rows, err := o.rows(ctx, below(lake, freshness.Table))
	if err == nil && (rows != sent || h.Rows != sent) {
		err = fmt.Errorf("%d records were produced, the table has %d rows, of which %d were seen in time", sent, rows, h.Rows)
	}
	cpu := (engine.ProcessState.UserTime() + engine.ProcessState.SystemTime()).Seconds()
	return o.result(h, float64(sent)/took.Seconds(), cpu/float64(sent)*1e6, rows), h, err
}

// startEngine runs the pipeline in another process until stop is called.
func (o *freshnessOptions) startEngine(ctx context.Context, brokers, topic, lake, dir string) (cmd *exec.Cmd, stop func() error, err error) {
	def := filepath.Join(dir, "freshness.yaml")
	if err := os.WriteFile(def, []byte(freshness.Definition), 0o644); err != nil {
		return nil, nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	var logs bytes.Buffer
	cmd = exec.CommandContext(ctx, self, "run", def, "--http", "", "--lake", lake, "--set", "BROKERS="+brokers, "--set", "TOPIC="+topic, "--set", "EVERY="+o.every.String())
	cmd.Stderr = &logs
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	return cmd, func() error {
		if err := errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()); err != nil {
			return fmt.Errorf("the engine's process: %w\n%s", err, logs.Bytes())
		}
		return nil
	}, nil
}

func (o *freshnessOptions) rows(ctx context.Context, table string) (rows int64, err error) {
	s, store, err := latest(ctx, table)
	if err != nil {
		return 0, err
	}
	d := describeTable(s, store)
	if d.Rows == nil {
		return 0, fmt.Errorf("%s does not say how many rows it has", table)
	}
	return *d.Rows, nil
}

func (o *freshnessOptions) result(h *freshness.Histogram, produced, cpu float64, rows int64) freshnessResult {
	ms := func(percent float64) float64 { return float64(h.At(percent).Microseconds()) / 1e3 }
	broker, lake := "given", "folder"
	if o.brokers == "" {
		broker = "embedded"
	}
	if at, _, _ := strings.Cut(o.lake, "?"); strings.HasPrefix(at, "s3://") {
		lake = at
	}
	return freshnessResult{
		At: time.Now().UTC().Format(time.RFC3339), Version: version, Machine: fmt.Sprintf("%s/%s, %d processors, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version()),
		Broker: broker, Lake: lake, Rate: o.rate, Produced: produced, Every: o.every.String(), Rows: rows, Measured: h.TotalCount(),
		P50: ms(50), P99: ms(99), P999: ms(99.9), Max: ms(100), CPUUs: cpu,
	}
}

// sleepFor waits for d or until ctx is done.
func sleepFor(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
