package main

import (
	"bufio"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/enginetest/corpus"
	"github.com/millrace-io/millrace/engine/spec"
)

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
		f := corpus.Open(t, "pinterest", table+".ndjson")
		var records []*kgo.Record
		for lines := bufio.NewScanner(f); lines.Scan(); {
			records = append(records, &kgo.Record{Topic: demoTopic(table), Value: append([]byte{}, lines.Bytes()...)})
		}
		if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	lake := filepath.Join(t.TempDir(), "lake")
	for range 2 { // the second run finds nothing new
		def, err := demoDefinition(b.address, lake)
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
