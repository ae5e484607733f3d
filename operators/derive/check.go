package derive

import (
	"strings"

	"github.com/millrace-io/millrace/engine"
)

// check finds what is wrong whatever the columns are: that nothing is computed, and that YAML has cut an
// expression in two. Within {} it takes a comma for the end of a value: {c: coalesce(a, b)} are the columns c,
// of "coalesce(a", and "b)", of nothing.
func check(columns []Column) engine.Faults {
	if len(columns) == 0 {
		return engine.Faults{{Message: "no column is computed"}}
	}
	var faults engine.Faults
	for i, c := range columns[:len(columns)-1] {
		open := strings.Count(c.Expr, "(") - strings.Count(c.Expr, ")")
		if next := columns[i+1]; open > 0 && next.Expr == "" {
			faults = append(faults, engine.Fault{
				Path: []string{c.Name}, Column: len(c.Expr),
				Message: "the expression ends within parentheses: YAML has cut it at the comma, so put it in quotes",
			})
		}
	}
	return faults
}
