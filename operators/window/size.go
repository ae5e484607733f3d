package window

import (
	"cmp"
	"slices"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/aggregate"
	"github.com/millrace-io/millrace/engine/column"
)

// StateBytes implements engine.Sized.
func (o *operator) StateBytes() int64 {
	return o.store.bytes() + int64(cap(o.items))*12 + int64(cap(o.buffer))
}

// Largest implements engine.Sized. What a key takes is about what is saved of it and its share of the tables.
func (o *operator) Largest(n int) []engine.KeySize {
	m := measure{most: n, scratch: o.newGroups().states, keys: map[column.Key]*largest{}}
	for _, s := range m.scratch {
		s.Grow(1)
	}
	whole := [column.Slots]bool{}
	for i := range whole {
		whole[i] = true
	}
	o.store.walk(&whole, func(_ int, it item) {
		g, row, _, _ := o.store.entry(it)
		m.offer(g, it.group, row, o.key)
	})
	var all []engine.KeySize
	for _, l := range m.keys {
		all = append(all, engine.KeySize{Key: l.json, Bytes: l.bytes})
	}
	slices.SortFunc(all, func(a, b engine.KeySize) int { return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), cmp.Compare(a.Key, b.Key)) })
	return all[:min(n, len(all))]
}

// A measure finds the keys with the most state in one pane. It holds few of them at a time.
type measure struct {
	most    int
	scratch []aggregate.State // of one group
	bytes   []byte
	keys    map[column.Key]*largest
	least   int64 // what a key needs to be among them
}

type largest struct {
	json  string
	bytes int64
}

// overhead is what a group takes besides its key's values and its aggregates' states.
const overhead = 24

// offer measures a group. Its states are copied to be written, for those that are written know what was saved of them.
func (m *measure) offer(g *groups, group uint32, row int, key engine.Schema) {
	m.bytes = m.bytes[:0]
	for _, c := range g.values {
		m.bytes = appendValue(m.bytes, c, row)
	}
	for i, s := range m.scratch {
		s.Merge(g.states[i], []uint32{group}, []uint32{0})
		m.bytes = s.Append(m.bytes, 0, false)
		s.Clear(0)
	}
	size := int64(len(m.bytes)) + overhead
	k := g.keys[group]
	if l := m.keys[k]; l != nil {
		l.bytes += size
		return
	}
	if size <= m.least {
		return
	}
	m.keys[k] = &largest{string(column.AppendRowJSON(nil, key, g.values, row)), size}
	if len(m.keys) > 4*m.most+64 {
		m.shrink()
	}
}

// shrink leaves the largest.
func (m *measure) shrink() {
	var sizes []int64
	for _, l := range m.keys {
		sizes = append(sizes, l.bytes)
	}
	slices.Sort(sizes)
	m.least = sizes[len(sizes)-2*m.most]
	for k, l := range m.keys {
		if l.bytes < m.least {
			delete(m.keys, k)
		}
	}
}
