package delta

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/millrace-io/millrace/engine/column"
)

// fit says why rows of the columns want can't go into a table of schema have: a column is missing, has
// another type, or may be null where the table's may not. A column of the table that may be null need not
// be written: readers take it as null. With evolve the table may lack columns: it gets them. The error shows
// both, column by column.
func fit(want column.Schema, wantBy []string, have Schema, haveBy []string, evolve bool) error {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	fmt.Fprintf(w, "\n  column\trows\ttable\t\n")
	fits := true
	for _, f := range want {
		why := misfit(f, have)
		if why == lacksColumn && evolve {
			why = ""
		}
		fits = fits && why == ""
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", f.Name, typeOf(f), have.typeOf(f.Name), why)
	}
	for _, f := range have {
		if want.Index(f.Name) >= 0 {
			continue
		}
		why := ""
		if f.Required {
			why, fits = "<- the table wants a value", false
		}
		fmt.Fprintf(w, "  %s\t-\t%s\t%s\n", f.Name, have.typeOf(f.Name), why)
	}
	if !slices.Equal(wantBy, haveBy) {
		fits = false
		fmt.Fprintf(w, "  partitioned by\t%s\t%s\t<- differs\n", listed(wantBy), listed(haveBy))
	}
	if fits {
		return nil
	}
	w.Flush()
	return fmt.Errorf("%w:%s", ErrUnfit, trimLines(b.String()))
}

const lacksColumn = "<- not in the table: evolve: add would add it"

func misfit(f column.Field, have Schema) string {
	i := have.index(f.Name)
	if i < 0 {
		for _, h := range have {
			if strings.EqualFold(h.Name, f.Name) {
				return "<- the table has " + h.Name
			}
		}
		return lacksColumn
	}
	switch h := have[i]; {
	case !goesInto(f.Type, h.column):
		return "<- types differ"
	case h.whole:
		return "<- its arrays and maps may hold null, the table's may not"
	case h.Required && !f.Required:
		return "<- may be null, the table's may not"
	}
	return ""
}

// goesInto says whether values of type rows are of the table's type: the same but for structs, of which rows
// may have fewer fields, as long as those they lack may be null, and more of them required.
func goesInto(rows, table column.Type) bool {
	if rows == table {
		return true
	}
	if rows.Kind != table.Kind {
		return false
	}
	switch rows.Kind {
	case column.Array:
		return goesInto(rows.Elem(), table.Elem())
	case column.Struct, column.Map:
		return fieldsGoInto(rows.Fields(), table.Fields())
	}
	return false
}

func fieldsGoInto(rows, table column.Schema) bool {
	for _, f := range table {
		i := rows.Index(f.Name)
		if i < 0 && f.Required || i >= 0 && (f.Required && !rows[i].Required || !goesInto(rows[i].Type, f.Type)) {
			return false
		}
	}
	return !slices.ContainsFunc(rows, func(f column.Field) bool { return table.Index(f.Name) < 0 })
}

func typeOf(f column.Field) string {
	return strings.TrimPrefix(column.Field{Type: f.Type, Required: f.Required}.String(), ": ")
}

func (s Schema) typeOf(name string) string {
	for _, f := range s {
		if f.Name == name {
			return strings.TrimPrefix(Field{Type: f.Type, Required: f.Required}.String(), ": ")
		}
	}
	return "-"
}

func listed(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

// trimLines drops the spaces that a table's empty last cells leave behind.
func trimLines(s string) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}
