package engine_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/enginetest"
)

// patient waits for time and does nothing else: late rows must not come to it.
type patient struct{}

func (patient) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) {
	return patient{}, in, nil
}
func (patient) Waits() bool { return true }

func (patient) Apply(_ context.Context, in *engine.Batch, emit engine.Emit) error {
	for row := range in.Sel.All(in.Rows) {
		if in.At[row] < in.Mark[row] {
			return fmt.Errorf("row %d is late", row)
		}
	}
	return emit.Rows(in)
}

// late is a stream that waits behind one that does not: its rows have crossed an exchange, and those that are late are in
// the first one's table and not in the second one's.
func late(reshards bool) enginetest.Case {
	c := enginetest.Case{
		Name: "late",
		Time: engine.EventTime{Column: "at", MaxDelay: time.Second},
		Streams: []engine.StreamPlan{
			{Name: "s", From: []string{enginetest.SourceName}, Steps: []engine.Step{{Name: "number", Config: enginetest.Numbered{By: "id"}}}, Schema: enginetest.InputSchema},
			{Name: "w", From: []string{"s"}, Steps: []engine.Step{{Name: "patient", Config: patient{}}}, Schema: enginetest.InputSchema},
		},
		Tables: []engine.TablePlan{{Name: "t", From: "s"}, {Name: "u", From: "w", PartitionBy: []string{"id"}}},
	}
	if c.Reshards = reshards; reshards {
		c.Name, c.Spread = "late reshards", true
		c.Streams[0].Steps = nil // numbers would tell how partitions took turns
	}
	c.Model = func(in enginetest.Input) enginetest.Outcome {
		out, rows := enginetest.Entered(in, true)
		seen := map[string]int64{}
		for i := range rows {
			f := &rows[i]
			if seen[f.ID]++; !reshards {
				f.V = seen[f.ID]
			}
			out.Tables["t"] = append(out.Tables["t"], rowOf(*f))
		}
		timely := c.Timely(&out, "w", rows)
		for _, f := range timely {
			out.Tables["u"] = append(out.Tables["u"], rowOf(f))
		}
		if n := int64(len(rows)); n > 0 {
			out.Ledger["s"] = engine.Count{In: n, Out: n}
			count := out.Ledger["w"]
			count.Out = int64(len(timely))
			count.Quarantined = 0
			out.Ledger["w"] = count
		}
		return out
	}
	return c
}

func rowOf(f enginetest.Fact) string {
	return fmt.Sprintf(`{"id":%q,"at":%q,"v":%d}`, f.ID, stamp(f.At), f.V)
}

func TestLawLate(t *testing.T) {
	t.Parallel()
	enginetest.Law(t, late(false), lawRuns)
}

// TestLawReshards: partitions are split and merged, and the watermark of a parent is where its children's begins.
func TestLawReshards(t *testing.T) {
	t.Parallel()
	enginetest.Law(t, late(true), lawRuns)
}

// TestLateRowsInLedgerOfQuarantine: what commits to the quarantine table say that it holds, which "table verify" compares with
// its rows, counts late rows unless they were dropped.
func TestLateRowsInLedgerOfQuarantine(t *testing.T) {
	values := [][]byte{enginetest.Row("a", 85e6, 1), []byte("this is no row"), enginetest.Row("late", 30e6, 1)}
	for name, c := range map[string]struct {
		drop bool
		want int64
	}{"quarantined": {false, 2}, "dropped": {true, 1}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := untimely(values, engine.EventTime{MaxDelay: 30 * time.Second, DropLate: c.drop})
				bad := &told{Table: enginetest.NewTable(r.store, "bad")}
				ports := r.ports("t", "bad")
				ports.Tables["bad"] = bad
				task, err := engine.NewTask(&r.plan, ports, r.opt)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := task.Run(t.Context()); err != nil {
					t.Fatal(err)
				}
				rows, err := bad.Rows(t.Context())
				if err != nil || int64(len(rows)) != c.want || bad.last.Ledger.Out != c.want {
					t.Errorf("the table has %d rows, %v, and its last commit says %d; want %d", len(rows), err, bad.last.Ledger.Out, c.want)
				}
			})
		})
	}
}

// told is a table that keeps what its last commit was told.
type told struct {
	*enginetest.Table
	last engine.CommitInfo
}

func (t *told) Commit(ctx context.Context, p engine.Prepared, info engine.CommitInfo) (int64, error) {
	t.last = info
	return t.Table.Commit(ctx, p, info)
}

// TestCatchesWatermarksMoved: a checkpoint that does not keep where event time was lets late rows in, or keeps others out.
func TestCatchesWatermarksMoved(t *testing.T) {
	for name, by := range map[string]engine.Time{"back": -1e6, "ahead": 1e6} {
		t.Run(name, func(t *testing.T) {
			enginetest.Catches(t, late(false), mutantRuns, func(r *enginetest.Rig) {
				r.Ports.Checkpoints = enginetest.Rewriting{Checkpoints: r.Ports.Checkpoints, Change: func(c *engine.Checkpoint) {
					for i := range c.Partitions {
						if p := &c.Partitions[i]; p.Watermark != engine.MinTime {
							p.Watermark += by
						}
					}
				}}
			})
		})
	}
}

// TestCatchesOrphans: a partition that does not wait for its parents begins before all time and holds it back, or closes
// it, as it does not in another run.
func TestCatchesOrphans(t *testing.T) {
	enginetest.Catches(t, late(true), mutantRuns, func(r *enginetest.Rig) {
		r.Ports.Sources[enginetest.SourceName] = orphaned{r.Ports.Sources[enginetest.SourceName].(*enginetest.Shards)}
	})
}

type orphaned struct{ *enginetest.Shards }

func (o orphaned) Partitions(ctx context.Context) ([]engine.Partition, error) {
	all, err := o.Shards.Partitions(ctx)
	for i := range all {
		all[i].Parents = nil
	}
	return all, err
}

// TestCatchesWatermarkOfParentsLost: a child whose event time begins anew lets rows in that are late.
func TestCatchesWatermarkOfParentsLost(t *testing.T) {
	enginetest.Catches(t, late(true), mutantRuns, func(r *enginetest.Rig) {
		r.Ports.Checkpoints = enginetest.Rewriting{Checkpoints: r.Ports.Checkpoints, Change: func(c *engine.Checkpoint) {
			for i := range c.Partitions {
				if p := &c.Partitions[i]; p.Next == 0 {
					p.Watermark = engine.MinTime
				}
			}
		}}
	})
}
