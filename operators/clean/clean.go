// Package clean is the operator that makes values of dirty texts, column by column:
//
//	clean:
//	  "*": {empty_to_null: true}                                          # every text column
//	  title: {null_if: [No Title Data Available]}
//	  follower_count: {null_if: [User Info Error], parse: magnitude}      # 10k is 10000, a long
//	  save_location: {strip_prefix: "Local save in "}
//	  timestamp: {parse: {timestamp: [iso, "yyyy:MM:dd HH:mm:ss"]}}
//
// The rules of a column run in the order written, those of "*" before; a rule that comes twice is written
// as an item of a list. Nulls stay null, and nothing is trimmed unless a rule says so. parse changes the
// column's type and comes last.
//
// A text that can't be parsed sends its row to quarantine, with reason parse and the column; with several
// such columns it is the first in the order written. on_error: null makes it null instead.
//
// Rules that only make nulls copy no text, and a column that no rule changes in a batch is passed on as it
// is.
package clean

import (
	"context"
	"slices"
	"strings"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// All stands for every column of strings.
const All = "*"

// A Config says how columns are cleaned.
type Config struct {
	Columns []Column
}

// A Column is a column with its rules.
type Column struct {
	Name    string // of the column, or All
	Rules   []Rule // in the order they run
	OnError string // what becomes of a text that can't be parsed: Quarantine (also "") or Null

	list bool // rules were written as a list: faults are found by index
}

// The ways to deal with a text that can't be parsed.
const (
	Quarantine = "quarantine" // the row goes to quarantine
	Null       = "null"       // the value becomes null
)

// Bind implements engine.Config.
func (c Config) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) {
	b := binder{in: in, out: slices.Clone(in)}
	for _, col := range c.Columns {
		if col.Name == All {
			b.all(col)
		}
	}
	for _, col := range c.Columns {
		if col.Name != All {
			b.column(col)
		}
	}
	if len(c.Columns) == 0 {
		b.fault(nil, false, "no column is cleaned")
	}
	if b.faults != nil {
		return nil, nil, b.faults
	}
	b.rest()
	return &operator{schema: b.out, programs: b.programs}, b.out, nil
}

// operator implements engine.Operator.
type operator struct {
	schema   engine.Schema
	programs []program
	rejects  []reject // scratch: of the batch at hand
}

// A program is what runs on one column.
type program struct {
	column  int
	kernels []kernel
}

// A kernel is a rule, or some that run as one, made for a column. It is called once a batch and column.
type kernel interface {
	run(j *job)
}

// A reject is a value that could not be parsed.
type reject struct {
	row     int
	program int // index in programs: the order of columns
	detail  string
}

// Apply implements engine.Operator.
func (o *operator) Apply(_ context.Context, in *engine.Batch, emit engine.Emit) error {
	columns := slices.Clone(in.Columns)
	o.rejects = o.rejects[:0]
	for i, p := range o.programs {
		j := job{arena: in.Arena, sel: in.Sel, rows: in.Rows, program: i, rejects: o.rejects}
		columns[p.column] = j.run(columns[p.column].(*column.Texts), p.kernels)
		o.rejects = j.rejects
	}
	out := in.With(o.schema, columns)
	if len(o.rejects) > 0 {
		out.Sel = o.quarantine(in, emit)
	}
	return emit.Rows(out)
}

// quarantine sends away each row with rejects, for the first of them, and gives the rows that stay.
func (o *operator) quarantine(in *engine.Batch, emit engine.Emit) column.Selection {
	slices.SortStableFunc(o.rejects, func(a, b reject) int { return a.row - b.row })
	rows := slices.CompactFunc(o.rejects, func(a, b reject) bool { return a.row == b.row })
	sel := in.Arena.Selection(in.Count())
	for row := range in.Sel.All(in.Rows) {
		if len(rows) == 0 || row != rows[0].row {
			sel = append(sel, int32(row))
			continue
		}
		name := in.Schema[o.programs[rows[0].program].column].Name
		emit.Quarantine(in, row, engine.ReasonParse, name, rows[0].detail)
		rows = rows[1:]
	}
	return sel
}

// shown is a value as messages quote it: at most 40 bytes of it.
func shown(v []byte) string {
	const most = 40
	if len(v) <= most {
		return string(v)
	}
	return strings.ToValidUTF8(string(v[:most]), "") + "…"
}
