package tabletest

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
)

// A trial is one test at work.
type trial struct {
	testing.TB
	Harness
}

func (t *trial) must(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// plain is the table of most tests.
func plain() Config {
	return Config{Pipeline: "p", Schema: optest.Schema("id: long!, city: string")}
}

// row is a row of plain.
func row(id int) string { return fmt.Sprintf(`{"id":%d,"city":"city %d"}`, id, id%3) }

// rows are those with from ≤ id < to.
func rows(from, to int) []string {
	var all []string
	for id := from; id < to; id++ {
		all = append(all, row(id))
	}
	return all
}

// A process writes the table as the engine does.
type process struct {
	engine.Table
	t      *trial
	config Config
	state  engine.TableState // when it was opened
}

// start opens the table for a line of checkpoints.
func (t *trial) start(c Config, line string) *process {
	t.Helper()
	return t.startOn(t.Files, c, line)
}

func (t *trial) startOn(files blob.Store, c Config, line string) *process {
	t.Helper()
	p := &process{Table: t.Table(files, c), t: t, config: c}
	var err error
	p.state, err = p.Open(t.Context(), line)
	t.must(err)
	return p
}

// write gives a writer rows in the form of optest.
func (p *process) write(w engine.TableWriter, rows ...string) {
	p.t.Helper()
	p.writeBatch(w, optest.Batch(p.config.Schema, rows...))
}

func (p *process) writeBatch(w engine.TableWriter, b *engine.Batch) {
	p.t.Helper()
	p.t.must(p.lend(w, b))
}

// lend lends a writer a batch: when Write has returned the batch's memory serves others. It may be called by
// any goroutine.
func (p *process) lend(w engine.TableWriter, b *engine.Batch) error {
	err := w.Write(p.t.Context(), b)
	for _, c := range b.Columns {
		scribble(c)
	}
	return err
}

// seal cuts the writers and gives their files.
func (p *process) seal(writers ...engine.TableWriter) []engine.File {
	p.t.Helper()
	var files []engine.File
	for _, w := range writers {
		s := w.Cut()
		if s == nil {
			continue
		}
		f, err := s.Seal(p.t.Context())
		p.t.must(err)
		files = append(files, f...)
	}
	return files
}

// files writes rows in one writer.
func (p *process) files(rows ...string) []engine.File {
	p.t.Helper()
	w := p.Writer(0)
	p.write(w, rows...)
	files := p.seal(w)
	w.Discard()
	return files
}

// prepared is what a checkpoint holds of an epoch, read back from it.
func (p *process) prepared(prev, epoch engine.Epoch, files []engine.File) engine.Prepared {
	p.t.Helper()
	data, err := json.Marshal(engine.Prepared{Table: "t", ID: p.state.ID, Prev: prev, Epoch: epoch, Files: files})
	p.t.must(err)
	var read engine.Prepared
	p.t.must(json.Unmarshal(data, &read))
	return read
}

// commit commits what must be possible to commit.
func (p *process) commit(c engine.Prepared) int64 {
	p.t.Helper()
	p.t.must(p.Prepare(p.t.Context(), c))
	version, err := p.Commit(p.t.Context(), c, p.info(c))
	p.t.must(err)
	return version
}

func (p *process) info(c engine.Prepared) engine.CommitInfo {
	return engine.CommitInfo{Pipeline: p.config.Pipeline, Epoch: c.Epoch, Ledger: engine.Count{In: 3, Out: 3}}
}

// is checks what the table's log says.
func (p *process) is(epoch engine.Epoch, version int64, others ...string) {
	p.t.Helper()
	s, err := p.State(p.t.Context())
	p.t.must(err)
	slices.Sort(s.Others)
	want := engine.TableState{ID: p.state.ID, Version: version, Epoch: epoch, Others: others}
	if diff := cmp.Diff(want, s); diff != "" {
		p.t.Errorf("state: -want +got\n%s", diff)
	}
}

// object is the name of a file in Files.
func (t *trial) object(f engine.File) string { return path.Join(t.Folder, f.Path) }

// holds checks what a reader sees, in any order.
func (t *trial) holds(schema engine.Schema, want ...[]string) {
	t.Helper()
	left := map[string]int{}
	for _, row := range slices.Concat(want...) {
		left[row]++
	}
	var more []string
	for _, row := range t.Rows(schema) {
		if left[row]--; left[row] < 0 {
			more = append(more, row)
		}
	}
	var fewer []string
	for row, n := range left {
		for range n {
			fewer = append(fewer, row)
		}
	}
	if len(fewer)+len(more) > 0 {
		t.Errorf("a reader does not see %d rows, such as %q, and sees %d that were not written, such as %q",
			len(fewer), fewer[:min(3, len(fewer))], len(more), more[:min(3, len(more))])
	}
}

// scribble overwrites a column's memory, as whoever has it next does.
func scribble(c column.Column) {
	switch c := c.(type) {
	case *column.Bools:
		for i := range c.Values {
			c.Values[i] = !c.Values[i]
		}
	case *column.Bytes:
		fill(c.Values, -77)
	case *column.Shorts:
		fill(c.Values, -77)
	case *column.Ints:
		fill(c.Values, -77)
	case *column.Longs:
		fill(c.Values, -77)
	case *column.Floats:
		fill(c.Values, -77)
	case *column.Doubles:
		fill(c.Values, -77)
	case *column.Decimals:
		fill(c.Values, column.Int128Of(-77))
	case *column.Structs:
		for _, f := range c.Fields {
			scribble(f)
		}
	case *column.Texts:
		fill(c.Data, '#')
		clear(c.Offsets)
	case *column.List:
		scribble(c.Elem)
		clear(c.Offsets)
	}
	for i := range c.Len() {
		c.Nulls().SetNull(i)
	}
}

func fill[T any](all []T, v T) {
	for i := range all {
		all[i] = v
	}
}
