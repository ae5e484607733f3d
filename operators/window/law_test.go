package window

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/aggregate"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/enginetest"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
)

const (
	lawRuns    = 75
	mutantRuns = 300
)

// lawKinds are the windows of the law's cases. Event times there are some seconds apart and up to 5 s out of order.
func lawKinds() map[string]naiveKind {
	tumbling := func(size engine.Time) naiveKind {
		return cut(func(t engine.Time) (start, end engine.Time) { return t - t%size, t - t%size + size })
	}
	return map[string]naiveKind{
		"tumble: 4s":                   tumbling(4 * second),
		"hop: {size: 6s, every: 2s}":   hopping(6*second, 2*second),
		"hop: {size: 5s, every: 3s}":   hopping(5*second, 3*second),
		"hop: {size: 32s, every: 1s}":  hopping(32*second, second),
		"session: {gap: 3s}":           silent(3 * second),
		"minute: {zone: Asia/Kolkata}": tumbling(aMin),
		"all:":                         cut(func(engine.Time) (start, end engine.Time) { return engine.MinTime, engine.MaxTime }),
	}
}

func TestLaw(t *testing.T) {
	for yaml, kind := range lawKinds() {
		for name, delay := range map[string]time.Duration{"late": 1500 * time.Millisecond, "none late": 6 * time.Second} {
			t.Run(yaml+", "+name, func(t *testing.T) {
				t.Parallel()
				enginetest.Law(t, lawCase(lawConfig(yaml), kind, delay), lawRuns)
			})
		}
		t.Run(yaml+", reshards", func(t *testing.T) {
			t.Parallel()
			c := lawCase(lawConfig(yaml), kind, 1500*time.Millisecond)
			c.Reshards = true
			c.Model = func(in enginetest.Input) enginetest.Outcome { return model(c, kind, in) }
			enginetest.Law(t, c, lawRuns)
		})
	}
}

func lawConfig(yaml string) *Config {
	return optest.Decode(New(), yaml+`
by: id
aggregates:
  n: count()
  s: sum(v)
  m: median(v)
  f: sum(v / 10)
  l: last(v)
having: s % 2 = 0
`)
}

// TestLawChanges: a table in mode replace holds the results of the windows that are held, whatever the commits were.
func TestLawChanges(t *testing.T) {
	for yaml, kind := range lawKinds() {
		t.Run(yaml, func(t *testing.T) {
			t.Parallel()
			keep := 7 * time.Second
			if yaml == "all:" {
				keep = 0
			}
			config := lawConfig(yaml)
			config.Emit, config.Keep = atChange, keep
			c := lawCase(config, kind, 1500*time.Millisecond)
			c.Tables[0].Replace = true
			c.Model = func(in enginetest.Input) enginetest.Outcome {
				out, entered := enginetest.Entered(in, true)
				gone := c.Upto(len(in), entered).Minus(keep)
				rows := timely(c, &out, entered)
				for _, w := range kind.windowsOf(rows) {
					if row, even := w.lawRow(); even && w.end > gone {
						out.Tables["t"] = append(out.Tables["t"], row)
					}
				}
				if count := out.Ledger["s"]; len(entered) > 0 {
					count.In, count.Aggregated = int64(len(entered)), int64(len(rows))
					out.Ledger["s"] = count
				}
				return out
			}
			enginetest.Law(t, c, lawRuns)
		})
	}
}

// lawCase is one stream of one step, which has the meaning of the kind.
func lawCase(step engine.Config, kind naiveKind, delay time.Duration) enginetest.Case {
	c := enginetest.Case{
		Name:    "window",
		Time:    engine.EventTime{Column: "at", MaxDelay: delay},
		Streams: []engine.StreamPlan{{Name: "s", From: []string{enginetest.SourceName}, Steps: []engine.Step{{Name: "window", Config: step}}}},
		Tables:  []engine.TablePlan{{Name: "t", From: "s"}},
		Spread:  true,
	}
	c.Model = func(in enginetest.Input) enginetest.Outcome { return model(c, kind, in) }
	return c
}

func model(c enginetest.Case, kind naiveKind, in enginetest.Input) enginetest.Outcome {
	out, entered := enginetest.Entered(in, true)
	upto := c.Upto(len(in), entered)
	rows := timely(c, &out, entered)
	count := out.Ledger["s"]
	count.In, count.Aggregated = int64(len(entered)), int64(len(rows))
	for _, w := range kind.windowsOf(rows) {
		if w.end > upto {
			continue
		}
		count.Made++
		row, even := w.lawRow()
		if !even {
			count.Filtered++
			continue
		}
		count.Out++
		out.Tables["t"] = append(out.Tables["t"], row)
	}
	if count != (engine.Count{}) {
		out.Ledger["s"] = count
	}
	return out
}

// timely is the rows that come to the window.
func timely(c enginetest.Case, out *enginetest.Outcome, entered []enginetest.Fact) []fact {
	if c.Streams[0].Steps[0].Config.(engine.Waiting).Waits() {
		entered = c.Timely(out, "s", entered)
	}
	var facts []fact
	for _, f := range entered {
		facts = append(facts, fact{id: f.ID, v: f.V, at: f.At, partition: f.Partition, offset: f.Offset})
	}
	return facts
}

