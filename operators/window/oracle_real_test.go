//go:build real

package window

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
	"github.com/millrace-io/millrace/scripts/realtest"
)

// TestCalendarOracle: rows fall into the calendar windows that DuckDB gives them, in several zones and near their changes of
// clocks. Units below a day are compared with a look at the clock in calendar_test.go: DuckDB takes a local time that comes twice for the
// first of the two, and has no window for the second.
func TestCalendarOracle(t *testing.T) {
	duck := realtest.StartDuckDB(t)
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Sydney"} {
		for _, unit := range []string{"day", "week", "month", "quarter", "year"} {
			g := rand.New(rand.NewPCG(uint64(len(zone)), uint64(len(unit))))
			var times []engine.Time
			for range 200 {
				at := time.Date(2010+g.IntN(30), time.Month(1+g.IntN(12)), 1+g.IntN(28), g.IntN(24), g.IntN(60), g.IntN(60), g.IntN(1e6)*1000, time.UTC)
				times = append(times, engine.TimeOf(at))
			}
			ours := calendarCounts(times, unit, zone)
			theirs := duckCounts(t, duck, times, unit, zone)
			if !slices.Equal(ours, theirs) {
				t.Errorf("%s in %s:\nwe have %v\nDuckDB  %v", unit, zone, ours, theirs)
			}
		}
	}
}

// calendarCounts is the windows with how many rows each has.
func calendarCounts(times []engine.Time, unit, zone string) []string {
	config := optest.Decode(New(), fmt.Sprintf("%s: {zone: %s}\naggregates: {n: count()}", unit, zone))
	var rows []string
	for _, at := range times {
		rows = append(rows, fmt.Sprintf(`{"@at": %q}`, at.Std().Format(time.RFC3339Nano)))
	}
	b := optest.Batch(optest.Schema("x: long"), rows...)
	b.Upto = engine.MaxTime
	var all []string
	for _, line := range optest.Run(config, b) {
		if text, ok := strings.CutPrefix(line, "row "); ok {
			all = append(all, text)
		}
	}
	slices.Sort(all)
	return all
}

func duckCounts(t *testing.T, duck *realtest.DuckDB, times []engine.Time, unit, zone string) []string {
	t.Helper()
	var values []string
	for _, at := range times {
		values = append(values, fmt.Sprintf("(make_timestamp(%d))", at))
	}
	local := "(v.t AT TIME ZONE 'UTC') AT TIME ZONE '" + zone + "'" // what a clock there shows
	instant := func(local string) string { return "epoch_us((" + local + ") AT TIME ZONE '" + zone + "')" }
	rows, err := duck.Ask(fmt.Sprintf("SELECT %s, %s, count(*) FROM (SELECT date_trunc('%s', %s) AS d FROM (VALUES %s) v(t)) GROUP BY d",
		instant("d"), instant("d + INTERVAL 1 "+unit), unit, local, strings.Join(values, ", ")))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, r := range rows {
		var from, to engine.Time
		fmt.Sscan(fmt.Sprint(r[0]), &from) //nolint:errcheck // a wrong one is not equal
		fmt.Sscan(fmt.Sprint(r[1]), &to)   //nolint:errcheck // a wrong one is not equal
		all = append(all, fmt.Sprintf(`{"window_start":%q,"window_end":%q,"n":%v}`, stampOf(from), stampOf(to), r[2]))
	}
	slices.Sort(all)
	return all
}

func stampOf(at engine.Time) string { return at.Std().Format("2006-01-02T15:04:05.000000Z") }
