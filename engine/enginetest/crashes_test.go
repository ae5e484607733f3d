package enginetest_test

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/enginetest"
	"github.com/millrace-io/millrace/operators/dedupe"
)

// defaultCrashes is how many processes die in the suite unless MILLRACE_CRASHES says otherwise.
const defaultCrashes = 500

// TestCrashes makes runs until as many processes have ended before their time as asked for. A broken promise fails it
// with a seed and a script. MILLRACE_SEED makes the run of one seed again, with MILLRACE_SCRIPT, a file, in place of its
// own script.
func TestCrashes(t *testing.T) {
	s := enginetest.Simulation{Cases: append(cases(), resharded()...)}
	if text := os.Getenv("MILLRACE_SEED"); text != "" {
		replay(t, s, text)
		return
	}
	want := defaultCrashes
	if text := os.Getenv("MILLRACE_CRASHES"); text != "" {
		var err error
		if want, err = strconv.Atoi(text); err != nil {
			t.Fatalf("MILLRACE_CRASHES: %v", err)
		}
	}
	began := time.Now()
	var toll enginetest.Toll
	var mu sync.Mutex
	var next atomic.Uint64
	t.Run("runs", func(t *testing.T) {
		for worker := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint(worker), func(t *testing.T) {
				t.Parallel()
				for !t.Failed() {
					one, err := s.Run(t, next.Add(1))
					if err != nil {
						t.Fatal(err)
					}
					mu.Lock()
					toll.Add(one)
					enough := toll.Sum() >= want
					mu.Unlock()
					if enough {
						return
					}
				}
			})
		}
	})
	if !t.Failed() {
		t.Logf("%s, in %v", &toll, time.Since(began).Round(time.Second))
	}
}

// replays is how often a run is made again: the order in which goroutines run is not the seed's.
const replays = 20

func replay(t *testing.T, s enginetest.Simulation, text string) {
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("MILLRACE_SEED: %v", err)
	}
	script := s.Script(seed)
	if file := os.Getenv("MILLRACE_SCRIPT"); file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if script, err = enginetest.ParseScript(string(data)); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("the script of seed %d:\n%s", seed, script)
	for n := range replays {
		if _, err := s.Play(t, seed, script); err != nil {
			t.Fatalf("broken the %d. time: %v", n+1, err)
		}
	}
}

// cases are the pipelines of the simulation: an operator that joins puts its own here.
func cases() []enginetest.Case {
	return []enginetest.Case{plain(), deduped(), numbered(), both()}
}

// plain writes all rows to one table, and to another by partition value.
func plain() enginetest.Case {
	return enginetest.Case{
		Name: "plain", Grows: true, Time: engine.EventTime{Column: "at", MaxDelay: time.Second},
		Tables: []engine.TablePlan{{Name: "all", From: enginetest.SourceName}, {Name: "by_id", From: enginetest.SourceName, PartitionBy: []string{"id"}}},
		Model: func(in enginetest.Input) enginetest.Outcome {
			out, rows := enginetest.Entered(in, true)
			for _, f := range rows {
				out.Tables["all"] = append(out.Tables["all"], row(f))
				out.Tables["by_id"] = append(out.Tables["by_id"], row(f))
			}
			return out
		},
	}
}

// numbered numbers the rows of each key twice, in two stages of lanes, and writes them by key: the order of rows matters
// all the way.
func numbered() enginetest.Case {
	number := engine.Step{Name: "number", Config: enginetest.Numbered{By: "id"}}
	again := engine.Step{Name: "again", Config: enginetest.Numbered{By: "id"}}
	return enginetest.Case{
		Name: "numbered", Grows: true,
		Streams: []engine.StreamPlan{{Name: "s", From: []string{enginetest.SourceName}, Steps: []engine.Step{number, again}}},
		Tables:  []engine.TablePlan{{Name: "t", From: "s", PartitionBy: []string{"id"}}},
		Model: func(in enginetest.Input) enginetest.Outcome {
			out, rows := enginetest.Entered(in, false) // a partition's parents come before it
			seen := map[string]int64{}
			for _, f := range rows {
				seen[f.ID]++
				at := "null"
				if f.Timed {
					at = stamp(f.At)
				}
				out.Tables["t"] = append(out.Tables["t"], fmt.Sprintf(`{"id":%q,"at":%s,"v":%d}`, f.ID, at, seen[f.ID]))
			}
			if len(rows) > 0 {
				out.Ledger["s"] = engine.Count{In: int64(len(rows)), Out: int64(len(rows))}
			}
			return out
		},
	}
}

