package expr

import (
	"fmt"
	"strings"

	"github.com/millrace-io/millrace/engine/column"
)

// timeField is a part of a date or of an instant in UTC.
func (c *checker) timeField(what string, n *node, f func(micros int64) int64) *node {
	x := c.instant(what, n)
	return c.strict(column.Of(column.Int), map1(x, column.Of(column.Int), func(micros int64) int32 { return int32(f(micros)) }), x)
}

// timeLong is timeField where a long is needed.
func (c *checker) timeLong(what string, n *node, f func(micros int64) int64) *node {
	x := c.instant(what, n)
	return c.strict(column.Of(column.Long), map1(x, column.Of(column.Long), f), x)
}

// instant gives n as a timestamp.
func (c *checker) instant(what string, n *node) *node {
	if n.failed {
		return n
	}
	if t, ok := common(n.typ, column.Of(column.Timestamp)); !ok || t.Kind != column.Timestamp {
		return c.fail(n.at, "%s: expected timestamp or date, found %s%s", what, n.typ, hint(column.Of(column.Timestamp), n.typ))
	}
	return c.convert(n, column.Of(column.Timestamp))
}

func yearOf(micros int64) int64   { return civilOf(dayOf(micros)).year }
func monthOf(micros int64) int64  { return civilOf(dayOf(micros)).month }
func dayInMonth(us int64) int64   { return civilOf(dayOf(us)).day }
func hourOf(micros int64) int64   { return timeOfDay(micros) / (3600 * microsPerSecond) }
func minuteOf(micros int64) int64 { return timeOfDay(micros) / (60 * microsPerSecond) % 60 }
func secondOf(micros int64) int64 { return timeOfDay(micros) / microsPerSecond % 60 }

// weekdayOf is 0 on Sunday, 6 on Saturday. 1970-01-01 was a Thursday.
func weekdayOf(micros int64) int64 {
	days := dayOf(micros) + 4
	return days - floorDiv(days, 7)*7
}

// truncation cuts an instant down to the beginning of its unit.
func truncation(unit string) func(micros int64) int64 {
	down := func(size int64) func(int64) int64 {
		return func(micros int64) int64 { return floorDiv(micros, size) * size }
	}
	months := func(n int64) func(int64) int64 {
		return func(micros int64) int64 {
			c := civilOf(dayOf(micros))
			return civil{c.year, (c.month-1)/n*n + 1, 1}.days() * microsPerDay
		}
	}
	switch unit {
	case "microsecond":
		return down(1)
	case "millisecond":
		return down(1000)
	case "second":
		return down(microsPerSecond)
	case "minute":
		return down(60 * microsPerSecond)
	case "hour":
		return down(3600 * microsPerSecond)
	case "day":
		return down(microsPerDay)
	case "week": // begins on Monday
		return func(micros int64) int64 {
			return floorDiv(micros-4*microsPerDay, 7*microsPerDay)*7*microsPerDay + 4*microsPerDay
		}
	case "month":
		return months(1)
	case "quarter":
		return months(3)
	case "year":
		return months(12)
	}
	return nil
}

// dateTrunc is date_trunc(unit, x).
func (c *checker) dateTrunc(what string, args []*node) *node {
	unit, ok := c.constantText(what, "the unit", args[0])
	x := c.instant(what, args[1])
	f := truncation(lower(unit))
	if ok && f == nil {
		units := []string{"microsecond", "millisecond", "second", "minute", "hour", "day", "week", "month", "quarter", "year"}
		c.errs = append(c.errs, &Error{args[0].at, fmt.Sprintf("%s: no unit %s; there are %s", what, quoted(unit), strings.Join(units, ", ")), column.Nearest(unit, units)})
	}
	if f == nil || x.failed {
		return &node{failed: true}
	}
	return c.strict(x.typ, partial1(x, x.typ, false, func(micros int64) (int64, bool) {
		start := f(micros)
		return start, start <= micros // it is not where the calculation left the range of a long
	}, func(micros int64) string {
		return fmt.Sprintf("%s: the %s of %s begins before all timestamps", what, unit, appendTimestamp(nil, micros))
	}), x)
}

// toTimestamp parses texts by a list of layouts, the first that fits. With try what fits none is null.
func (c *checker) toTimestamp(what string, args []*node, try bool) *node {
	layouts, ok := c.layouts(what, args[1:])
	if !ok || args[0].failed {
		return &node{failed: true}
	}
	typ := column.Of(column.Timestamp)
	if args[0].kind().Integer() {
		return c.fromEpoch(what, args, layouts, try)
	}
	x := c.want(what, args[0], column.String)
	n := c.strict(typ, parseTexts(x, typ, try, what, func(text []byte) (int64, bool) { return firstLayout(layouts, text) }), x)
	n.nullable = n.nullable || try && n.lit == nil
	return n
}

// firstLayout parses text by the first layout that fits.
func firstLayout(layouts []TimeLayout, text []byte) (int64, bool) {
	for i := range layouts {
		if micros, ok := layouts[i].Parse(text); ok {
			return micros, true
		}
	}
	return 0, false
}

// fromEpoch makes instants of whole numbers in a unit.
func (c *checker) fromEpoch(what string, args []*node, layouts []TimeLayout, try bool) *node {
	unit := int64(0)
	if len(layouts) == 1 {
		switch layouts[0].String() {
		case "epoch_s":
			unit = microsPerSecond
		case "epoch_ms":
			unit = 1000
		case "epoch_us":
			unit = 1
		}
	}
	if unit == 0 {
		return c.fail(args[0].at, "%s: expected string, or a number with one of 'epoch_s', 'epoch_ms' and 'epoch_us', found %s", what, args[0].typ)
	}
	typ := column.Of(column.Timestamp)
	x := c.convert(args[0], column.Of(column.Long))
	n := c.strict(typ, partial1(x, typ, try, func(v int64) (int64, bool) { return multiply(v, unit) }, func(v int64) string {
		return fmt.Sprintf("%s: %d does not fit timestamp", what, v)
	}), x)
	n.nullable = n.nullable || try && n.lit == nil
	return n
}

// toDate is toTimestamp cut down to days.
func (c *checker) toDate(what string, args []*node, try bool) *node {
	if k := args[0].kind(); k == column.Timestamp || k == column.TimestampNTZ || k == column.Date {
		if len(args) > 1 {
			return c.fail(args[1].at, "%s: a layout is for a string, this is %s", what, args[0].typ)
		}
		if k == column.Date {
			return args[0]
		}
		return c.strict(column.Of(column.Date), castKernel(args[0], column.Of(column.Date), false), args[0])
	}
	x := c.toTimestamp(what, args, try)
	if x.failed {
		return x
	}
	return c.strict(column.Of(column.Date), castKernel(x, column.Of(column.Date), false), x)
}

// layouts compiles the layouts of a call; without any it is iso.
func (c *checker) layouts(what string, args []*node) (layouts []TimeLayout, ok bool) {
	ok = true
	for _, n := range args {
		pattern, constant := c.constantText(what, "a layout", n)
		if !constant {
			ok = false
			continue
		}
		l, err := ParseTimeLayout(pattern)
		if err != nil {
			c.fail(n.at, "%s: %v", what, err)
			ok = false
		}
		layouts = append(layouts, l)
	}
	if len(args) == 0 {
		iso, err := ParseTimeLayout("iso")
		if err != nil {
			panic(err)
		}
		layouts = append(layouts, iso)
	}
	return layouts, ok
}
