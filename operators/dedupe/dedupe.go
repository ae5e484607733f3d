// Package dedupe is the operator that leaves out rows that came before:
//
//	dedupe: {by: [unique_id], within: 7d}
//
// Of the rows that agree in all columns of by (nulls agree too) it keeps the first within a span of event
// time. A row is a duplicate if the event time of a kept row of its key is at most within away from its
// own, before or after. The span does not slide: a duplicate does not make the next row one.
//
// With order: arrival the first row is the first to arrive. That is the same in every run if rows of one key come
// from one partition, as in a topic keyed by it and with every producer's retry. Rows are never late here and leave
// at once. Kept rows are forgotten in event time: a row sees those whose time is not below its partition's watermark
// (as it was before the row) less within. A row that is not late can't miss anything by that; a row that is
// late by more may be kept though its like was. What counts is the input alone, not when memory was freed.
//
// With order: event_time the first row is the earliest, whatever partitions the rows of a key come from:
//
//	dedupe: {by: [unique_id], within: 7d, order: event_time}
//
// A row waits until the watermarks of all partitions have passed it, and leaves then, or is found a duplicate. Of rows of one
// time the first is that of the first partition ("9" is before "10") and offset, and where these are the same too, the one
// with the least values. Rows that come late go to quarantine before they reach it.
//
// It holds at most 48 bytes a kept row, and 4 more a row that the next checkpoint has to save. A checkpoint
// costs 24 bytes for each row kept since the last, and now and then 24.2 for each row of a slot of 256. That is
// also what a start reads: each row once or, of what was forgotten since, a little more. Rows that wait are held, and saved,
// with all their columns and some 50 bytes more.
package dedupe

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// A Config says which rows are the same.
type Config struct {
	By     []string      `yaml:"by,required,scalar" doc:"The columns that make up the key: rows that agree in all of them are the same."`
	Within time.Duration `yaml:"within,required" doc:"How far apart in event time two rows of a key may be to be the same. At least 1 ms."`
	Order  string        `yaml:"order" enum:"arrival|event_time" doc:"Which row is the first: arrival, the first that comes; event_time, the earliest, for which rows wait until the watermark has passed them."`
	Seed   uint64        `json:"-"` // of the keys' hashes, where no exchange has made them
}

// New gives a config that holds the defaults.
func New() *Config { return &Config{Order: arrival} }

const (
	arrival   = "arrival"
	eventTime = "event_time"
)

// Keys implements engine.Keyed.
func (c Config) Keys() []string { return c.By }

// Waits implements engine.Waiting.
func (c Config) Waits() bool { return c.Order == eventTime }

// ArrivalOrder implements spec.ArrivalOrdered.
func (c Config) ArrivalOrder() bool { return !c.Waits() }

// Explain implements spec.Explainer.
func (c Config) Explain() string {
	if c.Waits() {
		return "keeps the earliest row, when the watermark has passed it: the same in every run"
	}
	return "keeps the first row to arrive: the same in every run if rows of one key come from one partition"
}

// Bind implements engine.Config.
func (c Config) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) {
	d := &dedupe{hasher: column.NewHasher(c.Seed), within: c.Within, span: uint64(c.Within.Microseconds()), floor: engine.MinTime}
	var faults engine.Faults
	for i, name := range c.By {
		path := []string{"by", strconv.Itoa(i)}
		at := in.Index(name)
		if at < 0 {
			faults = append(faults, engine.Fault{Path: path, Message: fmt.Sprintf("no column %q", name), Nearest: column.Nearest(name, in.Names())})
		}
		if slices.Contains(c.By[:i], name) {
			faults = append(faults, engine.Fault{Path: path, Message: fmt.Sprintf("column %q is here twice", name)})
		}
		d.by = append(d.by, at)
	}
	if len(c.By) == 0 {
		faults = append(faults, engine.Fault{Path: []string{"by"}, Message: "no column makes up the key"})
	}
	if c.Within < time.Millisecond {
		faults = append(faults, engine.Fault{Path: []string{"within"}, Message: fmt.Sprintf("expected a span of at least 1ms, found %v", c.Within)})
	}
	if c.Order != arrival && c.Order != eventTime && c.Order != "" {
		faults = append(faults, engine.Fault{Path: []string{"order"}, Message: fmt.Sprintf("expected arrival or event_time, found %q", c.Order)})
	}
	if faults != nil {
		return nil, nil, faults
	}
	for i := range d.slots {
		d.slots[i].floor = engine.MinTime
	}
	if c.Waits() {
		return newOrdered(d, in), in, nil
	}
	return d, in, nil
}

// dedupe, in order of arrival, implements engine.Stateful.
type dedupe struct {
	by     []int // columns
	hasher *column.Hasher
	within time.Duration
	span   uint64 // within, in microseconds

	slots   [column.Slots]table
	coming  [column.Slots]int // entries that Load will be given of each slot, about
	buckets int               // of all tables
	floor   engine.Time       // no row to come sees a row kept before it. Invariant: it never falls

	loading bool             // nothing but Load has come
	cols    []column.Column  // scratch
	every   column.Selection // scratch: 0, 1, 2, …
	scratch []entry          // of a table that moves
	bytes   []byte           // scratch: of a section that is saved or loaded
	warmed  uint64           // keeps the compiler from leaving out loads
}

// Apply implements engine.Operator.
func (d *dedupe) Apply(_ context.Context, in *engine.Batch, emit engine.Emit) error {
	if d.loading {
		d.loaded()
	}
	rows := d.rows(in)
	keys := d.keys(in)
	kept := in.Arena.Selection(len(rows))
	for len(rows) > 0 {
		run := rows[:min(len(rows), ahead)]
		rows = rows[len(run):]
		d.warm(keys, run)
		for _, row := range run {
			if d.keep(keys[row], in.At[row], in.Mark[row]) {
				kept = append(kept, row)
			}
		}
	}
	// Rows of this very batch may have a watermark below Upto: nothing goes by it before now.
	d.floor = max(d.floor, in.Upto.Minus(d.within))
	if n := in.Count() - len(kept); n > 0 {
		emit.Drop(engine.Duplicate, n)
		in = in.Select(kept)
	}
	return emit.Rows(in)
}
