package enginetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/column"
)

// A Table is an engine.Table kept as JSON in a blob.Store: a log of commits, each put where there is none,
// and files of rows, one a line. It is the Delta log in small, for runs that take milliseconds.
type Table struct {
	blobs blob.Store
	name  string
	line  string
}

// NewTable makes the table called name in blobs.
func NewTable(blobs blob.Store, name string) *Table { return &Table{blobs: blobs, name: name} }

// A commit is one entry of the log. The first has ID and no files.
type commit struct {
	ID    string       `json:"id"`
	Line  string       `json:"line"`
	Epoch engine.Epoch `json:"epoch"`
	Files []string     `json:"files"`
	All   bool         `json:"all"`  // the files of commits before do not count any more
	Mark  string       `json:"mark"` // unique to the attempt
}

func (t *Table) entry(version int64) string { return fmt.Sprintf("%s/log/%020d", t.name, version) }

// log reads all commits.
func (t *Table) log(ctx context.Context) ([]commit, error) {
	var all []commit
	for info, err := range t.blobs.List(ctx, t.name+"/log/", "") {
		if err != nil {
			return nil, err
		}
		data, err := t.blobs.Get(ctx, info.Name)
		if err != nil {
			return nil, err
		}
		var c commit
		if err := json.Unmarshal(data, &c); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// put adds a commit at version; after an error that leaves it open it reads back.
func (t *Table) put(ctx context.Context, version int64, c commit) error {
	c.Mark = uuid.NewString()
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	put := t.blobs.PutIfAbsent(ctx, t.entry(version), data)
	if put == nil {
		return nil
	}
	there, err := t.blobs.Get(ctx, t.entry(version))
	if err == nil && bytes.Equal(there, data) {
		return nil
	}
	return put
}

// Open implements engine.Table.
func (t *Table) Open(ctx context.Context, incarnation string) (engine.TableState, error) {
	t.line = incarnation
	log, err := t.log(ctx)
	if err != nil {
		return engine.TableState{}, err
	}
	if len(log) == 0 {
		err := t.put(ctx, 0, commit{ID: uuid.NewString(), Epoch: engine.NoEpoch})
		if err != nil && !errors.Is(err, blob.ErrExists) {
			return engine.TableState{}, err
		}
	}
	return t.State(ctx)
}

// State implements engine.Table.
func (t *Table) State(ctx context.Context) (engine.TableState, error) {
	log, err := t.log(ctx)
	if err != nil {
		return engine.TableState{}, err
	}
	s := engine.TableState{ID: log[0].ID, Version: int64(len(log)) - 1, Epoch: engine.NoEpoch}
	for _, c := range log[1:] {
		if c.Line == t.line {
			s.Epoch = c.Epoch
		} else if !slices.Contains(s.Others, c.Line) {
			s.Others = append(s.Others, c.Line)
		}
	}
	return s, nil
}

// did is the version that committed the newest epoch of our line.
func (t *Table) did(ctx context.Context) (int64, error) {
	log, err := t.log(ctx)
	if err != nil {
		return 0, err
	}
	for version := len(log) - 1; version > 0; version-- {
		if log[version].Line == t.line {
			return int64(version), nil
		}
	}
	return 0, fmt.Errorf("table %s: no commit of line %s", t.name, t.line)
}

// Prepare implements engine.Table.
func (t *Table) Prepare(context.Context, engine.Prepared) error { return nil }

// Commit implements engine.Table.
func (t *Table) Commit(ctx context.Context, p engine.Prepared, _ engine.CommitInfo) (int64, error) {
	for {
		s, err := t.State(ctx)
		switch {
		case err != nil:
			return 0, err
		case s.ID != p.ID:
			return 0, fmt.Errorf("table %s has id %s, not %s: %w", t.name, s.ID, p.ID, engine.ErrForeign)
		case s.Epoch == p.Epoch:
			return t.did(ctx)
		case s.Epoch != p.Prev:
			return 0, fmt.Errorf("table %s is at epoch %d, not %d: %w", t.name, s.Epoch, p.Prev, engine.ErrForeign)
		}
		c := commit{ID: p.ID, Line: t.line, Epoch: p.Epoch, All: p.Replace}
		for _, f := range p.Files {
			c.Files = append(c.Files, f.Path)
		}
		if err := t.put(ctx, s.Version+1, c); !errors.Is(err, blob.ErrExists) {
			return s.Version + 1, err
		}
	}
}

// Missing implements engine.Table.
func (t *Table) Missing(ctx context.Context, files []engine.File) ([]string, error) {
	var missing []string
	for _, f := range files {
		info, err := t.blobs.Stat(ctx, t.name+"/"+f.Path)
		switch {
		case errors.Is(err, blob.ErrNotFound) || err == nil && info.Size != f.Size:
			missing = append(missing, f.Path)
		case err != nil:
			return nil, err
		}
	}
	return missing, nil
}

// Rows is every row of the table as JSON, in no order. A file that stands in the log twice gives its rows
// twice.
func (t *Table) Rows(ctx context.Context) ([]string, error) {
	log, err := t.log(ctx)
	if err != nil {
		return nil, err
	}
	var rows []string
	for _, c := range log {
		if c.All {
			rows = nil
		}
		for _, f := range c.Files {
			data, err := t.blobs.Get(ctx, t.name+"/"+f)
			if err != nil {
				return nil, err
			}
			rows = append(rows, strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")...)
		}
	}
	return rows, nil
}

// Writer implements engine.Table.
func (t *Table) Writer(int) engine.TableWriter { return &writer{table: t} }

type writer struct {
	table *Table
	buf   []byte
	rows  int64
}

// Write implements engine.TableWriter.
func (w *writer) Write(_ context.Context, b *engine.Batch) error {
	for row := range b.Sel.All(b.Rows) {
		w.buf = append(column.AppendRowJSON(w.buf, b.Schema, b.Columns, row), '\n')
		w.rows++
	}
	return nil
}

// Cut implements engine.TableWriter.
func (w *writer) Cut() engine.Sealing {
	if w.rows == 0 {
		return nil
	}
	s := &sealing{table: w.table, data: w.buf, rows: w.rows}
	w.buf, w.rows = nil, 0
	return s
}

// Discard implements engine.TableWriter.
func (w *writer) Discard() { w.buf, w.rows = nil, 0 }

type sealing struct {
	table *Table
	data  []byte
	rows  int64
}

// Seal implements engine.Sealing.
func (s *sealing) Seal(ctx context.Context) ([]engine.File, error) {
	path := "data/" + uuid.NewString()
	if err := s.table.blobs.Put(ctx, s.table.name+"/"+path, s.data); err != nil {
		return nil, err
	}
	return []engine.File{{Path: path, Size: int64(len(s.data)), Rows: s.rows, Add: json.RawMessage("{}")}}, nil
}

// Discard implements engine.Sealing.
func (s *sealing) Discard() {}
