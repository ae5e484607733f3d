package window

import (
	_ "embed"
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
		return even(t, time.Minute)
	case hour:
		return even(t, time.Hour)
	}
	first := c.begin(t)
	next := c.after(first)
	for begins(next, c.zone) <= engine.TimeOf(t) { // the clock was put back over the next one's first midnight
		first, next = next, c.after(next)
	}
	return begins(first, c.zone), begins(next, c.zone)
}

// even cuts by the clock as it goes between two changes: an hour ends where the clock jumps.
func even(t time.Time, size time.Duration) (start, end engine.Time) {
	_, offset := t.Zone()
	from, to := sameClock(t)
	ahead := int64(offset) * 1e6 // the clock, ahead of UTC
	start = engine.Time(floor(t.UnixMicro()+ahead, size.Microseconds()) - ahead)
	return max(start, from), min(plus(start, size.Microseconds()), to)
}

// sameClock is the span around t in which the clock is not changed.
func sameClock(t time.Time) (from, to engine.Time) {
	_, offset := t.Zone()
	from, to = engine.MinTime, engine.MaxTime
	for at := t; ; {
		start, _ := at.ZoneBounds()
		if start.IsZero() {
			break
		}
		at = start.Add(-1)
		if _, o := at.Zone(); o != offset {
			from = engine.TimeOf(start)
			break
		}
	}
	for at := t; ; {
		_, end := at.ZoneBounds()
		if end.IsZero() || end.Year() > lastYear {
			break
		}
		at = end
		if _, o := at.Zone(); o != offset {
			to = engine.TimeOf(end)
			break
		}
	}
	return from, to
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

// begins is the first instant at which the clock of zone shows midnight, given as if at UTC, or a later time. time.Date
// does not say which of two midnights it gives, or what where there is none.
func begins(midnight time.Time, zone *time.Location) engine.Time {
	at := midnight.Add(-24 * time.Hour).In(zone) // no clock is so far ahead
	for {
		_, offset := at.Zone()
		first := midnight.Add(-time.Duration(offset) * time.Second)
		if first.Before(at) {
			first = at
		}
		_, end := at.ZoneBounds()
		if end.IsZero() || first.Before(end) {
			return engine.TimeOf(first)
		}
		at = end
	}
}
