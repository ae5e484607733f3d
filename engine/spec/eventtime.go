package spec

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/expr"
)

// eventTime takes what a source says of its rows' event time.
func (l *loader) eventTime(n Node, f sourceLayout) engine.EventTime {
	x, n := f.EventTime, get(n, "event_time")
	t := engine.EventTime{
		Column: x.Column, MaxDelay: x.MaxDelay, MaxAhead: x.MaxAhead, DropLate: x.Late == "drop", IdleAfter: x.IdleAfter,
	}
	if x.MaxAhead == 0 {
		l.errorf(get(n, "max_ahead"), "expected a duration above 0: how far ahead of a record's own timestamp its event time may be")
	}
	at, format := get(n, "column"), get(n, "format")
	if t.Column == recordTimestamp {
		t.Column = ""
		if format.t != nil {
			l.errorf(format, "%s is an instant: it has no format", recordTimestamp)
		}
		return t
	}
	if f.Schema == nil || at.Kind() != Scalar || at.t.broken || broken(format) {
		return t
	}
	i := f.Schema.Index(t.Column)
	if i < 0 {
		names := append(f.Schema.Names(), recordTimestamp)
		message := fmt.Sprintf("no column %s in the schema: expected one of its columns or %s", at.t.shown(), recordTimestamp)
		l.errs = append(l.errs, at.errorAt(0, message, column.Nearest(t.Column, names)))
		return t
	}
	l.timeFormat(&t, f.Schema[i].Type, x.Format, at, format)
	return t
}

// timeFormat settles how the values of a column of a type are event times.
func (l *loader) timeFormat(t *engine.EventTime, typ column.Type, formats []string, at, format Node) {
	whole := typ.Kind == column.Long || typ.Kind == column.Int
	t.As = formats
	switch {
	case typ.Kind == column.String:
		if len(formats) == 0 {
			t.As = []string{"iso"}
		}
		t.Read, t.Expect = l.textTimes(t.As, format)
		return
	case whole:
		t.Read, t.Expect = l.epochTimes(t.Column, typ, formats, at, format)
		return
	case typ.Kind == column.TimestampNTZ:
		t.Read, t.Expect = civilTimes, "a time"
	case typ.Kind == column.Date:
		t.Read, t.Expect = dayTimes, "a day"
	case typ.Kind != column.Timestamp:
		l.errorf(at, "column %s is a %s: expected a timestamp, timestamp_ntz, date, string, int or long, or %s", at.t.shown(), typ, recordTimestamp)
		return
	}
	t.As = []string{typ.String()}
	if format.t != nil {
		l.errorf(format, "column %s is a %s: only strings and whole numbers have a format", at.t.shown(), typ)
	}
}

// textTimes reads texts by the first of formats that fits.
func (l *loader) textTimes(formats []string, at Node) (func(*column.Longs, column.Column), string) {
	var layouts []expr.TimeLayout
	for i, pattern := range formats {
		layout, err := expr.ParseTimeLayout(pattern)
		if err != nil {
			item, ok := at.child(strconv.Itoa(i))
			if !ok {
				item = at
			}
			l.errorf(item, "%v", err)
		}
		layouts = append(layouts, layout)
	}
	return func(out *column.Longs, c column.Column) { readTexts(out, c.(*column.Texts), layouts) },
		"a timestamp such as " + strings.Join(formats, " or ")
}

func readTexts(out *column.Longs, in *column.Texts, layouts []expr.TimeLayout) {
rows:
	for row := range in.Len() {
		if !in.Valid.Null(row) {
			text := in.At(row)
			for i := range layouts {
				if micros, ok := layouts[i].Parse(text); ok {
					out.Append(micros)
					continue rows
				}
			}
		}
		out.AppendNull()
	}
}

// epochUnits are the formats of whole numbers, in microseconds.
func epochUnits() map[string]int64 {
	return map[string]int64{"epoch_s": 1e6, "epoch_ms": 1e3, "epoch_us": 1}
}

// epochTimes reads numbers of a unit since 1970.
func (l *loader) epochTimes(name string, typ column.Type, formats []string, at, format Node) (func(*column.Longs, column.Column), string) {
	names := []string{"epoch_s", "epoch_ms", "epoch_us"}
	if len(formats) == 0 {
		l.errorf(at, "column %s holds whole numbers, which do not say their unit: add format: %s", at.t.shown(), alternatives(names))
		return nil, ""
	}
	if len(formats) > 1 || !slices.Contains(names, formats[0]) {
		l.errorf(format, "column %s holds whole numbers: expected one format, %s", at.t.shown(), alternatives(names))
		return nil, ""
	}
	unit := epochUnits()[formats[0]]
	expect := map[int64]string{1e6: "seconds", 1e3: "milliseconds", 1: "microseconds"}[unit] + " since 1970"
	if typ.Kind == column.Int {
		return func(out *column.Longs, c column.Column) { readNumbers(out, c.(*column.Ints), unit) }, expect
	}
	return func(out *column.Longs, c column.Column) { readNumbers(out, c.(*column.Longs), unit) }, expect
}

// readNumbers reads numbers of so many microseconds. What is beyond an instant's range is none.
func readNumbers[T int32 | int64](out *column.Longs, in *column.Fixed[T], unit int64) {
	most := math.MaxInt64 / unit
	for row, v := range in.Values {
		if n := int64(v); !in.Valid.Null(row) && n <= most && n >= -most {
			out.Append(n * unit)
		} else {
			out.AppendNull()
		}
	}
}

// civilTimes takes times without a zone for UTC.
func civilTimes(out *column.Longs, c column.Column) { readNumbers(out, c.(*column.Longs), 1) }

// dayTimes takes days for their midnight in UTC.
func dayTimes(out *column.Longs, c column.Column) {
	readNumbers(out, c.(*column.Ints), (24 * time.Hour).Microseconds())
}
