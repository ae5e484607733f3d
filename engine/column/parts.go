package column

import "unique"

// parts are the fields of a type that has some, kept once for all types that have the same: so two of them are
// equal where what they stand for is. The zero parts are none.
type parts struct{ of unique.Handle[part] }

// A part is a field and those behind it.
type part struct {
	field Field
	rest  parts
}

func partsOf(fields ...Field) parts {
	var p parts
	for i := len(fields) - 1; i >= 0; i-- {
		p = parts{unique.Make(part{fields[i], p})}
	}
	return p
}

// first is the first field of parts that are not none.
func (p parts) first() Field { return p.of.Value().field }

func (p parts) all() []Field {
	var fields []Field
	for p != (parts{}) {
		next := p.of.Value()
		fields, p = append(fields, next.field), next.rest
	}
	return fields
}
