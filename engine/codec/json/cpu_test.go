package json_test

import (
	"fmt"
	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/codec/json"
	"github.com/millrace-io/millrace/engine/column"
	"testing"
	"time"
)

func TestCPU(t *testing.T) {
	for name, records := range map[string][][]byte{"gen": pins(883), "real": realPins(t)} {
		schema := pinSchema(t)
		d, _ := json.New(schema, json.Options{})
		var frames []engine.Frame
		for len(records) >= 350 {
			frames = append(frames, frameOf(records[:350]))
			records = records[350:]
		}
		var pool column.Pool
		rows := engine.Rows{}
		best := 1e9
		for range 200 {
			start := time.Now()
			const N = 20
			for i := range N {
				arena := pool.Get()
				rows = engine.Rows{Columns: rows.Columns[:0], Offset: rows.Offset[:0], At: rows.At[:0]}
				for _, f := range schema {
					rows.Columns = append(rows.Columns, arena.Column(f.Type))
				}
				d.Decode(frames[i%len(frames)], &rows)
				arena.Release()
			}
			best = min(best, float64(time.Since(start))/N/350)
		}
		fmt.Printf("%s best %.0f ns/record cpu\n", name, best)
	}
}
