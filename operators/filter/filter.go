// Package filter is the operator that keeps the rows for which a SQL condition is true:
//
//	filter: downloaded = 1 AND category IN ('art', 'travel')
//
// As in a WHERE clause, a row for which it is false or null goes no further; it is counted as filtered. A
// row for which it has no value, as where it divides by zero, goes to quarantine with reason eval.
package filter

import (
	"context"
	"errors"
	"fmt"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/expr"
	"github.com/millrace-io/millrace/engine/spec"
)

// A Config says which rows stay.
type Config struct {
	Where string // a SQL expression of type bool
}

// UnmarshalNode reads the condition.
func (c *Config) UnmarshalNode(n spec.Node) error { return n.Decode(&c.Where) }

// JSONSchema describes what UnmarshalNode takes.
func (Config) JSONSchema() map[string]any {
	return map[string]any{"type": "string", "description": "A SQL condition: rows for which it is true stay."}
}

// Bind implements engine.Config.
func (c Config) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) {
	where, err := expr.Compile(c.Where, in)
	var wrong expr.Errors
	if errors.As(err, &wrong) {
		var faults engine.Faults
		for _, e := range wrong {
			faults = append(faults, engine.Fault{Column: e.Offset, Message: e.Message, Nearest: e.Nearest})
		}
		return nil, nil, faults
	}
	if err != nil {
		return nil, nil, err
	}
	if t := where.Type(); t != column.Of(column.Bool) {
		return nil, nil, engine.Faults{{Message: fmt.Sprintf("expected a condition, found an expression of type %v", t)}}
	}
	return &operator{where}, in, nil
}

// operator implements engine.Operator.
type operator struct{ where *expr.Program }

// Apply implements engine.Operator.
func (o *operator) Apply(_ context.Context, in *engine.Batch, emit engine.Emit) error {
	sel, bad := o.where.Filter(in.Columns, in.Sel, in.Rows, in.Arena)
	for _, b := range bad {
		emit.Quarantine(in, b.Row, engine.ReasonEval, "", b.Detail)
	}
	switch dropped := in.Count() - len(sel) - len(bad); {
	case len(sel) == in.Count():
		return emit.Rows(in)
	case dropped > 0:
		emit.Drop(engine.Filtered, dropped)
	}
	return emit.Rows(in.Select(sel))
}
