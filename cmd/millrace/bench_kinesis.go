package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/millrace-io/millrace/bench/pins"
	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/kinesis"
	"github.com/millrace-io/millrace/engine/kinesis/kinesistest"
)

// kinesisRecords is how many records bench kinesis reads: the server holds them in memory, twice.
const kinesisRecords = 200_000

func newBenchKinesis() *cobra.Command {
	o := benchOptions{workload: pins.Config{Records: kinesisRecords}}
	cmd := &cobra.Command{
		Use:   "kinesis",
		Short: "What reading a record from Kinesis costs, the rest of a pipeline apart",
		Long: `kinesis reads the records of bench pins from a server that speaks Kinesis, in another process and without its limits, and
does nothing with them: what is measured is the source alone, from the answers to whole frames. plain is a record each, kpl 60 of
them in one, as the Kinesis Producer Library packs them. CPU is user and system of the reading process.`,
		Example: `  millrace bench kinesis
  millrace bench kinesis --runs 9 --append bench/results/kinesis.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return benchKinesis(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.Int64Var(&o.workload.Records, "records", kinesisRecords, "records of the workload")
	f.IntVar(&o.runs, "runs", 5, "runs of each, in turn; one more comes before, to warm up")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	f.StringVar(&o.appendTo, "append", "", "append the result as a JSON line to this file")
	cmd.AddCommand(newBenchKinesisServer())
	return cmd
}

// A kinesisResult is what bench kinesis --json prints and --append keeps.
type kinesisResult struct {
	At      string                  `json:"at"`
	Records int64                   `json:"records"`
	Bytes   int64                   `json:"bytes"` // of the records' data
	Version string                  `json:"version"`
	Machine string                  `json:"machine"`
	Streams map[string][]kinesisRun `json:"streams"` // "plain" and "kpl"
}

// A kinesisRun is one reading of a stream.
type kinesisRun struct {
	CPUUs       float64 `json:"cpu_us_per_record"`
	RecordsPerS float64 `json:"records_per_s"`
	ReferenceUs float64 `json:"reference_us_per_record"` // see benchOptions.reference; right before the run
}

func benchKinesis(ctx context.Context, o benchOptions, stdout, stderr io.Writer) error {
	if err := o.prepare(); err != nil {
		return usageError{err}
	}
	fmt.Fprintf(stderr, "putting %s records …\n", count(o.workload.Records))
	url, done, err := o.kinesisServer(ctx)
	if err != nil {
		return err
	}
	defer done()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} { // the server takes any
		if err := os.Setenv(name, "bench"); err != nil {
			return err
		}
	}
	base := o.result()
	result := kinesisResult{At: base.At, Records: base.Records, Version: version, Machine: base.Machine, Streams: map[string][]kinesisRun{}}
	for n := range o.runs + 1 {
		for _, stream := range []string{"plain", "kpl"} {
			reference, err := o.reference()
			if err != nil {
				return fmt.Errorf("the reference: %w", err)
			}
			r, bytes, err := readKinesis(ctx, url, stream, o.workload.Records)
			if err != nil {
				return fmt.Errorf("run %d, %s: %w", n, stream, err)
			}
			r.ReferenceUs = reference
			if result.Bytes = bytes; n > 0 {
				result.Streams[stream] = append(result.Streams[stream], r)
			}
		}
	}
	if err := o.keep(result); err != nil {
		return err
	}
	if o.json {
		return printJSONLine(stdout, result)
	}
	result.print(stdout)
	return nil
}

// readKinesis reads a stream once.
func readKinesis(ctx context.Context, url, stream string, records int64) (r kinesisRun, bytes int64, err error) {
	cfg := kinesis.Defaults()
	cfg.Stream, cfg.Endpoint, cfg.Region, cfg.Unthrottled = stream, url, "eu-central-1", true
	s, err := kinesis.New(cfg, engine.DefaultMemory, slog.New(slog.DiscardHandler))
	if err != nil {
		return r, 0, err
	}
	defer s.Close() //nolint:errcheck // it was only read
	shards, err := s.Partitions(ctx)
	if err != nil {
		return r, 0, err
	}
	var from []engine.Start
	for _, p := range shards {
		from = append(from, engine.Start{Partition: p.Name})
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	sink := &nothing{stop: stop}
	sink.left.Store(records)
	began, cpu := time.Now(), cpuTime()
	if err := s.Read(ctx, from, sink); sink.left.Load() > 0 {
		return r, 0, errors.Join(err, fmt.Errorf("%d records did not come", sink.left.Load()))
	}
	cpu = cpuTime() - cpu
	return kinesisRun{CPUUs: float64(cpu.Microseconds()) / float64(records), RecordsPerS: float64(records) / time.Since(began).Seconds()}, sink.bytes.Load(), nil
}

// nothing is a sink that counts, and ends the reading when it has all.
type nothing struct {
	left, bytes atomic.Int64
	stop        func()
}

// Frame implements engine.Sink.
func (n *nothing) Frame(_ context.Context, _ string, f engine.Frame) error {
	var records, bytes int64
	for r, rest, ok := f.Next(); ok; r, rest, ok = rest.Next() {
		records, bytes = records+1, bytes+int64(len(r.Value))
	}
	n.bytes.Add(bytes)
	if n.left.Add(-records) == 0 {
		n.stop()
	}
	return nil
}

// Passed implements engine.Sink.
func (*nothing) Passed(string, engine.Offset) error { return nil }

// Ended implements engine.Sink.
func (*nothing) Ended(string) error { return nil }

// Lost implements engine.Sink.
func (*nothing) Lost(string, engine.Offset, engine.Offset) error { return nil }

func (r kinesisResult) print(w io.Writer) {
	fmt.Fprintf(w, "kinesis: %s records of %d bytes, %s\n\n", count(r.Records), r.Bytes/r.Records, r.Machine)
	header := []string{"stream", "run", "CPU µs/record", "of reference", "records/s"}
	var rows [][]string
	for _, stream := range []string{"plain", "kpl"} {
		for i, b := range r.Streams[stream] {
			rows = append(rows, []string{stream, strconv.Itoa(i + 1), fmt.Sprintf("%.2f", b.CPUUs), fmt.Sprintf("%.3f", b.CPUUs/b.ReferenceUs), count(int64(b.RecordsPerS))})
		}
	}
	grid(w, header, rows, 0, header[1:]...)
	fmt.Fprintln(w)
	for _, stream := range []string{"plain", "kpl"} {
		var all, reference []float64
		for _, b := range r.Streams[stream] {
			all, reference = append(all, b.CPUUs), append(reference, b.CPUUs/b.ReferenceUs)
		}
		slices.Sort(all)
		slices.Sort(reference)
		fmt.Fprintf(w, "%s: median %.2f µs of CPU a record, %.3f of the reference: what encoding/json takes to decode one\n", stream, all[len(all)/2], reference[len(reference)/2])
	}
}

// kinesisServer starts a server with the workload in another process.
func (o *benchOptions) kinesisServer(ctx context.Context) (url string, done func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.CommandContext(ctx, self, "bench", "kinesis", "server", "--records", strconv.FormatInt(o.workload.Records, 10))
	cmd.Stderr = os.Stderr
	stdin, err1 := cmd.StdinPipe() // the server ends when this is closed, however this process ends
	stdout, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		return "", nil, fmt.Errorf("start the server's process: %w", err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("the server's process ended: %w", err), cmd.Wait())
	}
	return strings.TrimSpace(line), func() { stdin.Close(); cmd.Wait() }, nil //nolint:errcheck // it is done with
}

// newBenchKinesisServer is the process that bench kinesis starts for its server.
func newBenchKinesisServer() *cobra.Command {
	o := benchOptions{runs: 1}
	cmd := &cobra.Command{
		Use:    "server",
		Short:  "Serve the workload until stdin is closed",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.prepare(); err != nil {
				return usageError{err}
			}
			v, err := kinesistest.New()
			if err != nil {
				return err
			}
			defer v.Close() //nolint:errcheck // the process ends
			fillKinesis(v, o.workload)
			fmt.Fprintln(cmd.OutOrStdout(), v.URL)
			_, err = io.Copy(io.Discard, cmd.InOrStdin())
			return err
		},
	}
	cmd.Flags().Int64Var(&o.workload.Records, "records", kinesisRecords, "records of the workload")
	return cmd
}

// fillKinesis puts the workload into the stream plain, a record each, and into kpl, some in one.
func fillKinesis(v *kinesistest.Server, workload pins.Config) {
	const together = 60
	v.CreateStream("plain", pins.Partitions)
	v.CreateStream("kpl", pins.Partitions)
	shard := func(p int) string { return fmt.Sprintf("shardId-%012d", p) }
	waiting := make([][]kinesistest.User, pins.Partitions)
	put := func(p int) {
		if len(waiting[p]) > 0 {
			v.Put("kpl", shard(p), "a", kinesistest.Aggregate(waiting[p]...))
			waiting[p] = waiting[p][:0]
		}
	}
	for _, r := range pins.All(workload) {
		v.Put("plain", shard(r.Partition), string(r.Key), r.Value)
		waiting[r.Partition] = append(waiting[r.Partition], kinesistest.User{Key: string(r.Key), Data: r.Value})
		if len(waiting[r.Partition]) == together {
			put(r.Partition)
		}
	}
	for p := range waiting {
		put(p)
	}
}
