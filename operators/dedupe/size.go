package dedupe

import (
	"cmp"
	"fmt"
	"slices"
	"unsafe"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

const bucketBytes = int64(unsafe.Sizeof(bucket{}))

// StateBytes implements engine.Sized.
func (d *dedupe) StateBytes() int64 { return int64(d.buckets) * bucketBytes }

// Largest implements engine.Sized. Of a key that was kept only its hash is known.
func (d *dedupe) Largest(n int) []engine.KeySize {
	top := heaviest{n: n}
	var all []weight
	for slot := range d.slots {
		all = d.slots[slot].weigh(all[:0], slot)
		top.add(all)
	}
	return top.named(func(w weight) string { return fmt.Sprintf("%016x%016x", w.key.Hi, w.key.Lo) })
}

// weigh adds what each entry takes.
func (t *table) weigh(all []weight, slot int) []weight {
	for i := range t.buckets {
		b := &t.buckets[i]
		for j := range b.taken() {
			key := column.Key{Hi: b.tags[j]&^taken | uint64(slot)<<56, Lo: b.rest[j].lo}
			all = append(all, weight{key: key, bytes: int64(len(t.buckets)) * bucketBytes / int64(t.used)})
		}
	}
	return all
}

// StateBytes implements engine.Sized.
func (o *ordered) StateBytes() int64 {
	refs := cap(o.held.refs) + cap(o.held.more) + cap(o.list)
	return o.dedupe.StateBytes() + o.held.bytes + o.held.queue.size() + int64(refs)*refBytes
}

// Largest implements engine.Sized. A key that has rows waiting is named by its columns.
func (o *ordered) Largest(n int) []engine.KeySize {
	if o.loading {
		o.loaded()
	}
	h := o.held
	var refs, more []ref
	for _, b := range h.queue.buckets {
		for _, r := range b {
			refs = append(refs, o.bySlot(h.chunks[r.chunk], r.chunk, r.row))
		}
	}
	var of [column.Slots][]ref
	eachRunOfSlots(sorted(refs, &more), func(slot int, refs []ref) { of[slot] = refs })
	top := heaviest{n: n}
	var all []weight
	for slot := range o.slots {
		all = o.slots[slot].weigh(all[:0], slot)
		for _, r := range of[slot] {
			c := h.chunks[r.chunk]
			bytes := besides + refBytes
			for _, column := range c.columns {
				bytes += sizeOf(column, int(r.row))
			}
			all = append(all, weight{c.keys[r.row], int64(bytes), c, int(r.row)})
		}
		top.add(all)
	}
	return top.named(o.name)
}

// name is a key as a row of JSON, or its hash.
func (o *ordered) name(w weight) string {
	if w.chunk == nil {
		return fmt.Sprintf("%016x%016x", w.key.Hi, w.key.Lo)
	}
	var schema engine.Schema
	var columns []column.Column
	for _, i := range o.by {
		schema, columns = append(schema, o.held.schema[i]), append(columns, w.chunk.columns[i])
	}
	return string(column.AppendRowJSON(nil, schema, columns, w.row))
}

// A weight is the bytes that a key takes.
type weight struct {
	key   column.Key
	bytes int64
	chunk *chunk // where the key has a row; nil: none is known
	row   int
}

// heaviest is the n keys that take most, the largest first.
type heaviest struct {
	n   int
	top []weight
}

// add adds all that there is of some keys.
func (h *heaviest) add(all []weight) {
	slices.SortFunc(all, func(a, b weight) int {
		if a.key.Hi != b.key.Hi {
			return cmp.Compare(a.key.Hi, b.key.Hi)
		}
		return cmp.Compare(a.key.Lo, b.key.Lo)
	})
	for len(all) > 0 {
		sum := all[0]
		for all = all[1:]; len(all) > 0 && all[0].key == sum.key; all = all[1:] {
			sum.bytes += all[0].bytes
			if sum.chunk == nil {
				sum.chunk, sum.row = all[0].chunk, all[0].row
			}
		}
		at, _ := slices.BinarySearchFunc(h.top, sum, func(a, b weight) int { return cmp.Compare(b.bytes, a.bytes) })
		if h.top = slices.Insert(h.top, at, sum); len(h.top) > h.n {
			h.top = h.top[:h.n]
		}
	}
}

func (h *heaviest) named(name func(weight) string) []engine.KeySize {
	var all []engine.KeySize
	for _, w := range h.top {
		all = append(all, engine.KeySize{Key: name(w), Bytes: w.bytes})
	}
	return all
}
