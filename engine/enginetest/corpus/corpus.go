// Package corpus finds data that tests read and the project does not hold: real rows, other writers'
// tables. It is a folder that the environment names in MILLRACE_TESTDATA. A test without it is skipped,
// unless MILLRACE_NO_SKIP is set, as where every test has to run: then it fails.
package corpus

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// The environment variables that the package reads.
const (
	FolderVariable = "MILLRACE_TESTDATA" // absolute, or relative to the folder of the test
	NoSkipVariable = "MILLRACE_NO_SKIP"  // any value but "": a test that would be skipped fails
)

// Dir is the folder of the test data. Without one the test ends here: see the package's comment.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := find(os.Getenv(FolderVariable))
	if err != nil {
		Skip(t, err.Error())
	}
	return dir
}

// Open opens a file of the test data; its parts are joined as by filepath.Join. A file that is not in the
// folder fails the test. It is closed when the test ends.
func Open(t testing.TB, parts ...string) *os.File {
	t.Helper()
	f, err := os.Open(filepath.Join(append([]string{Dir(t)}, parts...)...))
	if err != nil {
		t.Fatalf("test data: %v", err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// Skip skips the test, or fails it where MILLRACE_NO_SKIP is set. It is for whatever a test can't run
// without.
func Skip(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv(NoSkipVariable) != "" {
		t.Fatalf("%s (%s is set, so this is no skip)", reason, NoSkipVariable)
	}
	t.Skip(reason)
}

func find(dir string) (string, error) {
	if dir == "" {
		return "", fmt.Errorf("%s is not set: it names the folder of the test data", FolderVariable)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return "", fmt.Errorf("%s: %w", FolderVariable, err)
	}
	if !info.IsDir() {
		return "", fmt.Errorf("%s: %s is not a folder", FolderVariable, dir)
	}
	return dir, nil
}
