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
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/millrace-io/millrace/bench/pins"
	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/file"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/maintenance"
	"github.com/millrace-io/millrace/engine/spec"
)

// optimizeBench is the flags of bench optimize.
type optimizeBench struct {
	workload pins.Config
	files    int
	runs     int
	json     bool
	dir      string
}

func newBenchOptimize() *cobra.Command {
	o := optimizeBench{workload: pins.Config{Records: pins.Records}}
	cmd := &cobra.Command{
		Use:   "optimize",
		Short: "How fast small files are put together",
		Long: `bench optimize writes the rows of the pins workload into a table of small files on local disk, packs them as
millrace table optimize does, counts the rows, and prints how many bytes of column data, before compression, went
through a second and a second of CPU. CPU is user and system of the process while it packs.`,
		Example: "  millrace bench optimize\n  millrace bench optimize --records 200000 --files 50 --runs 1 --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return benchOptimize(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.Int64Var(&o.workload.Records, "records", pins.Records, "rows of the table")
	f.BoolVar(&o.workload.Fresh, "fresh", false, "texts that do not repeat")
	f.IntVar(&o.files, "files", 200, "files they are in")
	f.IntVar(&o.runs, "runs", 3, "runs, one after the other")
	f.BoolVar(&o.json, "json", false, "print one JSON object")
	f.StringVar(&o.dir, "dir", "", "folder for the tables (default: a temporary one)")
	return cmd
}

// benchTarget is the size that files are put together to.
const benchTarget = 128 << 20

// An optimizeResult is what bench optimize --json prints.
type optimizeResult struct {
	At       string        `json:"at"`
	Workload string        `json:"workload"` // "optimize"
	Records  int64         `json:"records"`
	Fresh    bool          `json:"fresh"`
	Files    int           `json:"files"`
	Version  string        `json:"version"`
	Machine  string        `json:"machine"`
	Runs     []optimizeRun `json:"runs"`
}

// An optimizeRun is one run.
type optimizeRun struct {
	MBPerCPUS    float64 `json:"mb_per_cpu_s"` // of column data
	MBPerS       float64 `json:"mb_per_s"`     // of column data
	WallS        float64 `json:"wall_s"`
	CPUS         float64 `json:"cpu_s"`
	ColumnBytes  int64   `json:"column_bytes"`
	BytesRemoved int64   `json:"bytes_removed"`
	BytesAdded   int64   `json:"bytes_added"`
	FilesRemoved int     `json:"files_removed"`
	FilesAdded   int     `json:"files_added"`
	Rows         int64   `json:"rows"` // counted in the table after it
	MaxRSSMB     float64 `json:"max_rss_mb"`
}

func benchOptimize(ctx context.Context, o optimizeBench, stdout, stderr io.Writer) error {
	if err := o.workload.Validate(); err != nil {
		return usageError{err}
	}
	if o.files < 2 || int64(o.files) > o.workload.Records || o.runs < 1 {
		return usagef("--files %d, --runs %d: expected at least 2 files, none of them empty, and a run", o.files, o.runs)
	}
	dir := o.dir
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "millrace-bench-"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	result := optimizeResult{
		At: time.Now().UTC().Format(time.RFC3339), Workload: "optimize", Records: o.workload.Records, Fresh: o.workload.Fresh, Files: o.files,
		Version: version, Machine: fmt.Sprintf("%s/%s, %d processors, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version()),
	}
	for n := range o.runs {
		fmt.Fprintf(stderr, "run %d of %d …\n", n+1, o.runs)
		r, err := o.run(ctx, filepath.Join(dir, strconv.Itoa(n)))
		if err != nil {
			return fmt.Errorf("run %d: %w", n+1, err)
		}
		result.Runs = append(result.Runs, r)
	}
	if o.json {
		return printJSONLine(stdout, result)
	}
	result.print(stdout)
	return nil
}

// run makes the table and packs it.
func (o *optimizeBench) run(ctx context.Context, dir string) (optimizeRun, error) {
	lake, err := file.New(dir)
	if err != nil {
		return optimizeRun{}, err
	}
	if err := o.fill(ctx, lake); err != nil {
		return optimizeRun{}, err
	}
	store := blob.Sub(lake, "pins")
	runtime.GC()
	cpu, began := cpuTime(), time.Now()
	done, err := optimizer(benchTarget).Run(ctx, maintenance.Table{Name: "pins", Store: store})
	wall, used := time.Since(began).Seconds(), (cpuTime() - cpu).Seconds()
	if err != nil {
		return optimizeRun{}, err
	}
	_, rss := usage()
	r := optimizeRun{
		MBPerCPUS: float64(done.ColumnBytes) / 1e6 / used, MBPerS: float64(done.ColumnBytes) / 1e6 / wall, WallS: wall, CPUS: used, ColumnBytes: done.ColumnBytes,
		BytesRemoved: done.BytesRemoved, BytesAdded: done.BytesAdded, FilesRemoved: int(done.FilesRemoved), FilesAdded: int(done.FilesAdded), MaxRSSMB: rss,
	}
	s, found, err := latest(ctx, store.URL())
	if err != nil {
		return r, err
	}
	err = scan(ctx, found, s, []string{"index"}, -1, func(rows scanned) error {
		r.Rows += int64(rows.rows)
		return nil
	})
	if err == nil && r.Rows != o.workload.Records {
		err = fmt.Errorf("the table holds %d rows, %d were written", r.Rows, o.workload.Records)
	}
	return r, err
}

func cpuTime() time.Duration {
	cpu, _ := usage()
	return cpu
}

// benchColumns is the columns of the table, by the fields of the records.
func benchColumns() column.Schema {
	s := column.Schema{{Name: "index", Type: column.Of(column.Long), Required: true}}
	for _, name := range []string{"unique_id", "title", "description", "poster_name", "follower_count", "tag_list", "is_image_or_video", "image_src", "save_location", "category"} {
		s = append(s, column.Field{Name: name, Type: column.Of(column.String)})
	}
	return s
}

// fill writes the records into a table, a commit a file.
func (o *optimizeBench) fill(ctx context.Context, lake blob.Store) error {
	t := spec.Table{Path: "pins", Compression: "snappy", TargetFile: benchTarget, Schema: benchColumns()}
	table, err := newDeltaTable(lake, &spec.Definition{Plan: engine.Plan{Pipeline: "bench"}}, "pins", t, "", nil)
	if err != nil {
		return err
	}
	state, err := table.Open(ctx, "bench")
	if err != nil {
		return err
	}
	each := (o.workload.Records + int64(o.files) - 1) / int64(o.files)
	w, b := table.Writer(0), benchBatch(t.Schema)
	p := engine.Prepared{Table: "pins", ID: state.ID, Prev: engine.NoEpoch, Epoch: 1}
	commit := func() error {
		if b.Rows == 0 {
			return nil
		}
		err := w.Write(ctx, b)
		if err == nil {
			p.Files, err = w.Cut().Seal(ctx)
		}
		if err == nil {
			_, err = table.Commit(ctx, p, engine.CommitInfo{Pipeline: "bench", Epoch: p.Epoch})
		}
		p.Prev, p.Epoch, b = p.Epoch, p.Epoch+1, benchBatch(t.Schema)
		return err
	}
	_, err = pins.Generate(o.workload, func(_ int, _, value []byte) error {
		if err := appendRecord(b, t.Schema, value); err != nil {
			return err
		}
		if int64(b.Rows) == each {
			return commit()
		}
		return nil
	})
	return errors.Join(err, commit())
}

func benchBatch(schema column.Schema) *engine.Batch {
	b := &engine.Batch{Schema: schema, Arena: column.NewArena()}
	for _, f := range schema {
		b.Columns = append(b.Columns, column.New(f.Type))
	}
	return b
}

// appendRecord adds a record's row.
func appendRecord(b *engine.Batch, schema column.Schema, value []byte) error {
	var fields map[string]any
	if err := json.Unmarshal(value, &fields); err != nil {
		return err
	}
	for i, f := range schema {
		switch c := b.Columns[i].(type) {
		case *column.Longs:
			n, _ := fields[f.Name].(float64)
			c.Append(int64(n))
		case *column.Texts:
			if text, ok := fields[f.Name].(string); ok {
				c.AppendString(text)
			} else {
				c.AppendNull()
			}
		}
	}
	b.Rows++
	return nil
}

func (r optimizeResult) print(w io.Writer) {
	fmt.Fprintf(w, "optimize: %s rows in %s files, %s\n\n", count(r.Records), count(int64(r.Files)), r.Machine)
	header := []string{"run", "MB/s of CPU", "MB/s", "wall s", "CPU s", "column data", "files before", "files after", "files", "rows", "peak RSS MB"}
	var rows [][]string
	var speed []float64
	for i, b := range r.Runs {
		speed = append(speed, b.MBPerCPUS)
		rows = append(rows, []string{
			strconv.Itoa(i + 1), fmt.Sprintf("%.0f", b.MBPerCPUS), fmt.Sprintf("%.0f", b.MBPerS), fmt.Sprintf("%.2f", b.WallS), fmt.Sprintf("%.2f", b.CPUS),
			size(b.ColumnBytes), size(b.BytesRemoved), size(b.BytesAdded), count(int64(b.FilesAdded)), count(b.Rows), fmt.Sprintf("%.0f", b.MaxRSSMB),
		})
	}
	grid(w, header, rows, 0, header...)
	slices.Sort(speed)
	fmt.Fprintf(w, "\nmedian %.0f MB of column data, before compression, a second of CPU\n", speed[len(speed)/2])
}
