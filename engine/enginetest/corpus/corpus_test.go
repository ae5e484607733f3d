package corpus_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/millrace-io/millrace/engine/enginetest/corpus"
)

// A recorder stands for a test and notes how it ended.
type recorder struct {
	testing.TB
	end string
}

func (r *recorder) Helper() {}

func (r *recorder) Skip(args ...any) {
	r.end = "skip: " + fmt.Sprint(args...)
	runtime.Goexit()
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.end = "fail: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// end runs a test and says how it ended.
func end(t *testing.T, test func(testing.TB)) string {
	r := &recorder{TB: t, end: "pass"}
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(r)
	}()
	<-done
	return r.end
}

func TestDir(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ folder, noSkip, want string }{
		{dir, "", "pass"},
		{dir, "1", "pass"},
		{"", "", "skip: MILLRACE_TESTDATA is not set: it names the folder of the test data"},
		{"", "1", "fail: MILLRACE_TESTDATA is not set: it names the folder of the test data (MILLRACE_NO_SKIP is set, so this is no skip)"},
		{file, "", "skip: MILLRACE_TESTDATA: " + file + " is not a folder"},
		{filepath.Join(dir, "none"), "", "skip: MILLRACE_TESTDATA: stat " + filepath.Join(dir, "none") + ": no such file or directory"},
	} {
		t.Setenv("MILLRACE_TESTDATA", c.folder)
		t.Setenv("MILLRACE_NO_SKIP", c.noSkip)
		got := end(t, func(t testing.TB) {
			if d := corpus.Dir(t); d != c.folder {
				t.Fatalf("got %s", d)
			}
		})
		if got != c.want {
			t.Errorf("folder %q, no skip %q: got %q, want %q", c.folder, c.noSkip, got, c.want)
		}
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("MILLRACE_TESTDATA", dir)
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(corpus.Open(t, "file")); string(got) != "text" {
		t.Errorf("got %q", got)
	}
	if got, want := end(t, func(t testing.TB) { corpus.Open(t, "none") }), "fail: test data: open "+filepath.Join(dir, "none")+": no such file or directory"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
