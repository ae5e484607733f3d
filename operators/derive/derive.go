// Package derive is the operator that computes columns by SQL expressions:
//
//	derive:
//	  coordinates: array(latitude, longitude)
//	  user_name: concat_ws(' ', first_name, last_name)
//
// A column is put behind the others, or takes the place of the one that has its name. Later expressions see
// the columns of earlier ones. A row for which an expression has no value, as where it divides by zero,
// goes to quarantine with reason eval and the column; the first such expression counts.
package derive

import (
	"context"
	"errors"
	"slices"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/expr"
	"github.com/millrace-io/millrace/engine/spec"
)

// A Config says what is computed, in order.
type Config struct {
	Columns []Column
}

// A Column is one that is computed.
type Column struct {
	Name string
	Expr string // a SQL expression
}

// UnmarshalNode reads a map of columns to expressions.
func (c *Config) UnmarshalNode(n spec.Node) error {
	var columns spec.Map[string]
	err := n.Decode(&columns)
	for _, e := range columns {
		c.Columns = append(c.Columns, Column{Name: e.Key, Expr: e.Value})
	}
	return err
}

// JSONSchema describes what UnmarshalNode takes.
func (Config) JSONSchema() map[string]any {
	return map[string]any{
		"type": "object", "minProperties": 1, "additionalProperties": map[string]any{"type": "string"},
		"description": "Columns with the SQL expressions that compute them, in order: later ones see earlier ones.",
	}
}

// Bind implements engine.Config.
func (c Config) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) {
	op := &operator{schema: slices.Clone(in)}
	faults := check(c.Columns)
	if faults != nil {
		return nil, nil, faults
	}
	var failed []string
	for _, col := range c.Columns {
		program, err := expr.Compile(col.Expr, op.schema)
		var wrong expr.Errors
		switch {
		case err != nil && slices.ContainsFunc(failed, func(name string) bool { return expr.Mentions(col.Expr, name) }):
			// It may be wrong only because the column it reads is.
		case errors.As(err, &wrong):
			failed = append(failed, col.Name)
			for _, e := range wrong {
				faults = append(faults, engine.Fault{Path: []string{col.Name}, Column: e.Offset, Message: e.Message, Nearest: e.Nearest})
			}
		case err != nil:
			return nil, nil, err
		default:
			op.add(col.Name, program)
		}
	}
	if faults != nil {
		return nil, nil, faults
	}
	return op, op.schema, nil
}

func (o *operator) add(name string, program *expr.Program) {
	field := column.Field{Name: name, Type: program.Type(), Required: !program.Nullable()}
	place := o.schema.Index(name)
	if place < 0 {
		place = len(o.schema)
		o.schema = append(o.schema, column.Field{})
	}
	o.schema[place] = field
	o.steps = append(o.steps, step{name, place, program})
}

// operator implements engine.Operator.
type operator struct {
	schema engine.Schema
	steps  []step
}

// A step computes a column.
type step struct {
	name    string
	place   int // in the schema
	program *expr.Program
}

// A reject is a row without a value for a column.
type reject struct {
	expr.RowError
	column string
}

// Apply implements engine.Operator.
func (o *operator) Apply(_ context.Context, in *engine.Batch, emit engine.Emit) error {
	columns, sel := slices.Clone(in.Columns), in.Sel
	var rejects []reject
	for _, s := range o.steps {
		value, bad := s.program.Eval(columns, sel, in.Rows, in.Arena)
		if s.place == len(columns) {
			columns = append(columns, nil)
		}
		columns[s.place] = value
		for _, b := range bad {
			rejects = append(rejects, reject{b, s.name})
		}
		sel = without(sel, bad, in)
	}
	slices.SortFunc(rejects, func(a, b reject) int { return a.Row - b.Row })
	for _, r := range rejects {
		emit.Quarantine(in, r.Row, engine.ReasonEval, r.column, r.Detail)
	}
	return emit.Rows(in.With(o.schema, columns).Select(sel))
}

// without leaves bad rows, which ascend, out of sel.
func without(sel column.Selection, bad []expr.RowError, in *engine.Batch) column.Selection {
	if len(bad) == 0 {
		return sel
	}
	kept := in.Arena.Selection(in.Rows)
	for row := range sel.All(in.Rows) {
		if len(bad) > 0 && bad[0].Row == row {
			bad = bad[1:]
			continue
		}
		kept = append(kept, int32(row))
	}
	return kept
}
