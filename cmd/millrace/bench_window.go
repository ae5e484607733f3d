package main

import (
	"context"
	"embed"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/millrace-io/millrace/bench/pins"
	"github.com/millrace-io/millrace/engine/column"
)

// windowWorkloads are the definitions of bench windows. Each writes a table of its own name with a column posts.
//
//go:embed bench_windows/*.yaml
var windowWorkloads embed.FS

func newBenchWindows() *cobra.Command {
	o := benchOptions{workload: pins.Config{Records: pins.Records}}
	cmd := &cobra.Command{
		Use:   "windows",
		Short: "What windows cost, against the pins workload in the same minutes",
		Long: `windows reads the records of bench pins three ways, in turn: as bench pins does, into a table of all rows; counted and
summed by category in windows of a minute; and by a key of 200 values in windows of an hour that begin each minute. Event time is
a millisecond a record. The results' counts are added up: every record must be in them, as often as windows hold it.`,
		Example: `  millrace bench windows
  millrace bench windows --brokers localhost:9092 --runs 5 --append bench/results/windows.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return benchWindows(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.Int64Var(&o.workload.Records, "records", pins.Records, "records of the workload")
	f.StringVar(&o.brokers, "brokers", "", "address of a broker (default: an embedded one in another process)")
	f.IntVar(&o.runs, "runs", 3, "runs of each, in turn")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	f.StringVar(&o.appendTo, "append", "", "append the result as a JSON line to this file")
	f.StringVar(&o.cpu, "cpu-profile", "", "write a CPU profile of the last run to this `file`, for go tool pprof")
	return cmd
}

// A windowsResult is what bench windows --json prints and --append keeps.
type windowsResult struct {
	At      string              `json:"at"`
	Records int64               `json:"records"`
	Broker  string              `json:"broker"`
	Version string              `json:"version"`
	Machine string              `json:"machine"`
	Ways    map[string]benchWay `json:"ways"`
}

// A benchWay is the runs of one way to read the records.
type benchWay struct {
	Runs        []benchRun `json:"runs"`
	OfPinsShare float64    `json:"of_pins_share"` // records a second of those of pins, by the medians
}

// windowWays are the ways in the order of their turns, and how many windows hold a record.
var windowWays = [...]struct {
	name  string
	holds int64
}{{"pins", 0}, {"tumbling", 1}, {"hopping", 60}}

func benchWindows(ctx context.Context, o benchOptions, stdout, stderr io.Writer) error {
	if err := o.prepare(); err != nil {
		return usageError{err}
	}
	dir, err := os.MkdirTemp("", "millrace-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.CopyFS(dir, windowWorkloads); err != nil {
		return err
	}
	fmt.Fprintf(stderr, "producing %s records …\n", count(o.workload.Records))
	brokers, done, err := o.broker(ctx)
	if err != nil {
		return err
	}
	defer done()
	base := o.result()
	result := windowsResult{At: base.At, Records: base.Records, Broker: base.Broker, Version: version, Machine: base.Machine, Ways: map[string]benchWay{}}
	for n := range o.runs {
		fmt.Fprintf(stderr, "run %d of %d …\n", n+1, o.runs)
		for _, way := range windowWays {
			lake := filepath.Join(dir, way.name+strconv.Itoa(n))
			var b benchRun
			if way.holds == 0 {
				b, err = o.run(ctx, brokers, lake, "", stderr)
			} else {
				b, err = o.windowsRun(ctx, dir, brokers, lake, way.name, way.holds, n == o.runs-1, stderr)
			}
			if err != nil {
				return fmt.Errorf("run %d, %s: %w", n+1, way.name, err)
			}
			w := result.Ways[way.name]
			w.Runs = append(w.Runs, b)
			result.Ways[way.name] = w
		}
	}
	result.compare()
	if err := o.keep(result); err != nil {
		return err
	}
	if o.json {
		return printJSONLine(stdout, result)
	}
	result.print(stdout)
	return nil
}

// windowsRun runs one of the window workloads and adds up its results.
func (o *benchOptions) windowsRun(ctx context.Context, dir, brokers, lake, way string, holds int64, last bool, stderr io.Writer) (benchRun, error) {
	profile := ""
	if last && way == windowWays[len(windowWays)-1].name {
		profile = o.cpu
	}
	definition := filepath.Join(dir, "bench_windows", way+".yaml")
	b, err := o.process(ctx, []string{"run", definition, "--until-caught-up", "--final", "--json", "--http", "", "--lake", lake,
		"--set", "BROKERS=" + brokers, "--set", "TOPIC=" + o.userID() + ".pin"}, profile, stderr)
	if err != nil {
		return b, err
	}
	table := filepath.Join(lake, way)
	s, store, err := latest(ctx, table)
	if err != nil {
		return b, err
	}
	b.BytesWritten = describeTable(s, store).Bytes
	var posts int64
	err = scan(ctx, store, s, []string{"posts"}, -1, func(r scanned) error {
		for row := range r.rows {
			b.Rows++
			posts += r.columns[0].(*column.Longs).Values[row]
		}
		return nil
	})
	if want := holds * o.workload.Records; err == nil && posts != want {
		err = fmt.Errorf("the results of %s count %d rows; %d are right", table, posts, want)
	}
	return b, err
}

// compare says how fast each way is against pins, by the medians.
func (r *windowsResult) compare() {
	median := func(w benchWay) float64 {
		var all []float64
		for _, b := range w.Runs {
			all = append(all, b.RecordsPerS)
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	pins := median(r.Ways[windowWays[0].name])
	for name, w := range r.Ways {
		w.OfPinsShare = median(w) / pins
		r.Ways[name] = w
	}
}

func (r *windowsResult) print(w io.Writer) {
	fmt.Fprintf(w, "windows: %s records, broker %s, %s\n\n", count(r.Records), r.Broker, r.Machine)
	header := []string{"way", "run", "records/s", "CPU µs/record", "peak RSS MB", "allocs/record", "written", "rows"}
	var rows [][]string
	for _, way := range windowWays {
		for i, b := range r.Ways[way.name].Runs {
			rows = append(rows, []string{
				way.name, strconv.Itoa(i + 1), count(int64(b.RecordsPerS)), fmt.Sprintf("%.2f", b.CPUUs), fmt.Sprintf("%.0f", b.MaxRSSMB), fmt.Sprintf("%.3f", b.AllocsPerRec), size(b.BytesWritten), count(b.Rows),
			})
		}
	}
	grid(w, header, rows, 0, header[1:]...)
	fmt.Fprintln(w)
	for _, way := range windowWays[1:] {
		fmt.Fprintf(w, "%s: %.0f %% of the records a second of pins, by the medians\n", way.name, 100*r.Ways[way.name].OfPinsShare)
	}
}
