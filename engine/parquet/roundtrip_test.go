package parquet

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/delta"
)

// allTypes has a column of every type, optional, required, and as elements of both kinds of array, and some with
// parts of their own.
func allTypes() column.Schema {
	var s column.Schema
	var all []column.Type
	for k := column.Bool; k.Simple(); k++ {
		all = append(all, column.Of(k))
	}
	for _, digits := range [][2]int{{1, 0}, {9, 9}, {10, 2}, {18, 0}, {19, 5}, {38, 0}, {38, 38}} {
		all = append(all, column.DecimalOf(digits[0], digits[1]))
	}
	for _, t := range all {
		for _, required := range []bool{false, true} {
			suffix := map[bool]string{true: "_required"}[required]
			s = append(s, column.Field{Name: t.String() + suffix, Type: t, Required: required},
				column.Field{Name: t.String() + "s" + suffix, Type: column.ArrayOf(t), Required: required})
		}
	}
	for i, nested := range []string{
		"struct<a: long>", "struct<a: long!>", "struct<a: struct<b: struct<c: string!>!>, d: int>", "array<array<long>>", "array<struct<a: int, b: string>>",
		"map<string, long>", "map<int, map<string, decimal(5,2)>>", "map<struct<x: long, y: long>, array<array<string>>>",
		"struct<a: array<struct<b: array<int>, c: map<string, struct<d: array<byte>>>>>, e: date!>",
	} {
		t, err := column.ParseType(nested)
		if err != nil {
			panic(err)
		}
		s = append(s, column.Field{Name: fmt.Sprint("nested", i), Type: t}, column.Field{Name: fmt.Sprint("nested_required", i), Type: t, Required: true})
	}
	return s
}

// A shape says what random columns are like.
type shape struct {
	nulls    float64 // share of rows without a value
	distinct int     // values are drawn of so many
	longest  int     // text or array
}

func drawShape(t *rapid.T, name string) shape {
	return shape{
		nulls:    rapid.SampledFrom([]float64{0, 0, 0.02, 0.5, 0.98, 1}).Draw(t, name+" nulls"),
		distinct: rapid.SampledFrom([]int{1, 2, 20, 1 << 30}).Draw(t, name+" distinct"),
		longest:  rapid.SampledFrom([]int{0, 3, 40, 400}).Draw(t, name+" longest"),
	}
}

// random is a cheap source of numbers that rapid seeds: drawing each value would take too long.
type random uint64

func (r *random) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (r *random) below(n int) int { return int(r.next() % uint64(n)) }

func (r *random) column(f column.Field, s shape, rows int) column.Column {
	c := column.New(f.Type)
	nulls := int(s.nulls * 1000)
	if f.Required {
		nulls = 0
	}
	for range rows {
		r.maybe(c, s, nulls)
	}
	return c
}

// maybe appends a value, or null in so many of a thousand cases.
func (r *random) maybe(c column.Column, s shape, nulls int) {
	if r.below(1000) < nulls {
		c.AppendNull()
	} else {
		r.value(c, s)
	}
}

// value appends a value.
func (r *random) value(c column.Column, s shape) {
	v := random(r.below(s.distinct))
	u := v.next()
	switch c := c.(type) {
	case *column.Bools:
		c.Append(u&1 == 0)
	case *column.Bytes:
		c.Append(int8(u))
	case *column.Shorts:
		c.Append(int16(u))
	case *column.Decimals:
		text := fmt.Sprintf("%d%d%d", int64(u), v.next(), v.next())
		d, err := column.ParseDecimal([]byte(text[:min(len(text), 1+int(u>>50)%c.Type().Precision())]), c.Type().Precision(), 0)
		if err != nil { // a sign alone
			d = column.Int128Of(-1)
		}
		c.Append(d)
	case *column.Structs:
		for i, f := range c.Fields {
			nulls := int(s.nulls * 1000)
			if c.Schema()[i].Required {
				nulls = 0
			}
			r.maybe(f, s, nulls)
		}
		c.Close()
	case *column.Ints:
		c.Append(int32(u) >> (u >> 59))
	case *column.Longs:
		c.Append(int64(u) >> (u >> 58))
	case *column.Floats:
		c.Append([]float32{0, float32(math.Copysign(0, -1)), float32(math.NaN()), float32(math.Inf(1)), float32(int32(u)) / 7}[min(4, u>>40&31)])
	case *column.Doubles:
		c.Append([]float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(-1), float64(int64(u)) / 7}[min(4, u>>40&31)])
	case *column.Texts:
		n := int(u>>32) % (s.longest + 1)
		c.AppendString(strings.ToValidUTF8(strings.Repeat(fmt.Sprintf("%xäé€", u), n/5+1)[:n], ""))
	case *column.List:
		for range r.below(s.longest/20 + 2) {
			if r.below(10) == 0 && c.Type().Kind != column.Map {
				c.Elem.AppendNull()
			} else {
				r.value(c.Elem, s)
			}
		}
		c.Close()
	}
}

// jsons gives the rows as JSON.
func jsons(schema column.Schema, cols []column.Column, sel column.Selection, n int) []string {
	var rows []string
	for row := range sel.All(n) {
		rows = append(rows, string(column.AppendRowJSON(nil, schema, cols, row)))
	}
	return rows
}

func wantRows(t fataler, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("row %d is\n%s, want\n%s", i, got[i], want[i])
		}
	}
}

// fataler is what tests and rapid's checks have in common.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// open opens a file that is in memory.
func open(t fataler, file []byte, wanted column.Schema) *File {
	t.Helper()
	store := mem.New()
	if err := store.Put(context.Background(), "f", file); err != nil {
		t.Fatalf("%v", err)
	}
	f, err := Open(context.Background(), store, "f", wanted)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return f
}

