package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

var eventNames = map[string]eventKind{"tick": tick, "admitted": admitted, "ready": ready, "written": written, "committed": committed, "stop": stop}

var actionNames = [...]string{cut: "cut", write: "write", commit: "commit", tell: "tell", finish: "finish"}

// TestCoordinator runs the scripts under testdata/coordinator: each line of a "steps" block is an event at a
// time, and what comes out is what the coordinator wants done.
func TestCoordinator(t *testing.T) {
	datadriven.Walk(t, "testdata/coordinator", func(t *testing.T, path string) {
		var co *coordinator
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "new":
				co = newCoordinator(scanPolicy(t, d), 1)
				return fmt.Sprintf("beat %v\n", co.beat)
			case "steps":
				var out strings.Builder
				for line := range strings.Lines(d.Input) {
					fmt.Fprintln(&out, runStep(t, co, strings.TrimSpace(line)))
				}
				return out.String()
			}
			d.Fatalf(t, "no command %q", d.Cmd)
			return ""
		})
	})
}

func scanPolicy(t *testing.T, d *datadriven.TestData) CommitPolicy {
	var p CommitPolicy
	var every string
	d.MaybeScanArgs(t, "every", &every)
	d.MaybeScanArgs(t, "rows", &p.Rows)
	d.MaybeScanArgs(t, "bytes", &p.Bytes)
	if every != "" {
		var err error
		if p.Every, err = time.ParseDuration(every); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// runStep runs "2s admitted rows=5", "3s ready 1" and the like, and shows events that cannot happen as such.
func runStep(t *testing.T, co *coordinator, line string) (out string) {
	fields := strings.Fields(line)
	at, err := time.ParseDuration(fields[0])
	if err != nil {
		t.Fatal(err)
	}
	kind, ok := eventNames[fields[1]]
	if !ok {
		t.Fatalf("no event %q", fields[1])
	}
	e := event{kind: kind, at: at}
	for _, f := range fields[2:] {
		if n, _ := fmt.Sscanf(f, "rows=%d", &e.rows); n == 1 {
			continue
		}
		if n, _ := fmt.Sscanf(f, "bytes=%d", &e.bytes); n == 1 {
			continue
		}
		if _, err := fmt.Sscan(f, &e.epoch); err != nil {
			t.Fatal(err)
		}
	}
	defer func() {
		if p := recover(); p != nil {
			out = fmt.Sprintf("%s -> impossible", line)
		}
	}()
	var todo []string
	for _, a := range co.step(e) {
		todo = append(todo, fmt.Sprintf("%s %d", actionNames[a.kind], a.epoch))
	}
	if len(todo) == 0 {
		todo = []string{"nothing"}
	}
	next := "no tick"
	if at, ok := co.deadline(); ok {
		next = "next tick " + at.String()
	}
	return fmt.Sprintf("%s -> %s; %s", line, strings.Join(todo, ", "), next)
}
