package main

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine/column"
)

// printed is the rows that a scan gives, as JSON.
func printed(t *testing.T, columns []string, limit int64) []string {
	t.Helper()
	store, s := pinTable(t)
	var rows []string
	err := scan(t.Context(), store, s, columns, limit, func(r scanned) error {
		for row := range r.rows {
			rows = append(rows, string(column.AppendRowJSON(nil, r.schema, r.columns, row)))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// Oracle: the rows as they were made, without a table in between.
func TestScanGivesWhatWasWritten(t *testing.T) {
	var want []string
	for ind := range int64(30) {
		var cols []column.Column
		for _, f := range pinSchema() {
			cols = append(cols, column.New(f.Type))
		}
		pinRow(cols, ind)
		want = append(want, string(column.AppendRowJSON(nil, pinSchema(), cols, 0)))
	}
	got := printed(t, nil, -1)
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestScanLimit(t *testing.T) {
	all := printed(t, []string{"ind"}, -1)
	for _, limit := range []int64{0, 1, 3, 4, 5, 10, 11, 29, 30, 31, 1 << 40} {
		want := all[:min(limit, 30)]
		if got := printed(t, []string{"ind"}, limit); !slices.Equal(got, want) {
			t.Errorf("limit %d gives %d rows: %v, want %v", limit, len(got), got, want)
		}
	}
}

// A scan of columns that are in the log alone still knows how many rows there are.
func TestScanPartitionColumnOnly(t *testing.T) {
	got := printed(t, []string{"category"}, -1)
	slices.Sort(got)
	counts := map[string]int{}
	for _, row := range got {
		counts[row]++
	}
	want := map[string]int{`{"category":"art"}`: 12, `{"category":"food/drink"}`: 12, `{"category":null}`: 6}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestScanEndsWithYield(t *testing.T) {
	store, s := pinTable(t)
	enough := errors.New("enough")
	calls := 0
	err := scan(t.Context(), store, s, nil, -1, func(scanned) error {
		calls++
		return enough
	})
	if !errors.Is(err, enough) || calls != 1 {
		t.Errorf("%d calls, error %v, want one call and its error", calls, err)
	}
}

func TestScanUnknownColumn(t *testing.T) {
	store, s := pinTable(t)
	err := scan(t.Context(), store, s, []string{"ind", "catgory"}, -1, func(scanned) error { return nil })
	if err == nil || exitCode(err) != exitUsage || !strings.Contains(err.Error(), "did you mean category?") {
		t.Errorf("error is %v with code %d", err, exitCode(err))
	}
}

// A condition sees columns that are not shown, of the files and of the log, and the limit counts what it lets through.
func TestScannerWhere(t *testing.T) {
	store, s := pinTable(t)
	for limit, want := range map[int64]string{-1: "1 3 5 7 11 13 15 17 21 23 25 27", 5: "1 3 5 7 11", 0: ""} {
		sc, err := newScanner(store, s, []string{"ind"}, "category = 'food/drink' AND ratio < 100")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		err = sc.run(t.Context(), limit, func(r scanned) error {
			for row := range r.rows {
				got = append(got, strings.Join(r.cells(row), ","))
			}
			return nil
		})
		if err != nil || strings.Join(got, " ") != want || sc.unjudged != 0 {
			t.Errorf("limit %d gives %v, error %v, %d without a value; want %s", limit, got, err, sc.unjudged, want)
		}
	}
}

func TestCell(t *testing.T) {
	texts := column.New(column.Of(column.String)).(*column.Texts)
	texts.AppendString(`a "b"`)
	texts.AppendNull()
	days := column.New(column.Of(column.Date)).(*column.Ints)
	days.Append(19_000)
	list := column.New(column.ArrayOf(column.String)).(*column.List)
	list.Elem.(*column.Texts).AppendString("x")
	list.Close()
	for want, got := range map[string]string{
		`a "b"`: cell(texts, 0), "": cell(texts, 1), "2022-01-08": cell(days, 0), `["x"]`: cell(list, 0),
	} {
		if got != want {
			t.Errorf("cell is %q, want %q", got, want)
		}
	}
}
