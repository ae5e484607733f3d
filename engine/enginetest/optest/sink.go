package optest

import (
	"fmt"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// A Sink is an engine.Emit that keeps what it is given as text. It panics on a batch that breaks the rules
// of engine.Batch. The zero Sink is ready.
type Sink struct {
	Lines []string // see the package
	Count engine.Count

	expect  engine.Schema
	batches []*engine.Batch
}

// Rows implements engine.Emit.
func (s *Sink) Rows(out *engine.Batch) error {
	s.check(out)
	s.batches = append(s.batches, out)
	for row := range out.Sel.All(out.Rows) {
		s.Lines = append(s.Lines, "row "+string(column.AppendRowJSON(nil, out.Schema, out.Columns, row)))
	}
	s.Count.Out += int64(out.Count())
	return nil
}

// Drop implements engine.Emit.
func (s *Sink) Drop(reason engine.DropReason, rows int) {
	switch reason {
	case engine.Duplicate:
		s.Count.Duplicate += int64(rows)
		s.Lines = append(s.Lines, fmt.Sprint("drop duplicate ", rows))
	case engine.Aggregated:
		s.Count.Aggregated += int64(rows)
	default:
		s.Count.Filtered += int64(rows)
		s.Lines = append(s.Lines, fmt.Sprint("drop filtered ", rows))
	}
}

// Made implements engine.Emit.
func (s *Sink) Made(rows int) { s.Count.Made += int64(rows) }

// Quarantine implements engine.Emit.
func (s *Sink) Quarantine(in *engine.Batch, row int, reason engine.Reason, col, detail string) {
	s.Count.Quarantined++
	if col != "" {
		col = " " + col
	}
	s.Lines = append(s.Lines, fmt.Sprintf("quarantine %s%s: %s %s", reason, col, detail, column.AppendRowJSON(nil, in.Schema, in.Columns, row)))
}

// check panics unless out is whole: columns as the schema says, each of Rows rows, no null where one is
// required, a selection that ascends.
func (s *Sink) check(out *engine.Batch) {
	if s.expect != nil && !out.Schema.Equal(s.expect) {
		panic(fmt.Sprintf("optest: rows leave as %v, Bind said %v", out.Schema, s.expect))
	}
	if len(out.Columns) != len(out.Schema) || len(out.At) != out.Rows || len(out.Mark) != out.Rows || len(out.Offset) != out.Rows ||
		out.Recorded != nil && len(out.Recorded) != out.Rows {
		panic(fmt.Sprintf("optest: a batch of %d rows and %d fields has %d columns, %d event times, %d watermarks, %d offsets and %d timestamps of records",
			out.Rows, len(out.Schema), len(out.Columns), len(out.At), len(out.Mark), len(out.Offset), len(out.Recorded)))
	}
	last := -1
	for row := range out.Sel.All(out.Rows) {
		if row <= last || row >= out.Rows {
			panic(fmt.Sprintf("optest: row %d is selected after row %d, of %d", row, last, out.Rows))
		}
		last = row
	}
	for i, f := range out.Schema {
		s.checkColumn(out, f, out.Columns[i])
	}
}

func (s *Sink) checkColumn(out *engine.Batch, f column.Field, c column.Column) {
	if c.Type() != f.Type || c.Len() != out.Rows || c.Nulls().Len() != out.Rows {
		panic(fmt.Sprintf("optest: column %s of a batch of %d rows holds %d of %v, with a validity of %d", f, out.Rows, c.Len(), c.Type(), c.Nulls().Len()))
	}
	for row := range out.Sel.All(out.Rows) {
		if f.Required && c.Nulls().Null(row) {
			panic(fmt.Sprintf("optest: column %s is null in row %d", f, row))
		}
	}
}

// Last is the last batch of the last Apply. It lives as long as its arena is held.
func (s *Sink) Last() *engine.Batch { return s.batches[len(s.batches)-1] }
