package window

import (
	_ "embed"
	"sort"
	"time"
	_ "time/tzdata" // a machine without a time zone database cuts days as all others do

	"github.com/millrace-io/millrace/engine"
)

// A unit is one of the calendar.
type unit uint8

const (
	minute unit = iota
	hour
	day
	week
	month
	quarter
	year
)

// A calendar cuts time by the clock on the wall of a zone.
type calendar struct {
	unit unit
	zone *time.Location
}

// zones are names of time zones that may have been meant.
//
//go:embed zones.txt
var zones string

// Years that calendars go by. Time before them is one pane, and time behind them is another.
const (
	firstYear = -9998
	lastYear  = 19999
)

func (c calendar) at(t engine.Time) (start, end engine.Time) {
	switch from, to := edge(firstYear), edge(lastYear); {
	case t < from:
		return engine.MinTime, from
	case t >= to:
		return to, engine.MaxTime
	default:
		start, end = c.cut(t.Std().In(c.zone))
		return max(start, from), min(end, to)
	}
}

func edge(year int) engine.Time { return engine.TimeOf(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)) }

func (c calendar) cut(t time.Time) (start, end engine.Time) {
	switch c.unit {
	case minute:
		return c.even(t, time.Minute)
	case hour:
		return c.even(t, time.Hour)
	}
	first := c.begin(t)
	next := c.after(first)
	for c.begins(next) <= engine.TimeOf(t) { // the clock was put back over the next one's first midnight
		first, next = next, c.after(next)
	}
	return c.begins(first), c.begins(next)
}

// even cuts by the clock as it goes between two changes: an hour ends where the clock jumps.
func (c calendar) even(t time.Time, size time.Duration) (start, end engine.Time) {
	now, ahead := t.Unix(), c.ahead(t.Unix())
	from := floor(now+ahead, int64(size/time.Second)) - ahead
	to := from + int64(size/time.Second)
	if c.ahead(from) != ahead {
		from = c.change(from, now)
	}
	if c.ahead(to-1) != ahead {
		to = c.change(now, to-1)
	}
	return engine.Time(from * 1e6), engine.Time(to * 1e6)
}

// ahead is how far the clock is ahead of UTC, in seconds, at a second since 1970.
func (c calendar) ahead(second int64) int64 {
	_, offset := time.Unix(second, 0).In(c.zone).Zone()
	return int64(offset)
}

// change is the first second of another clock than before's, which after's is, one change being between them. It asks
// the clock: Time.ZoneBounds gives ends that are none, and in leap years some that have passed.
func (c calendar) change(before, after int64) int64 {
	was := c.ahead(before)
	n := sort.Search(int(after-before), func(i int) bool { return c.ahead(before+int64(i)) != was })
	return before + int64(n)
}

// begin is the first midnight of the unit that the clock shows at t, as if the clock were at UTC.
func (c calendar) begin(t time.Time) time.Time {
	y, m, d := t.Date()
	switch c.unit {
	case week:
		d -= (int(t.Weekday()) + 6) % 7
	case month:
		d = 1
	case quarter:
		m, d = m-(m-1)%3, 1
	case year:
		m, d = 1, 1
	}
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// after is the midnight at which the next unit begins.
func (c calendar) after(midnight time.Time) time.Time {
	switch c.unit {
	case week:
		return midnight.AddDate(0, 0, 7)
	case month:
		return midnight.AddDate(0, 1, 0)
	case quarter:
		return midnight.AddDate(0, 3, 0)
	case year:
		return midnight.AddDate(1, 0, 0)
	}
	return midnight.AddDate(0, 0, 1)
}

// begins is the first instant at which the clock shows midnight, given as if at UTC, or a later time. time.Date does not
// say which of two midnights it gives, or what where there is none.
func (c calendar) begins(midnight time.Time) engine.Time {
	const most = 16 * 3600 // no clock is further from UTC
	m := midnight.Unix()
	before, after := m-most, m+most
	was, is := c.ahead(before), c.ahead(after)
	first := m - was
	if was != is {
		if t := c.change(before, after); first >= t {
			first = max(t, m-is)
		}
	}
	return engine.Time(first * 1e6)
}
