package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

const reasonsDefinition = `
pipeline: reasons
lake: %s
sources:
  in:
    kafka: {brokers: ["%s"], topic: %s}
    format: json
    schema: {id: long!, n: int, text: string, at: timestamp, born: timestamp, land: string!}
    event_time: {column: at, max_delay: 1h}
streams:
  out:
    from: in
    steps:
      - clean: {text: {parse: magnitude}}
      - derive: {more: n + 1, share: 100 // n, day: "to_timestamp(CAST(n AS string), 'yyyy')"}
      - filter: 9223372036854775807 - text * id > 0
      - dedupe: {by: [id], within: 1h}
tables: {rows: {from: out}, births: {from: out, partition_by: [born, land]}}
`

// TestReasons has a record refused at each place of a pipeline where one may be, and looks for it in the
// quarantine: where it was refused, for what reason, and which column is to blame.
func TestReasons(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	k := newTopic(t, c.ListenAddrs()[0], "reasons", 1)
	const at = `"land":"no","at":"2026-01-01T00:00:00Z"`
	records := []struct{ value, want string }{ // where, reason and column
		{`{"id":0,"n":2020,"text":"1k",` + at + `}`, ""},
		{`{"id":1,"n":2020`, " decode "},
		{`{"n":2020,"text":"1k",` + at + `}`, " required id"},
		{`{"id":3,"n":2147483648,"text":"1k",` + at + `}`, " type n"},
		{`{"id":4,"n":2020,"text":"1k","land":"no","at":"never"}`, " type at"},
		{`{"id":5,"n":2020,"text":"1k","land":"no"}`, " time at"},
		{`{"id":6,"n":2020,"text":"much",` + at + `}`, "out parse text"},
		{`{"id":7,"n":2147483647,"text":"1k",` + at + `}`, "out eval more"},
		{`{"id":8,"n":0,"text":"1k",` + at + `}`, "out eval share"},
		{`{"id":9,"n":12,"text":"1k",` + at + `}`, "out eval day"},
		{`{"id":1000000000,"n":2020,"text":"10B",` + at + `}`, "out eval "},
		{`{"id":11,"n":2020,"text":"1k",` + at + `,"born":"9999-12-31T23:59:59.999999Z"}`, ""},
		{`{"id":12,"n":2020,"text":"1k",` + at + `,"born":"0001-01-01T00:00:00+01:00"}`, "out partition born"},
		{`{"id":13,"n":2020,"text":"1k",` + at + `,"born":"0001-01-01T00:00:00Z"}`, ""},
		{`{"id":14,"n":2020,"text":"1k","land":"","at":"2026-01-01T00:00:00Z"}`, "out partition land"},
	}
	want := map[string]string{}
	for i, r := range records {
		k.produce(t, &kgo.Record{Topic: k.name, Value: []byte(r.value)})
		if r.want != "" {
			want[fmt.Sprint(i)] = r.want
		}
	}
	lake := filepath.Join(k.dir, "lake")
	r, _ := k.run(t, definition(t, k.dir, fmt.Sprintf(reasonsDefinition, lake, k.brokers, k.name)), exitDone)
	if in, out := r.Ledger["in"], r.Ledger["out"]; in.Quarantined != 5 || out.In != 10 || out.Quarantined != 5 || out.Out != 5 {
		t.Errorf("the ledger says %+v and %+v, want 5 of 15 and 5 of 10 quarantined", in, out)
	}
	if c := r.Ledger["births"]; c.In != 2 || c.Out != 0 || c.Quarantined != 2 {
		t.Errorf("the ledger says of the table %+v, want 2 quarantined", c)
	}
	for _, table := range []string{"rows", "births", "reasons_quarantine"} {
		if code, _, stderr := millrace(t.Context(), "table", "verify", filepath.Join(lake, table)); code != exitDone {
			t.Errorf("table verify %s: %s", table, stderr)
		}
	}
	readTable(t, filepath.Join(lake, "reasons_quarantine"), func(line []byte) error {
		var r refusal
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		stream, col := "", ""
		if r.Stream != nil {
			stream = *r.Stream
		}
		if r.Column != nil {
			col = *r.Column
		}
		if got := stream + " " + r.Reason + " " + col; got != want[r.Position] || len(r.Bytes) == 0 {
			t.Errorf("record %s is in quarantine for %q (%s) with %q, want %q", r.Position, got, r.Detail, r.Bytes, want[r.Position])
		}
		delete(want, r.Position)
		return nil
	})
	if len(want) > 0 {
		t.Errorf("not in quarantine: %v", want)
	}
}
