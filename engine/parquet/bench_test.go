package parquet

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"
	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/snappy"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/column"
)

func field(name string, k column.Kind) column.Field {
	return column.Field{Name: name, Type: column.Of(k)}
}

// pinSchema is the columns of the pin table.
func pinSchema() column.Schema {
	return column.Schema{
		{Name: "ind", Type: column.Of(column.Long), Required: true},
		field("unique_id", column.String), field("title", column.String), field("description", column.String),
		field("follower_count", column.Long), field("poster_name", column.String), field("tag_list", column.String),
		field("is_image_or_video", column.String), field("image_src", column.String), field("save_location", column.String),
		field("category", column.String),
	}
}

// pinTexts gives the texts of n pins, in the order of pinSchema's text columns: words of the lengths that
// such texts have.
func pinTexts(r *rand.Rand, n int) [][]string {
	words := make([]string, 4000)
	for i := range words {
		b := make([]byte, 3+r.IntN(8))
		for k := range b {
			b[k] = "etaoinshrdlucmfwypvbgkjqxz"[min(25, int(r.ExpFloat64()*6))]
		}
		words[i] = string(b)
	}
	text := func(n int) string {
		var b []byte
		for len(b) < n {
			b = append(append(b, words[r.IntN(len(words))]...), ' ')
		}
		return string(b[:n])
	}
	categories := []string{"art", "beauty", "christmas", "diy-and-crafts", "education", "event-planning", "finance", "home-decor", "mens-fashion", "quotes", "tattoos", "travel", "vehicles"}
	pins := make([][]string, n)
	for i := range pins {
		c := categories[r.IntN(len(categories))]
		h := fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64())
		pins[i] = []string{"", text(20 + r.IntN(70)), text(60 + r.IntN(200)), text(8 + r.IntN(20)), text(60 + r.IntN(120)),
			[]string{"image", "video"}[r.IntN(12)/11], "https://i.pinimg.com/originals/" + h[:2] + "/" + h[2:4] + "/" + h[4:6] + "/" + h + ".jpg", "/data/" + c, c}
	}
	return pins
}

