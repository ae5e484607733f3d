package window

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
)

// A kindCase is a kind of window, and the naive program for it.
type kindCase struct {
	yaml  string
	grain engine.Time // event times are multiples of it
	naive naiveKind
}

// clock is where event times of scripts begin: a day before the clocks of Europe are put back.
var clock = engine.TimeOf(mustTime("2024-10-26T00:30:00Z"))

const (
	second = engine.Time(1e6)
	aMin   = 60 * second
	anHour = 60 * aMin
	aDay   = 24 * anHour
)

var kindCases = sync.OnceValue(func() []kindCase {
	tumbling := func(size engine.Time) naiveKind {
		return cut(func(t engine.Time) (start, end engine.Time) { return t - t%size, t - t%size + size })
	}
	berlin := func(unit string) naiveKind {
		return cut(watched(unit, "Europe/Berlin", clock-20*aDay, clock+1500*aDay))
	}
	return []kindCase{
		{"tumble: 4s", second, tumbling(4 * second)},
		{"hop: {size: 6s, every: 2s}", second, hopping(6*second, 2*second)},
		{"hop: {size: 5s, every: 3s}", second, hopping(5*second, 3*second)},
		{"hop: {size: 4s, every: 4s}", second, tumbling(4 * second)},
		{"hop: {size: 40s, every: 2s}", second, hopping(40*second, 2*second)},
		{"hop: {size: 130s, every: 1s}", second, hopping(130*second, second)},
		{"session: {gap: 3s}", second, silent(3 * second)},
		{"session: {gap: 3s}", second / 2, silent(3 * second)},
		{"hour: {zone: Europe/Berlin}", 20 * aMin, berlin("hour")},
		{"day: {zone: Europe/Berlin}", 5 * anHour, berlin("day")},
		{"week: {zone: Europe/Berlin}", 10 * anHour, berlin("week")},
		{"all:", second, cut(func(engine.Time) (start, end engine.Time) { return engine.MinTime, engine.MaxTime })},
	}
})

// A play is one run of a script of random choices over lanes that own shares of the slots, which are saved now and then, and
// made anew in another number from what was saved.
type play struct {
	rnd     *rand.Rand
	kind    kindCase
	changes bool
	keep    engine.Time
	having  bool
	final   bool
	plant   func(*operator)

	lanes  []*operator
	chain  [column.Slots][][]byte
	marks  [3]engine.Time // by partition
	next   [3]engine.Offset
	now    engine.Time
	delay  engine.Time
	facts  []fact
	upto   engine.Time
	passed []engine.Time // of Upto, in changes
	got    record
}

// A record is an engine.Emit that keeps what it is given.
type record struct {
	engine.Count
	rows, wrong []string
	last        *engine.Batch
}

func (r *record) Rows(b *engine.Batch) error {
	for row := range b.Sel.All(b.Rows) {
		r.rows = append(r.rows, string(column.AppendRowJSON(nil, b.Schema, b.Columns, row)))
	}
	r.Out += int64(b.Count())
	r.last = b
	return nil
}

func (r *record) Drop(reason engine.DropReason, rows int) {
	if reason == engine.Aggregated {
		r.Aggregated += int64(rows)
	} else {
		r.Filtered += int64(rows)
	}
}

func (r *record) Made(rows int) { r.Count.Made += int64(rows) }

func (r *record) Quarantine(b *engine.Batch, row int, reason engine.Reason, col, _ string) {
	r.Quarantined++
	r.wrong = append(r.wrong, fmt.Sprint(reason, " ", col, " ", string(column.AppendRowJSON(nil, b.Schema, b.Columns, row))))
}

