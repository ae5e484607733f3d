package dedupe

import (
	"bytes"
	"context"
	"fmt"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
)

// A naive is the operator as its documentation has it: it holds everything for ever and looks at all of it.
type naive struct {
	within time.Duration
	kept   map[column.Key][]engine.Time
}

func (n *naive) keep(key column.Key, at, mark engine.Time) bool {
	for _, k := range n.kept[key] {
		visible := mark == engine.MinTime || k >= mark.Minus(n.within)
		if visible && apart(at, k) <= n.within {
			return false
		}
	}
	n.kept[key] = append(n.kept[key], at)
	return true
}

// apart is |a − b|, or the longest duration there is.
func apart(a, b engine.Time) time.Duration {
	us := new(big.Int).Sub(big.NewInt(int64(a)), big.NewInt(int64(b)))
	ns := us.Mul(us.Abs(us), big.NewInt(1000))
	if !ns.IsInt64() {
		return 1<<63 - 1
	}
	return time.Duration(ns.Int64())
}

// A script is an input and what happens to the operator meanwhile.
type script struct {
	within  time.Duration
	delay   time.Duration // of the watermark behind the newest row of its partition
	batches []scripted
}

type scripted struct {
	partition int
	rows      []scriptedRow
	then      string // what happens after the batch: "", "save", "restart", "collect"
}

type scriptedRow struct {
	key column.Key
	at  engine.Time
}

const partitions = 2

// grain is coarse, so that times are often just as far apart as they may be.
const grain = 250 * time.Microsecond

// scripts draws scripts. Keys share few slots and places, so that tables grow and searches wrap around.
func scripts() *rapid.Generator[script] {
	key := rapid.Custom(func(t *rapid.T) column.Key {
		slot := rapid.SampledFrom([]uint64{0, 7, 255}).Draw(t, "slot")
		lo := rapid.SampledFrom([]uint64{0, 1, 2, 1 << 63, ^uint64(0) - 1, ^uint64(0)}).Draw(t, "lo")
		return column.Key{Hi: slot<<56 | rapid.Uint64Range(0, 4).Draw(t, "hi"), Lo: lo}
	})
	return rapid.Custom(func(t *rapid.T) script {
		s := script{
			within: time.Duration(rapid.IntRange(1, 12).Draw(t, "within")) * time.Millisecond,
			delay:  time.Duration(rapid.IntRange(0, 12).Draw(t, "delay")) * time.Millisecond,
		}
		clock := engine.Time(rapid.SampledFrom([]int64{0, 0, -5e4, 1 << 50, -1 << 63, 1<<63 - 1e4}).Draw(t, "clock"))
		for range rapid.IntRange(1, 12).Draw(t, "batches") {
			b := scripted{
				partition: rapid.IntRange(0, partitions-1).Draw(t, "partition"),
				then:      rapid.SampledFrom([]string{"", "", "save", "restart", "collect"}).Draw(t, "then"),
			}
			for range rapid.IntRange(0, 20).Draw(t, "rows") {
				clock = later(clock, time.Duration(rapid.IntRange(0, 8).Draw(t, "on"))*grain)
				k := key.Draw(t, "key")
				k.Hi = k.Hi&^partitions | uint64(b.partition*partitions) // a key comes from one partition
				b.rows = append(b.rows, scriptedRow{k, clock.Minus(time.Duration(rapid.IntRange(0, 120).Draw(t, "back")) * grain)})
			}
			s.batches = append(s.batches, b)
		}
		return s
	})
}

func later(t engine.Time, d time.Duration) engine.Time { return t.Minus(-d) }

// A player plays scripts on the operator. The mutants are planted around it.
type player struct {
	config Config
	op     *dedupe
	chain  [column.Slots][][]byte // sections saved of each slot
	marks  [partitions]engine.Time
	mutant string
}

func (p *player) bind() {
	op, _, err := p.config.Bind(optest.Schema("id: string"))
	if err != nil {
		panic(err)
	}
	p.op = op.(*dedupe)
}

