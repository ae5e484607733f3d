package engine_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/enginetest"
)

// refusing refuses all rows, of batches as it first makes them.
type refusing struct {
	of func(b engine.Batch) engine.Batch
}

func (c refusing) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) { return c, in, nil }

func (c refusing) Apply(_ context.Context, in *engine.Batch, emit engine.Emit) error {
	b := c.of(*in)
	for row := range b.Sel.All(b.Rows) {
		emit.Quarantine(&b, row, engine.ReasonCustom, "", "refused")
	}
	return emit.Rows(in.Select(in.Arena.Selection(0)))
}

// TestRecordTime: a refused row is in quarantine with the timestamp of its record, whatever its event time is; a row that
// comes of no one record, or of one whose timestamp is not known any more, without.
func TestRecordTime(t *testing.T) {
	column, record := engine.EventTime{Column: "at"}, engine.EventTime{}
	as := func(b engine.Batch) engine.Batch { return b }
	unknown := func(b engine.Batch) engine.Batch { b.Recorded = nil; return b }
	made := func(b engine.Batch) engine.Batch { b.Recorded, b.Origin = nil, engine.PartitionID{}; return b }
	for name, c := range map[string]struct {
		of   func(engine.Batch) engine.Batch
		time engine.EventTime
		want string
	}{
		"event time of a column":         {as, column, `"record_time":"1970-01-01T00:00:01.000000Z"`},
		"event time of the record":       {as, record, `"record_time":"1970-01-01T00:00:01.000000Z"`},
		"not kept, of a column":          {unknown, column, `"record_time":null`},
		"not kept, and the event time's": {unknown, record, `"record_time":"1970-01-01T00:00:01.000000Z"`},
		"a result":                       {made, record, `"record_time":null`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := untimely([][]byte{nil, enginetest.Row("a", 3600e6, 1)}, engine.EventTime{}) // offset 1, of second 1
				r.plan.Sources[0].Time = c.time
				r.plan.Streams[0].Steps = []engine.Step{
					{Name: "number", Config: enginetest.Numbered{By: "id"}}, // an exchange
					{Name: "refuse", Config: refusing{c.of}},
				}
				if _, refused := r.ran(t); !strings.Contains(refused, c.want) || !strings.Contains(refused, `"refused"`) {
					t.Errorf("quarantine has %s, want %s", refused, c.want)
				}
			})
		})
	}
}

// TestRecordTimeOfTables: also where a table refuses the row, or a stream that waits.
func TestRecordTimeOfTables(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := untimely([][]byte{enginetest.Row("a", 3600e6, 1), enginetest.Row("late", 1800e6, 1), enginetest.Row("", 3600e6, 1)}, engine.EventTime{})
		r.plan.Tables[0].PartitionBy = []string{"id"}
		_, refused := r.ran(t)
		for _, want := range []string{
			`"record_time":"1970-01-01T00:00:01.000000Z","reason":"late"`,
			`"record_time":"1970-01-01T00:00:02.000000Z","reason":"partition"`,
			"its event time, 1970-01-01T00:30:00Z, is 30m0s older",
		} {
			if !strings.Contains(refused, want) {
				t.Errorf("quarantine has %s, want %s", refused, want)
			}
		}
	})
}
