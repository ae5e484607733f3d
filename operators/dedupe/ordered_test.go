package dedupe

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
)

// A waiter is a row in the oracle of event time: where it comes from, and what it has.
type waiter struct {
	key    column.Key
	at     engine.Time
	origin int // in origins
	offset engine.Offset
	v      int64
	note   string
}

func (w waiter) String() string {
	return fmt.Sprintf("%d/%d at %d of %x: %d %q", w.origin, w.offset, w.at, w.key.Hi, w.v, w.note)
}

// origins are in the order in which they settle a tie.
var origins = []engine.PartitionID{{}, {Source: "a", Partition: "9"}, {Source: "a", Partition: "10"}, {Source: "b", Partition: "0"}}

// firsts is the operator as its documentation has it: it sorts all rows before upto and looks at each.
func firsts(all []waiter, upto engine.Time, within time.Duration) (kept []waiter, duplicates int) {
	all = slices.DeleteFunc(slices.Clone(all), func(w waiter) bool { return w.at >= upto && upto != engine.MaxTime })
	slices.SortFunc(all, func(a, b waiter) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.origin, b.origin), cmp.Compare(a.offset, b.offset), cmp.Compare(a.v, b.v), cmp.Compare(a.note, b.note))
	})
	for _, w := range all {
		if slices.ContainsFunc(kept, func(k waiter) bool { return k.key == w.key && apart(k.at, w.at) <= within }) {
			duplicates++
			continue
		}
		kept = append(kept, w)
	}
	return kept, duplicates
}

// A drama is an input for the oracle of event time, and what happens meanwhile.
type drama struct {
	within time.Duration
	slack  int
	lanes  int
	acts   []act
	final  bool // all input ends
}

type act struct {
	origin int
	rows   []waiter // their times are those after the partition's watermark; below 0: the end of time
	on     time.Duration
	then   string // "", "save", "restart"
	lanes  int    // after a restart
}

var waitSchema = optest.Schema("v: long, note: string, tags: array<string>")

func dramas() *rapid.Generator[drama] {
	row := rapid.Custom(func(t *rapid.T) waiter {
		slot := rapid.SampledFrom([]uint64{0, 7, 255}).Draw(t, "slot")
		return waiter{
			key:  column.Key{Hi: slot<<56 | rapid.Uint64Range(0, 2).Draw(t, "hi"), Lo: rapid.SampledFrom([]uint64{0, 1, ^uint64(0)}).Draw(t, "lo")},
			at:   engine.Time(rapid.IntRange(-1, 24).Draw(t, "at")) * engine.Time(grain.Microseconds()),
			v:    rapid.Int64Range(0, 1).Draw(t, "v"),
			note: rapid.SampledFrom([]string{"", "x", "a longer one"}).Draw(t, "note"),
		}
	})
	return rapid.Custom(func(t *rapid.T) drama {
		p := drama{
			within: time.Duration(rapid.IntRange(1, 8).Draw(t, "within")) * time.Millisecond,
			slack:  rapid.SampledFrom([]int{-1000, 0, 3, 1000}).Draw(t, "slack"),
			lanes:  rapid.IntRange(1, 4).Draw(t, "lanes"),
			final:  rapid.Bool().Draw(t, "final"),
		}
		for range rapid.IntRange(1, 16).Draw(t, "acts") {
			p.acts = append(p.acts, act{
				origin: rapid.IntRange(0, len(origins)-1).Draw(t, "origin"),
				rows:   rapid.SliceOfN(row, 0, 12).Draw(t, "rows"),
				on:     time.Duration(rapid.IntRange(0, 12).Draw(t, "on")) * grain,
				then:   rapid.SampledFrom([]string{"", "", "save", "save", "restart"}).Draw(t, "then"),
				lanes:  rapid.IntRange(1, 4).Draw(t, "lanes"),
			})
		}
		return p
	})
}

