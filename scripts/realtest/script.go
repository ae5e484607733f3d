//go:build real

package realtest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Root is the project's folder: the one above the test's that has a go.mod.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test's folder")
		}
		dir = up
	}
}

// script runs one of the project's scripts. failed says that it ended with exit status 1: it has judged,
// and out says what it found. Any other failure ends the test.
func script(t testing.TB, env []string, name string, args ...string) (out []byte, failed bool) {
	t.Helper()
	out, err := runScript(t, env, name, args...)
	var exit *exec.ExitError
	switch {
	case err == nil:
		return out, false
	case errors.As(err, &exit) && exit.ExitCode() == 1:
		return append(out, exit.Stderr...), true
	default:
		t.Fatalf("%s %v: %v\n%s", name, args, err, stderr(err))
		return nil, true
	}
}

func runScript(t testing.TB, env []string, name string, args ...string) ([]byte, error) {
	t.Helper()
	cmd := exec.Command(filepath.Join(Root(t), "scripts", name), args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.Output()
	return bytes.TrimSpace(out), err
}

func stderr(err error) []byte {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.Stderr
	}
	return nil
}
