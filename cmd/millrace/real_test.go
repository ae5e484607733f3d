//go:build real

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/pipelines/pinterest/emulator"
	"github.com/millrace-io/millrace/scripts/realtest"
)

// long says whether the longest runs are asked for whole; else they are a tenth.
func long() bool { return os.Getenv("MILLRACE_LONG") != "" }

func TestRealKill(t *testing.T) {
	k := realtest.StartKafka(t)
	k.CreateTopic(t, "kill", 4)
	run := &killing{brokers: k.Brokers, topic: "kill", records: 100_000, rate: 20_000, kills: 4}
	if long() {
		run.records, run.kills = 1_000_000, 32
	}
	run.run(t)
	for _, table := range []string{"plain", "deduped"} {
		if got := realtest.ReadDelta(t, filepath.Join(run.dir, "lake", table), "id"); got.Rows != run.records || got.Distinct != run.records {
			t.Errorf("others read %d rows and %d ids in %s, want %d", got.Rows, got.Distinct, table, run.records)
		}
	}
}

// TestRealKillOnS3 kills the process again and again while its tables are in a bucket, and now and then the S3
// server or the broker under it.
func TestRealKillOnS3(t *testing.T) {
	server := realtest.StartS3(t)
	for _, e := range server.Env { // this process reads the tables
		k, v, _ := strings.Cut(e, "=")
		t.Setenv(k, v)
	}
	k := realtest.StartKafka(t)
	k.CreateTopic(t, "kill", 4)
	run := &killing{brokers: k.Brokers, topic: "kill", records: 100_000, rate: 10_000, kills: 6, lake: server.URL("kill"), env: server.Env}
	servers, brokers := 3, 5 // each so many-th life
	if long() {
		run.records, run.kills, brokers = 1_000_000, 50, 17
	}
	killed := map[string]int{}
	run.upset = func(n int) bool {
		switch {
		case n%brokers == brokers-1:
			killed["broker"]++
			k.Kill(t)
			k.Start(t)
		case n%servers == servers-1:
			killed["S3 server"]++
			server.Kill(t)
			server.Start(t)
		default:
			return false
		}
		return true
	}
	run.run(t)
	t.Logf("and %d kills of the S3 server, %d of the broker", killed["S3 server"], killed["broker"])
}

func TestRealFenced(t *testing.T) {
	k := realtest.StartKafka(t)
	k.CreateTopic(t, "kill", 4)
	fence(t, &killing{brokers: k.Brokers, topic: "kill", records: 200_000, rate: 20_000})
}

// TestRealRowsReadByOthers has the real rows go through a real broker, and the tables judged by a naive
// cleaning of the same rows and by two other readers.
func TestRealRowsReadByOthers(t *testing.T) {
	k := realtest.StartKafka(t)
	raw := map[string]string{}
	for _, table := range []string{"pin", "geo", "user"} {
		k.CreateTopic(t, demoTopic(table), 1)
		var records []*kgo.Record
		records, raw[table] = realRows(t, table)
		k.Produce(t, records...)
	}
	lake := filepath.Join(t.TempDir(), "lake")
	runShipped(t, k.Brokers, lake)
	judge(t, lake, raw)
}

// TestDemoReadByOthers does the same with what demo leaves, its dirt included.
func TestDemoReadByOthers(t *testing.T) {
	const events = 20_000
	dir := t.TempDir()
	for range 2 { // the second run goes on where the first was
		if err := demo(t.Context(), demoOptions{dir: dir, events: events / 2, rate: 1}, io.Discard, io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	raw := map[string]string{}
	files := map[string]*os.File{}
	for _, table := range []string{"pin", "geo", "user"} {
		f, err := os.Create(filepath.Join(dir, table+".ndjson"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files[table], raw[table] = f, f.Name()
	}
	gen := emulator.New(demoSeed, 0)
	for range events {
		for table, r := range gen.Next().Records() {
			fmt.Fprintf(files[table], "%s\n", r.Value)
		}
	}
	judge(t, filepath.Join(dir, "lake"), raw)
}

func judge(t *testing.T, lake string, raw map[string]string) {
	t.Helper()
	sources := map[string]string{"pin": "pins", "geo": "geo", "user": "users"}
	for table, file := range raw {
		path := filepath.Join(lake, demoUser+"_"+table+"_table")
		realtest.CheckCleaned(t, realtest.Cleaned{
			Kind: table, Path: path, Raw: []string{file}, Quarantine: filepath.Join(lake, demoUser+"_quarantine"), Source: sources[table],
		})
		realtest.CheckPruning(t, path, false)
	}
}
