package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/enginetest"
)

// untimely is a rig of one partition, in a stream that waits for event time. Event time is a column.
func untimely(values [][]byte, of engine.EventTime) *rig {
	r := newRig(enginetest.NewSource(enginetest.Input{values}, 1, 5, 0))
	of.Column = "at"
	r.plan.Sources[0].Time = of
	r.plan.Streams = []engine.StreamPlan{{Name: "s", From: []string{enginetest.SourceName}, Steps: []engine.Step{{Name: "patient", Config: patient{}}}, Schema: enginetest.InputSchema}}
	r.plan.Tables[0].From = "s"
	return r
}

// ran is what the ledger says of a run, and the quarantine table as text.
func (r *rig) ran(t *testing.T) (ledger engine.Ledger, refused string) {
	t.Helper()
	result, err := r.task(t).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := enginetest.NewTable(r.store, "bad").Rows(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return result.Ledger, strings.Join(rows, "\n")
}

// TestAbsurdTimes: a row without an event time, of before 1970, or too far ahead of its record's own timestamp goes to
// quarantine, says why, and makes no row late that comes after it.
func TestAbsurdTimes(t *testing.T) {
	const recorded = engine.Time(1e6) // offset 1
	for name, c := range map[string]struct {
		value []byte
		want  string // in quarantine; "": it is a row
	}{
		"none":           {[]byte("odd;1"), "the row has no event time"},
		"before 1970":    {enginetest.Row("odd", -1, 1), "the event time is before 1970: 1969-12-31T23:59:59.999999Z"},
		"as far ahead":   {enginetest.Row("odd", recorded+3600e6, 1), ""},
		"too far ahead":  {enginetest.Row("odd", recorded+3600e6+1, 1), "is more than 1h0m0s (max_ahead) after the record's own"},
		"the end of all": {enginetest.Row("odd", engine.MaxTime-1, 1), "(max_ahead)"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := untimely([][]byte{enginetest.Row("a", 1, 1), c.value, enginetest.Row("b", 2, 1)}, engine.EventTime{MaxDelay: 2 * time.Hour, MaxAhead: time.Hour})
				ledger, refused := r.ran(t)
				if c.want == "" {
					if ledger["s"].Out != 3 || refused != "" {
						t.Errorf("the ledger says %+v and quarantine %s, want three rows", ledger["s"], refused)
					}
					return
				}
				if n := ledger[enginetest.SourceName].Quarantined; n != 1 || !strings.Contains(refused, c.want) || !strings.Contains(refused, `"time"`) {
					t.Errorf("%d refused, with %s; want one, with %q", n, refused, c.want)
				}
				if ledger["s"].Out != 2 || ledger["s"].Late != 0 {
					t.Errorf("the ledger says %+v, want two rows and none late", ledger["s"])
				}
			})
		})
	}
}

// TestLateRows: a late row goes to quarantine and says by how much it was late, or is only counted; one that is as old as
// may be is a row.
func TestLateRows(t *testing.T) {
	const second = engine.Time(1e6)
	values := [][]byte{enginetest.Row("a", 85*second, 1), enginetest.Row("b", 55*second, 1), enginetest.Row("late", 30*second, 1)}
	for name, drop := range map[string]bool{"quarantined": false, "dropped": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ledger, refused := untimely(values, engine.EventTime{MaxDelay: 30 * time.Second, DropLate: drop}).ran(t)
				if c := ledger["s"]; c.In != 3 || c.Out != 2 || c.Late != 1 || c.Quarantined != 0 {
					t.Errorf("the ledger says %+v, want one of three rows late", c)
				}
				want := "it came 25s too late: its event time, 1970-01-01T00:00:30Z, is 55s older than the newest before it, and max_delay is 30s"
				if drop != (refused == "") || !drop && !strings.Contains(refused, want) {
					t.Errorf("quarantine has %s, want %q unless late rows are dropped", refused, want)
				}
			})
		})
	}
}
