//go:build real

package realtest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/file"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/parquet"
)

// A Judged is a table that other readers are to judge, with what millrace says of it: an entry of a manifest
// (scripts/lake_rows.py).
type Judged struct {
	Path     string          `json:"path"` // its folder
	Rows     string          `json:"rows"` // a file of rows, a JSON object a line
	History  []JudgedVersion `json:"history"`
	Protocol [2]int          `json:"protocol"` // least reader and writer version
	Change   bool            `json:"change"`   // Spark appends the table's rows to it and compacts it
	snapshot *delta.Snapshot // what the rows were read from
	store    blob.Store      // of the folder
}

// A JudgedVersion is a commit as all readers tell it.
type JudgedVersion struct {
	Version   int64  `json:"version"`
	Operation string `json:"operation"`
	Engine    string `json:"engine"`
	Epoch     string `json:"epoch"`
}

// Judge reads a table as millrace does and writes its rows into a file below dir.
func Judge(t testing.TB, path, dir string) Judged {
	t.Helper()
	store, err := file.New(path)
	if err != nil {
		t.Fatal(err)
	}
	j := Judged{Path: path, Rows: filepath.Join(dir, filepath.Base(path)+".ndjson"), store: store}
	if j.snapshot, err = delta.Load(t.Context(), store, delta.Latest); err != nil {
		t.Fatal(err)
	}
	p := j.snapshot.Protocol()
	j.Protocol = [2]int{p.MinReader, p.MinWriter}
	for v, err := range delta.History(t.Context(), store) {
		if err != nil {
			t.Fatal(err)
		}
		j.History = append(j.History, JudgedVersion{v.Number, v.Info.Operation, v.Info.EngineInfo, delta.Text(v.Info.Parameters["epochId"])})
	}
	j.writeRows(t)
	return j
}

func (j *Judged) writeRows(t testing.TB) {
	t.Helper()
	f, err := os.Create(j.Rows)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	j.EachRow(t, func(line []byte) { w.Write(append(line, '\n')) }) //nolint:errcheck // Flush tells
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// Rows is the rows of a table as JSON.
func Rows(t testing.TB, store blob.Store) []string {
	t.Helper()
	s, err := delta.Load(t.Context(), store, delta.Latest)
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	(&Judged{store: store, snapshot: s}).EachRow(t, func(line []byte) { rows = append(rows, string(line)) })
	return rows
}

// EachRow yields the table's rows as JSON, lent for the call.
func (j *Judged) EachRow(t testing.TB, yield func(line []byte)) {
	t.Helper()
	schema, err := j.snapshot.Schema().Columns()
	if err != nil {
		t.Fatal(err)
	}
	var line []byte
	for _, add := range j.snapshot.Files() {
		name, err := add.Name()
		if err != nil {
			t.Fatal(err)
		}
		f, err := parquet.Open(t.Context(), j.store, name, schema)
		if err != nil {
			t.Fatal(err)
		}
		for i := range f.RowGroups() {
			columns, err := f.ReadRowGroup(t.Context(), i, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := fillPartitions(j.snapshot, add, schema, columns, f.RowGroupRows(i)); err != nil {
				t.Fatal(err)
			}
			for row := range f.RowGroupRows(i) {
				line = column.AppendRowJSON(line[:0], schema, columns, row)
				yield(line)
			}
		}
	}
}

// fillPartitions puts in the columns that are in the log and not in the file.
func fillPartitions(s *delta.Snapshot, add *delta.Add, schema column.Schema, columns []column.Column, rows int) error {
	for _, name := range s.Metadata().PartitionBy {
		at := schema.Index(name)
		columns[at] = column.New(schema[at].Type)
		for range rows {
			if err := delta.AppendPartition(columns[at], add.PartitionValues[name]); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

// JudgeAll has delta-rs and DuckDB, or Spark, compare the tables with what millrace says of them. The test
// fails if they find a difference.
func JudgeAll(t testing.TB, tables []Judged, spark bool) {
	t.Helper()
	manifest := filepath.Join(t.TempDir(), "manifest.json")
	data, err := json.Marshal(tables)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(manifest, data, 0o600); err != nil {
		t.Fatal(err)
	}
	command := "judge"
	if spark {
		command = "judge-spark"
	}
	out, failed := script(t, nil, "readers.sh", command, manifest)
	if failed {
		t.Errorf("%s:\n%s", command, out)
		return
	}
	t.Logf("%s", out)
}