// A stage plays on lanes, each of which has an operator for its slots. The mutants are planted around them.
type stage struct {
	drama
	mutant string
	ops    []*ordered
	chain  [column.Slots][][]byte
	marks  []engine.Time // promise of each origin
	next   []engine.Offset
	kept   []waiter // all that has left
	count  engine.Count
	upto   engine.Time
}

func (s *stage) bind(lanes int) {
	s.ops = nil
	for range lanes {
		op, _, err := Config{By: []string{"v"}, Within: s.within, Order: eventTime}.Bind(waitSchema)
		if err != nil {
			panic(err)
		}
		o := op.(*ordered)
		o.held.slack = s.slack
		s.ops = append(s.ops, o)
	}
}

// run plays, and after each batch compares all that has left so far with what should have.
func (p drama) run(mutant string) error {
	s := &stage{drama: p, mutant: mutant, next: make([]engine.Offset, len(origins)), upto: engine.MinTime}
	for range origins {
		s.marks = append(s.marks, 0)
	}
	s.bind(p.lanes)
	var all []waiter
	acts := p.acts
	if p.final { // the end may come twice
		acts = append(slices.Clone(acts), act{})
	}
	for i, a := range acts {
		all = append(all, s.come(&a)...)
		s.marks[a.origin] += engine.Time(a.on.Microseconds())
		upto := slices.Min(s.marks)
		if p.final && i >= len(p.acts)-1 {
			upto = engine.MaxTime
		}
		if err := s.apply(a, upto); err != nil {
			return fmt.Errorf("act %d: %w", i, err)
		}
		want, duplicates := firsts(all, upto, p.within)
		if got := bag(s.kept); !maps.Equal(got, bag(want)) {
			return fmt.Errorf("act %d, time %d: left\n%v\nexpected\n%v", i, upto, s.kept, want)
		}
		if s.count.Duplicate != int64(duplicates) {
			return fmt.Errorf("act %d: %d duplicates, expected %d", i, s.count.Duplicate, duplicates)
		}
		if err := s.then(a); err != nil {
			return fmt.Errorf("act %d: %w", i, err)
		}
	}
	return nil
}

// bag counts rows, whose keys are not seen when they leave.
func bag(all []waiter) map[waiter]int {
	n := map[waiter]int{}
	for _, w := range all {
		w.key = column.Key{}
		n[w]++
	}
	return n
}

// come gives rows their place. Rows without a position have times and values alone.
func (s *stage) come(a *act) []waiter {
	for i := range a.rows {
		w := &a.rows[i]
		w.origin = a.origin
		if w.at < 0 {
			w.at = engine.MaxTime
		} else {
			w.at += s.marks[a.origin]
		}
		if origins[a.origin] != (engine.PartitionID{}) {
			w.offset = s.next[a.origin]
			s.next[a.origin] += engine.Offset(i % 2) // two rows of a record now and then
		}
	}
	return a.rows
}

func (s *stage) apply(a act, upto engine.Time) error {
	lanes := make([]*engine.Batch, len(s.ops))
	for i := range lanes {
		b := &engine.Batch{Schema: waitSchema, Keys: []column.Key{}, Upto: upto, Origin: origins[a.origin], Arena: column.NewArena(), Barrier: 1}
		for _, f := range waitSchema {
			b.Columns = append(b.Columns, column.New(f.Type))
		}
		switch s.mutant {
		case "time of the sender":
			b.Upto = s.marks[a.origin]
		case "a moment too soon":
			b.Upto = upto.Minus(-time.Microsecond)
		}
		lanes[i] = b
	}
	for _, w := range a.rows {
		b := lanes[w.key.Slot()*len(lanes)/column.Slots]
		b.Rows++
		b.Keys, b.At, b.Mark = append(b.Keys, w.key), append(b.At, w.at), append(b.Mark, s.marks[a.origin])
		b.Offset = append(b.Offset, w.offset)
		b.Columns[0].(*column.Longs).Append(w.v)
		b.Columns[1].(*column.Texts).AppendString(w.note)
		tags := b.Columns[2].(*column.List)
		if w.note == "" {
			tags.AppendNull()
		} else {
			for _, word := range bytes.Fields([]byte(w.note)) {
				tags.Elem.(*column.Texts).Append(word)
			}
			tags.Close()
		}
	}
	for i, op := range s.ops {
		e := &exits{stage: s, before: s.upto, in: lanes[i]}
		if err := op.Apply(context.Background(), lanes[i], e); err != nil {
			return err
		}
		if e.fault == "" && (e.last.Upto != lanes[i].Upto || e.last.Barrier != 1) {
			e.fault = fmt.Sprintf("the last batch has Upto %d and barrier %d", e.last.Upto, e.last.Barrier)
		}
		if e.fault != "" {
			return fmt.Errorf("lane %d: %s", i, e.fault)
		}
	}
	s.upto = upto
	return nil
}

