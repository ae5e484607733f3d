package dedupe_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
	"github.com/millrace-io/millrace/engine/spec"
	"github.com/millrace-io/millrace/operators/dedupe"
)

var (
	_ spec.ArrivalOrdered = dedupe.Config{}
	_ engine.Waiting      = dedupe.Config{}
)

func Example() {
	config := optest.Decode(dedupe.New(), `{by: [id], within: 1h}`)
	optest.Print(config, "id: string, n: int",
		`{"id": "a", "n": 1, "@at": "2024-05-01T10:00:00Z"}`,
		`{"id": "b", "n": 2, "@at": "2024-05-01T10:05:00Z"}`,
		`{"id": "a", "n": 3, "@at": "2024-05-01T10:50:00Z"}`, // the same as 1
		`{"id": "a", "n": 4, "@at": "2024-05-01T11:20:00Z"}`, // not as 1, and 3 was not kept
		`{"id": "a", "n": 5, "@at": "2024-05-01T09:30:00Z"}`) // the same as 1, whichever is older
	// Output:
	// columns id: string, n: int
	// drop duplicate 2
	// row {"id":"a","n":1}
	// row {"id":"b","n":2}
	// row {"id":"a","n":4}
}

// A row that comes later than the watermark by more than the span does not see what was kept before.
func Example_late() {
	config := dedupe.Config{By: []string{"id"}, Within: time.Hour}
	optest.Print(config, "id: string, n: int",
		`{"id": "a", "n": 1, "@at": "2024-05-01T10:00:00Z"}`,
		`{"id": "a", "n": 2, "@at": "2024-05-01T10:00:00Z", "@mark": "2024-05-01T11:00:00Z"}`,
		`{"id": "a", "n": 3, "@at": "2024-05-01T10:00:00Z", "@mark": "2024-05-01T11:00:01Z"}`)
	// Output:
	// columns id: string, n: int
	// drop duplicate 1
	// row {"id":"a","n":1}
	// row {"id":"a","n":3}
}

// In order of event time the earliest row is kept, though it came later. What the watermark has not passed waits.
func Example_eventTime() {
	config := optest.Decode(dedupe.New(), `{by: [id], within: 1h, order: event_time}`)
	optest.Print(config, "id: string, n: int",
		`{"id": "a", "n": 1, "@at": "2024-05-01T10:30:00Z"}`, // the same as 3
		`{"id": "b", "n": 2, "@at": "2024-05-01T10:05:00Z"}`,
		`{"id": "a", "n": 3, "@at": "2024-05-01T10:00:00Z"}`,
		`{"id": "a", "n": 4, "@at": "2024-05-01T11:20:00Z"}`,                                  // not as 3, and 1 was not kept
		`{"id": "b", "n": 5, "@at": "2024-05-01T12:00:00Z", "@mark": "2024-05-01T11:30:00Z"}`) // waits
	// Output:
	// columns id: string, n: int
	// drop duplicate 1
	// row {"id":"a","n":3}
	// row {"id":"b","n":2}
	// row {"id":"a","n":4}
}

// TestConforms: in one batch or many, with the promise moving on or not.
func TestConforms(t *testing.T) {
	rows := []string{}
	for i := range 200 {
		rows = append(rows, fmt.Sprintf(`{"id": "%d", "k": %d}`, i*i%7, i%2), `{"k": 1}`)
	}
	optest.Conform(t, dedupe.Config{By: []string{"id", "k"}, Within: 30 * time.Second}, "id: string, k: int", rows...)
}

// TestOrdersAgree: where rows come in the order of their times both orders keep the same.
func TestOrdersAgree(t *testing.T) {
	rows := []string{}
	for i := range 400 {
		at := time.Unix(int64(i), 0).UTC().Format(time.RFC3339)
		rows = append(rows, fmt.Sprintf(`{"id": "%d", "k": %d, "@at": %q, "@mark": %q}`, i*i%7, i%2, at, at))
	}
	rows = append(rows, `{"id": "end", "@at": "1970-01-02T00:00:00Z", "@mark": "1970-01-01T12:00:00Z"}`)
	in := optest.Schema("id: string, k: int")
	arrival := optest.Run(dedupe.Config{By: []string{"id"}, Within: 30 * time.Second}, optest.Batch(in, rows...))
	ordered := optest.Run(dedupe.Config{By: []string{"id"}, Within: 30 * time.Second, Order: "event_time"}, optest.Batch(in, rows...))
	if diff := cmp.Diff(arrival[:len(arrival)-1], ordered); diff != "" { // the last row waits
		t.Errorf("in order of arrival (-) and of event time (+):\n%s", diff)
	}
}

// TestConfig: what a config says of itself, and that saved state of arrival order is still its own.
func TestConfig(t *testing.T) {
	arrival, ordered := dedupe.Config{Order: "arrival"}, dedupe.Config{Order: "event_time"}
	if !arrival.ArrivalOrder() || arrival.Waits() || ordered.ArrivalOrder() || !ordered.Waits() {
		t.Error("arrival must not wait, event_time must, and only the first goes by arrival")
	}
	if arrival.Explain() == ordered.Explain() {
		t.Errorf("both orders say %q", arrival.Explain())
	}
	state, err := json.Marshal(dedupe.Config{By: []string{"id"}, Within: time.Hour, Order: "arrival", Seed: 7})
	if want := `{"By":["id"],"Within":3600000000000,"Order":"arrival"}`; string(state) != want || err != nil {
		t.Errorf("a checkpoint knows it as %s, and as %s until now: its state would be refused", state, want)
	}
}

func TestFaults(t *testing.T) {
	in := optest.Schema("id: string, k: int")
	for name, c := range map[string]struct {
		yaml string
		want []string
	}{
		"columns": {`{by: [idd, k, k], within: 0s}`, []string{
			`by.0: no column "idd" (did you mean id?)`, `by.2: column "k" is here twice`, `within: expected a span of at least 1ms, found 0s`,
		}},
		"no column": {`{by: [], within: 1h}`, []string{`by: no column makes up the key`}},
		"one":       {`{by: i, within: 1h}`, []string{`by.0: no column "i" (did you mean id?)`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := optest.Decode(dedupe.New(), c.yaml).Bind(in)
			if diff := cmp.Diff(c.want, optest.FaultsOf(err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