func newPlay(seed uint64, plant func(*operator)) *play {
	p := &play{rnd: rand.New(rand.NewPCG(seed, 7)), plant: plant, now: clock, upto: engine.MinTime}
	kinds := kindCases()
	p.kind = kinds[p.rnd.IntN(len(kinds))]
	p.having = p.rnd.IntN(3) == 0
	p.final = p.rnd.IntN(2) == 0
	if p.changes = p.rnd.IntN(3) == 0; p.changes && p.kind.yaml != "all:" {
		p.keep = engine.Time(p.rnd.IntN(6)) * p.kind.grain
	}
	p.delay = engine.Time(p.rnd.IntN(8)) * p.kind.grain
	for i := range p.marks {
		p.marks[i] = engine.MinTime
	}
	p.start()
	return p
}

func (p *play) config() *Config {
	yaml := p.kind.yaml + yamlAggregates + "by: id\n"
	if p.having {
		yaml += "having: n > 1\n"
	}
	if p.changes {
		yaml += fmt.Sprintf("emit: changes\nkeep: %dms\n", p.keep/1000)
	}
	return optest.Decode(New(), yaml)
}

// start makes lanes that go on from what was saved.
func (p *play) start() {
	p.lanes = nil
	for range 1 + p.rnd.IntN(4) {
		op, _, err := p.config().Bind(optest.Schema(factSchema))
		if err != nil {
			panic(err)
		}
		o := op.(*operator)
		if p.plant != nil {
			p.plant(o)
		}
		p.lanes = append(p.lanes, o)
	}
	for slot, sections := range p.chain {
		for _, s := range sections {
			if err := p.laneOf(slot).Load(slot, bytes.NewReader(s)); err != nil {
				panic(err)
			}
		}
	}
}

func (p *play) laneOf(slot int) *operator { return p.lanes[slot*len(p.lanes)/column.Slots] }

func (p *play) save() {
	for slot := range p.chain {
		var b bytes.Buffer
		whole, err := p.laneOf(slot).Save(slot, &b)
		if err != nil {
			panic(err)
		}
		if whole {
			p.chain[slot] = nil
		}
		if whole || b.Len() > 0 {
			p.chain[slot] = append(p.chain[slot], b.Bytes())
		}
	}
}

// fact makes a row of a partition that is not late.
func (p *play) fact(partition int) (f fact, ok bool) {
	p.now += engine.Time(p.rnd.IntN(4)) * p.kind.grain
	if p.rnd.IntN(40) == 0 {
		p.now += engine.Time(p.rnd.IntN(50)) * p.kind.grain
	}
	f = fact{
		id: string(rune('a' + p.rnd.IntN(5))), null: p.rnd.IntN(6) == 0, v: p.rnd.Int64N(20), x: []float64{0.1, 1e17, -1e17, 3}[p.rnd.IntN(4)],
		at: p.now - engine.Time(p.rnd.IntN(10))*p.kind.grain, partition: partition, offset: p.next[partition],
	}
	if p.rnd.IntN(8) == 0 {
		f.v = math.MaxInt64 - f.v
	}
	p.next[partition]++
	return f, f.at >= p.marks[partition]
}

// batch makes a batch and what the naive program sees of it.
func (p *play) batch() *engine.Batch {
	partition := p.rnd.IntN(len(p.marks))
	var facts []fact
	var texts []string
	for range p.rnd.IntN(12) {
		if f, ok := p.fact(partition); ok {
			facts, texts = append(facts, f), append(texts, f.json())
			p.marks[partition] = max(p.marks[partition], f.at-p.delay)
		}
	}
	b := optest.Batch(optest.Schema(factSchema), texts...)
	b.Origin.Partition = fmt.Sprint(partition)
	for i, f := range facts {
		b.At[i], b.Offset[i] = f.at, f.offset
	}
	p.facts = append(p.facts, facts...)
	p.upto = min(p.marks[0], p.marks[1], p.marks[2])
	return b
}

