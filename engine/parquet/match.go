package parquet

import (
	"errors"
	"fmt"
	"slices"

	"github.com/millrace-io/millrace/engine/column"
)

// A reading is a column that is wanted, or a part of one, and where it comes from.
type reading struct {
	typ    column.Type // wanted
	source *source     // nil: the file lacks it, and it is null
	parts  []reading   // as typ has them: fields, the element, of a map the struct of a key and a value
	guide  int         // the leaf whose levels tell the rows of it: one that is read
}

// readable is the columns that the engine has types for.
func readable(sources []source) column.Schema {
	schema := column.Schema{}
	for _, s := range sources {
		if s.typ.Kind != column.Invalid {
			schema = append(schema, column.Field{Name: s.name, Type: s.typ, Required: s.required})
		}
	}
	return schema
}

// match finds the column of the file for each that is wanted. The error names all that can't be read.
func match(wanted column.Schema, sources []source) ([]reading, error) {
	var errs []error
	from := make([]reading, len(wanted))
	for i, f := range wanted {
		var err error
		if from[i], err = matchNamed(f, sources); err != nil {
			errs = append(errs, fmt.Errorf("column %w", err))
		}
	}
	return from, errors.Join(errs...)
}

// matchNamed finds a field among the sources. The error begins with its name.
func matchNamed(f column.Field, sources []source) (reading, error) {
	i := slices.IndexFunc(sources, func(s source) bool { return s.name == f.Name })
	if i < 0 {
		return reading{typ: f.Type}, nil
	}
	r, err := matchType(f.Type, &sources[i])
	switch {
	case err == errMisfit:
		return r, fmt.Errorf("%s is %s, which can't be read as %v", f.Name, sources[i].said, f.Type)
	case err != nil:
		return r, fmt.Errorf("%s.%w", f.Name, err)
	}
	return r, nil
}

var errMisfit = errors.New("types differ")

// matchType reads s as what is wanted.
func matchType(wanted column.Type, s *source) (reading, error) {
	r := reading{typ: wanted, source: s, guide: s.leaf}
	switch wanted.Kind {
	case column.Array, column.Map:
		if s.shape != wanted.Kind {
			return r, errMisfit
		}
		elem, err := matchType(wanted.Elem(), &s.parts[0])
		r.parts, r.guide = []reading{elem}, elem.guide
		return r, err
	case column.Struct:
		if s.shape != column.Struct {
			return r, errMisfit
		}
		for _, f := range wanted.Fields() {
			part, err := matchNamed(f, s.parts)
			if err != nil {
				return r, err
			}
			if part.source != nil && !r.reads() {
				r.guide = part.guide
			}
			r.parts = append(r.parts, part)
		}
		return r, nil
	}
	if len(s.parts) > 0 || !fits(s.typ, wanted) {
		return r, errMisfit
	}
	return r, nil
}

// reads says whether a part found so far comes from the file.
func (r *reading) reads() bool {
	return slices.ContainsFunc(r.parts, func(p reading) bool { return p.source != nil })
}

// fits says whether values that are of type t, which has no parts, are also of type wanted.
func fits(t, wanted column.Type) bool {
	switch {
	case t.Kind == column.Invalid:
		return false
	case t == wanted:
		return true
	case t.Kind == column.Decimal && wanted.Kind == column.Decimal: // each value is checked
		return t.Scale() == wanted.Scale()
	case t.Kind.Integer() && wanted.Kind.Integer():
		return t.Kind < wanted.Kind || t.Kind == column.Int // not every writer says how many bits it means: values are checked
	case t.Kind == column.Byte || t.Kind == column.Short || t.Kind == column.Int || t.Kind == column.Float:
		return wanted.Kind == column.Double
	case t.Kind == column.Timestamp || t.Kind == column.TimestampNTZ: // nor whether it means UTC: the table's schema does
		return wanted.Kind == column.Timestamp || wanted.Kind == column.TimestampNTZ
	case t.Kind == column.Binary: // nor that its strings are some
		return wanted.Kind == column.String
	case t.Kind == column.String:
		return wanted.Kind == column.Binary
	}
	return false
}
