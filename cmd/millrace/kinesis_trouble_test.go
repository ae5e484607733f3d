package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine/kinesis/kinesistest"
)

// numberStream is the stream of readsNumbers, with two shards.
const numberStream = "numbers"

// putNumbers puts numbered records, from ≤ number < to.
func putNumbers(t *testing.T, g gateway, from, to int) {
	t.Helper()
	var records []posted
	for id := from; id < to; id++ {
		records = append(records, posted{fmt.Appendf(nil, `{"id":%d,"text":"record %d"}`, id, id), fmt.Sprint(id)})
	}
	if err := g.put(t.Context(), numberStream, records...); err != nil {
		t.Fatal(err)
	}
}

// runNumbers runs a definition until caught up. It must end with the code given.
func runNumbers(t *testing.T, file string, code int, args ...string) (stderr string) {
	t.Helper()
	got, _, stderr := millrace(t.Context(), append([]string{"run", file, "--until-caught-up", "--http", ""}, args...)...)
	if got != code {
		t.Fatalf("run ended with %d, want %d:\n%s", got, code, stderr)
	}
	return stderr
}

// hasNumbers fails unless the table holds the numbers 0 ≤ number < n, each once.
func hasNumbers(t *testing.T, lake string, n int) {
	t.Helper()
	var got, want []int
	readTable(t, filepath.Join(lake, "plain"), func(line []byte) error {
		var row struct{ ID int }
		err := json.Unmarshal(line, &row)
		got = append(got, row.ID)
		return err
	})
	slices.Sort(got)
	for id := range n {
		want = append(want, id)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the table's numbers (-want +got):\n%s", diff)
	}
}

// TestKinesisRefused: what only a person can put right ends the run with 1, at once and with what to do; then it goes on.
func TestKinesisRefused(t *testing.T) {
	v := serveKinesis(t)
	g := gateway{v.URL}
	g.create(t, numberStream, 2)
	putNumbers(t, g, 0, 100)
	for _, c := range []struct{ op, code, want string }{
		{"DescribeStreamSummary", "AccessDeniedException", "access is denied: the credentials need the rights that docs/kinesis.md lists: "},
		{"ListShards", "AccessDeniedException", "access is denied: the credentials need the rights that docs/kinesis.md lists: "},
		{"GetRecords", "AccessDeniedException", "access is denied: the credentials need the rights that docs/kinesis.md lists: "},
		{"DescribeStreamSummary", "UnrecognizedClientException", "the server does not know the access key: look at AWS_ACCESS_KEY_ID and the profile: "},
		{"DescribeStreamSummary", "InvalidSignatureException", "the signature is wrong: look at AWS_SECRET_ACCESS_KEY, at the region and at this machine's clock: "},
		{"GetShardIterator", "ExpiredTokenException", "the credentials have expired: get new ones and start again: "},
		{"GetRecords", "KMSAccessDeniedException", "the stream is encrypted, and its key may not be used: the credentials need kms:Decrypt for it: "},
		{"GetRecords", "KMSDisabledException", "the stream is encrypted, and its key is disabled: enable it in KMS: "},
		{"GetRecords", "KMSInvalidStateException", "the stream is encrypted, and its key is in no state to be used: look at it in KMS: "},
		{"GetRecords", "KMSNotFoundException", "the stream is encrypted, and its key is not to be found: "},
		{"GetRecords", "KMSOptInRequired", "the stream is encrypted, and the account may not use KMS: "},
	} {
		t.Run(c.op+" "+c.code, func(t *testing.T) {
			file, lake := numbers(t, v.URL)
			v.Order(kinesistest.Fault{Op: c.op, Code: c.code, Message: "so it is said"})
			stderr := runNumbers(t, file, exitFailed)
			last := lastLine(stderr)
			for _, want := range []string{"millrace: pipeline numbers: ", "source in: stream numbers at " + v.URL, c.want, c.code + ": so it is said"} {
				if !strings.Contains(last, want) {
					t.Errorf("%q is not said:\n%s", want, last)
				}
			}
			if strings.Contains(stderr, "a-secret") {
				t.Error("a secret is shown")
			}
			runNumbers(t, file, exitDone)
			hasNumbers(t, lake, 100)
		})
	}
}

// TestKinesisNoCredentials: nobody's keys are asked for at once, and where they may be is said.
func TestKinesisNoCredentials(t *testing.T) {
	v := serveKinesis(t)
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
		t.Setenv(name, "")
	}
	file, _ := numbers(t, v.URL)
	want := "no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or give the machine a role: "
	if last := lastLine(runNumbers(t, file, exitFailed)); !strings.Contains(last, want) {
		t.Errorf("%q is not said:\n%s", want, last)
	}
}

