package bench_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/millrace-io/millrace/bench/pins"
	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/file"
	"github.com/millrace-io/millrace/engine/checkpoint"
	"github.com/millrace-io/millrace/engine/codec/json"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/parquet"
	"github.com/millrace-io/millrace/operators/dedupe"
)

const frameSize = 256 << 10 // bytes, as the Kafka source cuts them

// frames is a source that has everything in memory already, as frames.
type frames struct {
	partitions [][]engine.Frame
	ends       []engine.Offset
}

func newFrames(b *testing.B, cfg pins.Config) *frames {
	s := &frames{partitions: make([][]engine.Frame, pins.Partitions), ends: make([]engine.Offset, pins.Partitions)}
	_, err := pins.Generate(cfg, func(p int, key, value []byte) error {
		list := s.partitions[p]
		if n := len(list); n == 0 || len(list[n-1]) > frameSize {
			list = append(list, make(engine.Frame, 0, frameSize+2048))
		}
		n := len(list) - 1
		list[n] = list[n].AppendRecord(engine.Record{Offset: s.ends[p], At: engine.Time(s.ends[p]) * 1000, Key: key, Value: value})
		s.partitions[p] = list
		s.ends[p]++
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func (s *frames) Partitions(context.Context) ([]engine.Partition, error) {
	var all []engine.Partition
	for i, end := range s.ends {
		all = append(all, engine.Partition{Name: strconv.Itoa(i), End: end})
	}
	return all, nil
}

func (s *frames) Read(ctx context.Context, from []engine.Start, sink engine.Sink) error {
	for _, start := range from {
		p, _ := strconv.Atoi(start.Partition)
		go func() {
			for _, f := range s.partitions[p] {
				if sink.Frame(ctx, start.Partition, f) != nil {
					return
				}
			}
		}()
	}
	<-ctx.Done()
	return ctx.Err()
}

func (s *frames) Committed(context.Context, map[string]engine.Offset) error { return nil }
func (s *frames) Close() error                                              { return nil }

var pinSchema = engine.Schema{
	{Name: "index", Type: column.Of(column.Long), Required: true}, {Name: "unique_id", Type: column.Of(column.String), Required: true},
	{Name: "title", Type: column.Of(column.String)}, {Name: "description", Type: column.Of(column.String)}, {Name: "poster_name", Type: column.Of(column.String)},
	{Name: "follower_count", Type: column.Of(column.String)}, {Name: "tag_list", Type: column.Of(column.String)}, {Name: "is_image_or_video", Type: column.Of(column.String)},
	{Name: "image_src", Type: column.Of(column.String)}, {Name: "save_location", Type: column.Of(column.String)}, {Name: "category", Type: column.Of(column.String)},
}

// BenchmarkEngine is everything but Kafka: frames in memory, decode, exchange, dedupe, Parquet, Delta on
// disk. The time a record is wall time on all processors; see the profile for where it goes.
func BenchmarkEngine(b *testing.B) {
	for name, fresh := range map[string]bool{"repeated": false, "fresh": true} {
		b.Run(name, func(b *testing.B) {
			source := newFrames(b, pins.Config{Records: 300_000, Fresh: fresh})
			b.ReportAllocs()
			for b.Loop() {
				runOnce(b, source)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/300_000, "ns/record")
		})
	}
}

func runOnce(b *testing.B, source *frames) {
	lake, err := file.New(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	table := func(name string, schema engine.Schema) engine.Table {
		store := blob.Sub(lake, name)
		t, err := delta.NewTable(delta.Config{Name: name, Pipeline: "p", Store: store, Schema: schema, NewWriter: func(int, delta.Indexing) engine.TableWriter {
			w, err := parquet.NewWriter(store, schema, nil, parquet.Options{}, time.Now)
			if err != nil {
				b.Fatal(err)
			}
			return w
		}})
		if err != nil {
			b.Fatal(err)
		}
		return t
	}
	plan := &engine.Plan{
		Pipeline: "p", Quarantine: "bad",
		Sources: []engine.SourcePlan{{Name: "in", Schema: pinSchema, NewDecoder: func() engine.Decoder {
			d, err := json.New(pinSchema, json.Options{})
			if err != nil {
				b.Fatal(err)
			}
			return d
		}}},
		Streams: []engine.StreamPlan{{Name: "s", From: []string{"in"}, Steps: []engine.Step{{Name: "dedupe", Config: &dedupe.Config{By: []string{"unique_id"}, Within: 24 * time.Hour, Order: "arrival"}}}}},
		Tables:  []engine.TablePlan{{Name: "t", From: "s"}},
	}
	task, err := engine.NewTask(plan, engine.Ports{
		Sources: map[string]engine.Source{"in": source}, Tables: map[string]engine.Table{"t": table("t", pinSchema), "bad": table("bad", engine.QuarantineSchema)},
		Checkpoints: checkpoint.New(blob.Sub(lake, "_millrace")),
	}, engine.Options{UntilCaughtUp: true})
	if err != nil {
		b.Fatal(err)
	}
	result, err := task.Run(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	if got := result.Rows["t"]; got != 270_000 {
		b.Fatalf("%d rows, want 270,000", got)
	}
}
