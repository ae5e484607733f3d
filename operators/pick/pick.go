// Package pick is the operator that definitions call select, which Go keeps for itself: it picks columns,
// names them and puts them in order.
//
//	select: {ind: index, unique_id:, title:}     # new name: column; a name alone keeps it
//	select: [unique_id, title]                   # columns as they are called
//
// Columns that are not named are left out. No value is looked at or moved.
package pick

import (
	"context"
	"fmt"
	"strconv"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/spec"
)

// A Config says which columns leave, in order.
type Config struct {
	Columns []Column
	list    bool // written as a list: faults are found by index
}

// A Column is one that leaves.
type Column struct {
	Name string // what it is called from here on
	From string // the column that arrives; "": Name
}

// UnmarshalNode reads a map of new names to columns, or a list of columns.
func (c *Config) UnmarshalNode(n spec.Node) error {
	if c.list = n.Kind() == spec.List; c.list {
		var names []string
		err := n.Decode(&names)
		for _, name := range names {
			c.Columns = append(c.Columns, Column{Name: name})
		}
		return err
	}
	if n.Kind() != spec.Mapping {
		return n.Errorf("expected a map such as {ind: index, title:} or a list such as [index, title], found %s", n.Kind())
	}
	var columns spec.Map[string]
	err := n.Decode(&columns)
	for _, e := range columns {
		c.Columns = append(c.Columns, Column{Name: e.Key, From: e.Value})
	}
	return err
}

// JSONSchema describes what UnmarshalNode takes.
func (Config) JSONSchema() map[string]any {
	return map[string]any{
		"description": "The columns that leave, in order: a map of new names to columns (a name alone keeps it), or a list of columns.",
		"anyOf": []any{
			map[string]any{"type": "object", "minProperties": 1, "additionalProperties": map[string]any{"type": []string{"string", "null"}}},
			map[string]any{"type": "array", "minItems": 1, "items": map[string]any{"type": "string"}},
		},
	}
}

// Bind implements engine.Config.
func (c Config) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) {
	op := &operator{}
	var faults engine.Faults
	for i, col := range c.Columns {
		from := col.From
		if from == "" {
			from = col.Name
		}
		at := in.Index(from)
		switch {
		case at < 0:
			faults = append(faults, engine.Fault{
				Path: c.path(i), Key: col.From == "" && !c.list,
				Message: fmt.Sprintf("no column %q", from), Nearest: column.Nearest(from, in.Names()),
			})
		case op.schema.Index(col.Name) >= 0:
			faults = append(faults, engine.Fault{Path: c.path(i), Message: fmt.Sprintf("column %q is here twice", col.Name)})
		default:
			field := in[at]
			field.Name = col.Name
			op.schema = append(op.schema, field)
			op.from = append(op.from, at)
		}
	}
	if len(c.Columns) == 0 {
		faults = append(faults, engine.Fault{Message: "no column is selected"})
	}
	if faults != nil {
		return nil, nil, faults
	}
	return op, op.schema, nil
}

// path leads to column i in the definition.
func (c Config) path(i int) []string {
	if c.list {
		return []string{strconv.Itoa(i)}
	}
	return []string{c.Columns[i].Name}
}

// operator implements engine.Operator.
type operator struct {
	schema engine.Schema
	from   []int // columns that arrive, one a field of schema
}

// Apply implements engine.Operator.
func (o *operator) Apply(_ context.Context, in *engine.Batch, emit engine.Emit) error {
	columns := make([]column.Column, len(o.from))
	for i, from := range o.from {
		columns[i] = in.Columns[from]
	}
	return emit.Rows(in.With(o.schema, columns))
}