const (
	within = 2 * time.Second
	delay  = 500 * time.Millisecond
)

// deduped keeps the first row of each key.
func deduped() enginetest.Case {
	c := enginetest.Case{
		Name: "deduped", Time: engine.EventTime{Column: "at", MaxDelay: delay},
		Streams: []engine.StreamPlan{{Name: "once", From: []string{enginetest.SourceName}, Steps: []engine.Step{{Name: "dedupe", Config: dedupe.Config{By: []string{"id"}, Within: within}}}}},
		Tables:  []engine.TablePlan{{Name: "first", From: "once"}},
	}
	c.Model = func(in enginetest.Input) enginetest.Outcome { return firsts(c, in) }
	return c
}

// both writes all rows to one table and the first of each key to two others.
func both() enginetest.Case {
	return beside(deduped(), "both")
}

// beside is a case of dedupe with all rows in a table, and the first of each key in one by partition value.
func beside(c enginetest.Case, name string) enginetest.Case {
	c.Name = name
	c.Tables = append(c.Tables, engine.TablePlan{Name: "all", From: enginetest.SourceName}, engine.TablePlan{Name: "by_id", From: "once", PartitionBy: []string{"id"}})
	c.Model = func(in enginetest.Input) enginetest.Outcome {
		out := firsts(c, in)
		out.Tables["by_id"] = append([]string(nil), out.Tables["first"]...)
		_, rows := enginetest.Entered(in, true)
		for _, f := range rows {
			out.Tables["all"] = append(out.Tables["all"], row(f))
		}
		return out
	}
	return c
}

// firsts is dedupe in the plainest way: of each key, what no kept row is near to that its partition's watermark still
// sees.
func firsts(c enginetest.Case, in enginetest.Input) enginetest.Outcome {
	out, rows := enginetest.Entered(in, true)
	kept, marks := map[string][]engine.Time{}, c.Marks(rows)
	var count engine.Count
	for i, f := range rows {
		mark, near := marks[i], false
		count.In++
		for _, k := range kept[f.ID] {
			near = near || k >= mark.Minus(within) && max(f.At-k, k-f.At) <= engine.Time(within.Microseconds())
		}
		if near {
			count.Duplicate++
			continue
		}
		count.Out++
		kept[f.ID] = append(kept[f.ID], f.At)
		out.Tables["first"] = append(out.Tables["first"], row(f))
	}
	if count != (engine.Count{}) {
		out.Ledger["once"] = count
	}
	return out
}

func row(f enginetest.Fact) string {
	return fmt.Sprintf(`{"id":%q,"at":%s,"v":%d}`, f.ID, stamp(f.At), f.V)
}

func stamp(at engine.Time) string { return at.Std().Format(`"2006-01-02T15:04:05.000000Z"`) }

// TestScriptComesBack: the text of a script makes the same script.
func TestScriptComesBack(t *testing.T) {
	const text = "records 40\ncrash-before 12 upto=30 seed=7\nkill-at 350ms upto=40 seed=0\nall-lost upto=40 seed=1\nrival-dies 3 2ms upto=100 seed=9"
	s, err := enginetest.ParseScript(text)
	if err != nil || s.String() != text {
		t.Errorf("%v becomes %s", err, s)
	}
	for _, wrong := range []string{"crash 3", "crash-after x", "kill-at 3q", "records many", "calm up=3"} {
		if s, err := enginetest.ParseScript(wrong); err == nil {
			t.Errorf("%q becomes %v", wrong, s)
		}
	}
}