// apply gives each lane its rows.
func (p *play) apply(b *engine.Batch, barrier engine.Epoch) {
	keys := make([]column.Key, b.Rows)
	column.NewHasher(99).Keys(keys, b.Columns[:1], nil, b.Rows)
	for i, o := range p.lanes {
		lent := *b
		lent.Upto, lent.Barrier, lent.Keys, lent.Sel = p.upto, barrier, keys, column.Selection{}
		for row, k := range keys {
			if k.Slot()*len(p.lanes)/column.Slots == i {
				lent.Sel = append(lent.Sel, int32(row))
			}
		}
		if err := o.Apply(context.Background(), &lent, &p.got); err != nil {
			panic(err)
		}
		if p.got.last.Upto != p.upto || p.got.last.Barrier != barrier || p.got.last.Rows != 0 {
			panic(fmt.Sprint("the last batch passes on ", p.got.last.Upto, p.got.last.Barrier))
		}
	}
	if p.passed = append(p.passed, p.upto); p.upto == engine.MaxTime {
		p.passed = p.passed[:len(p.passed)-1]
	}
}

// run plays it, and says how what came of it differs from what the naive program says.
func (p *play) run() error {
	for range 1 + p.rnd.IntN(30) {
		if p.changes {
			p.got.rows = nil
		}
		barrier := engine.Epoch(p.rnd.IntN(3) / 2)
		p.apply(p.batch(), barrier)
		if p.changes && barrier != 0 {
			if err := p.compare("shown", p.shown(), p.got.rows); err != nil {
				return err
			}
		}
		switch p.rnd.IntN(6) {
		case 0, 1:
			p.save()
		case 2:
			p.save()
			p.start()
		}
	}
	if p.changes {
		p.got.rows = nil
	}
	if p.final {
		p.upto = engine.MaxTime
	}
	p.apply(optest.Batch(optest.Schema(factSchema)), 1)
	return p.check()
}

func (p *play) check() error {
	want := p.shown
	if !p.changes {
		want = p.closed
	}
	if err := p.compare("rows", want(), p.got.rows); err != nil {
		return err
	}
	if err := p.compare("quarantine", p.wrong(), p.got.wrong); err != nil {
		return err
	}
	p.got.In = int64(len(p.facts))
	if held := p.got.Held(); held != 0 && !p.changes {
		return fmt.Errorf("the ledger is out by %d: %+v", held, p.got.Count)
	}
	return nil
}

func (p *play) compare(what string, want, got []string) error {
	if diff := cmp.Diff(strings.Split(sortedLines(want), "\n"), strings.Split(sortedLines(got), "\n")); diff != "" {
		return fmt.Errorf("%s, changes %v, keep %d: %s (-want +got):\n%s", p.kind.yaml, p.changes, p.keep, what, diff)
	}
	return nil
}

// good is the rows that every aggregate has a value for.
func (p *play) good() []fact {
	return slices.DeleteFunc(slices.Clone(p.facts), fact.bad)
}

// closed is the results of the windows that time has passed.
func (p *play) closed() []string {
	var rows []string
	for _, w := range p.kind.naive.windowsOf(p.good()) {
		if row, failed := w.result(); w.end <= p.upto && !failed && (!p.having || len(w.rows) > 1) {
			rows = append(rows, row)
		}
	}
	return rows
}

// gone is the time that windows are no longer held from.
func (p *play) gone() engine.Time {
	newest := engine.MinTime
	for _, t := range p.passed {
		newest = max(newest, t)
	}
	if newest == engine.MinTime {
		return newest
	}
	return newest - p.keep
}

// shown is the results of the windows that are held.
func (p *play) shown() []string {
	var rows []string
	for _, w := range p.kind.naive.windowsOf(p.good()) {
		if row, failed := w.result(); w.end > p.gone() && !failed && (!p.having || len(w.rows) > 1) {
			rows = append(rows, row)
		}
	}
	return rows
}

// wrong is what must be in quarantine.
func (p *play) wrong() []string {
	var all []string
	for _, f := range p.facts {
		if f.bad() {
			all = append(all, "eval q "+f.json())
		}
	}
	until := p.upto
	if p.changes && !p.final {
		until = p.gone()
	}
	for _, w := range p.kind.naive.windowsOf(p.good()) {
		if row, failed := w.result(); failed && w.end <= until {
			all = append(all, "eval s "+row)
		}
	}
	return all
}

