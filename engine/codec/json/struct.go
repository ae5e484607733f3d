package json

import (
	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// An object is how a struct is read. Its keys are remembered as those of the record are (see edge); it may come
// many times in a record, so its parts are marked with a number of their own.
type object struct {
	keys   *node // field is an index of parts
	parts  []part
	serial uint64 // of the object at hand
	found  int    // parts marked with serial
}

// A part is a field of a struct.
type part struct {
	column.Field
	target
	mark uint64 // serial of the last object that gave it a value
}

func newObject(t column.Type) *object {
	o := &object{keys: newNode()}
	for i, f := range t.Fields() {
		o.parts = append(o.parts, part{Field: f, target: newTarget(f.Type)})
		o.keys.members[f.Name] = &member{field: i}
	}
	return o
}

func (o *object) bind(c *column.Structs) {
	for i := range o.parts {
		o.parts[i].bind(c.Fields[i])
	}
}

// structure reads an object into a struct.
func (d *Decoder) structure(b []byte, p int, t *target) int {
	if p == len(b) || b[p] != '{' {
		return d.misfit(b, p, "an object")
	}
	o, row := t.object, t.structs.Len()
	o.serial++
	o.found = 0
	for e, p := &o.keys.start, p+1; ; {
		m := e.to
		if next := p + len(e.lead); len(e.lead) > 0 && next <= len(b) && string(b[p:next]) == string(e.lead) {
			p = next
		} else if m, p = d.seek(b, p, o.keys, e); m == nil {
			if p >= 0 && (o.found == len(o.parts) || d.fillParts(o)) {
				t.structs.Close()
				return p
			}
			return bad
		}
		if p = space(b, p); m.field == none {
			d.unknown++
			p = d.skip(b, p, 1)
		} else {
			p = d.part(b, p, o, &o.parts[m.field], row)
		}
		if p < 0 {
			return bad
		}
		e = &m.edge
	}
}

// part reads the value of a struct's field. A fault is blamed on the way to it.
func (d *Decoder) part(b []byte, p int, o *object, f *part, row int) int {
	if f.mark == o.serial {
		f.truncate(row)
		f.mark = 0
		o.found--
	}
	if p < len(b) && b[p] == 'n' {
		p = d.literal(b, p, "null")
	} else if p = d.take(b, p, &f.target); p >= 0 {
		f.mark = o.serial
		o.found++
	}
	if p < 0 {
		d.fault.under(f.Name)
	}
	return p
}

// fillParts gives null to the fields that the object has no value for. It says no where one is required.
func (d *Decoder) fillParts(o *object) bool {
	for i := range o.parts {
		f := &o.parts[i]
		if f.mark == o.serial {
			continue
		}
		if f.Required {
			d.fault = fault{reason: engine.ReasonRequired, column: f.Name, at: none, expected: expectedOf(f.Type)}
			return false
		}
		f.null()
	}
	return true
}
