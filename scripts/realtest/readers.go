//go:build real

package realtest

import (
	"encoding/json"
	"testing"
)

// A Table is what delta-rs and DuckDB say of a Delta table.
type Table struct {
	Rows        int64    `json:"rows"`
	Distinct    int64    `json:"distinct"`    // values of the column that was asked for
	Fingerprint string   `json:"fingerprint"` // of all rows, whatever their order
	Version     int64    `json:"version"`
	Files       int      `json:"files"`
	Bytes       int64    `json:"bytes"` // of the files
	PartitionBy []string `json:"partition_by"`
	Protocol    [2]int   `json:"protocol"` // least reader and writer version
	Schema      []struct {
		Name     string          `json:"name"`
		Type     json.RawMessage `json:"type"` // as in the log
		Nullable bool            `json:"nullable"`
	} `json:"schema"`
}

// ReadDelta has both readers open the Delta table in a folder and read all of it. The test fails if they
// cannot or disagree. distinct is the column whose values are counted, or "".
func ReadDelta(t testing.TB, path, distinct string) Table {
	t.Helper()
	args := []string{"read", path, "--json"}
	if distinct != "" {
		args = append(args, "--distinct", distinct)
	}
	out, failed := script(t, nil, "readers.sh", args...)
	if failed {
		t.Fatalf("read %s: %s", path, out)
	}
	var table Table
	if err := json.Unmarshal(out, &table); err != nil {
		t.Fatalf("read %s: %v: %s", path, err, out)
	}
	return table
}

// A Cleaned table of the pinterest pipeline and what it was made of.
type Cleaned struct {
	Kind       string   // pin, geo or user
	Path       string   // the table's folder
	Raw        []string // files of raw records, one a line
	Quarantine string   // the quarantine table's folder; "": not looked at
	Source     string   // the name of the records' source in the quarantine table
}

// CheckCleaned fails the test unless both readers find in the table exactly the rows that a naive cleaning
// makes of the raw records, and in the quarantine table exactly those it refuses.
func CheckCleaned(t testing.TB, c Cleaned) {
	t.Helper()
	args := append([]string{"clean", "compare", c.Kind, c.Path}, c.Raw...)
	if c.Quarantine != "" {
		args = append(args, "--quarantine", c.Quarantine, "--source", c.Source)
	}
	check(t, args)
}

// CheckPruning fails the test unless filtered scans of the table, which both readers cut short by its
// statistics, give what a filter over the whole table gives. skips: and at least one of them skips a file.
func CheckPruning(t testing.TB, path string, skips bool) {
	t.Helper()
	args := []string{"clean", "prune", path}
	if skips {
		args = append(args, "--skips")
	}
	check(t, args)
}

func check(t testing.TB, args []string) {
	t.Helper()
	out, failed := script(t, nil, "readers.sh", args...)
	if failed {
		t.Fatalf("%v:\n%s", args, out)
	}
	t.Logf("%s", out)
}
