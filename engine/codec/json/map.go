package json

import (
	"cmp"
	"slices"

	"github.com/millrace-io/millrace/engine/column"
)

// A dict is how a map is read: an object, whose keys are what a string of the key's type says.
type dict struct {
	key, value target
	entries    *column.Structs
	hasher     *column.Hasher
	column     [1]column.Column // the keys
	rows       column.Selection // scratch, as are the following
	hashes     []column.Key
	order      []int32
}

func newDict(t column.Type) *dict {
	pair := t.Fields()
	return &dict{key: newTarget(pair[0].Type), value: newTarget(pair[1].Type), hasher: column.NewHasher(0)}
}

// keyFits says whether the key of an object can be a key of type t.
func keyFits(t column.Type) bool { return t.Kind < column.Array && t.Kind != column.Bool }

func (m *dict) bind(c *column.List) {
	keys, values := c.Pairs()
	m.entries, m.column[0] = c.Elem.(*column.Structs), keys
	m.key.bind(keys)
	m.value.bind(values)
}

// dictionary reads an object into a map. Of a key that comes twice the last counts.
func (d *Decoder) dictionary(b []byte, p int, t *target) int {
	if p == len(b) || b[p] != '{' {
		return d.misfit(b, p, "an object")
	}
	m := t.dict
	first := m.entries.Len()
	p = space(b, p+1)
	if p < len(b) && b[p] == '}' {
		t.list.Close()
		return p + 1
	}
	for {
		if p = d.pair(b, p, m); p < 0 {
			return bad
		}
		p = space(b, p)
		switch {
		case p < len(b) && b[p] == '}':
			m.dropRepeats(first)
			t.list.Close()
			return p + 1
		case p == len(b) || b[p] != ',':
			return d.fail(p, `"," or "}"`)
		}
		p = space(b, p+1)
	}
}

// pair reads a key and its value.
func (d *Decoder) pair(b []byte, p int, m *dict) int {
	if p == len(b) || b[p] != '"' {
		return d.fail(p, "a key")
	}
	if p = d.take(b, p, &m.key); p < 0 {
		return bad
	}
	if p = d.colon(b, p); p < 0 {
		return bad
	}
	if p < len(b) && b[p] == 'n' {
		m.value.null()
		p = d.literal(b, p, "null")
	} else {
		p = d.take(b, p, &m.value)
	}
	m.entries.Close()
	return p
}

// dropRepeats drops of the entries from first on those whose key comes again.
func (m *dict) dropRepeats(first int) {
	n := m.entries.Len()
	if n-first < 2 {
		return
	}
	m.rows, m.order = m.rows[:0], m.order[:0]
	for row := first; row < n; row++ {
		m.rows = append(m.rows, int32(row))
		m.order = append(m.order, int32(row))
	}
	m.hashes = slices.Grow(m.hashes[:0], n)[:n]
	m.hasher.Keys(m.hashes, m.column[:], m.rows, n)
	slices.SortFunc(m.order, m.byHash)
	last := m.order[:1]
	for _, row := range m.order[1:] {
		if m.hashes[row] == m.hashes[last[len(last)-1]] {
			last[len(last)-1] = row
		} else {
			last = append(last, row)
		}
	}
	if len(last) == n-first {
		return
	}
	slices.Sort(last)
	kept := column.New(m.entries.Type()) // repeats are rare
	kept.AppendRows(m.entries, last, n)
	m.entries.Truncate(first)
	m.entries.AppendRows(kept, nil, kept.Len())
}

func (m *dict) byHash(a, b int32) int {
	x, y := m.hashes[a], m.hashes[b]
	return cmp.Or(cmp.Compare(x.Hi, y.Hi), cmp.Compare(x.Lo, y.Lo), cmp.Compare(a, b))
}
