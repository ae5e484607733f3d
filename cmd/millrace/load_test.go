package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/spec"
)

func TestExitCode(t *testing.T) {
	wrong := spec.Errors{{File: "a.yaml", Line: 1, Column: 1, Message: "wrong"}}
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, exitDone},
		{errors.New("disk full"), exitFailed},
		{usagef("no"), exitUsage},
		{fmt.Errorf("tail: %w", wrong), exitUsage},
		{errors.Join(errors.New("x"), errShown), exitUsage},
		{fmt.Errorf("pipeline p: %w", engine.ErrFenced), exitFenced},
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("exit code of %v is %d, want %d", c.err, got, c.want)
		}
	}
}

func TestLeaves(t *testing.T) {
	a, b, c := errors.New("a"), errors.New("b"), errors.New("c")
	all := errors.Join(errors.Join(a, b), fmt.Errorf("both %w and %w", b, c), nil)
	var got []string
	for _, e := range leaves(all) {
		got = append(got, e.Error())
	}
	if strings.Join(got, "|") != "a|b|both b and c" {
		t.Errorf("leaves are %q", got)
	}
	if got := leaves(spec.Errors{}); len(got) != 1 {
		t.Errorf("no errors joined give %d leaves", len(got))
	}
}

// A definition includes files of its own folder, wherever millrace is started.
func TestInclude(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, name)
	}
	write("tables.yaml", "tables: {t: {from: pins, partition_by: [id]}}\n")
	file := write("my.yaml", `include: tables.yaml
pipeline: p
lake: ./lake
sources: {pins: {kafka: {brokers: a:1, topic: t}, format: json, schema: {id: long!, title: string}}}
`)
	if code, out, stderr := millrace(t.Context(), "check", "--offline", file); code != exitDone || !strings.Contains(out, "partitioned by id") {
		t.Errorf("check ended with %d: %s%s", code, out, stderr)
	}
	write("tables.yaml", "tables:\n  t: {from: pin}\n")
	code, _, stderr := millrace(t.Context(), "check", "--offline", file)
	if want := filepath.Join(dir, "tables.yaml") + ":2:13: no source or stream pin"; code != exitUsage || !strings.Contains(stderr, want) {
		t.Errorf("check ended with %d: %s, want %s", code, stderr, want)
	}
}

// Nothing but the definition is opened, so check is as quick as its start. The best of five counts: other
// work may slow the machine down.
func TestCheckIsQuick(t *testing.T) {
	best := time.Hour
	for range 5 {
		began := time.Now()
		if code, _, stderr := millrace(t.Context(), "check", "pinterest"); code != exitDone {
			t.Fatalf("check ended with %d: %s", code, stderr)
		}
		best = min(best, time.Since(began))
	}
	if best > 50*time.Millisecond {
		t.Errorf("check took %v at best, want at most 50ms", best)
	}
}

func BenchmarkCheck(b *testing.B) {
	var out, errs bytes.Buffer
	for b.Loop() {
		out.Reset()
		if code := execute(context.Background(), []string{"check", "pinterest"}, &out, &errs); code != exitDone {
			b.Fatalf("check ended with %d: %s", code, errs.String())
		}
	}
}
