package delta

import (
	"fmt"
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
			epoch := engine.Epoch(0)
			b.ReportAllocs()
			for b.Loop() {
				p := engine.Prepared{Table: "pins", ID: state.ID, Prev: epoch, Epoch: epoch + 1}
				if epoch == 0 {
					p.Prev = engine.NoEpoch
				}
				for lane := range 2 {
					f := engine.File{Path: fmt.Sprintf("part-%d-%d.parquet", epoch, lane), Size: 1 << 20, Rows: 1000}
					f.Add = AddAction(f.Path, nil, f.Size, 1_700_000_000_000, `{"numRecords":1000,"minValues":{"id":1},"maxValues":{"id":1000},"nullCount":{"id":0}}`)
					p.Files = append(p.Files, f)
				}
				if _, err := table.Commit(b.Context(), p, engine.CommitInfo{Pipeline: "bench", Epoch: p.Epoch}); err != nil {
					b.Fatal(err)
				}
				epoch++
			}
		})
	}
}
