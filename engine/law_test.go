package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/enginetest"
)

// lawRuns is how often each case runs. With those of the operators it makes up the law's runs of the suite.
const lawRuns = 400

func TestLawStateless(t *testing.T) {
	t.Parallel()
	enginetest.Law(t, stateless(), lawRuns)
}

func TestLawNumbered(t *testing.T) {
	t.Parallel()
	enginetest.Law(t, numbered(), lawRuns)
}

func TestLawTwoStages(t *testing.T) {
	t.Parallel()
	enginetest.Law(t, twoStages(), lawRuns)
}

// stateless writes every row to one table, and every row to another by partition value.
func stateless() enginetest.Case {
	return enginetest.Case{
		Name: "stateless",
		Time: engine.EventTime{Column: "at", MaxDelay: time.Second},
		Tables: []engine.TablePlan{
			{Name: "all", From: enginetest.SourceName},
			{Name: "by_id", From: enginetest.SourceName, PartitionBy: []string{"id"}},
		},
		Model: func(in enginetest.Input) enginetest.Outcome {
			out, rows := enginetest.Entered(in, true)
			for _, f := range rows {
				row := fmt.Sprintf(`{"id":%q,"at":%q,"v":%d}`, f.ID, stamp(f.At), f.V)
				out.Tables["all"] = append(out.Tables["all"], row)
				out.Tables["by_id"] = append(out.Tables["by_id"], row)
			}
			return out
		},
	}
}

// numbered numbers the rows of each key in order: the plainest operator with state.
func numbered() enginetest.Case {
	return enginetest.Case{
		Name:    "numbered",
		Streams: []engine.StreamPlan{{Name: "s", From: []string{enginetest.SourceName}, Steps: []engine.Step{{Name: "number", Config: enginetest.Numbered{By: "id"}}}}},
		Tables:  []engine.TablePlan{{Name: "t", From: "s"}},
		Model: func(in enginetest.Input) enginetest.Outcome {
			out, rows := enginetest.Entered(in, false)
			seen := map[string]int{}
			for _, f := range rows {
				seen[f.ID]++
				out.Tables["t"] = append(out.Tables["t"], fmt.Sprintf(`{"id":%q,"at":%s,"v":%d}`, f.ID, timed(f), seen[f.ID]))
			}
			out.Ledger["s"] = engine.Count{In: int64(len(rows)), Out: int64(len(rows))}
			return tidy(out)
		},
	}
}

// twoStages numbers twice, so that rows pass two exchanges, and then writes a partitioned table.
func twoStages() enginetest.Case {
	c := numbered()
	c.Name = "two stages"
	c.Streams[0].Steps = append(c.Streams[0].Steps, engine.Step{Name: "again", Config: enginetest.Numbered{By: "id"}})
	c.Tables[0].PartitionBy = []string{"id"}
	return c
}

func tidy(out enginetest.Outcome) enginetest.Outcome {
	if out.Ledger["s"] == (engine.Count{}) {
		delete(out.Ledger, "s")
	}
	return out
}

func stamp(at engine.Time) string { return at.Std().Format("2006-01-02T15:04:05.000000Z") }

func timed(f enginetest.Fact) string {
	if !f.Timed {
		return "null"
	}
	return fmt.Sprintf("%q", stamp(f.At))
}