// exits takes what leaves.
type exits struct {
	optest.Discard
	stage  *stage
	before engine.Time
	in     *engine.Batch
	last   *engine.Batch
	fault  string
}

func (e *exits) Drop(_ engine.DropReason, n int) { e.stage.count.Duplicate += int64(n) }

func (e *exits) Rows(b *engine.Batch) error {
	if e.last != nil && (e.last.Upto > e.before || e.last.Barrier != 0) {
		e.fault = fmt.Sprintf("a batch of Upto %d and barrier %d is not the last", e.last.Upto, e.last.Barrier)
	}
	e.last = b
	for row := range b.Sel.All(b.Rows) {
		w := waiter{at: b.At[row], origin: slices.Index(origins, b.Origin), offset: b.Offset[row]}
		w.v, w.note = b.Columns[0].(*column.Longs).Values[row], string(b.Columns[1].(*column.Texts).At(row))
		if b.Mark[row] != engine.MinTime || w.at < e.before && e.stage.mutant == "" {
			e.fault = fmt.Sprintf("row %v has mark %d after a promise of %d", w, b.Mark[row], e.before)
		}
		e.stage.kept = append(e.stage.kept, w)
	}
	return nil
}

func (s *stage) then(a act) error {
	if a.then == "" {
		return nil
	}
	for slot := range s.chain {
		var b bytes.Buffer
		whole, err := s.ops[slot*len(s.ops)/column.Slots].Save(slot, &b)
		if err != nil {
			return err
		}
		if whole {
			s.chain[slot] = nil
		}
		if whole || b.Len() > 0 {
			s.chain[slot] = append(s.chain[slot], b.Bytes())
		}
	}
	if a.then == "restart" {
		s.bind(a.lanes)
		return s.load()
	}
	return nil
}

func (s *stage) load() error {
	for slot, sections := range s.chain {
		switch {
		case s.mutant == "state not restored":
			sections = nil
		case s.mutant == "the last section lost" && len(sections) > 0:
			sections = sections[:len(sections)-1]
		}
		op := s.ops[slot*len(s.ops)/column.Slots]
		if size := len(bytes.Join(sections, nil)); size > 0 {
			op.Expect(slot, int64(size))
		}
		for _, data := range sections {
			if err := op.Load(slot, bytes.NewReader(data)); err != nil {
				return err
			}
		}
	}
	for i, op := range s.ops {
		sum := 0
		for slot := range op.shares {
			sum += op.shares[slot].held
		}
		if sum != op.held.count {
			return fmt.Errorf("lane %d holds %d rows after a load, its slots %d", i, op.held.count, sum)
		}
	}
	return nil
}

func TestOrderedOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if err := dramas().Draw(t, "drama").run(""); err != nil {
			t.Fatal(err)
		}
	})
}

// TestOrderedOracleCatchesMutants plants what would break the law around the operator: the oracle must see each.
func TestOrderedOracleCatchesMutants(t *testing.T) {
	for _, mutant := range []string{"time of the sender", "a moment too soon", "state not restored", "the last section lost"} {
		t.Run(mutant, func(t *testing.T) {
			for seed := range 300 {
				if err := dramas().Example(seed).run(mutant); err != nil {
					t.Logf("caught by drama %d: %v", seed, err)
					return
				}
			}
			t.Error("the mutant survived")
		})
	}
}
