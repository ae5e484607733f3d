package json

import (
	"fmt"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// TestMemoryIsBounded: keys and white space without end leave little behind.
func TestMemoryIsBounded(t *testing.T) {
	d, err := New(column.Schema{{Name: "x", Type: column.Of(column.Long)}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var frame engine.Frame
	for i := range 1000 {
		long := 0
		if i < 100 {
			long = 100 * i
		}
		value := fmt.Sprintf(`{"x":1,%s"unknown %d":%s[],"%s%d":2}`, strings.Repeat(" ", long), i, strings.Repeat("\n", long), strings.Repeat("k", long), i)
		frame = frame.AppendRecord(engine.Record{Value: []byte(value)})
	}
	rows := &engine.Rows{Columns: []column.Column{column.New(column.Of(column.Long))}}
	if err := d.Decode(frame, rows); err != nil || len(rows.Offset) != 1000 {
		t.Fatalf("%d rows, %v", len(rows.Offset), err)
	}
	if n := len(d.top.members); n > learnLimit+1 {
		t.Errorf("%d members, want at most %d", n, learnLimit+1)
	}
	bytes := len(d.top.start.lead)
	for key, m := range d.top.members {
		bytes += len(key) + cap(m.lead)
	}
	if most := 4 * leadLimit * learnLimit; bytes > most {
		t.Errorf("%d bytes of keys and edges, want at most %d", bytes, most)
	}
}