// pinBatches makes batches of fresh ids and of texts that repeat every pool rows.
func pinBatches(batches, rows, pool int) [][]column.Column {
	r := rand.New(rand.NewPCG(1, 2))
	pins := pinTexts(r, pool)
	all := make([][]column.Column, batches)
	ind := int64(0)
	for b := range all {
		cols := make([]column.Column, 0, 11)
		for _, f := range pinSchema() {
			cols = append(cols, column.New(f.Type))
		}
		for range rows {
			p := pins[r.IntN(len(pins))]
			if pool >= batches*rows {
				p = pins[ind]
			}
			cols[0].(*column.Longs).Append(ind)
			ind++
			u := [2]uint64{r.Uint64(), r.Uint64()}
			cols[1].(*column.Texts).AppendString(fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", uint32(u[0]), uint16(u[0]>>32), uint16(u[0]>>48), uint16(u[1]), u[1]>>16))
			cols[4].(*column.Longs).Append(int64(r.IntN(200)) * 100)
			for i, at := range []int{2, 3, 5, 6, 7, 8, 9, 10} {
				if i < 4 && r.IntN(12) == 0 {
					cols[at].AppendNull()
				} else {
					cols[at].(*column.Texts).AppendString(p[i+1])
				}
			}
		}
		all[b] = cols
	}
	return all
}

type counter int64

func (c *counter) Write(b []byte) (int, error) { *c += counter(len(b)); return len(b), nil }

const benchRows, benchBatches = 1000, 50

func BenchmarkPins(b *testing.B) {
	for _, data := range []struct {
		name string
		pool int
	}{{"repeated", 883}, {"fresh", benchRows * benchBatches}} {
		batches := pinBatches(benchBatches, benchRows, data.pool)
		for _, c := range []Compression{Snappy, None, Zstd} {
			b.Run(data.name+"/"+c.String(), func(b *testing.B) { benchEncode(b, batches, nil, Options{Compression: c}) })
		}
		b.Run(data.name+"/snappy/plain", func(b *testing.B) { benchEncode(b, batches, nil, Options{Dictionary: -1}) })
		b.Run(data.name+"/snappy/selected", func(b *testing.B) {
			sel := column.Selection{}
			for i := range benchRows {
				if i%10 != 3 {
					sel = append(sel, int32(i))
				}
			}
			benchEncode(b, batches, sel, Options{})
		})
		b.Run(data.name+"/parquet-go/snappy", func(b *testing.B) { benchColumnWriters(b, batches) })
	}
}

func benchEncode(b *testing.B, batches [][]column.Column, sel column.Selection, opt Options) {
	var size counter
	c, err := newCodec(opt.Compression)
	if err != nil {
		b.Fatal(err)
	}
	e, err := newEncoder(pinSchema(), opt, &c, &memory{})
	if err != nil {
		b.Fatal(err)
	}
	e.begin(&size)
	b.ReportAllocs()
	rows, start := 0, cpu()
	for i := 0; b.Loop(); i++ {
		if err := e.Write(batches[i%len(batches)], sel, benchRows); err != nil {
			b.Fatal(err)
		}
		if rows += sel.Count(benchRows); i%500 == 499 {
			e.Close()
			e.begin(&size)
		}
	}
	e.Close()
	report(b, start, rows, size)
}

// fastSnappy is snappy's format at the level we use.
type fastSnappy struct{ snappy.Codec }

func (fastSnappy) Encode(dst, src []byte) ([]byte, error) { return s2.EncodeSnappy(dst, src), nil }

func benchColumnWriters(b *testing.B, batches [][]column.Column) {
	var size counter
	group := pq.Group{}
	for _, f := range pinSchema() {
		n := pq.Leaf(pq.Int64Type)
		if f.Type.Kind == column.String {
			n = pq.String()
		}
		if !f.Required {
			n = pq.Optional(n)
		}
		group[f.Name] = n
	}
	w := pq.NewWriter(&size, pq.NewSchema("pins", group), pq.Compression(&fastSnappy{}), pq.DataPageStatistics(false))
	at := map[string]int{}
	for i, c := range w.Schema().Columns() {
		at[c[0]] = i
	}
	values := make([]pq.Value, benchRows)
	rows, start := 0, cpu()
	for i := 0; b.Loop(); i++ {
		for k, f := range pinSchema() {
			col, writer := batches[i%len(batches)][k], w.ColumnWriters()[at[f.Name]]
			defined := 1
			if f.Required {
				defined = 0
			}
			for row := range values {
				switch c := col.(type) {
				case *column.Longs:
					values[row] = pq.Int64Value(c.Values[row]).Level(0, defined, at[f.Name])
				case *column.Texts:
					values[row] = pq.ByteArrayValue(c.At(row)).Level(0, defined, at[f.Name])
				}
				if col.Nulls().Null(row) {
					values[row] = pq.NullValue().Level(0, 0, at[f.Name])
				}
			}
			if _, err := writer.WriteRowValues(values); err != nil {
				b.Fatal(err)
			}
		}
		if rows += benchRows; i%50 == 49 {
			if err := w.Flush(); err != nil {
				b.Fatal(err)
			}
		}
	}
	w.Close()
	report(b, start, rows, size)
}

// cpu is the CPU time of this process: on a machine that others use it says more than the clock.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// report adds what is asked about: CPU and bytes of a row.
func report(b *testing.B, start time.Duration, rows int, size counter) {
	b.ReportMetric(float64(cpu()-start)/float64(rows), "cpu-ns/row")
	b.ReportMetric(float64(size)/float64(rows), "B/row")
	b.ReportMetric(0, "ns/op")
}

// discard is a store that forgets what is written.
type discard struct{ blob.Store }

type discardWriter struct{ counter }

func (discard) Create(context.Context, string) (blob.Writer, error) { return &discardWriter{}, nil }
func (*discardWriter) Close() error                                 { return nil }
func (*discardWriter) Abort() error                                 { return nil }

// BenchmarkWriter is the whole way of a batch to a table's files, statistics for the log included.
func BenchmarkWriter(b *testing.B) {
	for _, by := range []string{"", "category"} {
		b.Run("by="+by, func(b *testing.B) {
			var partitionBy []string
			if by != "" {
				partitionBy = []string{by}
			}
			w, err := NewWriter(discard{}, pinSchema(), partitionBy, Options{}, time.Now)
			if err != nil {
				b.Fatal(err)
			}
			batches := pinBatches(benchBatches, benchRows, 883)
			b.ReportAllocs()
			start, rows := cpu(), 0
			for i := 0; b.Loop(); i++ {
				if err := w.Write(b.Context(), &engine.Batch{Schema: pinSchema(), Columns: batches[i%len(batches)], Rows: benchRows}); err != nil {
					b.Fatal(err)
				}
				if rows += benchRows; i%500 == 499 {
					if _, err := w.Cut().Seal(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			}
			w.Discard()
			report(b, start, rows, 0)
		})
	}
}

func BenchmarkReader(b *testing.B) {
	for _, pool := range []int{883, benchRows * benchBatches} {
		b.Run(fmt.Sprint("pool=", pool), func(b *testing.B) {
			var file bytes.Buffer
			e, err := NewEncoder(&file, pinSchema(), Options{})
			if err != nil {
				b.Fatal(err)
			}
			for _, cols := range pinBatches(benchBatches, benchRows, pool) {
				if err := e.Write(cols, nil, benchRows); err != nil {
					b.Fatal(err)
				}
			}
			if _, err := e.Close(); err != nil {
				b.Fatal(err)
			}
			f := open(b, file.Bytes(), nil)
			start, rows := cpu(), 0
			arena := new(column.Pool)
			for b.Loop() {
				for i := range f.RowGroups() {
					a := arena.Get()
					if _, err := f.ReadRowGroup(b.Context(), i, a); err != nil {
						b.Fatal(err)
					}
					rows += f.RowGroupRows(i)
					a.Release()
				}
			}
			report(b, start, rows, counter(file.Len()))
		})
	}
}
