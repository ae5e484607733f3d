package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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

	"github.com/millrace-io/millrace/bench/pins"
)

// benchOptions are the flags of bench.
type benchOptions struct {
	workload pins.Config
	texts    string
	brokers  string
	runs     int
	json     bool
	appendTo string
	dir      string
	lakes    []string // each run is done in each of them, in turn
	cpu      string   // file for a CPU profile of the last run
}

func newBench() *cobra.Command {
	o := benchOptions{workload: pins.Config{Records: pins.Records}}
	cmd := &cobra.Command{
		Use:   "bench [pins]",
		Short: "How fast it is on this machine: Kafka to Delta, rows counted in the table",
		Long: `bench produces a seeded workload to a Kafka broker in another process, runs the pinterest pipeline over it in a
third until it is caught up, counts the rows in the table, and prints what one record cost. It does so several
times; the spread is the noise of the machine, and no difference smaller than that means anything.

pins is a million JSON records of about 730 bytes in 4 partitions, one in ten a repeat: decode, clean, select,
dedupe, Parquet with snappy, a commit every 10 s. CPU is user and system of the engine's process from its start
to its end, the broker apart.`,
		Example: `  millrace bench
  millrace bench --brokers localhost:9092 --append bench/results/pins.jsonl
  millrace bench --records 100000 --runs 1 --json
  millrace bench --lake /tmp/lake --lake 's3://bucket/bench?endpoint=http://localhost:7070&path_style=true'`,
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"pins"},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return bench(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.Int64Var(&o.workload.Records, "records", pins.Records, "records of the workload")
	f.BoolVar(&o.workload.Fresh, "fresh", false, "texts that do not repeat")
	f.StringVar(&o.texts, "texts", "", "file of pins as JSON lines to take texts from, instead of made-up ones")
	f.StringVar(&o.brokers, "brokers", "", "address of a broker (default: an embedded one in another process)")
	f.IntVar(&o.runs, "runs", 3, "runs, one after the other")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	f.StringVar(&o.appendTo, "append", "", "append the result as a JSON line to this file")
	f.StringVar(&o.dir, "dir", "", "folder for the tables (default: a temporary one)")
	f.StringArrayVar(&o.lakes, "lake", nil, "place for the tables instead of --dir, a folder or s3://bucket/prefix; with several each run is done in each of them in turn, and they are compared")
	f.StringVar(&o.cpu, "cpu-profile", "", "write a CPU profile of the last run to this `file`, for go tool pprof; it makes the run slower")
	cmd.AddCommand(newBenchBroker(), newBenchFreshness(), newBenchOptimize(), newBenchRecovery(), newBenchWindows(), newBenchKinesis())
	return cmd
}

// A benchResult is what bench --json prints and --append keeps.
type benchResult struct {
	At       string     `json:"at"`
	Workload string     `json:"workload"`
	Records  int64      `json:"records"`
	Fresh    bool       `json:"fresh"`
	Texts    string     `json:"texts,omitempty"`
	Broker   string     `json:"broker"` // "embedded", or "given"
	Version  string     `json:"version"`
	Machine  string     `json:"machine"`
	Runs     []benchRun `json:"runs"`
	// NoisePercent is the spread of the CPU time between runs of the same thing, as a share of the median.
	NoisePercent float64 `json:"noise_percent"`
}

// A benchRun is one run.
type benchRun struct {
	Lake         string             `json:"lake,omitempty"` // where the tables are, if that was said
	RecordsPerS  float64            `json:"records_per_s"`
	CPUUs        float64            `json:"cpu_us_per_record"` // user + system, whole process
	UserS        float64            `json:"user_s"`
	SystemS      float64            `json:"system_s"`
	WallS        float64            `json:"wall_s"`
	ReferenceUs  float64            `json:"reference_us_per_record"` // see benchOptions.reference; right before the run
	FirstMs      float64            `json:"first_record_ms"`         // from the start of the process to its first records
	MaxRSSMB     float64            `json:"max_rss_mb"`
	AllocsPerRec float64            `json:"allocs_per_record"`
	BytesWritten int64              `json:"bytes_written"`
	Rows         int64              `json:"rows"`
	Distinct     int64              `json:"distinct"`
	StageS       map[string]float64 `json:"stage_s"` // wall time of the stages, over all goroutines
}

func bench(ctx context.Context, o benchOptions, stdout, stderr io.Writer) error {
	if err := o.prepare(); err != nil {
		return usageError{err}
	}
	dir := o.dir
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "millrace-bench-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	fmt.Fprintf(stderr, "producing %s records …\n", count(o.workload.Records))
	brokers, done, err := o.broker(ctx)
	if err != nil {
		return err
	}
	defer done()
	result := o.result()
	for n := range o.runs * max(len(o.lakes), 1) {
		r, err := o.nth(ctx, n, brokers, dir, stderr)
		if err != nil {
			return fmt.Errorf("run %d: %w", n+1, err)
		}
		result.Runs = append(result.Runs, r)
	}
	result.NoisePercent = result.noise()
	if err := o.keep(result); err != nil {
		return err
	}
	if o.json {
		return printJSONLine(stdout, result)
	}
	result.print(stdout)
	return nil
}

// nth is the n-th run, in the lake whose turn it is.
func (o *benchOptions) nth(ctx context.Context, n int, brokers, dir string, stderr io.Writer) (benchRun, error) {
	all := o.runs * max(len(o.lakes), 1)
	fmt.Fprintf(stderr, "run %d of %d …\n", n+1, all)
	profile := ""
	if n == all-1 {
		profile = o.cpu
	}
	if len(o.lakes) == 0 {
		return o.run(ctx, brokers, filepath.Join(dir, strconv.Itoa(n)), profile, stderr)
	}
	lake := o.lakes[n%len(o.lakes)]
	r, err := o.run(ctx, brokers, below(lake, fmt.Sprintf("bench-%d-%d", time.Now().UnixMilli(), n)), profile, stderr)
	r.Lake, _, _ = strings.Cut(lake, "?")
	return r, err
}

// below is a place below another.
func below(place, path string) string {
	at, options, ok := strings.Cut(place, "?")
	at = strings.TrimSuffix(at, "/") + "/" + path
	if ok {
		at += "?" + options
	}
	return at
}

// prepare reads the pool of texts and checks the rest.
func (o *benchOptions) prepare() error {
	if o.runs < 1 {
		return fmt.Errorf("--runs %d: expected at least 1", o.runs)
	}
	if o.texts != "" {
		f, err := os.Open(o.texts)
		if err != nil {
			return err
		}
		defer f.Close()
		if o.workload.Texts, err = pins.ReadTexts(f); err != nil {
			return fmt.Errorf("%s: %w", o.texts, err)
		}
	}
	return o.workload.Validate()
}

func (o *benchOptions) result() benchResult {
	broker := "embedded"
	if o.brokers != "" {
		broker = "given"
	}
	texts := ""
	if o.texts != "" {
		texts = filepath.Base(o.texts)
	}
	return benchResult{
		At: time.Now().UTC().Format(time.RFC3339), Workload: "pins", Records: o.workload.Records, Fresh: o.workload.Fresh, Texts: texts,
		Broker: broker, Version: version, Machine: fmt.Sprintf("%s/%s, %d processors, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version()),
	}
}

// userID makes the topics' names: one set of topics holds one workload.
func (o *benchOptions) userID() string {
	id := fmt.Sprintf("bench-pins-%d", o.workload.Records)
	if o.workload.Fresh {
		id += "-fresh"
	}
	if o.texts != "" {
		id += "-texts"
	}
	return id
}

// run runs the pipeline once in a process of its own and counts what it wrote.
func (o *benchOptions) run(ctx context.Context, brokers, lake, profile string, stderr io.Writer) (benchRun, error) {
	if !strings.Contains(lake, "://") {
		if err := os.RemoveAll(lake); err != nil {
			return benchRun{}, err
		}
	}
	args := []string{"run", "pinterest", "--until-caught-up", "--json", "--http", "", "--lake", lake, "--set", "BROKERS=" + brokers, "--set", "USER_ID=" + o.userID()}
	b, err := o.process(ctx, args, profile, stderr)
	if err != nil {
		return b, err
	}
	return b, o.countRows(ctx, below(lake, o.userID()+"_pin_table"), &b)
}

// process runs this program with args in a process of its own and says what it cost.
func (o *benchOptions) process(ctx context.Context, args []string, profile string, stderr io.Writer) (benchRun, error) {
	self, err := os.Executable()
	if err != nil {
		return benchRun{}, err
	}
	reference, err := o.reference()
	if err != nil {
		return benchRun{}, fmt.Errorf("the reference: %w", err)
	}
	var out, logs bytes.Buffer
	if profile != "" {
		args = append(args, "--cpu-profile", profile)
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stdout, cmd.Stderr = &out, &logs
	began := time.Now()
	if err := cmd.Run(); err != nil {
		stderr.Write(logs.Bytes()) //nolint:errcheck // what went wrong matters more
		return benchRun{}, err
	}
	var r report
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		return benchRun{}, fmt.Errorf("the run's report: %w", err)
	}
	u := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	records := float64(o.workload.Records)
	user, system := cmd.ProcessState.UserTime().Seconds(), cmd.ProcessState.SystemTime().Seconds()
	return benchRun{
		RecordsPerS: records / r.WallS, CPUUs: (user + system) / records * 1e6, UserS: user, SystemS: system, WallS: r.WallS,
		ReferenceUs: reference, FirstMs: float64(r.First.Sub(began).Microseconds()) / 1e3,
		MaxRSSMB: float64(u.Maxrss) * 1024 / 1e6, AllocsPerRec: float64(r.Allocs) / records, StageS: r.StageS,
	}, nil
}

// countRows reads the table, and fails unless it holds each record's row once.
func (o *benchOptions) countRows(ctx context.Context, table string, b *benchRun) error {
	s, store, err := latest(ctx, table)
	if err != nil {
		return err
	}
	b.BytesWritten = describeTable(s, store).Bytes
	ids := map[string]struct{}{}
	err = scan(ctx, store, s, []string{"unique_id"}, -1, func(r scanned) error {
		for row := range r.rows {
			b.Rows++
			ids[text(r.columns[0], row)] = struct{}{}
		}
		return nil
	})
	b.Distinct = int64(len(ids))
	if want := o.workload.Distinct(); err == nil && (b.Rows != want || b.Distinct != want) {
		err = fmt.Errorf("%s holds %d rows, %d of them different; %d are right", table, b.Rows, b.Distinct, want)
	}
	return err
}

// compareLakes shows how the lakes compare with the first, by the median of their runs.
func (r benchResult) compareLakes(w io.Writer) {
	by := map[string][]float64{}
	var lakes []string
	for _, b := range r.Runs {
		if _, ok := by[b.Lake]; !ok {
			lakes = append(lakes, b.Lake)
		}
		by[b.Lake] = append(by[b.Lake], b.RecordsPerS)
	}
	for _, runs := range by {
		slices.Sort(runs)
	}
	first := by[lakes[0]]
	for _, lake := range lakes[1:] {
		other := by[lake]
		fmt.Fprintf(w, "%s: %.0f %% of the records a second of %s, by the medians of %d runs each\n", lake, 100*other[len(other)/2]/first[len(first)/2], lakes[0], len(first))
	}
}

// noise is the spread of the CPU time, in percent of its median.
func (r benchResult) noise() float64 {
	cpu := r.sorted(func(b benchRun) float64 { return b.CPUUs })
	return (cpu[len(cpu)-1] - cpu[0]) / cpu[len(cpu)/2] * 100
}

func (r benchResult) sorted(of func(benchRun) float64) []float64 {
	var all []float64
	for _, b := range r.Runs {
		all = append(all, of(b))
	}
	slices.Sort(all)
	return all
}

func (o *benchOptions) keep(r any) error {
	if o.appendTo == "" {
		return nil
	}
	f, err := os.OpenFile(o.appendTo, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("keep the result: %w", err)
	}
	return errors.Join(printJSONLine(f, r), f.Close())
}

func (r benchResult) print(w io.Writer) {
	fmt.Fprintf(w, "%s: %s records, broker %s, %s\n\n", r.Workload, count(r.Records), r.Broker, r.Machine)
	header := []string{"run", "lake", "records/s", "CPU µs/record", "of reference", "user s", "system s", "peak RSS MB", "allocs/record", "written", "rows"}
	var rows [][]string
	for i, b := range r.Runs {
		rows = append(rows, []string{
			strconv.Itoa(i + 1), b.Lake, count(int64(b.RecordsPerS)), fmt.Sprintf("%.2f", b.CPUUs), fmt.Sprintf("%.3f", b.CPUUs/b.ReferenceUs), fmt.Sprintf("%.2f", b.UserS), fmt.Sprintf("%.2f", b.SystemS),
			fmt.Sprintf("%.0f", b.MaxRSSMB), fmt.Sprintf("%.3f", b.AllocsPerRec), size(b.BytesWritten), count(b.Rows),
		})
	}
	grid(w, header, rows, 0, append(header[:1:1], header[2:]...)...)
	cpu := r.sorted(func(b benchRun) float64 { return b.CPUUs })
	fmt.Fprintf(w, "\nmedian %.2f µs of CPU a record; runs of the same thing differ by %.1f %%\n", cpu[len(cpu)/2], r.NoisePercent)
	r.compareLakes(w)
	reference := r.sorted(func(b benchRun) float64 { return b.ReferenceUs })
	fmt.Fprintf(w, "reference: encoding/json decodes such a record in %.2f to %.2f µs on this machine meanwhile\n", reference[0], reference[len(reference)-1])
	last := r.Runs[len(r.Runs)-1]
	var stages []string
	for _, name := range []string{"fetch", "decode", "operators", "encode", "seal", "checkpoint", "commit"} {
		stages = append(stages, fmt.Sprintf("%s %.2f", name, last.StageS[name]))
	}
	fmt.Fprintf(w, "seconds by stage in the last run, over all goroutines: %s; first records %.0f ms after its start\n", strings.Join(stages, ", "), last.FirstMs)
}
