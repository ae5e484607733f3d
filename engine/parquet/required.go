package parquet

import (
	"fmt"

	"github.com/millrace-io/millrace/engine/column"
)

// check refuses what the file can't say.
func (e *Encoder) check(cols []column.Column, sel column.Selection, n int) error {
	if len(cols) != len(e.schema) {
		return fmt.Errorf("%d columns for a file of %d", len(cols), len(e.schema))
	}
	for i, f := range e.schema {
		if cols[i].Type() != f.Type {
			return fmt.Errorf("column %s is of type %v, in the file of type %v", f.Name, cols[i].Type(), f.Type)
		}
		if !mayLack(cols[i], f.Required) {
			continue
		}
		for row := range sel.All(n) {
			if missing := lacks(cols[i], row, f.Required); missing != nil {
				return fmt.Errorf("column %s is required and row %d has no value", f.Name+*missing, row)
			}
		}
	}
	return nil
}

// mayLack says whether something is null in any row that may not be, unless what it is in is null.
func mayLack(c column.Column, required bool) bool {
	if required && c.Nulls().Nulls() > 0 {
		return true
	}
	switch c := c.(type) {
	case *column.List:
		return mayLack(c.Elem, c.Type().Kind == column.Map)
	case *column.Structs:
		for i, f := range c.Schema() {
			if mayLack(c.Fields[i], f.Required) {
				return true
			}
		}
	}
	return false
}

// lacks gives the way from a column to what is null in a row of it and may not be; nil: there is nothing.
func lacks(c column.Column, row int, required bool) *string {
	if c.Nulls().Null(row) {
		if required {
			return new(string)
		}
		return nil
	}
	switch c := c.(type) {
	case *column.List:
		entries := c.Type().Kind == column.Map
		for i := c.Offsets[row]; i < c.Offsets[row+1]; i++ {
			if way := lacks(c.Elem, int(i), entries); way != nil {
				return new("[]" + *way)
			}
		}
	case *column.Structs:
		for i, f := range c.Schema() {
			if way := lacks(c.Fields[i], row, f.Required); way != nil {
				return new("." + f.Name + *way)
			}
		}
	}
	return nil
}
