package main

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCount(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 12_345: "12,345", 1_234_567: "1,234,567", -1: "-1", -999: "-999", -1000: "-1,000",
		math.MaxInt64: "9,223,372,036,854,775,807", math.MinInt64: "-9,223,372,036,854,775,808",
	} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1 kB", 1234: "1.23 kB", 12_345: "12.3 kB", 123_456: "123 kB", 999_499: "999 kB", 999_500: "1 MB",
		1_240_000: "1.24 MB", 5_000_000_000: "5 GB", 1_500_000_000_000: "1.5 TB", math.MaxInt64: "9.22 EB",
	} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{
		{"mill", 0, "mill"}, {"mill", 4, "mill"}, {"millrace", 4, "mil…"}, {"Mühlbach", 3, "Mü…"}, {"水車小屋", 4, "水車小屋"}, {"水車小屋", 3, "水車…"},
		{"ab", 1, "…"}, {"", 1, ""},
	} {
		if got := cut(c.text, c.limit); got != c.want {
			t.Errorf("cut(%q, %d) = %q, want %q", c.text, c.limit, got, c.want)
		}
	}
}

func TestOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"plain 水": "plain 水", "a\nb\r\nc\td": "a b  c d", "\x1b[2J": "·[2J", "a\x00b\x7f": "a·b·", "\u009b31m": "·31m", "\u202Eevil": "·evil",
		"bad \xff": "bad \uFFFD",
	} {
		if got := oneLine(text); got != want {
			t.Errorf("oneLine(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestGrid(t *testing.T) {
	header := []string{"name", "rows", "note"}
	rows := [][]string{{"pins", "1,729", "two\nlines"}, {"a very long name", "7", ""}}
	var b bytes.Buffer
	grid(&b, header, rows, 10, "rows")
	want := `name         rows  note
pins        1,729  two lines
a very lo…      7
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("grid (-want +got):\n%s", diff)
	}
	if rows[1][0] != "a very long name" {
		t.Errorf("the caller's cells were changed: %q", rows[1][0])
	}
}

func TestRate(t *testing.T) {
	var r rate
	if got := r.add(500); got != 0 {
		t.Errorf("rate after one look = %d, want 0", got)
	}
	perLook := int64(1000 * progressEvery / time.Second) // of 1,000 a second
	for i := range int64(3 * rateWindow) {
		if got := r.add(500 + (i+1)*perLook); got != 1000 {
			t.Fatalf("rate after look %d = %d, want 1000", i+2, got)
		}
	}
	last := r.seen[len(r.seen)-1]
	for range rateWindow {
		r.add(last)
	}
	if got := r.add(last); got != 0 {
		t.Errorf("rate when nothing came in the window = %d, want 0", got)
	}
}

func TestLiveLine(t *testing.T) {
	var b bytes.Buffer
	l := liveLine{w: &b}
	l.show("12 records")
	l.show("9")
	l.show("")
	want := "\r12 records\r12 records" + "\r9         \r9" + "\r \r"
	if got := b.String(); got != want {
		t.Errorf("wrote %q, want %q", got, want)
	}
}

func TestPlural(t *testing.T) {
	if got := plural(1, "row") + ", " + plural(0, "row") + ", " + plural(2, "row"); got != "1 row, 0 rows, 2 rows" {
		t.Errorf("plural: %s", got)
	}
}
