package engine_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/enginetest"
)

// lawRuns is how often each case runs. With those of the operators it makes up the law's runs of the suite.
const lawRuns = 400

func TestLawStateless(t *testing.T) { enginetest.Law(t, stateless(), lawRuns) }
func TestLawNumbered(t *testing.T)  { enginetest.Law(t, numbered(), lawRuns) }
func TestLawTwoStages(t *testing.T) { enginetest.Law(t, twoStages(), lawRuns) }

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
		Streams: []engine.StreamPlan{{Name: "s", From: enginetest.SourceName, Steps: []engine.Step{{Name: "number", Config: numberConfig{By: "id"}}}}},
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
	c.Streams[0].Steps = append(c.Streams[0].Steps, engine.Step{Name: "again", Config: numberConfig{By: "id"}})
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

// numberConfig replaces v by the row's number among those of its key.
type numberConfig struct{ By string }

func (c numberConfig) Keys() []string { return []string{c.By} }

func (c numberConfig) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) {
	return &number{v: in.Index("v"), counts: map[column.Key]int64{}, changed: map[column.Key]bool{}, coming: map[int]int64{}}, in, nil
}

type number struct {
	v       int
	counts  map[column.Key]int64
	changed map[column.Key]bool
	coming  map[int]int64 // bytes that Expect has promised and Load has not brought yet, by slot
	saves   int
}

func (n *number) Apply(_ context.Context, in *engine.Batch, emit engine.Emit) error {
	for slot, left := range n.coming {
		if left != 0 {
			return fmt.Errorf("slot %d: %d bytes of state were promised and did not come", slot, left)
		}
	}
	v := in.Arena.Column(column.Of(column.Long)).(*column.Longs)
	numbers := map[int]int64{}
	for row := range in.Sel.All(in.Rows) {
		n.counts[in.Keys[row]]++
		n.changed[in.Keys[row]] = true
		numbers[row] = n.counts[in.Keys[row]]
	}
	for row := range in.Rows {
		v.Append(numbers[row])
	}
	columns := append([]column.Column(nil), in.Columns...)
	columns[n.v] = v
	return emit.Rows(in.With(in.Schema, columns))
}

func (n *number) Save(slot int, w io.Writer) (whole bool, err error) {
	n.saves++
	whole = n.saves%3 == 0
	for k, count := range n.counts {
		if k.Slot() == slot && (whole || n.changed[k]) {
			delete(n.changed, k)
			if err := binary.Write(w, binary.LittleEndian, []uint64{k.Hi, k.Lo, uint64(count)}); err != nil {
				return false, err
			}
		}
	}
	return whole, nil
}

func (n *number) Expect(slot int, size int64) { n.coming[slot] += size }

func (n *number) Load(slot int, r io.Reader) error {
	for {
		var x [3]uint64
		switch err := binary.Read(r, binary.LittleEndian, &x); err {
		case nil:
			n.coming[slot] -= int64(binary.Size(x))
			n.counts[column.Key{Hi: x[0], Lo: x[1]}] = int64(x[2])
		case io.EOF:
			return nil
		default:
			return err
		}
	}
}