// lawRow is the window's row of a law's case.
func (w naiveWindow) lawRow() (row string, even bool) {
	values := make([]int64, len(w.rows))
	sum := int64(0)
	for i, r := range w.rows {
		values[i] = r.v
		sum += r.v
	}
	return fmt.Sprintf(`{"id":%q,%s"n":%d,"s":%d,"m":%s,"f":%s,"l":%d}`,
		w.id, w.bounds(), len(w.rows), sum, number(middle(values)), number(exact(values)), w.rows[len(w.rows)-1].v), sum%2 == 0
}

// Each of these breaks the operator in one place, from outside. The law must notice.

func TestLawCatches(t *testing.T) {
	for name, c := range map[string]struct {
		yaml   string
		mutant func(engine.Stateful) engine.Stateful
	}{
		"state not restored": {"tumble: 4s", func(o engine.Stateful) engine.Stateful { return restored{o, 4} }},
		"sessions not merged after restore": {"session: {gap: 3s}", func(o engine.Stateful) engine.Stateful {
			o.(*operator).store = apart{o.(*operator).store}
			return o
		}},
		"pane off by one": {"tumble: 4s", func(o engine.Stateful) engine.Stateful {
			p := o.(*operator).store.(*panes)
			p.spans = offByOne{p.spans}
			return o
		}},
		"watermark per batch": {"hop: {size: 6s, every: 2s}", func(o engine.Stateful) engine.Stateful {
			return promised{o, func(b *engine.Batch) engine.Time {
				upto := b.Upto
				for row := range b.Sel.All(b.Rows) {
					upto = max(upto, b.Mark[row])
				}
				return upto
			}}
		}},
		"a partition that is not waited for": {"session: {gap: 3s}", func(o engine.Stateful) engine.Stateful {
			return promised{o, func(b *engine.Batch) engine.Time { return b.Upto + 1500e3 }}
		}},
		"closed window opened again": {"tumble: 4s", func(o engine.Stateful) engine.Stateful {
			o.(*operator).store = reopening{o.(*operator).store}
			return o
		}},
		"float sum by arrival": {"hop: {size: 6s, every: 2s}", func(o engine.Stateful) engine.Stateful {
			op := o.(*operator)
			made := op.newState
			op.newState = func(i int) aggregate.State {
				if op.names[i] == "f" {
					return &arrival{}
				}
				return made(i)
			}
			return o
		}},
		"what has closed is not saved": {"hop: {size: 6s, every: 2s}", func(o engine.Stateful) engine.Stateful { return unmoved{o.(*operator)} }},
	} {
		t.Run(name, func(t *testing.T) {
			enginetest.Catches(t, lawCase(planted{lawConfig(c.yaml), c.mutant}, lawKinds()[c.yaml], 1500*time.Millisecond), mutantRuns, nil)
		})
	}
}

// planted is a window with a mutant around it.
type planted struct {
	*Config
	mutant func(engine.Stateful) engine.Stateful
}

func (p planted) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) {
	op, out, err := p.Config.Bind(in)
	return p.mutant(op.(engine.Stateful)), out, err
}

// restored loads only one slot of each so many.
type restored struct {
	engine.Stateful
	of int
}

func (r restored) Load(slot int, from io.Reader) error {
	if slot%r.of != 0 {
		return nil
	}
	return r.Stateful.Load(slot, from)
}

// promised shows the operator another promise than the lane's.
type promised struct {
	engine.Stateful
	upto func(*engine.Batch) engine.Time
}

func (p promised) Apply(ctx context.Context, in *engine.Batch, emit engine.Emit) error {
	lent := *in
	lent.Upto = p.upto(in)
	return p.Stateful.Apply(ctx, &lent, emit)
}

// arrival adds up doubles as they come.
type arrival struct{ sums []float64 }

func (a *arrival) Grow(n int) {
	for len(a.sums) < n {
		a.sums = append(a.sums, 0)
	}
}

func (a *arrival) Add(in *aggregate.Input, rows []int32, groups []uint32) {
	for i, row := range rows {
		a.sums[groups[i]] += in.Args[0].(*column.Doubles).Values[row]
	}
}

func (a *arrival) Merge(from aggregate.State, src, dst []uint32) {
	for i, g := range dst {
		a.sums[g] += from.(*arrival).sums[src[i]]
	}
}

func (a *arrival) Result(out column.Column, groups []uint32, _ func(int, string)) {
	for _, g := range groups {
		out.(*column.Doubles).Append(a.sums[g])
	}
}

func (a *arrival) Append(b []byte, group uint32, _ bool) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(a.sums[group]))
}

func (a *arrival) Load(b []byte, group uint32) ([]byte, error) {
	a.sums[group] = math.Float64frombits(binary.LittleEndian.Uint64(b))
	return b[8:], nil
}

func (a *arrival) Clear(group uint32) { a.sums[group] = 0 }
func (a *arrival) Reset()             { a.sums = a.sums[:0] }
func (a *arrival) Bytes() int64       { return 0 }

// unmoved does not say that windows have closed whose panes are held for others.
type unmoved struct{ *operator }

func (u unmoved) Save(slot int, w io.Writer) (whole bool, err error) {
	u.moved = false
	return u.operator.Save(slot, w)
}
