package main

import (
	"bufio"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/enginetest/corpus"
	"github.com/millrace-io/millrace/engine/monitor"
	"github.com/millrace-io/millrace/engine/spec"
)

// realRows is the rows of a table as a real emulator posted them, as records, and the file they come from.
func realRows(t *testing.T, table string) (records []*kgo.Record, file string) {
	t.Helper()
	f := corpus.Open(t, "pinterest", table+".ndjson")
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		records = append(records, &kgo.Record{Topic: demoTopic(table), Value: append([]byte{}, lines.Bytes()...)})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return records, f.Name()
}

// runShipped runs the shipped definition until it is caught up.
func runShipped(t *testing.T, brokers, lake string) *fleet {
	t.Helper()
	def, err := demoDefinition(brokers, lake)
	if err != nil {
		t.Fatal(err)
	}
	f, err := newFleet([]*spec.Definition{def}, engine.Options{UntilCaughtUp: true}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestRealRows runs the shipped definition over rows as a real emulator posted them: replays, placeholders
// and an orphan among them.
func TestRealRows(t *testing.T) {
	b, err := startBroker("", demoTopics())
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	client, err := b.client()
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for _, table := range []string{"pin", "geo", "user"} {
		records, _ := realRows(t, table)
		if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	lake := filepath.Join(t.TempDir(), "lake")
	for range 2 { // the second run finds nothing new
		f := runShipped(t, b.address, lake)
		showsMaintenance(t, f)
		for _, table := range []string{"_pin_table", "_geo_table", "_user_table"} {
			s, store, err := f.pipelines[0].open(t.Context(), demoUser+table)
			if err != nil {
				t.Fatal(err)
			}
			if d := describeTable(s, store); d.Rows == nil || *d.Rows != 751 {
				t.Errorf("%s%s: rows %v, want 751", demoUser, table, d.Rows)
			}
		}
	}
}

// showsMaintenance: the pages of a run say what became of the jobs on its tables.
func showsMaintenance(t *testing.T, f *fleet) {
	t.Helper()
	h := monitor.Handler(f.shown())
	for path, want := range map[string]string{
		"/metrics": `millrace_maintenance_failures_total{job="vacuum",pipeline="pinterest",table="` + demoUser + `_pin_table",task="all"} 0`,
		"/status":  `"table": "` + demoUser + `_pin_table",`,
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s does not say %s:\n%s", path, want, w.Body.String())
		}
	}
}
