package spec

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// eventTime is the event time of a source whose column at is of a type.
func eventTime(t testing.TB, typ, format string) engine.EventTime {
	t.Helper()
	sources := "sources: {pins: {kafka: {brokers: a:1, topic: t}, format: json, schema: {at: " + typ + ", id: int}, event_time: {column: at" + format + "}}}"
	def := load(t, complete(sources, sources), Options{})
	return def.Plan.Sources[0].Time
}

// times are what is read of a column, null where it is no time.
func times(e engine.EventTime, in column.Column) string {
	out := column.New(column.Of(column.Timestamp)).(*column.Longs)
	e.Read(out, in)
	var all []string
	for row := range out.Len() {
		all = append(all, string(column.AppendJSON(nil, out, row)))
	}
	return strings.Join(all, " ")
}

func TestEventTimeOfTexts(t *testing.T) {
	in := column.New(column.Of(column.String)).(*column.Texts)
	for _, v := range []string{"2024-05-06T07:08:09Z", "2024:05:06 07:08:09", "1714979289", "yesterday", ""} {
		in.AppendString(v)
	}
	in.AppendNull()
	for _, c := range []struct{ format, want, expect string }{
		{"", `"2024-05-06T07:08:09.000000Z" null null null null null`, "a timestamp such as iso"},
		{`, format: [iso, "yyyy:MM:dd HH:mm:ss"]`, `"2024-05-06T07:08:09.000000Z" "2024-05-06T07:08:09.000000Z" null null null null`, "a timestamp such as iso or yyyy:MM:dd HH:mm:ss"},
		{", format: epoch_s", `null null "2024-05-06T07:08:09.000000Z" null null null`, "a timestamp such as epoch_s"},
	} {
		e := eventTime(t, "string", c.format)
		if got := times(e, in); got != c.want || e.Expect != c.expect {
			t.Errorf("texts%s: %s, expected %s\nwant %s, expected %s", c.format, got, e.Expect, c.want, c.expect)
		}
	}
}

func TestEventTimeOfNumbers(t *testing.T) {
	long := column.New(column.Of(column.Long)).(*column.Longs)
	for _, v := range []int64{0, 1714979289, -1, math.MaxInt64 / 1000, math.MaxInt64/1000 + 1, math.MinInt64} {
		long.Append(v)
	}
	long.AppendNull()
	small := column.New(column.Of(column.Int)).(*column.Ints)
	small.Append(math.MaxInt32)
	small.AppendNull()
	for _, c := range []struct {
		typ, format, want string
		in                column.Column
	}{
		{"long", "epoch_ms", `"1970-01-01T00:00:00.000000Z" "1970-01-20T20:22:59.289000Z" "1969-12-31T23:59:59.999000Z" "294247-01-10T04:00:54.775000Z" null null null`, long},
		{"long", "epoch_us", `"1970-01-01T00:00:00.000000Z" "1970-01-01T00:28:34.979289Z" "1969-12-31T23:59:59.999999Z" "2262-04-11T23:47:16.854775Z" "2262-04-11T23:47:16.854776Z" null null`, long},
		{"int", "epoch_s", `"2038-01-19T03:14:07.000000Z" null`, small},
	} {
		if got := times(eventTime(t, c.typ, ", format: "+c.format), c.in); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s of %s:\n%s, want\n%s", c.format, c.typ, got, c.want)
		}
	}
}

func TestEventTimeOfDaysAndLocalTimes(t *testing.T) {
	day := column.New(column.Of(column.Date)).(*column.Ints)
	day.Append(-1)
	day.AppendNull()
	day.Append(19849)
	if got, want := times(eventTime(t, "date", ""), day), `"1969-12-31T00:00:00.000000Z" null "2024-05-06T00:00:00.000000Z"`; got != want {
		t.Errorf("days are %s, want %s", got, want)
	}
	local := column.New(column.Of(column.TimestampNTZ)).(*column.Longs)
	local.Append(1)
	local.AppendNull()
	if got, want := times(eventTime(t, "timestamp_ntz", ""), local), `"1970-01-01T00:00:00.000001Z" null`; got != want {
		t.Errorf("local times are %s, want %s", got, want)
	}
	if e := eventTime(t, "timestamp", ""); e.Read != nil {
		t.Error("timestamps are read though they are event times as they are")
	}
}

// TestEventTimeAs: checkpoints hold these words, so they never change.
func TestEventTimeAs(t *testing.T) {
	for _, c := range []struct{ typ, format, want string }{
		{"string", "", "[iso]"},
		{"string", `, format: [iso, "yyyy:MM:dd HH:mm:ss"]`, "[iso yyyy:MM:dd HH:mm:ss]"},
		{"int", ", format: epoch_s", "[epoch_s]"},
		{"long", ", format: epoch_ms", "[epoch_ms]"},
		{"timestamp", "", "[timestamp]"},
		{"timestamp_ntz", "", "[timestamp_ntz]"},
		{"date", "", "[date]"},
	} {
		if got := fmt.Sprint(eventTime(t, c.typ, c.format).As); got != c.want {
			t.Errorf("%s%s: as %s, want %s", c.typ, c.format, got, c.want)
		}
	}
	if e := load(t, complete("", ""), Options{}).Plan.Sources[0].Time; e.Column != "" || e.As != nil {
		t.Errorf("the record's own timestamp is that of column %q as %v", e.Column, e.As)
	}
}

func TestEventTimeAllocatesNothing(t *testing.T) {
	in := column.New(column.Of(column.String)).(*column.Texts)
	for i := range 1000 {
		in.AppendString(fmt.Sprintf("2024:05:06 07:%02d:09", i%60))
	}
	out := column.New(column.Of(column.Timestamp)).(*column.Longs)
	e := eventTime(t, "string", `, format: [iso, "yyyy:MM:dd HH:mm:ss"]`)
	e.Read(out, in)
	if n := testing.AllocsPerRun(10, func() { out.Reset(); e.Read(out, in) }); n > 0 {
		t.Errorf("reading 1000 texts allocates %v times", n)
	}
	if out.Valid.Nulls() > 0 {
		t.Errorf("%d texts are no time", out.Valid.Nulls())
	}
}

func BenchmarkEventTimeOfTexts(b *testing.B) {
	in := column.New(column.Of(column.String)).(*column.Texts)
	for i := range 1000 {
		in.AppendString(fmt.Sprintf("2024-05-06T07:%02d:09.123Z", i%60))
	}
	out := column.New(column.Of(column.Timestamp)).(*column.Longs)
	e := eventTime(b, "string", "")
	for b.Loop() {
		out.Reset()
		e.Read(out, in)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*1000), "ns/row")
}
