package delta

import (
	"bytes"
	"fmt"
	"runtime"
	"strconv"
	"testing"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/file"
	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/column"
)

// BenchmarkCommit is one epoch of two files into the log, synced where the store is a disk.
func BenchmarkCommit(b *testing.B) {
	disk, err := file.New(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	for name, store := range map[string]blob.Store{"memory": mem.New(), "disk": disk} {
		b.Run(name, func(b *testing.B) {
			table, err := NewTable(Config{
				Name: "pins", Pipeline: "bench", Store: blob.Sub(store, fmt.Sprint("pins", b.N)),
				Schema: column.Schema{{Name: "id", Type: column.Of(column.Long), Required: true}},
			})
			if err != nil {
				b.Fatal(err)
			}
			state, err := table.Open(b.Context(), "line")
			if err != nil {
				b.Fatal(err)
			}
			benchCommits(b, table, state, nil)
		})
	}
}

// benchCommits commits epochs of two files, of one partition, for as long as the benchmark lasts.
func benchCommits(b *testing.B, table *Table, state engine.TableState, partition map[string]*string) {
	epoch := engine.Epoch(0)
	b.ReportAllocs()
	for b.Loop() {
		p := engine.Prepared{Table: "pins", ID: state.ID, Prev: epoch, Epoch: epoch + 1}
		if epoch == 0 {
			p.Prev = engine.NoEpoch
		}
		for lane := range 2 {
			f := engine.File{Path: fmt.Sprintf("part-%d-%d.parquet", epoch, lane), Size: 1 << 20, Rows: 1000}
			f.Add = AddAction(f.Path, partition, f.Size, 1_700_000_000_000, `{"numRecords":1000,"minValues":{"id":1},"maxValues":{"id":1000},"nullCount":{"id":0}}`)
			p.Files = append(p.Files, f)
		}
		if _, err := table.Commit(b.Context(), p, engine.CommitInfo{Pipeline: "bench", Epoch: p.Epoch}); err != nil {
			b.Fatal(err)
		}
		epoch++
	}
}

// largeTable is a table of a hundred thousand files of eleven columns, and its checkpoint.
func largeTable(b *testing.B) *mem.Store {
	store := mem.New()
	var entry bytes.Buffer
	entry.Write(append(line(action{Protocol: &Protocol{MinReader: 1, MinWriter: 2}}), '\n'))
	entry.Write(append(line(action{Metadata: &Metadata{ID: "t", Format: Format{Provider: "parquet"}, SchemaString: tableSchema, PartitionBy: []string{"city"}}}), '\n'))
	var stats bytes.Buffer
	for i := range 11 {
		fmt.Fprintf(&stats, `,"column_%d":"value of column"`, i)
	}
	for i := range 100_000 {
		values := stats.String()[1:]
		entry.Write(append(line(action{Add: &Add{
			Path:            fmt.Sprintf("city=%d/part-00000-0a1b2c3d-0000-4000-8000-%012d-c000.snappy.parquet", i%100, i),
			PartitionValues: map[string]*string{"city": new(strconv.Itoa(i % 100))}, Size: int64(i), ModifiedMillis: int64(i), DataChange: true,
			Stats: fmt.Sprintf(`{"numRecords":%d,"minValues":{%s},"maxValues":{%s},"nullCount":{"column_0":%d}}`, i, values, values, i),
		}}), '\n'))
	}
	if err := store.Put(b.Context(), entryName(0), entry.Bytes()); err != nil {
		b.Fatal(err)
	}
	s, err := Load(b.Context(), store, Latest)
	if err != nil {
		b.Fatal(err)
	}
	if err := s.WriteCheckpoint(b.Context()); err != nil {
		b.Fatal(err)
	}
	return store
}

// BenchmarkCommitLarge is an epoch of two files into a table of a hundred thousand, known by its checkpoint, and into one
// that has none yet.
func BenchmarkCommitLarge(b *testing.B) {
	large := largeTable(b)
	for name, store := range map[string]blob.Store{"empty": mem.New(), "large": large} {
		b.Run(name, func(b *testing.B) {
			table, err := NewTable(Config{Name: "t", Pipeline: fmt.Sprint("bench", b.N), Store: store, Schema: largeSchema(), PartitionBy: []string{"city"}})
			if err != nil {
				b.Fatal(err)
			}
			state, err := table.Open(b.Context(), "line")
			if err != nil {
				b.Fatal(err)
			}
			benchCommits(b, table, state, map[string]*string{"city": new("Oslo")})
		})
	}
}

// largeSchema is the columns of tableSchema.
func largeSchema() column.Schema {
	s, err := ParseSchema(tableSchema)
	if err != nil {
		panic(err)
	}
	columns, err := s.Columns()
	if err != nil {
		panic(err)
	}
	return columns
}

// BenchmarkLoadLarge reads a table of 100,000 files from its checkpoint: whole, and as a writer does that
// keeps no files.
func BenchmarkLoadLarge(b *testing.B) {
	store := largeTable(b)
	b.Run("snapshot", func(b *testing.B) {
		b.ReportAllocs()
		before := liveHeap()
		s, err := Load(b.Context(), store, Latest)
		if err != nil {
			b.Fatal(err)
		}
		held := liveHeap() - before
		runtime.KeepAlive(s)
		for b.Loop() {
			s, err := Load(b.Context(), store, Latest)
			if err != nil || len(s.state.files.live) != 100_000 {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(held)/(1<<20), "MiB-held")
	})
	b.Run("writer", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := newState(false).advance(b.Context(), store, Latest); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// liveHeap is the bytes in use, and nothing else.
func liveHeap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkWriteCheckpointLarge writes the checkpoint of a table of 100,000 files.
func BenchmarkWriteCheckpointLarge(b *testing.B) {
	store := largeTable(b)
	s, err := Load(b.Context(), store, Latest)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := store.Delete(b.Context(), checkpointName(0)); err != nil {
			b.Fatal(err)
		}
		if err := s.WriteCheckpoint(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
