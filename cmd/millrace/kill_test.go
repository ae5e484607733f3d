package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/engine/column"
)

// A killing is a run of the real binary that is killed with -9 again and again while records keep coming.
// Its plain table has every record once if and only if epochs are exactly once: nothing takes out
// duplicates on the way. The deduped one goes through an operator whose state must come back.
type killing struct {
	brokers string
	topic   string
	records int64
	rate    int64 // records a second
	kills   int

	producer []kgo.Opt        // more of what it is made with
	lake     string           // "": a folder
	env      []string         // of the processes
	hurry    chan struct{}    // closed: what is left is sent at once; nil: never
	upset    func(n int) bool // does something else to the n-th process's world while it lives; true: so that it may end by itself

	dir        string
	definition string
}

// killDefinition asks for the lake and for where the source's records come from.
const killDefinition = `
pipeline: kill
lake: %s
sources:
  in:
    %s
    format: json
    schema: {id: long!, text: string}
streams:
  once:
    from: in
    steps:
      - dedupe: {by: [id], within: 1h}
tables:
  plain: {from: in}
  deduped: {from: once}
commit: {every: 500ms}
`

// prepare writes the definition.
func (k *killing) prepare(t *testing.T) {
	t.Helper()
	k.dir = t.TempDir()
	k.definition = filepath.Join(k.dir, "kill.yaml")
	if k.lake == "" {
		k.lake = filepath.Join(k.dir, "lake")
	}
	text := fmt.Sprintf(killDefinition, k.lake, fmt.Sprintf("kafka: {brokers: [%q], topic: %s}", k.brokers, k.topic))
	if err := os.WriteFile(k.definition, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// produce sends the records at a steady rate, one in ten of them a second time a little later.
func (k *killing) produce(ctx context.Context) error {
	client, err := kgo.NewClient(append(k.producer, kgo.SeedBrokers(k.brokers))...)
	if err != nil {
		return err
	}
	defer client.Close()
	var failed error
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for id := int64(0); id < k.records; {
		select {
		case <-tick.C:
		case <-k.hurry:
		case <-ctx.Done():
			return ctx.Err()
		}
		for end := min(id+k.rate/100, k.records); id < end; id++ {
			r := &kgo.Record{Topic: k.topic, Key: fmt.Append(nil, id), Value: fmt.Appendf(nil, `{"id":%d,"text":"record %d of a killing"}`, id, id)}
			client.Produce(ctx, r, func(_ *kgo.Record, err error) {
				if err != nil && failed == nil {
					failed = err
				}
			})
		}
	}
	return errors.Join(client.Flush(ctx), failed)
}

// start starts a process of the binary.
func (k *killing) start(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("millrace", append([]string{"run", k.definition, "--http", ""}, args...)...)
	cmd.Env = append(os.Environ(), k.env...)
	cmd.Stderr = &bytes.Buffer{}
	cmd.Stdout = &bytes.Buffer{}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// version is the plain table's version, -1 while there is none.
func (k *killing) version(ctx context.Context) int64 {
	s, _, err := latest(ctx, below(k.lake, "plain"))
	if err != nil {
		return -1
	}
	return s.Version()
}

// run kills, and then compares the tables with what was produced.
func (k *killing) run(t *testing.T) {
	k.prepare(t)
	produced := make(chan error, 1)
	go func() { produced <- k.produce(t.Context()) }()
	rnd := rand.New(rand.NewPCG(1, 2))
	withCommit := 0
	for n := range k.kills {
		before := k.version(t.Context())
		cmd := k.start(t)
		time.Sleep(time.Duration(rnd.Int64N(int64(2500 * time.Millisecond)))) // a random moment of its life is the point
		upset := k.upset != nil && k.upset(n)
		if err := cmd.Process.Kill(); err != nil && !upset {
			t.Fatalf("the process ended by itself: %v\n%s", err, cmd.Stderr)
		}
		if err := cmd.Wait(); cmd.ProcessState.Exited() && !upset {
			t.Fatalf("the process ended before it was killed: %v\n%s", err, cmd.Stderr)
		}
		if k.version(t.Context()) > before {
			withCommit++
		}
	}
	if err := <-produced; err != nil {
		t.Fatal(err)
	}
	k.finish(t)
	t.Logf("%d kills, %d of them after a new commit; %d records, 0 lost, 0 doubled", k.kills, withCommit, k.records)
	if withCommit < k.kills*2/3 {
		t.Errorf("only %d of %d kills came after a new commit: too few to show anything", withCommit, k.kills)
	}
}

// finish lets a last process catch up and compares.
func (k *killing) finish(t *testing.T) {
	t.Helper()
	cmd := k.start(t, "--until-caught-up")
	if err := cmd.Wait(); err != nil {
		t.Fatalf("the last run: %v\n%s", err, cmd.Stderr)
	}
	k.compare(t, "plain")
	k.compare(t, "deduped")
}

func (k *killing) compare(t *testing.T, table string) {
	t.Helper()
	s, store, err := latest(t.Context(), below(k.lake, table))
	if err != nil {
		t.Fatal(err)
	}
	seen := make([]uint8, k.records)
	err = scan(t.Context(), store, s, []string{"id"}, -1, func(r scanned) error {
		for _, id := range r.columns[0].(*column.Longs).Values[:r.rows] {
			seen[id]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	lost, doubled := 0, 0
	for _, n := range seen {
		if n == 0 {
			lost++
		}
		if n > 1 {
			doubled++
		}
	}
	if lost > 0 || doubled > 0 {
		t.Errorf("table %s: %d lost, %d doubled of %d", table, lost, doubled, k.records)
	}
	if code, out, errs := millrace(t.Context(), "table", "verify", below(k.lake, table)); code != exitDone {
		t.Errorf("verify of %s ended with %d: %s%s", table, code, out, errs)
	}
}

func TestKill(t *testing.T) {
	t.Parallel()
	b, err := startBroker("", []string{"kill"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	(&killing{brokers: b.address, topic: "kill", records: 60_000, rate: 10_000, kills: 4}).run(t)
}

// TestFenced stops a process as if its machine slept, lets another take over, and wakes it: it must notice,
// exit with 3 and have done no harm.
func TestFenced(t *testing.T) {
	t.Parallel()
	b, err := startBroker("", []string{"kill"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	k := &killing{brokers: b.address, topic: "kill", records: 40_000, rate: 10_000}
	fence(t, k)
}

func fence(t *testing.T, k *killing) {
	k.prepare(t)
	produced := make(chan error, 1)
	go func() { produced <- k.produce(t.Context()) }()
	first := k.start(t)
	k.await(t, 2)
	if err := first.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	stopped := k.version(t.Context())
	second := k.start(t, "--standby", "--takeover", "10s")
	k.await(t, stopped+1) // what came since is one commit at least
	if err := first.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	err := first.Wait()
	if code := first.ProcessState.ExitCode(); code != exitFenced {
		t.Errorf("the first process ended with %v, want exit code %d\n%s", err, exitFenced, first.Stderr)
	}
	if text := fmt.Sprint(first.Stderr); !strings.Contains(text, "taken over") {
		t.Errorf("the first process does not say why it ended:\n%s", text)
	}
	if err := <-produced; err != nil {
		t.Fatal(err)
	}
	if err := second.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := second.Wait(); err != nil {
		t.Errorf("the second process: %v\n%s", err, second.Stderr)
	}
	k.finish(t)
}

// await waits until the plain table has a version.
func (k *killing) await(t *testing.T, version int64) {
	t.Helper()
	deadline := time.After(time.Minute)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for k.version(t.Context()) < version {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("version %d of the table did not come", version)
		}
	}
}
