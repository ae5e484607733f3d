package window

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
)

func mustTime(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

// TestCalendar: the windows are those that who looks at the clock all the time sees, around each change of it.
func TestCalendar(t *testing.T) {
	for zone, years := range map[string][]int{
		"Europe/Berlin":       {2024},
		"UTC":                 {2024},
		"America/Sao_Paulo":   {2018},       // no midnight when clocks are put forward, and two when they are put back
		"America/Havana":      {2024},       // an hour after midnight twice
		"America/St_Johns":    {2006},       // put back at a minute past midnight, and half an hour off
		"Asia/Beirut":         {2022},       // no midnight
		"Australia/Lord_Howe": {2024},       // by half an hour
		"Pacific/Apia":        {2011},       // a day that there was not
		"Asia/Kolkata":        {2024},       // half an hour off
		"Africa/Casablanca":   {2024},       // changes that are announced each year
		"Europe/Moscow":       {2011, 2014}, // another offset for good
	} {
		for _, y := range years {
			from, to := edge(y)-40*aDay, edge(y+1)+40*aDay
			for u, name := range unitNames {
				if unit(u) == minute && zone != "Australia/Lord_Howe" {
					continue // as even as hours, and there are many
				}
				t.Run(fmt.Sprint(zone, " ", y, " ", name), func(t *testing.T) { watch(t, unit(u), zone, from, to) })
			}
		}
	}
}

func watch(t *testing.T, u unit, zone string, from, to engine.Time) {
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	c := calendar{u, location}
	seen := watched(unitNames[u], zone, from-400*aDay, to+400*aDay)
	check := func(at engine.Time) (end engine.Time) {
		start, end := c.at(at)
		wantStart, wantEnd := seen(at)
		if start != wantStart || end != wantEnd {
			t.Fatalf("%v is in the window from %v to %v, expected %v to %v", at.Std().In(location), start.Std(), end.Std(), wantStart.Std(), wantEnd.Std())
		}
		return end
	}
	for at := from; at < to; {
		end := check(at) // the first instant
		check(end - 1)   // the last
		check(at + (end-at)/3)
		if at = end; u == minute {
			at += 17 * aMin
			at, _ = seen(at)
		}
	}
}

// TestPanesPartition: whatever the time, even an absurd one, it is in the pane that it gives, and so are the ends of that.
func TestPanesPartition(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	all := map[string]spans{"tumble": newGrid(7*time.Second, 7*time.Second), "hop": newGrid(time.Hour, 7*time.Minute), "all": everything{}}
	for u, name := range unitNames {
		all[name] = calendar{unit(u), berlin}
	}
	for name, s := range all {
		for range 2000 {
			at := engine.Time(rnd.Uint64()) >> rnd.IntN(64)
			if at == engine.MaxTime {
				at--
			}
			start, end := s.at(at)
			if at < start || at >= end {
				t.Fatalf("%s: %d is said to be between %d and %d", name, at, start, end)
			}
			for _, x := range []engine.Time{start, end - 1} {
				if a, b := s.at(x); a != start || b != end {
					t.Fatalf("%s: %d is between %d and %d, but %d between %d and %d", name, at, start, end, x, a, b)
				}
			}
		}
	}
}