// readAll gives the rows of a file as JSON, read by our reader.
func readAll(t fataler, f *File) []string {
	t.Helper()
	var rows []string
	for i := range f.RowGroups() {
		cols, err := f.ReadRowGroup(context.Background(), i, nil)
		if err != nil {
			t.Fatalf("%v", err)
		}
		rows = append(rows, jsons(f.Schema(), cols, nil, f.RowGroupRows(i))...)
	}
	return rows
}

// TestRoundTrip writes random rows of every type in random batches and options, and reads them with our
// reader and with parquet-go's. The statistics must be those of all rows at once.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := random(rapid.Uint64().Draw(t, "seed"))
		all := allTypes()
		var schema column.Schema
		for range rapid.IntRange(1, 5).Draw(t, "columns") {
			f := all[r.below(len(all))]
			f.Name += fmt.Sprint(len(schema))
			schema = append(schema, f)
		}
		opt := Options{
			Compression: rapid.SampledFrom([]Compression{Snappy, Zstd, None}).Draw(t, "compression"),
			Page:        rapid.SampledFrom([]int{1, 100, 3000, 0}).Draw(t, "page"),
			PageRows:    rapid.SampledFrom([]int{1, 7, 64, 1000, 0}).Draw(t, "page rows"),
			RowGroup:    rapid.SampledFrom([]int64{1, 20000, 0}).Draw(t, "row group"),
			Dictionary:  rapid.SampledFrom([]int{-1, 50, 2000, 0, 0}).Draw(t, "dictionary"),
		}
		var b bytes.Buffer
		e, err := NewEncoder(&b, schema, opt)
		if err != nil {
			t.Fatalf("%v", err)
		}
		var want, shreds []string
		stats := newRowStats(schema)
		for i := range rapid.IntRange(0, 4).Draw(t, "batches") {
			n := rapid.SampledFrom([]int{0, 1, 63, 64, 65, 300, 1500}).Draw(t, "rows")
			var cols []column.Column
			for k, f := range schema {
				cols = append(cols, r.column(f, drawShape(t, fmt.Sprintf("%d.%d", i, k)), n))
			}
			sel := r.selection(n, rapid.SampledFrom([]int{-1, 0, 50, 90, 100}).Draw(t, "selected"))
			if err := e.Write(cols, sel, n); err != nil {
				t.Fatalf("%v", err)
			}
			want = append(want, jsons(schema, cols, sel, n)...)
			for row := range sel.All(n) {
				shreds = append(shreds, shredRow(schema, cols, row))
			}
			stats.add(cols, sel, n)
		}
		s, err := e.Close()
		if err != nil {
			t.Fatalf("%v", err)
		}
		if s.Rows != int64(len(want)) || s.Bytes != int64(b.Len()) {
			t.Fatalf("summary is %v of %d rows and %d bytes", s, len(want), b.Len())
		}
		if want := stats.json(); s.Stats != want {
			t.Fatalf("statistics are %s, want %s", s.Stats, want)
		}
		f := open(t, b.Bytes(), nil)
		if f.Rows() != s.Rows {
			t.Fatalf("%d rows in the footer, want %d", f.Rows(), s.Rows)
		}
		if len(want) > 0 && !f.Schema().Equal(schema) {
			t.Fatalf("schema is %v, want %v", f.Schema(), schema)
		}
		wantRows(t, readAll(t, f), want)
		wantRows(t, readOracle(t, b.Bytes(), schema), shreds)
	})
}

// A rowStats makes statistics of all rows, kept until the end.
type rowStats struct {
	schema column.Schema
	kept   []column.Column
}

func newRowStats(schema column.Schema) *rowStats {
	s := &rowStats{schema: schema}
	for _, f := range schema {
		s.kept = append(s.kept, column.New(f.Type))
	}
	return s
}

func (s *rowStats) add(cols []column.Column, sel column.Selection, n int) {
	for i, c := range s.kept {
		c.AppendRows(cols[i], sel, n)
	}
}

func (s *rowStats) json() string {
	stats := delta.NewStats(s.schema, delta.Indexing{})
	var all []delta.ColumnSummary
	for _, c := range s.kept {
		all = appendSummaries(all, c, make([]bool, c.Len()))
	}
	stats.Add(int64(s.kept[0].Len()), all)
	return stats.JSON()
}

// appendSummaries appends those of a column's leaves; a row for which absent is true is in a struct that is null.
func appendSummaries(all []delta.ColumnSummary, c column.Column, absent []bool) []delta.ColumnSummary {
	nulls := int64(0)
	inside := slices.Clone(absent)
	for row := range inside {
		if inside[row] = inside[row] || c.Nulls().Null(row); inside[row] {
			nulls++
		}
	}
	if s, ok := c.(*column.Structs); ok {
		for _, f := range s.Fields {
			all = appendSummaries(all, f, inside)
		}
		return all
	}
	ends := column.New(c.Type())
	for row := range inside {
		if !inside[row] {
			ends.AppendRow(c, row)
		}
	}
	return append(all, delta.ColumnSummary{Nulls: nulls, Ends: ends})
}

// selection selects a share of n rows, in percent; below 0 it is nil.
func (r *random) selection(n, percent int) column.Selection {
	if percent < 0 {
		return nil
	}
	sel := column.Selection{}
	for i := range n {
		if r.below(100) < percent {
			sel = append(sel, int32(i))
		}
	}
	return sel
}
