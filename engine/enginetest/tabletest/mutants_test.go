package tabletest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/enginetest"
)

// TestCatches: each of these breaks, in one place, a table that keeps the contract, and the test named must
// notice.
func TestCatches(t *testing.T) {
	for name, c := range map[string]struct {
		test string
		by   func(*mutant)
	}{
		"a new table each time":       {"Open", func(m *mutant) { m.open = renames }},
		"two makers, two tables":      {"OpenAtOnce", func(m *mutant) { m.open = renames }},
		"one epoch for all lines":     {"Incarnations", func(m *mutant) { m.open = oneLine }},
		"no others":                   {"Incarnations", func(m *mutant) { m.state = func(s *engine.TableState) { s.Others = nil } }},
		"a state of before":           {"State", func(m *mutant) { m.stale = true }},
		"prev not compared":           {"CommitForeign", func(m *mutant) { m.commit = anyPrev }},
		"id not compared":             {"CommitForeign", func(m *mutant) { m.commit = anyTable }},
		"foreign by another name":     {"CommitForeign", func(m *mutant) { m.commit = unnamed }},
		"a repeated commit done":      {"CommitTwice", func(m *mutant) { m.commit = doubles }},
		"a repeated commit refused":   {"CommitTwice", func(m *mutant) { m.commit = refuses }},
		"a repeated commit's version": {"CommitTwice", func(m *mutant) { m.commit = newest }},
		"racers all win":              {"CommitAtOnce", func(m *mutant) { m.commit = anyPrev }},
		"files of this process only":  {"CommitAnswerLost", func(m *mutant) { m.own = map[string]bool{} }},
		"a lost commit done again":    {"CommitAnswerLost", func(m *mutant) { m.commit = doubles }},
		"two commits, one version":    {"CommitsOfOthers", func(m *mutant) { m.commit = shared }},
		"prepared is committed":       {"Prepare", func(m *mutant) { m.eager = true }},
		"visible before":              {"Invisible", func(m *mutant) { m.eager = true }},
		"nothing is missing":          {"Missing", func(m *mutant) { m.missing = func([]string) []string { return nil } }},
		"shorter files pass":          {"Missing", func(m *mutant) { m.missing = func(all []string) []string { return all[:min(1, len(all))] } }},
		"one file name":               {"Files", func(m *mutant) { m.file = func(f *engine.File) { f.Path = "data/one" } }},
		"wrong sizes":                 {"Files", func(m *mutant) { m.file = func(f *engine.File) { f.Size++ } }},
		"wrong counts":                {"Files", func(m *mutant) { m.file = func(f *engine.File) { f.Rows++ } }},
		"batches kept":                {"Write", func(m *mutant) { m.keeps = true }},
		"all rows selected":           {"Write", func(m *mutant) { m.rows = func(b *engine.Batch) *engine.Batch { return b.Select(nil) } }},
		"a row too few":               {"Write", func(m *mutant) { m.rows = func(b *engine.Batch) *engine.Batch { return b.Select(allBut(b, 0)) } }},
		"empty files":                 {"NoRows", func(m *mutant) { m.empty = true }},
		"cut when sealed":             {"DiscardWriter", func(m *mutant) { m.late = true }},
		"a writer keeps all":          {"DiscardWriter", func(m *mutant) { m.noDiscard = true; m.late = true }},
		"a sealing keeps all":         {"DiscardSealing", func(m *mutant) { m.noDiscard = true; m.late = true }},
		"batches kept by lanes":       {"Lanes", func(m *mutant) { m.keeps = true }},
		"null is nothing":             {"Types", func(m *mutant) { m.rows = noNulls }},
		"empty is null":               {"Partitions", func(m *mutant) { m.rows = emptyIsNull }},
		"null is empty":               {"PartitionColumns", func(m *mutant) { m.rows = noNulls }},
		"a context that does not end": {"ContextIsOver", func(m *mutant) { m.endless = true }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := fake(t, func(table engine.Table) engine.Table {
				m := &mutant{Table: table}
				c.by(m)
				return m
			})
			if !enginetest.Fails(t, func(tb testing.TB) { tests()[c.test](&trial{tb, h}) }) {
				t.Errorf("the mutant survived %s", c.test)
			}
		})
	}
}