const oracleRuns = 500

func TestOracle(t *testing.T) {
	const parts = 4
	for part := range uint64(parts) {
		t.Run(fmt.Sprint(part), func(t *testing.T) {
			t.Parallel()
			for seed := part; seed < oracleRuns; seed += parts {
				if err := newPlay(seed, nil).run(); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
		})
	}
}

// TestOracleCatchesMutants plants what is easily got wrong: the oracle must see each.
func TestOracleCatchesMutants(t *testing.T) {
	for name, plant := range map[string]func(o *operator){
		"pane off by one": func(o *operator) {
			if p, ok := o.store.(*panes); ok {
				p.spans = offByOne{p.spans}
			}
		},
		"windows begin at the first row": func(o *operator) {
			if p, ok := o.store.(*panes); ok && p.hop.pane > 0 {
				p.spans = unaligned{p.hop.pane}
			}
		},
		"sessions not merged after restore": func(o *operator) { o.store = apart{o.store} },
		"state not restored":                func(o *operator) { o.store = &forgetful{store: o.store} },
		"a session ends at its last row": func(o *operator) {
			if s, ok := o.store.(*sessions); ok {
				s.gap--
			}
		},
		"closed window opened again": func(o *operator) { o.store = reopening{o.store} },
		"a filter that is not asked": func(o *operator) { o.aggregates[2] = o.aggregates[4] },
		"closes at the newest row":   func(o *operator) { o.store = &hasty{store: o.store, op: o} },
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(200) {
				if err := caught(seed, plant); err != nil {
					t.Logf("caught by seed %d: %s", seed, strings.SplitN(err.Error(), "\n", 2)[0])
					return
				}
			}
			t.Error("the mutant survived")
		})
	}
}

// caught takes a panic of the operator for an error.
func caught(seed uint64, plant func(*operator)) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return newPlay(seed, plant).run()
}

// offByOne takes a pane's first microsecond for the last of the one before.
type offByOne struct{ spans }

func (o offByOne) at(t engine.Time) (start, end engine.Time) {
	start, end = o.spans.at(t - 1)
	return plus(start, 1), plus(end, 1)
}

// unaligned has panes that begin where the first row was.
type unaligned struct{ size int64 }

func (u unaligned) at(t engine.Time) (start, end engine.Time) { return t, plus(t, u.size) }

// apart loads sessions so that no row to come finds them.
type apart struct{ store }

func (a apart) load(number uint32, start, end engine.Time, k column.Key, whole bool) (g *groups, group uint32, isNew bool, err error) {
	if _, ok := a.store.(*sessions); ok {
		k.Lo = ^k.Lo
	}
	return a.store.load(number, start, end, k, whole)
}

// forgetful holds nothing of what was loaded.
type forgetful struct {
	store
	loaded bool
}

func (f *forgetful) settle() {
	f.loaded = true
	f.store.settle()
}

func (f *forgetful) put(in *intake) (int, error) {
	if f.loaded {
		f.store.forget(engine.MaxTime)
		f.loaded = false
	}
	return f.store.put(in)
}

// reopening gives a window's results and keeps it.
type reopening struct{ store }

func (r reopening) close(upto engine.Time, give manner) error {
	if p, ok := r.store.(*panes); ok {
		return p.windows(upto, give)
	}
	return r.store.close(upto, give)
}

// hasty closes by the newest row, not by what was promised.
type hasty struct {
	store
	op     *operator
	newest engine.Time
}

func (h *hasty) put(in *intake) (int, error) {
	for _, row := range in.rows {
		h.newest = max(h.newest, in.in.At[row])
	}
	return h.store.put(in)
}

func (h *hasty) close(upto engine.Time, give manner) error {
	return h.store.close(max(upto, h.newest), give)
}
