package json

import (
	"github.com/millrace-io/millrace/engine"
)

// decode reads one record. If it can't be a row it returns why; the columns may then have parts of the
// row, for the caller to truncate.
func (d *Decoder) decode(r *engine.Record, row int) *engine.Reject {
	d.serial++
	d.row, d.found, d.unknown = row, 0, 0
	text, ok := d.open(r.Value)
	if !ok || !d.object(text) || d.found < len(d.fields) && !d.fill() {
		return d.reject(r, text)
	}
	return d.record.Append(r)
}

// object reads the whole value.
func (d *Decoder) object(b []byte) bool {
	p := space(b, 0)
	if p == len(b) || b[p] != '{' {
		d.fail(p, "an object")
		return false
	}
	d.top.mark = d.serial
	if p = d.members(b, p+1, d.top); p < 0 {
		return false
	}
	if p = space(b, p); p < len(b) {
		d.fail(p, "the end of the record")
		return false
	}
	if d.root.mark != d.serial {
		d.fail(none, "an object at "+d.rootPath+", the root of a row")
		return false
	}
	return true
}

// fill gives null to the fields that the record has no value for. It says no where one is required.
func (d *Decoder) fill() bool {
	for i := range d.fields {
		f := &d.fields[i]
		if f.mark == d.serial {
			continue
		}
		if f.Required {
			d.fault = fault{reason: engine.ReasonRequired, column: f.Name, at: none, expected: expectedOf(f.typ)}
			return false
		}
		f.null()
	}
	return true
}

// members reads an object from behind its '{' and gives the position behind its '}'.
func (d *Decoder) members(b []byte, p int, n *node) int {
	e := &n.start
	for {
		m := e.to
		if next := p + len(e.lead); len(e.lead) > 0 && next <= len(b) && string(b[p:next]) == string(e.lead) {
			p = next
		} else if m, p = d.seek(b, p, n, e); m == nil {
			return p
		}
		if p < len(b) && b[p] <= ' ' {
			p = space(b, p)
		}
		switch {
		case m.field != none:
			p = d.field(b, p, &d.fields[m.field])
		case m.child != nil:
			p = d.child(b, p, m.child)
		default:
			if !n.envelope {
				d.unknown++
			}
			p = d.skip(b, p, 1)
		}
		if p < 0 {
			return bad
		}
		e = &m.edge
	}
}

// seek parses the way from the end of a value, or from '{', to the next value, and keeps it in e. Where no
// value follows the member is nil and the position that behind '}', or bad.
func (d *Decoder) seek(b []byte, p int, n *node, e *edge) (*member, int) {
	from := p
	p = space(b, p)
	if p < len(b) && b[p] == '}' {
		return nil, p + 1
	}
	if e != &n.start {
		if p == len(b) || b[p] != ',' {
			return nil, d.fail(p, `"," or "}"`)
		}
		p = space(b, p+1)
	}
	if p == len(b) || b[p] != '"' {
		return nil, d.fail(p, "a key")
	}
	key, p := d.quoted(b, p)
	if p < 0 {
		return nil, bad
	}
	m := n.member(key)
	if p = d.colon(b, p); p < 0 {
		return nil, bad
	}
	e.learn(b[from:p], m)
	return m, p
}

// colon reads the colon and the white space about it.
func (d *Decoder) colon(b []byte, p int) int {
	p = space(b, p)
	if p == len(b) || b[p] != ':' {
		return d.fail(p, `":"`)
	}
	return space(b, p+1)
}

// field reads the value of a field.
func (d *Decoder) field(b []byte, p int, f *field) int {
	if f.mark == d.serial {
		d.forget(f)
	}
	if p < len(b) && b[p] == 'n' {
		p = d.literal(b, p, "null")
	} else if p = d.take(b, p, &f.target); p >= 0 {
		f.mark = d.serial
		d.found++
		return p
	}
	if p < 0 {
		d.fault.under(f.Name)
	}
	return p
}

// child reads the value of a member that is an object on the way to fields.
func (d *Decoder) child(b []byte, p int, n *node) int {
	if n.mark == d.serial {
		d.forgetAll(n)
	}
	switch {
	case p < len(b) && b[p] == 'n':
		return d.literal(b, p, "null")
	case p < len(b) && b[p] == '{':
		n.mark = d.serial
		return d.members(b, p+1, n)
	}
	if n.column == "" { // all of the row is below it
		return d.fail(p, "an object")
	}
	d.misfit(b, p, "an object")
	d.fault.column = n.column
	return bad
}

// forget takes back the value of a field whose key comes again.
func (d *Decoder) forget(f *field) {
	f.truncate(d.row)
	f.mark = 0
	d.found--
}

func (d *Decoder) forgetAll(n *node) {
	n.mark = 0
	for _, m := range n.members {
		switch {
		case m.child != nil:
			d.forgetAll(m.child)
		case m.field != none && d.fields[m.field].mark == d.serial:
			d.forget(&d.fields[m.field])
		}
	}
}
