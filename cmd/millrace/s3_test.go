package main

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/twmb/franz-go/pkg/kfake"
)

// s3Lake starts an S3 server in this process and gives the URL of a lake in its bucket.
func s3Lake(t *testing.T) string {
	t.Helper()
	for k, v := range map[string]string{
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "a-secret", "AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
	} {
		t.Setenv(k, v)
	}
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(s.Close)
	return "s3://bucket/lakes/one?path_style=true&endpoint=" + s.URL
}

// inLake is the URL of a table of the lake.
func inLake(lake, table string) string { return strings.Replace(lake, "?", "/"+table+"?", 1) }

// TestDemoInABucket: the demo's tables lie in the bucket, can be read there, and a second run goes on.
func TestDemoInABucket(t *testing.T) {
	lake := s3Lake(t)
	dir := t.TempDir()
	for run := range 2 {
		code, stdout, stderr := millrace(t.Context(), "demo", "--dir", dir, "--lake", lake, "--events", "300", "--http", "")
		if code != exitDone {
			t.Fatalf("run %d ended with %d: %s", run, code, stderr)
		}
		if want := "table read '" + inLake(lake, "0e8c5a5fa275_pin_table") + "' --limit 3"; !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
		if strings.Contains(stdout+stderr, "a-secret") {
			t.Error("a secret is shown")
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "lake")); err == nil {
		t.Error("there is a folder lake as well")
	}
	code, stdout, stderr := millrace(t.Context(), "table", "show", inLake(lake, "0e8c5a5fa275_user_table"), "--json")
	if code != exitDone || !strings.Contains(stdout, `"url": "s3://bucket/lakes/one/0e8c5a5fa275_user_table"`) {
		t.Errorf("table show ended with %d: %s%s", code, stdout, stderr)
	}
	if code, stdout, stderr = millrace(t.Context(), "table", "read", inLake(lake, "0e8c5a5fa275_geo_table"), "--limit", "5", "--json"); code != exitDone || strings.Count(stdout, "\n") != 5 {
		t.Errorf("table read ended with %d: %s%s", code, stdout, stderr)
	}
}

// TestRequestsOfAnEpoch: an epoch costs four requests, one a state object, three a table that changed and one
// a file that is smaller than a part. What a run costs besides is what one costs that has nothing to do.
func TestRequestsOfAnEpoch(t *testing.T) {
	lake := s3Lake(t)
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	k := newTopic(t, c.ListenAddrs()[0], "requests", 2)
	def := definition(t, k.dir, fmt.Sprintf(`
pipeline: requests
lake: "%s"
sources: {in: {kafka: {brokers: "%s", topic: requests}, format: json, schema: {id: long!, text: string}}}
streams: {once: {from: in, steps: [dedupe: {by: [id], within: 1h}]}}
tables: {all: {from: in}, single: {from: once}}
commit: {every: 0s, rows: 50}
memory: {budget: 1MiB}
`, lake, k.brokers))
	run := func() report {
		code, stdout, stderr := millrace(t.Context(), "run", def, "--until-caught-up", "--json", "--lanes", "2", "--http", "")
		var r report
		if err := json.Unmarshal([]byte(stdout), &r); code != exitDone || err != nil {
			t.Fatalf("ended with %d, %v: %s%s", code, err, stdout, stderr)
		}
		return r
	}
	idle := total(run().Requests)
	records := append(k.numbered(0, 0, 1000), k.numbered(1, 2000, 3000)...)
	for _, r := range records { // large, so that they come in many frames
		r.Value = []byte(strings.Replace(string(r.Value), "record", strings.Repeat("a long record ", 200), 1))
	}
	k.produce(t, records...)
	r := run()
	var files, changed int64
	for _, table := range r.Tables {
		files += table.FilesAdded
		changed += table.Version // each is a commit but the first, which made the table
	}
	const lanes = 2
	bound := idle + (4+lanes)*r.Epochs + 3*changed + files
	if got := total(r.Requests); r.Epochs < 3 || got > bound {
		t.Errorf("%d requests in %d epochs, want at most %d, of which %d for the run: %v", got, r.Epochs, bound, idle, r.Requests)
	}
}

func total(requests map[string]int64) (n int64) {
	for _, x := range requests {
		n += x
	}
	return n
}

// TestBucketRefused: a lake that is none ends the run before anything is claimed, and says what to do.
func TestBucketRefused(t *testing.T) {
	lake := strings.Replace(s3Lake(t), "s3://bucket/", "s3://nosuch/", 1)
	def := definition(t, t.TempDir(), `
pipeline: p
lake: "`+lake+`"
sources: {in: {kafka: {brokers: "localhost:1", topic: t}, format: json, schema: {id: long!}}}
tables: {t: {from: in}}
`)
	code, _, stderr := millrace(t.Context(), "run", def, "--http", "")
	if want := "s3://nosuch/lakes/one can't be used as a lake: write an object: there is no such bucket: make it, or mend the lake's URL"; code != exitFailed || !strings.Contains(stderr, want) {
		t.Errorf("ended with %d: %s", code, stderr)
	}
}
