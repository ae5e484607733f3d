//go:build real

package realtest

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A DuckDB is a process with DuckDB that answers statements, of one test.
type DuckDB struct {
	t   testing.TB
	in  io.Writer
	out *bufio.Reader
}

// StartDuckDB starts it without any table, and ends it when the test ends.
func StartDuckDB(t testing.TB) *DuckDB {
	t.Helper()
	scripts := filepath.Join(Root(t), "scripts")
	cmd := exec.Command(filepath.Join(scripts, "readers.sh"), "python", filepath.Join(scripts, "ask_duckdb.py"))
	var failed strings.Builder
	cmd.Stderr = &failed
	in, err := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(in.Close(), cmd.Wait()); err != nil {
			t.Errorf("duckdb: %v: %s", err, failed.String())
		}
	})
	return &DuckDB{t, in, bufio.NewReader(out)}
}

// Ask gives the rows that a statement gives, or DuckDB's error. What values become, ask_duckdb.py says.
func (d *DuckDB) Ask(statement string) ([][]any, error) {
	question, err := json.Marshal(statement)
	if err != nil {
		d.t.Fatal(err)
	}
	_, err = d.in.Write(append(question, '\n'))
	line, err2 := d.out.ReadString('\n')
	if err := errors.Join(err, err2); err != nil {
		d.t.Fatalf("duckdb, asked %s: %v", statement, err)
	}
	var answer struct {
		Rows  [][]any
		Error string
	}
	decoder := json.NewDecoder(strings.NewReader(line))
	decoder.UseNumber()
	if err := decoder.Decode(&answer); err != nil {
		d.t.Fatalf("duckdb, asked %s, answers %s: %v", statement, line, err)
	}
	if answer.Error != "" {
		return nil, errors.New(answer.Error)
	}
	return answer.Rows, nil
}
