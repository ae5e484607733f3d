// Package freshness makes and measures the benchmark "freshness": how long it takes from when a record is
// produced until another process can read its row in the table.
//
// A record carries the time at which it was produced. [Load] produces at a steady rate, [Watch] follows the
// table's log and reads the new files of each version, and what lies between goes into a [Histogram].
package freshness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/bench/pins"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/parquet"
)

// Partitions is how many partitions the topic has.
const Partitions = 4

// Definition is the pipeline: pins with the time they were sent, cleaned and deduped by index.
const Definition = `
pipeline: freshness
lake: "${LAKE}"
vars: {BROKERS: "localhost:9092", TOPIC: freshness, LAKE: ./lake, EVERY: 500ms}
sources:
  pins:
    kafka: {brokers: "${BROKERS}", topic: "${TOPIC}"}
    format: json
    schema: {sent: long!, index: long!, unique_id: string, title: string, description: string, poster_name: string, follower_count: string, category: string}
streams:
  clean_pins:
    from: pins
    steps:
      - clean:
          "*": {empty_to_null: true}
          title: {null_if: ["No Title Data Available"]}
          follower_count: {null_if: ["User Info Error"], parse: magnitude}
      - dedupe: {by: [index], within: 10s}
tables: {fresh: {from: clean_pins}}
commit: {every: "${EVERY}"}
`

// Table is the name of the table, below the lake.
const Table = "fresh"

// A Load produces records at a steady rate.
type Load struct {
	Rate    int // records a second
	Seconds int
	Topic   string
	Client  *kgo.Client // with a manual partitioner
}

// tick is how often records are produced: the load is as even as that.
const tick = 5 * time.Millisecond

// Run produces, and gives the number of records. When the machine can't keep up it produces later, as many, and
// the time that a record carries is when it was due: a load that waits for the system it measures measures too
// little (coordinated omission).
func (l Load) Run(ctx context.Context) (sent int64, err error) {
	templates, err := templates()
	if err != nil {
		return 0, err
	}
	var failed error
	done := func(_ *kgo.Record, err error) {
		if err != nil && failed == nil {
			failed = err
		}
	}
	began := time.Now()
	ticks := int64(time.Duration(l.Seconds) * time.Second / tick)
	for n := range ticks {
		due := began.Add(time.Duration(n) * tick)
		if err := sleepUntil(ctx, due); err != nil {
			return sent, err
		}
		for until := (n + 1) * int64(l.Rate) * int64(tick) / int64(time.Second); sent < until; sent++ {
			value := templates[sent%int64(len(templates))].with(due.UnixMicro(), sent)
			l.Client.Produce(ctx, &kgo.Record{Topic: l.Topic, Partition: int32(sent % Partitions), Value: value}, done)
		}
	}
	return sent, errors.Join(l.Client.Flush(ctx), failed)
}

func sleepUntil(ctx context.Context, at time.Time) error {
	select {
	case <-time.After(time.Until(at)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A template is a record without its time and number, which begin it.
type template string

func (t template) with(sent, index int64) []byte {
	b := make([]byte, 0, len(t)+64)
	b = strconv.AppendInt(append(b, `{"sent":`...), sent, 10)
	b = strconv.AppendInt(append(b, `,"index":`...), index, 10)
	return append(b, t...)
}

// templates is a pool of pins of about 730 bytes.
func templates() ([]template, error) {
	var all []template
	_, err := pins.Generate(pins.Config{Records: pins.PoolSize, Fresh: true}, func(_ int, _, value []byte) error {
		var pin map[string]json.RawMessage
		if err := json.Unmarshal(value, &pin); err != nil {
			return err
		}
		delete(pin, "index")
		rest, err := json.Marshal(pin)
		if err != nil {
			return err
		}
		all = append(all, template(","+string(rest[1:])))
		return nil
	})
	return all, err
}

// A Histogram counts delays in microseconds, with three digits (http://hdrhistogram.org).
type Histogram struct {
	*hdrhistogram.Histogram
	Rows int64 // seen, those of the warm-up too
}

// NewHistogram makes an empty one of delays up to ten minutes.
func NewHistogram() *Histogram {
	return &Histogram{Histogram: hdrhistogram.New(1, (10 * time.Minute).Microseconds(), 3)}
}

// poll is how often the table's log is looked at.
const poll = 5 * time.Millisecond

// Watch follows a table, which may come to be only now, and counts the delay of every row from when it was due to be
// produced until it was read here. Those of records that were due before from are not counted. It ends with ctx.
func Watch(ctx context.Context, store blob.Store, from time.Time, h *Histogram) error {
	w := &watch{store: store, from: from.UnixMicro(), h: h, seen: map[string]bool{}}
	for ctx.Err() == nil {
		if err := w.look(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		_ = sleepUntil(ctx, time.Now().Add(poll)) // ctx is asked above
	}
	return nil
}

type watch struct {
	store    blob.Store
	from     int64 // microseconds
	h        *Histogram
	snapshot *delta.Snapshot // nil: there is no table yet
	seen     map[string]bool
}

// look reads the files that came since the last time.
func (w *watch) look(ctx context.Context) (err error) {
	if w.snapshot == nil {
		w.snapshot, err = delta.Load(ctx, w.store, delta.Latest)
		if errors.Is(err, delta.ErrNotTable) {
			return nil
		}
	} else {
		before := w.snapshot.Version()
		if err = w.snapshot.Advance(ctx); err == nil && w.snapshot.Version() == before {
			return nil
		}
	}
	if err != nil {
		return err
	}
	for _, a := range w.snapshot.Files() {
		if !a.DataChange || w.seen[a.Path] {
			continue
		}
		w.seen[a.Path] = true
		if err := w.file(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// file counts the rows of a file.
func (w *watch) file(ctx context.Context, a *delta.Add) error {
	name, err := a.Name()
	if err != nil {
		return err
	}
	f, err := parquet.Open(ctx, w.store, name, column.Schema{{Name: "sent", Type: column.Of(column.Long)}})
	if err != nil {
		return err
	}
	for i := range f.RowGroups() {
		columns, err := f.ReadRowGroup(ctx, i, nil)
		if err != nil {
			return err
		}
		now := time.Now().UnixMicro()
		for _, sent := range columns[0].(*column.Longs).Values {
			w.h.Rows++
			if sent < w.from {
				continue
			}
			if err := w.h.RecordValue(max(now-sent, 1)); err != nil {
				return fmt.Errorf("a row of %d µs: %w", now-sent, err)
			}
		}
	}
	return nil
}
