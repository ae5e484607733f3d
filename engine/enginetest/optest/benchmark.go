package optest

import (
	"syscall"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// Benchmark measures config on batches of 1,000 rows that row makes of their numbers, and reports the
// processors' time of a row.
func Benchmark(b *testing.B, config engine.Config, schema string, row func(i int) string) {
	b.Helper()
	const rows = 1000
	texts := make([]string, rows)
	for i := range texts {
		texts[i] = row(i)
	}
	in := Batch(Schema(schema), texts...)
	op, _, err := config.Bind(in.Schema)
	if err != nil {
		b.Fatal(err)
	}
	BenchmarkBatch(b, op, func() *engine.Batch { return in })
}

// BenchmarkBatch measures op on the batches that next gives, all of one size. Each call of op has an arena
// of its own, used before, as in a lane.
func BenchmarkBatch(b *testing.B, op engine.Operator, next func() *engine.Batch) {
	b.Helper()
	var pool column.Pool
	apply := func() int {
		batch := *next()
		batch.Arena = pool.Get()
		if err := op.Apply(b.Context(), &batch, Discard{}); err != nil {
			b.Fatal(err)
		}
		batch.Arena.Release()
		return batch.Count()
	}
	apply()
	b.ReportAllocs()
	rows, start := 0, cpu(b)
	for b.Loop() {
		rows += apply()
	}
	b.ReportMetric(float64(cpu(b)-start)/float64(rows), "cpu-ns/row")
}

// cpu is the time that processors have spent on this process: unlike the time that has passed, it does not
// count who else is at work on the machine.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Discard is an engine.Emit that keeps nothing.
type Discard struct{}

// Rows implements engine.Emit.
func (Discard) Rows(*engine.Batch) error { return nil }

// Drop implements engine.Emit.
func (Discard) Drop(engine.DropReason, int) {}

// Made implements engine.Emit.
func (Discard) Made(int) {}

// Quarantine implements engine.Emit.
func (Discard) Quarantine(*engine.Batch, int, engine.Reason, string, string) {}
