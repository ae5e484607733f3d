package delta

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/millrace-io/millrace/engine/column"
)

func longs(values ...int64) column.Column {
	c := column.New(column.Of(column.Long)).(*column.Longs)
	for _, v := range values {
		c.Append(v)
	}
	return c
}

func doubles(values ...float64) column.Column {
	c := column.New(column.Of(column.Double)).(*column.Doubles)
	for _, v := range values {
		c.Append(v)
	}
	return c
}

func strs(values ...string) column.Column {
	c := column.New(column.Of(column.String)).(*column.Texts)
	for _, v := range values {
		c.AppendString(v)
	}
	return c
}

func typed[T column.Native](t column.Kind, values ...T) column.Column {
	c := column.New(column.Of(t)).(*column.Fixed[T])
	for _, v := range values {
		c.Append(v)
	}
	return c
}

func decimals(precision, scale int, texts ...string) column.Column {
	c := column.New(column.DecimalOf(precision, scale)).(*column.Decimals)
	for _, text := range texts {
		v, err := column.ParseDecimal([]byte(text), precision, scale)
		if err != nil {
			panic(err)
		}
		c.Append(v)
	}
	return c
}

func withNull(c column.Column) column.Column {
	c.AppendNull()
	return c
}

// statsOf is the statistics of one column called c.
func statsOf(c column.Column) string {
	s := NewStats(column.Schema{{Name: "c", Type: c.Type()}}, Indexing{})
	s.Add(int64(c.Len()), []ColumnSummary{{Nulls: int64(c.Nulls().Nulls()), Ends: c}})
	return s.JSON()
}

func at(text string) int64 {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t.UnixMicro()
}

func TestStatsOfOneColumn(t *testing.T) {
	long32 := strings.Repeat("é", 32)
	top := string(utf8.MaxRune)
	list := column.New(column.ArrayOf(column.Long)).(*column.List)
	list.Elem.(*column.Longs).Append(5)
	list.Close()
	list.AppendNull()
	for _, c := range []struct {
		name   string
		column column.Column
		lo, hi string // JSON; "": none
		nulls  int
	}{
		{"longs", longs(5, -7, 3), "-7", "5", 0},
		{"extreme longs", longs(math.MaxInt64, math.MinInt64), "-9223372036854775808", "9223372036854775807", 0},
		{"null first and last", withNull(longs(5)), "5", "5", 1},
		{"only nulls", withNull(withNull(longs())), "", "", 2},
		{"ints", typed[int32](column.Int, 4, 2), "2", "4", 0},
		{"bools have none", typed(column.Bool, true), "", "", 0},
		{"arrays have none", list, "", "", 1},
		{"binaries have none", column.New(column.Of(column.Binary)), "", "", 0},
		{"doubles", doubles(1.5, -2, 1e300), "-2", "1e+300", 0},
		{"zeros", doubles(0), "-0.0", "0.0", 0},
		{"negative zero", doubles(math.Copysign(0, -1), -1), "-1", "0.0", 0},
		{"NaN has no place among the greatest", doubles(1, math.NaN(), 2), "1", "", 0},
		{"only NaN", doubles(math.NaN()), "", "", 0},
		{"infinities", doubles(math.Inf(1), 3, math.Inf(-1)), "", "", 0},
		{"above all infinite", doubles(math.Inf(1), 3), "3", "", 0},
		{"floats in their own digits", typed[float32](column.Float, 0.1), "0.1", "0.1", 0},
		{"dates", typed[int32](column.Date, 0, -1, 19844), `"1969-12-31"`, `"2024-05-01"`, 0},
		{"dates past the calendar", typed[int32](column.Date, math.MinInt32, 0, math.MaxInt32), "", "", 0},
		{"timestamps hold their microseconds", typed(column.Timestamp, at("2024-05-01T10:00:00.123456Z")), `"2024-05-01T10:00:00.123Z"`, `"2024-05-01T10:00:00.124Z"`, 0},
		{"whole milliseconds", typed(column.Timestamp, at("2024-05-01T10:00:00.123Z")), `"2024-05-01T10:00:00.123Z"`, `"2024-05-01T10:00:00.123Z"`, 0},
		{"timestamps before 1970", typed[int64](column.Timestamp, -1), `"1969-12-31T23:59:59.999Z"`, `"1970-01-01T00:00:00.000Z"`, 0},
		{"timestamps past the calendar", typed[int64](column.Timestamp, math.MinInt64, math.MaxInt64), "", "", 0},
		{"the last moment", typed(column.Timestamp, at("9999-12-31T23:59:59.9995Z")), `"9999-12-31T23:59:59.999Z"`, "", 0},
		{"times without a zone", typed[int64](column.TimestampNTZ, -1), `"1969-12-31T23:59:59.999"`, `"1970-01-01T00:00:00.000"`, 0},
		{"bytes", typed[int8](column.Byte, 127, -128), "-128", "127", 0},
		{"shorts", typed[int16](column.Short, 32767, -32768), "-32768", "32767", 0},
		{"decimals have all their digits", decimals(10, 2, "0.5", "-12.34"), "-12.34", "0.50", 0},
		{"decimals of 38 digits", decimals(38, 0, strings.Repeat("9", 38), "-"+strings.Repeat("9", 38)), "-" + strings.Repeat("9", 38), strings.Repeat("9", 38), 0},
		{"strings", strs("b", "", "abc"), `""`, `"b"`, 0},
		{"strings that differ behind a long beginning", strs("shared--aaaaaaaab", "shared--zzzzzzzzy", "shared--aaaaaaaaa", "shared--zzzzzzzzz", "shared--b"), `"shared--aaaaaaaaa"`, `"shared--zzzzzzzzz"`, 0},
		{"strings shorter than what the others share", strs("shared--b", "shared--a", "share", "shared-"), `"share"`, `"shared--b"`, 0},
		{"strings that need quotes", strs("a\"\\\n\x00\x7f<é>"), `"a\"\\\u000a\u0000\u007f<é>"`, `"a\"\\\u000a\u0000\u007f<é>"`, 0},
		{"32 characters", strs(long32), `"` + long32 + `"`, `"` + long32 + `"`, 0},
		{"33 characters", strs(long32 + "a"), `"` + long32 + `"`, `"` + long32 + `\u007f"`, 0},
		{"a high character cut off", strs(long32 + "\x7f"), `"` + long32 + `"`, `"` + long32 + top + `"`, 0},
		{"the highest cut off", strs(long32 + top + "a"), `"` + long32 + `"`, `"` + long32 + top + `\u007f"`, 0},
		{"nothing is above", strs(long32 + strings.Repeat(top, 33)), `"` + long32 + `"`, "", 0},
		{"exactly 64 characters, nothing cut", strs(long32 + strings.Repeat(top, 32)), `"` + long32 + `"`, `"` + long32 + strings.Repeat(top, 32) + `"`, 0},
		{"broken UTF-8 is no JSON", strs("\xff"), "", "", 0},
	} {
		bound := func(v string) string {
			if v == "" {
				return "{}"
			}
			return `{"c":` + v + `}`
		}
		want := fmt.Sprintf(`{"numRecords":%d,"minValues":%s,"maxValues":%s,"nullCount":{"c":%d}}`, c.column.Len(), bound(c.lo), bound(c.hi), c.nulls)
		if got := statsOf(c.column); got != want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, want)
		}
		if !json.Valid([]byte(want)) {
			t.Errorf("%s: %s is no JSON", c.name, want)
		}
	}
}