// TestKinesisPasses: what passes by itself is waited for, and each record is in the table once.
func TestKinesisPasses(t *testing.T) {
	for name, f := range map[string]kinesistest.Fault{
		"shard throttled":  {Op: "GetRecords", Code: "ProvisionedThroughputExceededException", Times: 3},
		"list throttled":   {Op: "ListShards", Code: "LimitExceededException", Times: 2},
		"key throttled":    {Op: "GetRecords", Code: "KMSThrottlingException", Times: 2},
		"iterator expired": {Op: "GetRecords", Code: "ExpiredIteratorException", Times: 2},
		"server in need":   {Op: "GetRecords", Status: 503, Code: "ServiceUnavailable", Times: 2},
		"server gone":      {Op: "GetRecords", HangUp: true, Times: 2},
	} {
		t.Run(name, func(t *testing.T) {
			v := serveKinesis(t)
			v.Limits = true
			g := gateway{v.URL}
			g.create(t, numberStream, 2)
			putNumbers(t, g, 0, 500)
			file, lake := numbers(t, v.URL)
			v.Order(f)
			runNumbers(t, file, exitDone)
			hasNumbers(t, lake, 500)
			if v.Pending() > 0 {
				t.Errorf("%d faults did not happen", v.Pending())
			}
		})
	}
}

// TestKinesisStreamGone: a stream that is missing, or was made anew, ends the run with 1, and nothing is changed.
func TestKinesisStreamGone(t *testing.T) {
	v := serveKinesis(t)
	g := gateway{v.URL}
	file, lake := numbers(t, v.URL)
	t.Setenv("AWS_REGION", "eu-north-1")
	for _, there := range []string{"none at all: look at the region and the account: ", "members: "} {
		want := "source in: there is no stream numbers at " + v.URL + " in region eu-north-1; there is " + there
		if last := lastLine(runNumbers(t, file, exitFailed)); !strings.Contains(last, want) {
			t.Errorf("%q is not said:\n%s", want, last)
		}
		v.Ensure("members", 1)
	}
	g.create(t, numberStream, 2)
	putNumbers(t, g, 0, 100)
	runNumbers(t, file, exitDone)
	runNumbers(t, file, exitDone) // finds nothing new, and ends
	before := files(t, lake)
	g.drop(t, numberStream)
	g.create(t, numberStream, 2)
	putNumbers(t, g, 100, 200)
	want := "source in, partition shardId-000000000000: it was deleted and made anew since, or the definition leads to another one now (it is "
	cure := "give the source another name in the definition, and start once with --drop-source in"
	if last := lastLine(runNumbers(t, file, exitFailed)); !strings.Contains(last, want) || !strings.Contains(last, cure) {
		t.Errorf("%q and %q are not said:\n%s", want, cure, last)
	}
	if after := files(t, lake); !slices.Equal(before, after) {
		t.Errorf("the run changed the lake from\n%q to\n%q", before, after)
	}
	again, _ := numbers(t, v.URL, "  in:", "  anew:", "from: in", "from: anew")
	runNumbers(t, again, exitDone, "--drop-source", "in", "--lake", lake)
	hasNumbers(t, lake, 200)
}

// TestKinesisQuarantine: a record that is refused is in quarantine with its shard and its sequence number.
func TestKinesisQuarantine(t *testing.T) {
	v := serveKinesis(t)
	g := gateway{v.URL}
	g.create(t, numberStream, 1)
	putNumbers(t, g, 0, 3)
	if err := g.put(t.Context(), numberStream, posted{[]byte("no JSON"), "k"}); err != nil {
		t.Fatal(err)
	}
	file, lake := numbers(t, v.URL)
	runNumbers(t, file, exitDone)
	const shard = "shardId-000000000000"
	want := refusal{Source: "in", Partition: shard, Position: v.Sequences(numberStream, shard)[3], Reason: "decode", Bytes: []byte("no JSON")}
	readTable(t, filepath.Join(lake, "numbers_quarantine"), func(line []byte) error {
		var r refusal
		err := json.Unmarshal(line, &r)
		r.Detail, r.Column = "", nil
		if diff := cmp.Diff(want, r); diff != "" {
			t.Errorf("in quarantine (-want +got):\n%s", diff)
		}
		want = refusal{} // there is one
		return err
	})
	if want.Source != "" {
		t.Error("the quarantine is empty")
	}
}

// TestKinesisTail: tail shows what a running process reads from a stream.
func TestKinesisTail(t *testing.T) {
	v := serveKinesis(t)
	g := gateway{v.URL}
	g.create(t, numberStream, 2)
	file, lake := numbers(t, v.URL)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan string, 1)
	go func() {
		_, _, stderr := millrace(ctx, "run", file, "--http", "127.0.0.1:0")
		ended <- stderr
	}()
	shown := make(chan string, 1)
	defer func() { stop(); <-ended }()
	awaited(t, "the process's address", 20*time.Millisecond, func() bool { _, err := addressIn(lake); return err == nil })
	go func() {
		_, stdout, stderr := millrace(ctx, "tail", "in", "--from", lake, "--where", "id >= 0", "--limit", "3", "--json")
		shown <- stdout + stderr
	}()
	put := time.NewTicker(100 * time.Millisecond)
	defer put.Stop()
	deadline := time.After(time.Minute)
	for n := 0; ; n++ {
		select {
		case <-put.C:
			putNumbers(t, g, n, n+1)
			continue
		case text := <-shown:
			if strings.Count(text, "\n") != 3 || strings.Count(text, `"text":"record `) != 3 {
				t.Errorf("tail showed\n%s", text)
			}
		case stderr := <-ended:
			ended <- ""
			t.Errorf("the process ended:\n%s", stderr)
		case <-deadline:
			t.Error("tail shows nothing")
		}
		return
	}
}
