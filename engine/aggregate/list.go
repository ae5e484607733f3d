package aggregate

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"unsafe"

	"github.com/millrace-io/millrace/engine/column"
)

// mostListed bounds the bound of array_agg.
const mostListed = 10_000

// A listing is the values of the first rows of a group, at most limit of them.
type listing struct {
	items    []listed // in order
	held     int64    // bytes of their values
	limit    int32
	distinct bool // each value once, at its first row
}

// A listed is one value of a listing.
type listed struct {
	pos   position
	value []byte // as appendOrdered writes it, null too
	saved bool   // Append has written it
}

func (l *listed) compare(p *position, value []byte) int {
	return cmp.Or(l.pos.compare(p), bytes.Compare(l.value, value))
}

// full says whether a row at p is behind all that there is room for.
func (l *listing) full(p *position) bool {
	return len(l.items) == int(l.limit) && l.items[len(l.items)-1].pos.compare(p) < 0
}

func (l *listing) take(p *position, value []byte, saved bool) {
	i := len(l.items)
	if i > 0 && l.items[i-1].compare(p, value) > 0 {
		i, _ = slices.BinarySearchFunc(l.items, 0, func(item listed, _ int) int { return cmp.Or(item.compare(p, value), -1) })
	}
	var old []byte // memory to use again
	if l.distinct {
		have := slices.IndexFunc(l.items, func(item listed) bool { return bytes.Equal(item.value, value) })
		switch {
		case have >= i:
			old = l.drop(have)
		case have >= 0:
			return
		}
	}
	if len(l.items) == int(l.limit) {
		if i == len(l.items) {
			return
		}
		old = l.drop(len(l.items) - 1)
	}
	item := listed{*p, append(old, value...), saved}
	l.held += int64(cap(item.value))
	l.items = slices.Insert(l.items, i, item)
}

// drop takes an item out and gives its memory.
func (l *listing) drop(i int) []byte {
	old := l.items[i].value
	l.held -= int64(cap(old))
	l.items = slices.Delete(l.items, i, i+1)
	return old[:0]
}

func (l *listing) merge(from *listing) {
	for i := range from.items {
		if item := &from.items[i]; !l.full(&item.pos) {
			l.take(&item.pos, item.value, false)
		}
	}
}

func (l *listing) clear() { l.items, l.held = nil, 0 }

func (l *listing) size() int64 {
	return l.held + int64(cap(l.items))*int64(unsafe.Sizeof(listed{}))
}

// append writes how many items there are, or of them that are fresh, and of each its position and value.
func (l *listing) append(b []byte, fresh bool) []byte {
	n := 0
	for i := range l.items {
		if !fresh || !l.items[i].saved {
			n++
		}
	}
	b = binary.AppendUvarint(b, uint64(n))
	for i := range l.items {
		if item := &l.items[i]; !fresh || !item.saved {
			b = appendBytes(item.pos.append(b), item.value)
			item.saved = true
		}
	}
	return b
}

func (l *listing) load(r *reader) {
	const least = 5 // bytes of an item
	var p position
	for range r.count(least) {
		p = r.position(&p)
		if value := r.bytes(); r.err == nil {
			l.take(&p, value, true)
		}
	}
}

// bindList is array_agg(x, n).
func bindList(b *binder) (column.Type, func() State) {
	t := b.arg(0)
	limit := b.whole(1, 1, mostListed)
	if len(b.errs) > 0 {
		return column.Type{}, nil
	}
	zero := listing{limit: int32(limit), distinct: b.call.Distinct}
	z := twoZeros
	if zero.distinct {
		z = oneZero
	}
	return column.ArrayOf(t), func() State {
		scratch, value := column.New(t), []byte(nil)
		return &table[listing, *listing]{kernel: kernel[listing]{
			zero: zero,
			add: func(cells []listing, in *Input, rows []int32, groups []uint32) int64 {
				c, grown := in.Args[0], int64(0)
				for i, row := range rows {
					l, p := &cells[groups[i]], in.position(row)
					if l.full(&p) {
						continue
					}
					value = appendOrdered(value[:0], c, int(row), z)
					had := l.size()
					l.take(&p, value, false)
					grown += l.size() - had
				}
				return grown
			},
			result: listValue,
			sound: func(l *listing) bool {
				return !slices.ContainsFunc(l.items, func(item listed) bool { return !soundOrdered(item.value, scratch) })
			},
		}}
	}
}

func listValue(out column.Column, l *listing) string {
	if len(l.items) == 0 {
		out.AppendNull()
		return ""
	}
	list := out.(*column.List)
	for i := range l.items {
		readOrdered(&reader{rest: l.items[i].value}, list.Elem)
	}
	list.Close()
	return ""
}