// A mutant is a table that is wrong where a field is set.
type mutant struct {
	engine.Table
	open    func(m *mutant, ctx context.Context, line string) (engine.TableState, error)
	state   func(*engine.TableState)
	commit  func(m *mutant, ctx context.Context, p engine.Prepared) (int64, error)
	missing func([]string) []string
	file    func(*engine.File)
	rows    func(*engine.Batch) *engine.Batch
	own     map[string]bool // paths that this process has sealed

	stale, eager, keeps, empty, late, noDiscard, endless bool
	known                                                *engine.TableState
}

func (m *mutant) context(ctx context.Context) context.Context {
	if m.endless {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

func (m *mutant) Open(ctx context.Context, line string) (engine.TableState, error) {
	if m.open != nil {
		return m.open(m, ctx, line)
	}
	return m.Table.Open(m.context(ctx), line)
}

func (m *mutant) State(ctx context.Context) (engine.TableState, error) {
	if m.stale && m.known != nil {
		return *m.known, nil
	}
	s, err := m.Table.State(m.context(ctx))
	if m.state != nil {
		m.state(&s)
	}
	m.known = &s
	return s, err
}

func (m *mutant) Prepare(ctx context.Context, p engine.Prepared) error {
	if m.eager {
		_, err := m.Table.Commit(ctx, p, engine.CommitInfo{})
		return err
	}
	return m.Table.Prepare(ctx, p)
}

func (m *mutant) Commit(ctx context.Context, p engine.Prepared, info engine.CommitInfo) (int64, error) {
	if m.own != nil {
		p.Files = slices.DeleteFunc(slices.Clone(p.Files), func(f engine.File) bool { return !m.own[f.Path] })
	}
	if m.commit != nil {
		return m.commit(m, ctx, p)
	}
	return m.Table.Commit(m.context(ctx), p, info)
}

func (m *mutant) Missing(ctx context.Context, files []engine.File) ([]string, error) {
	all, err := m.Table.Missing(m.context(ctx), files)
	if m.missing != nil {
		all = m.missing(all)
	}
	return all, err
}

func (m *mutant) Writer(lane int) engine.TableWriter {
	return &mutantWriter{m: m, TableWriter: m.Table.Writer(lane)}
}

type mutantWriter struct {
	engine.TableWriter
	m    *mutant
	kept []*engine.Batch
}

func (w *mutantWriter) Write(ctx context.Context, b *engine.Batch) error {
	if w.m.keeps {
		w.kept = append(w.kept, b)
		return nil
	}
	if w.m.rows != nil {
		b = w.m.rows(b)
	}
	return w.TableWriter.Write(ctx, b)
}

func (w *mutantWriter) Cut() engine.Sealing {
	for _, b := range w.kept {
		if err := w.TableWriter.Write(context.Background(), b); err != nil {
			return nil
		}
	}
	w.kept = nil
	if w.m.late {
		return mutantSealing{w: w}
	}
	s := w.TableWriter.Cut()
	if s == nil && !w.m.empty {
		return nil
	}
	return mutantSealing{w, s}
}

func (w *mutantWriter) Discard() {
	if !w.m.noDiscard {
		w.TableWriter.Discard()
	}
}

type mutantSealing struct {
	w *mutantWriter
	s engine.Sealing // nil: not cut yet
}

func (s mutantSealing) Seal(ctx context.Context) ([]engine.File, error) {
	if s.s == nil {
		if s.s = s.w.TableWriter.Cut(); s.s == nil {
			return nil, nil
		}
	}
	files, err := s.s.Seal(s.w.m.context(ctx))
	for i := range files {
		if s.w.m.file != nil {
			s.w.m.file(&files[i])
		}
		if s.w.m.own != nil {
			s.w.m.own[files[i].Path] = true
		}
	}
	return files, err
}

func (s mutantSealing) Discard() {
	if s.s != nil {
		s.s.Discard()
	}
}

func renames(m *mutant, ctx context.Context, line string) (engine.TableState, error) {
	s, err := m.Table.Open(ctx, line)
	s.ID = fmt.Sprintf("%p", m)
	return s, err
}

func oneLine(m *mutant, ctx context.Context, _ string) (engine.TableState, error) {
	return m.Table.Open(ctx, "the line")
}

// anyPrev commits whatever the epoch before was.
func anyPrev(m *mutant, ctx context.Context, p engine.Prepared) (int64, error) {
	for {
		s, err := m.Table.State(ctx)
		if err != nil {
			return 0, err
		}
		p.Prev = s.Epoch
		if v, err := m.Table.Commit(ctx, p, engine.CommitInfo{}); !errors.Is(err, engine.ErrForeign) || p.ID != s.ID {
			return v, err
		}
	}
}

func anyTable(m *mutant, ctx context.Context, p engine.Prepared) (int64, error) {
	s, err := m.Table.State(ctx)
	if err != nil {
		return 0, err
	}
	p.ID = s.ID
	return m.Table.Commit(ctx, p, engine.CommitInfo{})
}

func unnamed(m *mutant, ctx context.Context, p engine.Prepared) (int64, error) {
	v, err := m.Table.Commit(ctx, p, engine.CommitInfo{})
	if err != nil {
		err = errors.New(err.Error())
	}
	return v, err
}

// doubles commits once more what is committed.
func doubles(m *mutant, ctx context.Context, p engine.Prepared) (int64, error) {
	if s, err := m.Table.State(ctx); err == nil && s.Epoch == p.Epoch {
		p.Prev, p.Epoch = p.Epoch, p.Epoch+1
	}
	return m.Table.Commit(ctx, p, engine.CommitInfo{})
}

func refuses(m *mutant, ctx context.Context, p engine.Prepared) (int64, error) {
	if s, err := m.Table.State(ctx); err == nil && s.Epoch == p.Epoch {
		return 0, engine.ErrForeign
	}
	return m.Table.Commit(ctx, p, engine.CommitInfo{})
}

func newest(m *mutant, ctx context.Context, p engine.Prepared) (int64, error) {
	v, err := m.Table.Commit(ctx, p, engine.CommitInfo{})
	if s, stateErr := m.Table.State(ctx); stateErr == nil {
		v = s.Version
	}
	return v, err
}

// shared gives two commits one version.
func shared(m *mutant, ctx context.Context, p engine.Prepared) (int64, error) {
	v, err := m.Table.Commit(ctx, p, engine.CommitInfo{})
	return v / 2, err
}

func allBut(b *engine.Batch, row int) column.Selection {
	sel := column.Selection{}
	for r := range b.Sel.All(b.Rows) {
		if r != row {
			sel = append(sel, int32(r))
		}
	}
	return sel
}

func noNulls(b *engine.Batch) *engine.Batch {
	return copied(b, func(c, src column.Column, row int) {
		if t, ok := c.(*column.Texts); ok && src.Nulls().Null(row) {
			t.AppendString("")
			return
		}
		c.AppendRow(src, row)
	})
}

func emptyIsNull(b *engine.Batch) *engine.Batch {
	return copied(b, func(c, src column.Column, row int) {
		if t, ok := src.(*column.Texts); ok && bytes.Equal(t.At(row), nil) {
			c.AppendNull()
			return
		}
		c.AppendRow(src, row)
	})
}

func copied(b *engine.Batch, appendRow func(c, src column.Column, row int)) *engine.Batch {
	cols := make([]column.Column, len(b.Columns))
	for i, src := range b.Columns {
		cols[i] = column.New(src.Type())
		for row := range b.Rows {
			appendRow(cols[i], src, row)
		}
	}
	return b.With(b.Schema, cols)
}
