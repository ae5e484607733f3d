package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/fault"
	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/checkpoint"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/enginetest"
	"github.com/millrace-io/millrace/engine/spec"
	"github.com/millrace-io/millrace/operators/dedupe"
)

// disk makes a disk of some kibibytes at dir, and gives what mounts it again with another option: a size,
// read-only.
func disk(t *testing.T, dir string, kib int) (remount func(option string)) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dk", kib), "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("a disk that fills up takes the right to mount one: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	return func(option string) {
		if out, err := exec.Command("mount", "-o", "remount,"+option, dir).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
}

// TestDiskFull runs the binary on a disk that is too small, makes it twice as large and runs it again, until
// there is room enough. Each run that fails says so and what to do, and nothing is lost or doubled by any.
func TestDiskFull(t *testing.T) {
	const first, last = 64, 64 << 10 // kibibytes
	b, err := startBroker("", []string{"kill"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	k := &killing{brokers: b.address, topic: "kill", records: 60_000, rate: 6_000_000}
	k.prepare(t)
	lake := filepath.Join(k.dir, "lake")
	remount := disk(t, lake, first)
	if err := k.produce(t.Context()); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for size := first; ; size *= 2 { // what a failed run leaves behind takes room as well
		if size > last {
			t.Fatalf("with %d KiB there is no room yet", size/2)
		}
		remount(fmt.Sprintf("size=%dk", size))
		cmd := k.start(t, "--until-caught-up")
		err := cmd.Wait()
		if err == nil {
			break
		}
		failed++
		stderr := fmt.Sprint(cmd.Stderr)
		said := regexp.MustCompile(`(?m)^millrace: pipeline kill: .*(plain|deduped|kill_quarantine|checkpoints|state|address)[-/\w.]*: the disk that holds ` +
			lake + ` is full, free some space and start again, nothing committed is lost: no space left on device$`)
		if code := cmd.ProcessState.ExitCode(); code != exitFailed || !said.MatchString(stderr) {
			t.Fatalf("with %d KiB the run ended with %d, want %d and an error that names file, disk and what to do:\n%s", size, code, exitFailed, stderr)
		}
	}
	t.Logf("%d runs found the disk full", failed)
	if failed < 3 {
		t.Errorf("%d runs found the disk full: too few to show anything", failed)
	}
	k.finish(t)
}

// A disk that may only be read ends the run with an error that says so; once it may be written the next run
// makes up for it.
func TestDiskReadOnly(t *testing.T) {
	b, err := startBroker("", []string{"kill"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	k := &killing{brokers: b.address, topic: "kill", records: 1000, rate: 100_000}
	k.prepare(t)
	lake := filepath.Join(k.dir, "lake")
	remount := disk(t, lake, 4<<10)
	if err := k.produce(t.Context()); err != nil {
		t.Fatal(err)
	}
	remount("ro")
	cmd := k.start(t, "--until-caught-up")
	err = cmd.Wait()
	want := "the file system of " + lake + " is mounted read-only, remount it for writing or choose another folder: read-only file system"
	if code := cmd.ProcessState.ExitCode(); code != exitFailed || !strings.Contains(fmt.Sprint(cmd.Stderr), want) {
		t.Errorf("the run ended with %v, want exit code %d and %q:\n%s", err, exitFailed, want, cmd.Stderr)
	}
	remount("rw")
	k.finish(t)
}

// A fullDisk is a pipeline with Delta tables in memory, as wire makes it, whose store may refuse to write.
type fullDisk struct {
	store *mem.Store
	in    enginetest.Input
}

const fullRows, fullBad = 120, 7

func newFullDisk() *fullDisk {
	d := &fullDisk{store: mem.New(), in: make(enginetest.Input, 2)}
	for range 2 { // the second time they are duplicates
		for i := range fullRows {
			d.in[i%2] = append(d.in[i%2], enginetest.Row(fmt.Sprint("k", i), engine.Time(i), int64(i)))
		}
	}
	for range fullBad {
		d.in[0] = append(d.in[0], []byte("no row"))
	}
	return d
}

// run runs the pipeline over a store with the hook, until caught up.
func (d *fullDisk) run(t *testing.T, hook fault.Hook) error {
	t.Helper()
	lake := fault.New(d.store, hook)
	def := &spec.Definition{Plan: engine.Plan{
		Pipeline: "p", Quarantine: "bad", Commit: engine.CommitPolicy{Rows: 80},
		Sources: []engine.SourcePlan{{Name: enginetest.SourceName, Schema: enginetest.InputSchema, NewDecoder: func() engine.Decoder { return enginetest.Decoder{} }}},
		Streams: []engine.StreamPlan{{
			Name: "once", From: []string{enginetest.SourceName}, Schema: enginetest.InputSchema,
			Steps: []engine.Step{{Name: "dedupe", Config: dedupe.Config{By: []string{"id"}, Within: time.Hour, Order: "arrival"}}},
		}},
		Tables: []engine.TablePlan{{Name: "all", From: enginetest.SourceName}, {Name: "once", From: "once"}},
	}}
	ports := engine.Ports{
		Sources:     map[string]engine.Source{enginetest.SourceName: enginetest.NewSource(d.in, 1, 8, time.Second)},
		Tables:      map[string]engine.Table{},
		Checkpoints: checkpoint.New(blob.Sub(lake, stateHome("p", defaultTask))),
	}
	for name, schema := range map[string]engine.Schema{"all": enginetest.InputSchema, "once": enginetest.InputSchema, "bad": engine.QuarantineSchema} {
		table, err := newDeltaTable(lake, def, name, spec.Table{Path: name, Schema: schema, Compression: "snappy", TargetFile: 1 << 20}, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		ports.Tables[name] = table
	}
	task, err := engine.NewTask(&def.Plan, ports, engine.Options{UntilCaughtUp: true, Lanes: 2})
	if err != nil {
		t.Fatal(err)
	}
	_, err = task.Run(t.Context())
	return err
}

// compare fails unless the tables hold what the input is worth, once.
func (d *fullDisk) compare(t *testing.T) {
	t.Helper()
	var all, once []string
	for i := range fullRows {
		row := fmt.Sprintf(`{"v":%d}`, i)
		all, once = append(all, row, row), append(once, row)
	}
	for table, want := range map[string][]string{"all": all, "once": once, "bad": slices.Repeat([]string{`{"reason":"decode"}`}, fullBad)} {
		store := blob.Sub(d.store, table)
		s, err := delta.Load(t.Context(), store, delta.Latest)
		if err != nil {
			t.Fatal(err)
		}
		col := "v"
		if table == "bad" {
			col = "reason"
		}
		var got []string
		err = scan(t.Context(), store, s, []string{col}, -1, func(r scanned) error {
			for row := range r.rows {
				got = append(got, string(column.AppendRowJSON(nil, r.schema, r.columns, row)))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("table %s (-want +got):\n%s", table, diff)
		}
	}
}

// TestDiskFullAtEveryWrite has the disk full at the n-th write, for each n: from then on, for just that
// write, or for that one and from a few writes later on. The run ends with an error that names the file, or
// overcomes it; once there is room, the next run makes up for it.
func TestDiskFullAtEveryWrite(t *testing.T) {
	t.Parallel()
	const later = 20
	for name, full := range map[string]func(write, n int) bool{
		"from then on": func(write, n int) bool { return write >= n },
		"for a moment": func(write, n int) bool { return write == n },
		"soon again":   func(write, n int) bool { return write == n || write >= n+later },
	} {
		t.Run(name, func(t *testing.T) {
			n := 1
			for fullAt(t, n, full) && !t.Failed() {
				n++
			}
			t.Logf("%d writes", n-1)
			if n < 20 {
				t.Errorf("%d writes are too few to show anything", n-1)
			}
		})
	}
}

// fullAt runs the pipeline with the disk full at the n-th write, and again with room. reached says that
// there was such a write.
func fullAt(t *testing.T, n int, full func(write, n int) bool) (reached bool) {
	synctest.Test(t, func(t *testing.T) {
		d := newFullDisk()
		var refused objects
		writes := 0
		err := d.run(t, func(c fault.Call) fault.Fault {
			if !slices.Contains([]string{"Put", "PutIfAbsent", "Create", "Writer.Write", "Writer.Close"}, c.Op) {
				return fault.Fault{}
			}
			if writes++; !full(writes, n) {
				return fault.Fault{}
			}
			refused.add(c.Name)
			return fault.Fault{Kind: fault.FailBefore, Err: syscall.ENOSPC}
		})
		reached = writes >= n
		said := errors.Is(err, syscall.ENOSPC) && refused.anyIn(err.Error())
		if overcome := err == nil && !full(writes, n); !said && !overcome {
			t.Errorf("full at write %d, of %q, the run ended with: %v", n, refused.all, err)
		}
		if err := d.run(t, nil); err != nil {
			t.Errorf("full at write %d; with room again: %v", n, err)
		}
		d.compare(t)
	})
	return reached
}

// objects is names of objects, given by several goroutines.
type objects struct {
	mu  sync.Mutex
	all []string
}

func (n *objects) add(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all = append(n.all, name)
}

// anyIn says whether text names one of the objects.
func (n *objects) anyIn(text string) bool {
	return slices.ContainsFunc(n.all, func(name string) bool { return strings.Contains(text, path.Base(name)) })
}
