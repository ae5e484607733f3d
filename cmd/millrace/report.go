package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/millrace-io/millrace/engine"
)

// A report is the last line of run --json, one a pipeline. It is part of the product.
type report struct {
	Pipeline  string                 `json:"pipeline"`
	Epochs    int64                  `json:"epochs"`
	Records   int64                  `json:"records"`               // taken in
	First     time.Time              `json:"first_record,omitzero"` // when the first were
	WallS     float64                `json:"wall_s"`
	CPUS      float64                `json:"cpu_s"`      // user and system, of the whole process
	MaxRSSMB  float64                `json:"max_rss_mb"` // of the whole process
	Allocs    uint64                 `json:"allocs"`     // objects allocated by the whole process
	Ledger    map[string]rowCounts   `json:"ledger"`     // of this run
	Tables    map[string]tableReport `json:"tables"`
	StageS    map[string]float64     `json:"stage_s"`            // seconds by stage, over all goroutines
	Requests  map[string]int64       `json:"requests,omitempty"` // to the bucket of the lake, by the API's names
	Completed bool                   `json:"completed"`

	quarantine string // which of Tables holds what was refused
}

// rowCounts is an engine.Count; of a source, in is records.
type rowCounts = engine.Count

type tableReport struct {
	URL        string `json:"url"`
	Version    int64  `json:"version"`
	RowsAdded  int64  `json:"rows_added"`
	FilesAdded int64  `json:"files_added"`
}

func (f *fleet) reports() []report {
	cpu, rss := usage()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []report
	for i, p := range f.pipelines {
		r := f.results[i]
		s := p.task.Status()
		out := report{
			Pipeline: p.def.Plan.Pipeline, Epochs: r.Epochs, Records: s.Records, First: s.FirstRecord, WallS: time.Since(f.began).Seconds(), CPUS: cpu.Seconds(), MaxRSSMB: rss, Allocs: mem.Mallocs,
			Ledger: r.Ledger, Tables: map[string]tableReport{}, StageS: s.StageSeconds, Requests: requests(p.lake), Completed: f.ended[i],
			quarantine: p.def.Plan.Quarantine,
		}
		for name, v := range r.Versions {
			out.Tables[name] = tableReport{URL: p.tableURL(name), Version: v, RowsAdded: r.Rows[name], FilesAdded: r.Files[name]}
		}
		all = append(all, out)
	}
	return all
}

// tableURL is where a table of the pipeline lies.
func (p *pipeline) tableURL(name string) string { return p.lake.URL() + "/" + p.pathOf(name) }

// pathOf is a table's path under the lake.
func (p *pipeline) pathOf(name string) string {
	if t, ok := p.def.Tables[name]; ok {
		return t.Path
	}
	return p.def.QuarantinePath
}

// usage is the CPU time of this process so far, and the most memory it held, in MB of 10^6 bytes.
func usage() (cpu time.Duration, rssMB float64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), float64(u.Maxrss) * 1024 / 1e6
}

// report tells what the run did.
func (f *fleet) report(stdout, stderr io.Writer, asJSON bool) error {
	for _, r := range f.reports() {
		if asJSON {
			line, err := json.Marshal(r)
			if err != nil {
				return err
			}
			fmt.Fprintf(stdout, "%s\n", line)
			continue
		}
		r.print(stderr)
	}
	return nil
}

// print shows the report to people: one line.
func (r report) print(w io.Writer) {
	var rows, tables int64
	for name, t := range r.Tables {
		if name != r.quarantine {
			rows += t.RowsAdded
			tables++
		}
	}
	text := fmt.Sprintf("%s: %s records in, %s rows added to %s", r.Pipeline, count(r.Records), count(rows), plural(int(tables), "table"))
	var sum rowCounts
	for _, c := range r.Ledger {
		sum.Add(c)
	}
	for _, x := range []struct {
		n    int64
		what string
	}{{sum.Filtered, "filtered"}, {sum.Duplicate, "duplicate"}, {sum.Late, "late"}, {sum.Quarantined, "refused"}, {sum.Lost, "lost"}} {
		if x.n > 0 {
			text += fmt.Sprintf(", %s %s", count(x.n), x.what)
		}
	}
	text = fmt.Sprintf("%s, %s, %.1f s", text, plural(int(r.Epochs), "epoch"), r.WallS)
	var asked int64
	for _, n := range r.Requests {
		asked += n
	}
	if asked > 0 {
		text += fmt.Sprintf(", %s requests to the bucket (%.1f an epoch)", count(asked), float64(asked)/float64(max(r.Epochs, 1)))
	}
	fmt.Fprintln(w, text)
}

// printLedger shows what became of the rows of each source and stream.
func printLedger(w io.Writer, ledger map[string]rowCounts) {
	header := []string{"", "in", "out", "filtered", "duplicate", "late", "quarantined"}
	var rows [][]string
	for _, name := range slices.Sorted(maps.Keys(ledger)) {
		c := ledger[name]
		rows = append(rows, []string{name, count(c.In), count(c.Out), count(c.Filtered), count(c.Duplicate), count(c.Late), count(c.Quarantined)})
	}
	grid(w, header, rows, 0, header[1:]...)
}
