//go:build real

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/scripts/realtest"
)

// A shardKilling is a killing whose records come from a Kinesis stream, the shards of which are split and merged.
type shardKilling struct {
	killing
	server *realtest.Kinesis
	begun  time.Time
}

const killStream = "kill"

// produce sends the records at a steady rate.
func (k *shardKilling) produce(ctx context.Context) error {
	g := gateway{k.server.Endpoint}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for id := int64(0); id < k.records; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		var records []posted
		for end := min(id+k.rate/20, k.records); id < end; id++ {
			records = append(records, posted{fmt.Appendf(nil, `{"id":%d,"text":"record %d of a killing"}`, id, id), fmt.Sprint(id)})
		}
		if err := g.put(ctx, killStream, records...); err != nil {
			return err
		}
	}
	return nil
}

// say prints a line of the run's record, with the time since it began.
func (k *shardKilling) say(t *testing.T, format string, args ...any) {
	t.Logf("%6.1f s  %s", time.Since(k.begun).Seconds(), fmt.Sprintf(format, args...))
}

// run kills the process again and again. Lives before the first third of the kills see the stream as it was made; then
// a shard is split, and after the second third two are merged, each while a process lives that is killed soon after.
func (k *shardKilling) run(t *testing.T) {
	g := gateway{k.server.Endpoint}
	g.create(t, killStream, 2)
	k.dir, k.env, k.begun = t.TempDir(), k.server.Env(), time.Now()
	k.definition, k.lake = filepath.Join(k.dir, "kill.yaml"), filepath.Join(k.dir, "lake")
	if err := os.WriteFile(k.definition, fmt.Appendf(nil, killDefinition, k.lake, "kinesis: {stream: "+killStream+", poll: 200ms}"), 0o644); err != nil {
		t.Fatal(err)
	}
	produced := make(chan error, 1)
	go func() { produced <- k.produce(t.Context()) }()
	rnd := rand.New(rand.NewPCG(1, 2))
	withCommit := 0
	for n := range k.kills {
		before := k.version(t.Context())
		cmd := k.start(t)
		life := 2*time.Second + time.Duration(rnd.Int64N(int64(3*time.Second))) // a random moment of it is the point
		time.Sleep(life / 2)
		switch n {
		case k.kills / 3:
			g.split(t, killStream)
			k.say(t, "a shard was split: %d are open", len(g.open(t, killStream)))
		case 2 * k.kills / 3:
			g.merge(t, killStream)
			k.say(t, "two shards were merged: %d are open", len(g.open(t, killStream)))
		}
		time.Sleep(life / 2)
		kill(t, cmd)
		after := k.version(t.Context())
		begun, ended := shardsOf(t, k.lake, "kill")
		k.say(t, "kill %d after %.1f s: version %d of the plain table, was %d; %d shards begun, %d of them ended", n+1, life.Seconds(), after, before, begun, ended)
		if after > before {
			withCommit++
		}
	}
	if err := <-produced; err != nil {
		t.Fatal(err)
	}
	k.finish(t)
	k.say(t, "%d kills, %d of them after a new commit, across a split and a merge; %d records", k.kills, withCommit, k.records)
	if !t.Failed() {
		k.say(t, "tables plain and deduped: 0 lost, 0 doubled")
	}
	if withCommit < k.kills/2 {
		t.Errorf("only %d of %d kills came after a new commit: too few to show anything", withCommit, k.kills)
	}
}

// shardsOf is how many shards the newest checkpoint of a pipeline knows, and how many of them have ended.
func shardsOf(t *testing.T, lake, pipeline string) (begun, ended int) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(lake, stateHome(pipeline, defaultTask), "checkpoints", "*.json"))
	if err != nil || len(names) == 0 {
		return 0, 0
	}
	data, err := os.ReadFile(slices.Max(names))
	if err != nil {
		t.Fatal(err)
	}
	var c struct{ Partitions []engine.PartitionState }
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	for _, p := range c.Partitions {
		if p.Ended {
			ended++
		}
	}
	return len(c.Partitions), ended
}

// kill ends a process that must not have ended by itself.
func kill(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatalf("the process ended by itself: %v\n%s", err, cmd.Stderr)
	}
	if err := cmd.Wait(); cmd.ProcessState.Exited() {
		t.Fatalf("the process ended before it was killed: %v\n%s", err, cmd.Stderr)
	}
}

func TestRealKinesisKill(t *testing.T) {
	run := &shardKilling{server: realtest.StartKinesalite(t)}
	run.records, run.rate, run.kills = 60_000, 2_000, 9
	if long() {
		run.records, run.kills = 600_000, 90
	}
	run.run(t)
}

// TestRealStreamingIsBatch: what the shipped definition makes of events from kinesis-local, a shard of which is split
// while they come, and whose process is killed once, is what it makes of them from Kafka.
func TestRealStreamingIsBatch(t *testing.T) {
	events := emulate(4000)
	server := realtest.StartKinesis(t)
	g, lake := gateway{server.Endpoint}, filepath.Join(t.TempDir(), "lake")
	for _, table := range pinTables() {
		g.create(t, pinStream(table), 2)
	}
	start := func(args ...string) *exec.Cmd {
		cmd := exec.Command("millrace", append([]string{"run", "pinterest-streaming", "--lake", lake, "--set", "USER_ID=" + demoUser, "--set", "COMMIT=500ms", "--http", ""}, args...)...)
		cmd.Env = append(os.Environ(), server.Env()...)
		cmd.Stderr = &bytes.Buffer{}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	pins := filepath.Join(lake, demoUser+"_pin_table")
	version := func() int64 {
		s, _, err := latest(t.Context(), pins)
		if err != nil {
			return -1
		}
		return s.Version()
	}
	part := len(events) / 3
	g.post(t, events[:part])
	cmd := start()
	awaited(t, "rows of a first commit", 20*time.Millisecond, func() bool { return version() > 0 })
	for _, table := range pinTables() {
		g.split(t, pinStream(table))
		t.Logf("%s was split: %d shards are open", pinStream(table), len(g.open(t, pinStream(table))))
	}
	g.post(t, events[part:2*part])
	awaited(t, "an epoch with children", 20*time.Millisecond, func() bool { _, ended := shardsOf(t, lake, "pinterest-streaming"); return ended > 0 })
	kill(t, cmd)
	begun, ended := shardsOf(t, lake, "pinterest-streaming")
	t.Logf("killed at version %d of the table of pins; %d shards begun, %d of them ended", version(), begun, ended)
	g.post(t, events[2*part:])
	if cmd = start("--until-caught-up"); cmd.Wait() != nil {
		t.Fatalf("the last run ended with %d: %s", cmd.ProcessState.ExitCode(), cmd.Stderr)
	}
	want, got := fromKafka(t, events), bags(t, lake)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tables of pinterest (-) and of pinterest-streaming (+):\n%s", diff)
	}
	for name, rows := range got {
		t.Logf("%s: %d rows, the same as from Kafka", name, len(rows))
	}
}