func TestStatsLeaveOutColumnsPast32(t *testing.T) {
	var schema column.Schema
	var cols []ColumnSummary
	for i := range 40 {
		schema = append(schema, column.Field{Name: fmt.Sprintf("c%02d", i), Type: column.Of(column.Long)})
		cols = append(cols, ColumnSummary{Ends: longs(int64(i))})
	}
	s := NewStats(schema, Indexing{})
	s.Add(1, cols)
	var got struct{ MinValues map[string]int64 }
	if err := json.Unmarshal([]byte(s.JSON()), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]int64{}
	for i := range 32 {
		want[fmt.Sprintf("c%02d", i)] = int64(i)
	}
	if diff := cmp.Diff(want, got.MinValues); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestStatsOfStructs: they are nested as the columns are; which leaves have some is by number or by name.
func TestStatsOfStructs(t *testing.T) {
	inner := column.StructOf(column.Field{Name: "x", Type: column.Of(column.Long)}, column.Field{Name: "y", Type: column.ArrayOf(column.Long)})
	schema := column.Schema{
		{Name: "a", Type: column.Of(column.Long)},
		{Name: "s", Type: column.StructOf(column.Field{Name: "in", Type: inner}, column.Field{Name: "t", Type: column.Of(column.String)})},
		{Name: "z", Type: column.Of(column.Long)},
	}
	for _, c := range []struct {
		name  string
		which Indexing
		want  string
	}{
		{"by default all of a few", Indexing{}, `"minValues":{"a":1,"s":{"in":{"x":2}},"z":4},"maxValues":{"a":1,"s":{"in":{"x":2}},"z":4},"nullCount":{"a":0,"s":{"in":{"x":1,"y":2},"t":3},"z":0}}`},
		{"all", IndexFirst(-1), `"minValues":{"a":1,"s":{"in":{"x":2}},"z":4},"maxValues":{"a":1,"s":{"in":{"x":2}},"z":4},"nullCount":{"a":0,"s":{"in":{"x":1,"y":2},"t":3},"z":0}}`},
		{"none", IndexFirst(0), `"minValues":{},"maxValues":{},"nullCount":{}}`},
		{"the first leaves", IndexFirst(2), `"minValues":{"a":1,"s":{"in":{"x":2}}},"maxValues":{"a":1,"s":{"in":{"x":2}}},"nullCount":{"a":0,"s":{"in":{"x":1}}}}`},
		{"a struct by name", IndexNamed("s.in", "z"), `"minValues":{"s":{"in":{"x":2}},"z":4},"maxValues":{"s":{"in":{"x":2}},"z":4},"nullCount":{"s":{"in":{"x":1,"y":2}},"z":0}}`},
		{"no name", IndexNamed(), `"minValues":{},"maxValues":{},"nullCount":{}}`},
	} {
		s := NewStats(schema, c.which)
		s.Add(1, []ColumnSummary{{Ends: longs(1)}, {Nulls: 1, Ends: longs(2)}, {Nulls: 2}, {Nulls: 3, Ends: strs()}, {Ends: longs(4)}})
		if got := s.JSON(); got != `{"numRecords":1,`+c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// naive is what the statistics of a column of longs or strings must be, said simply.
type naive struct {
	rows, nulls int
	lo, hi      any
}

// TestStatsAgreeWithNaive adds random batches and compares with a loop over all values.
func TestStatsAgreeWithNaive(t *testing.T) {
	schema := column.Schema{{Name: "n", Type: column.Of(column.Long)}, {Name: "s", Type: column.Of(column.String)}}
	rapid.Check(t, func(t *rapid.T) {
		total := NewStats(schema, Indexing{})
		var n, s naive
		for range rapid.IntRange(0, 6).Draw(t, "batches") {
			cols, rows := drawBatch(t)
			var parts []ColumnSummary
			for _, c := range cols {
				parts = append(parts, ColumnSummary{Nulls: int64(c.Nulls().Nulls()), Ends: c})
			}
			total.Add(int64(rows), parts)
			for row := range rows {
				n.add(cols[0], row)
				s.add(cols[1], row)
			}
		}
		var got struct {
			NumRecords           int
			MinValues, MaxValues struct{ N, S any }
			NullCount            struct{ N, S int }
		}
		d := json.NewDecoder(strings.NewReader(total.JSON()))
		d.UseNumber()
		if err := d.Decode(&got); err != nil {
			t.Fatal(err)
		}
		if got.NumRecords != n.rows || got.NullCount.N != n.nulls || got.NullCount.S != s.nulls {
			t.Fatalf("counts of %s: want %d rows, %d and %d nulls", total.JSON(), n.rows, n.nulls, s.nulls)
		}
		if fmt.Sprintln(got.MinValues.N, got.MaxValues.N) != fmt.Sprintln(n.lo, n.hi) || !within(got.MinValues.S, s, got.MaxValues.S) {
			t.Fatalf("%s: want n from %v to %v, s from %q to %q", total.JSON(), n.lo, n.hi, s.lo, s.hi)
		}
	})
}

// within says whether the bounds hold the values, and are the values where these are short.
func within(lo any, s naive, hi any) bool {
	if s.lo == nil || lo == nil {
		return s.lo == nil && lo == nil && hi == nil
	}
	min, max := s.lo.(string), s.hi.(string)
	if lo.(string) > min || utf8.RuneCountInString(min) <= prefixLength && lo != min {
		return false
	}
	if hi == nil {
		return utf8.RuneCountInString(max) > maxLength
	}
	return hi.(string) >= max && (utf8.RuneCountInString(max) > prefixLength || hi == max)
}

func (n *naive) add(c column.Column, row int) {
	n.rows++
	if c.Nulls().Null(row) {
		n.nulls++
		return
	}
	switch c := c.(type) {
	case *column.Longs:
		v := c.Values[row]
		if n.lo == nil || v < n.lo.(int64) {
			n.lo = v
		}
		if n.hi == nil || v > n.hi.(int64) {
			n.hi = v
		}
	case *column.Texts:
		v := string(c.At(row))
		if n.lo == nil || v < n.lo.(string) {
			n.lo = v
		}
		if n.hi == nil || v > n.hi.(string) {
			n.hi = v
		}
	}
}

func drawBatch(t *rapid.T) ([]column.Column, int) {
	n := column.New(column.Of(column.Long)).(*column.Longs)
	s := column.New(column.Of(column.String)).(*column.Texts)
	rows := rapid.IntRange(0, 8).Draw(t, "rows")
	for range rows {
		if rapid.IntRange(0, 3).Draw(t, "null") == 0 {
			n.AppendNull()
		} else {
			n.Append(rapid.Int64().Draw(t, "n"))
		}
		if rapid.IntRange(0, 3).Draw(t, "null") == 0 {
			s.AppendNull()
		} else {
			s.AppendString(rapid.OneOf(rapid.String(), rapid.StringOfN(rapid.RuneFrom([]rune{'a', 'é', '\x7f', utf8.MaxRune}), 0, 70, -1)).Draw(t, "s"))
		}
	}
	return []column.Column{n, s}, rows
}

func TestQuotedIsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		var got string
		if err := json.Unmarshal(appendQuoted(nil, s), &got); err != nil || got != s {
			t.Fatalf("%q comes back as %q: %v", s, got, err)
		}
	})
	if got := appendQuoted(nil, "a\xffb"); !bytes.Equal(got, []byte("\"a\ufffdb\"")) {
		t.Errorf("broken UTF-8 is written as %q", got)
	}
}
