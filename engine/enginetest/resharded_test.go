package enginetest_test

import (
	"fmt"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/enginetest"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
	"github.com/millrace-io/millrace/operators/window"
)

// resharded are the pipelines of the simulation whose source's partitions are split and merged.
func resharded() []enginetest.Case {
	n := numbered()
	n.Name, n.Grows, n.Reshards = "numbered, resharded", false, true
	d := deduped()
	d.Reshards = true
	return []enginetest.Case{n, windowed(), beside(d, "both, resharded")}
}

const size = 4e6 // of a window, in microseconds

// windowed counts and sums the rows of each key by windows of event time, which close when all partitions have come there.
func windowed() enginetest.Case {
	step := engine.Step{Name: "window", Config: optest.Decode(window.New(), "tumble: 4s\nby: id\naggregates:\n  n: count()\n  s: sum(v)\n")}
	c := enginetest.Case{
		Name: "windowed, resharded", Reshards: true, Time: engine.EventTime{Column: "at", MaxDelay: 1500 * time.Millisecond},
		Streams: []engine.StreamPlan{{Name: "w", From: []string{enginetest.SourceName}, Steps: []engine.Step{step}}},
		Tables:  []engine.TablePlan{{Name: "t", From: "w"}, {Name: "all", From: enginetest.SourceName}},
	}
	c.Model = func(in enginetest.Input) enginetest.Outcome {
		out, rows := enginetest.Entered(in, true)
		for _, f := range rows {
			out.Tables["all"] = append(out.Tables["all"], row(f))
		}
		upto, timely := c.Upto(len(in), rows), c.Timely(&out, "w", rows)
		windows := windowsOf(timely, upto)
		out.Tables["t"] = windows
		if len(rows) > 0 {
			count := out.Ledger["w"]
			count.Aggregated, count.Made, count.Out = int64(len(timely)), int64(len(windows)), int64(len(windows))
			out.Ledger["w"] = count
		}
		return out
	}
	return c
}

// windowsOf is the windows of all keys that are closed at a time.
func windowsOf(rows []enginetest.Fact, upto engine.Time) []string {
	type group struct {
		id    string
		start engine.Time
	}
	n, sum := map[group]int64{}, map[group]int64{}
	for _, f := range rows {
		if g := (group{f.ID, f.At - f.At%size}); g.start+size <= upto {
			n[g]++
			sum[g] += f.V
		}
	}
	var all []string
	for g := range n {
		all = append(all, fmt.Sprintf(`{"id":%q,"window_start":%s,"window_end":%s,"n":%d,"s":%d}`, g.id, stamp(g.start), stamp(g.start+size), n[g], sum[g]))
	}
	return all
}