// play gives the first row, by batch and index, that the operator decides otherwise than the naive one.
func play(s script, mutant string) error {
	p := &player{config: Config{By: []string{"id"}, Within: s.within}, mutant: mutant, marks: [partitions]engine.Time{engine.MinTime, engine.MinTime}}
	p.bind()
	n := &naive{s.within, map[column.Key][]engine.Time{}}
	for i, b := range s.batches {
		batch := p.batch(b, s.delay)
		var want []int
		for row := range b.rows {
			if n.keep(b.rows[row].key, b.rows[row].at, batch.Mark[row]) {
				want = append(want, row)
			}
		}
		if got := p.apply(batch); fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("batch %d: kept rows %v, expected %v", i, got, want)
		}
		if err := p.then(b.then); err != nil {
			return err
		}
	}
	return nil
}

// batch stamps rows as the engine does.
func (p *player) batch(b scripted, delay time.Duration) *engine.Batch {
	batch := &engine.Batch{
		Schema: optest.Schema("id: string"), Columns: []column.Column{column.New(column.Of(column.String))},
		Rows: len(b.rows), Keys: []column.Key{}, Arena: column.NewArena(),
	}
	mark := &p.marks[b.partition]
	for i, row := range b.rows {
		batch.Columns[0].AppendNull()
		batch.Keys = append(batch.Keys, row.key)
		batch.At = append(batch.At, row.at)
		batch.Mark = append(batch.Mark, *mark)
		batch.Offset = append(batch.Offset, engine.Offset(i))
		*mark = max(*mark, row.at.Minus(delay))
	}
	batch.Upto = min(p.marks[0], p.marks[1])
	return batch
}

func (p *player) apply(b *engine.Batch) []int {
	switch lent := *b; p.mutant {
	case "watermark per batch":
		lent.Mark = make([]engine.Time, b.Rows)
		for i := range lent.Mark {
			lent.Mark[i] = max(b.Upto, b.Mark[b.Rows-1])
		}
		b = &lent
	case "by what was collected":
		lent.Mark = make([]engine.Time, b.Rows)
		for i := range lent.Mark {
			lent.Mark[i] = engine.MinTime
		}
		b = &lent
	}
	kept := &rowsKept{}
	if err := p.op.Apply(context.Background(), b, kept); err != nil {
		panic(err)
	}
	return kept.rows
}

type rowsKept struct {
	optest.Discard
	rows []int
}

func (k *rowsKept) Rows(b *engine.Batch) error {
	for row := range b.Sel.All(b.Rows) {
		k.rows = append(k.rows, row)
	}
	return nil
}

func (p *player) then(what string) error {
	switch what {
	case "collect":
		for i := range p.op.slots {
			p.op.slots[i].floor = max(p.op.slots[i].floor, p.op.floor)
			p.op.slots[i].grow(nil)
		}
	case "save", "restart":
		for slot := range p.chain {
			var b bytes.Buffer
			whole, err := p.op.Save(slot, &b)
			if err != nil {
				return err
			}
			if whole {
				p.chain[slot] = nil
			}
			if whole || b.Len() > 0 {
				p.chain[slot] = append(p.chain[slot], b.Bytes())
			}
		}
	}
	if what == "restart" {
		return p.restart()
	}
	return nil
}

func (p *player) restart() error {
	before := p.op
	p.bind()
	if p.mutant == "state not restored" {
		return nil
	}
	for slot, sections := range p.chain {
		for _, s := range sections {
			if err := p.op.Load(slot, bytes.NewReader(s)); err != nil {
				return err
			}
		}
		if got, want := p.op.slots[slot].visible(before.floor), before.slots[slot].visible(before.floor); fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("slot %d: loaded %v, saved %v", slot, got, want)
		}
	}
	return nil
}

// visible counts the entries that a row to come may see.
func (t *table) visible(floor engine.Time) map[entry]int {
	all := map[entry]int{}
	for i := range len(t.buckets) * width {
		if e := t.entry(i); e.tag != 0 && e.at >= floor {
			all[e]++
		}
	}
	return all
}

func TestOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if err := play(scripts().Draw(t, "script"), ""); err != nil {
			t.Fatal(err)
		}
	})
}

// TestOracleCatchesMutants plants what would break the law around the operator: the oracle must see each.
func TestOracleCatchesMutants(t *testing.T) {
	for _, mutant := range []string{"watermark per batch", "by what was collected", "state not restored"} {
		t.Run(mutant, func(t *testing.T) {
			for seed := range 300 {
				if err := play(scripts().Example(seed), mutant); err != nil {
					t.Logf("caught by script %d: %v", seed, err)
					return
				}
			}
			t.Error("the mutant survived")
		})
	}
}
