package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/kinesis"
	"github.com/millrace-io/millrace/engine/kinesis/kinesistest"
	"github.com/millrace-io/millrace/engine/spec"
)

// asAnybody sets credentials that servers other than Amazon's take, and leaves none of this machine's.
func asAnybody(t *testing.T) {
	t.Helper()
	for k, v := range map[string]string{
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "a-secret", "AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
		"AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(k, v)
	}
}

// serveKinesis starts a Kinesis in this process.
func serveKinesis(t *testing.T) *kinesistest.Server {
	t.Helper()
	asAnybody(t)
	v, err := kinesistest.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() }) //nolint:errcheck // the test is over
	return v
}

// A streaming is the shipped definition of Kinesis as it runs in this process.
type streaming struct {
	*fleet
	kill  func() // ends it as a crash would
	ended chan error
}

func startStreaming(t *testing.T, endpoint, lake string, opt engine.Options) *streaming {
	t.Helper()
	defs, err := loadAll([]string{"pinterest-streaming"}, loadOptions{lake: lake, set: []string{"ENDPOINT=" + endpoint, "USER_ID=" + demoUser, "COMMIT=100ms"}})
	if err != nil {
		t.Fatal(err)
	}
	hasten(defs)
	opt.Discover = 50 * time.Millisecond
	f, err := newFleet(defs, opt, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := &streaming{fleet: f, kill: cancel, ended: make(chan error, 1)}
	go func() { s.ended <- f.run(ctx) }()
	return s
}

// end waits until the run has ended, which only kill may have made it do before its time.
func (s *streaming) end(t *testing.T) {
	t.Helper()
	if err := <-s.ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

// hasten has the sources ask a server in this process as often as they can.
func hasten(defs []*spec.Definition) {
	for _, d := range defs {
		for _, s := range d.Sources {
			if c, ok := s.Config.(*kinesis.Config); ok {
				c.Unthrottled, c.Poll = true, 5*time.Millisecond
			}
		}
	}
}

// committed is how many records of the sources the fleet's first pipeline has committed.
func (f *fleet) committed() (n int) {
	s := f.pipelines[0].task.Status()
	for name := range f.pipelines[0].def.Sources {
		n += int(s.Ledger[name].In)
	}
	return n
}

// TestStreamingIsBatch: what the shipped definition makes of events from Kinesis, whose shards are split and merged and
// whose process ends in between, is what it makes of them from Kafka.
func TestStreamingIsBatch(t *testing.T) {
	events := emulate(3000)
	v := serveKinesis(t)
	g, lake := gateway{v.URL}, filepath.Join(t.TempDir(), "lake")
	for _, table := range pinTables() {
		g.create(t, pinStream(table), 2)
	}
	part := len(events) / 4
	g.post(t, events[:part])
	run := startStreaming(t, v.URL, lake, engine.Options{})
	awaited(t, "the first commit", 10*time.Millisecond, func() bool { return run.committed() > 0 })
	for _, table := range pinTables() {
		g.split(t, pinStream(table))
	}
	g.post(t, events[part:2*part])
	awaited(t, "records of the children", 10*time.Millisecond, func() bool { return run.committed() > part+part/2 })
	for _, table := range pinTables() {
		g.merge(t, pinStream(table))
	}
	g.post(t, events[2*part:3*part])
	run.kill()
	run.end(t)
	g.post(t, events[3*part:])
	for range 2 { // the second run finds nothing new
		streamPinterest(t, v.URL, lake, len(events))
	}
	if diff := cmp.Diff(fromKafka(t, events), bags(t, lake)); diff != "" {
		t.Errorf("tables of pinterest (-) and of pinterest-streaming (+):\n%s", diff)
	}
}

// streamPinterest runs the shipped definition until it has caught up, which is when it has had so many records.
func streamPinterest(t *testing.T, endpoint, lake string, records int) {
	t.Helper()
	run := startStreaming(t, endpoint, lake, engine.Options{UntilCaughtUp: true})
	run.end(t)
	if got := run.committed(); got != records {
		t.Errorf("%d records were committed, want %d", got, records)
	}
}

// fromKafka is what the shipped definition makes of events that come from Kafka.
func fromKafka(t *testing.T, events []pinEvent) map[string][]string {
	t.Helper()
	b, err := startBroker("", demoTopics())
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	var records []*kgo.Record
	for _, e := range events {
		records = append(records, &kgo.Record{Topic: demoTopic(e.table), Key: []byte(e.PartitionKey), Value: e.Data})
	}
	return bags(t, runPinterest(t, b, records))
}

// bags is the rows of the shipped definitions' tables, sorted. Of the quarantine it is what does not depend on the way
// that the records came.
func bags(t *testing.T, lake string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, table := range pinTables() {
		readTable(t, filepath.Join(lake, demoUser+"_"+table+"_table"), func(line []byte) error {
			all[table] = append(all[table], string(line))
			return nil
		})
	}
	readTable(t, filepath.Join(lake, demoUser+"_quarantine"), func(line []byte) error {
		var r refusal
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		r.Partition, r.Position = "", ""
		text, err := json.Marshal(r)
		all["quarantine"] = append(all["quarantine"], string(text))
		return err
	})
	for _, rows := range all {
		slices.Sort(rows)
	}
	return all
}

// readsNumbers is a definition that reads a stream of numbered records into one table.
const readsNumbers = `
pipeline: numbers
lake: LAKE
sources:
  in:
    kinesis: {stream: numbers, endpoint: ENDPOINT, poll: 200ms}
    format: json
    schema: {id: long!, text: string}
tables: {plain: {from: in}}
commit: {every: 100ms}
`

// numbers writes that definition, with words replaced, and gives its file and its lake.
func numbers(t *testing.T, endpoint string, replace ...string) (file, lake string) {
	t.Helper()
	dir := t.TempDir()
	lake = filepath.Join(dir, "lake")
	text := strings.NewReplacer("LAKE", lake, "ENDPOINT", endpoint).Replace(readsNumbers)
	return definition(t, dir, strings.NewReplacer(replace...).Replace(text)), lake
}
