package aggregate

import (
	"bytes"
	"cmp"
	"encoding/binary"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// A position is when and where a row was. It settles which of several rows is the first: the one of the earliest event
// time, then by source, partition and offset. Rows of a window have no origin; of rows that are at one position still the
// values decide, so that there is one answer whatever the order.
type position struct {
	at     engine.Time
	origin engine.PartitionID
	offset engine.Offset
}

func (in *Input) position(row int32) position {
	return position{in.At[row], in.Origin, in.Offset[row]}
}

// place orders by source, partition and offset. Partitions are ordered as checkpoints list them: 2 is before 10.
func (p *position) place(o *position) int {
	if c := p.origin.Compare(o.origin); c != 0 {
		return c
	}
	return cmp.Compare(p.offset, o.offset)
}

func (p *position) compare(o *position) int {
	if c := cmp.Compare(p.at, o.at); c != 0 {
		return c
	}
	return p.place(o)
}

func (p *position) append(b []byte) []byte {
	b = binary.AppendVarint(binary.AppendVarint(b, int64(p.at)), int64(p.offset))
	b = append(binary.AppendUvarint(b, uint64(len(p.origin.Source))), p.origin.Source...)
	return append(binary.AppendUvarint(b, uint64(len(p.origin.Partition))), p.origin.Partition...)
}

// position reads one. Names that are last's too are shared with it.
func (r *reader) position(last *position) position {
	p := position{at: engine.Time(r.varint()), offset: engine.Offset(r.varint())}
	p.origin.Source = shared(r.bytes(), last.origin.Source)
	p.origin.Partition = shared(r.bytes(), last.origin.Partition)
	return p
}

func shared(b []byte, s string) string {
	if string(b) == s {
		return s
	}
	return string(b)
}

// An edge is the value of the first row of a group or, if the kernel says so, of the last.
type edge struct {
	pos   position
	value []byte // as appendOrdered writes it, null too
	some  bool
	last  bool
}

// ahead says by how much a row at p comes before the one there is: below 0 if it is to take its place, 0 if its value
// decides.
func (e *edge) ahead(p *position) int {
	if !e.some {
		return -1
	}
	if c := p.compare(&e.pos); e.last {
		return -c
	} else {
		return c
	}
}

func (e *edge) take(p *position, value []byte) {
	c := e.ahead(p)
	if c == 0 {
		if c = bytes.Compare(value, e.value); e.last {
			c = -c
		}
	}
	if c < 0 {
		e.pos, e.value, e.some = *p, append(e.value[:0], value...), true
	}
}

func (e *edge) merge(from *edge) {
	if from.some {
		e.take(&from.pos, from.value)
	}
}

func (e *edge) clear() { e.pos, e.value, e.some = position{}, recycled(e.value), false }

func (e *edge) size() int64 { return int64(cap(e.value)) }

// append writes 0 of an empty group, else 1, the position and the value.
func (e *edge) append(b []byte, fresh bool) []byte {
	if !e.some {
		return append(b, 0)
	}
	return appendBytes(e.pos.append(append(b, 1)), e.value)
}

func (e *edge) load(r *reader) {
	if e.some = r.flag(); e.some {
		e.pos = r.position(&e.pos)
		e.value = append(e.value[:0], r.bytes()...)
	}
}

// bindEdge is first(x) and last(x).
func bindEdge(last bool) func(b *binder) (column.Type, func() State) {
	return func(b *binder) (column.Type, func() State) {
		t := b.arg(0)
		if t == (column.Type{}) {
			return t, nil
		}
		return t, func() State {
			scratch, value := column.New(t), []byte(nil)
			return &table[edge, *edge]{kernel: kernel[edge]{
				zero: edge{last: last},
				add: func(cells []edge, in *Input, rows []int32, groups []uint32) int64 {
					c, grown := in.Args[0], 0
					for i, row := range rows {
						e, p := &cells[groups[i]], in.position(row)
						if e.ahead(&p) > 0 {
							continue
						}
						value = appendOrdered(value[:0], c, int(row), twoZeros)
						had := cap(e.value)
						e.take(&p, value)
						grown += cap(e.value) - had
					}
					return int64(grown)
				},
				result: func(out column.Column, e *edge) string { return orderedValue(out, e.value, e.some) },
				sound:  func(e *edge) bool { return !e.some || soundOrdered(e.value, scratch) },
			}}
		}
	}
}

// orderedValue appends a value that appendOrdered wrote, or null if there is none.
func orderedValue(out column.Column, value []byte, some bool) string {
	if !some {
		out.AppendNull()
		return ""
	}
	readOrdered(&reader{rest: value}, out)
	return ""
}

// A champion is the row of a group that has the least key or, if the kernel says so, the greatest. Of several with that key
// it is the one that is first by source, partition and offset.
type champion struct {
	pos   position // its event time is none
	key   []byte   // as appendOrdered writes it, with one zero
	value []byte
	some  bool
	most  bool
}

// ahead says by how much a row with a key is to be preferred to the one there is: below 0 if it is, 0 if its value decides.
func (e *champion) ahead(key []byte, p *position) int {
	if !e.some {
		return -1
	}
	c := bytes.Compare(key, e.key)
	if e.most {
		c = -c
	}
	if c == 0 {
		c = p.place(&e.pos)
	}
	return c
}

func (e *champion) take(key, value []byte, p *position) {
	c := e.ahead(key, p)
	if c == 0 {
		c = bytes.Compare(value, e.value)
	}
	if c < 0 {
		e.pos, e.some = position{0, p.origin, p.offset}, true
		e.key, e.value = append(e.key[:0], key...), append(e.value[:0], value...)
	}
}

func (e *champion) merge(from *champion) {
	if from.some {
		e.take(from.key, from.value, &from.pos)
	}
}

func (e *champion) clear() {
	e.pos, e.some = position{}, false
	e.key, e.value = recycled(e.key), recycled(e.value)
}

func (e *champion) size() int64 { return int64(cap(e.key) + cap(e.value)) }

// append writes 0 of an empty group, else 1, the position, the key and the value.
func (e *champion) append(b []byte, fresh bool) []byte {
	if !e.some {
		return append(b, 0)
	}
	return appendBytes(appendBytes(e.pos.append(append(b, 1)), e.key), e.value)
}

func (e *champion) load(r *reader) {
	if e.some = r.flag(); e.some {
		e.pos = r.position(&e.pos)
		e.key = append(e.key[:0], r.bytes()...)
		e.value = append(e.value[:0], r.bytes()...)
	}
}

// bindChampion is arg_min(x, y) and arg_max(x, y).
func bindChampion(most bool) func(b *binder) (column.Type, func() State) {
	return func(b *binder) (column.Type, func() State) {
		t, by := b.arg(0), b.arg(1)
		if len(b.errs) > 0 {
			return t, nil
		}
		if !ordered(by) {
			return b.expected(1, "a value that has an order")
		}
		return t, func() State {
			k := championKernel{value: column.New(t), key: column.New(by)}
			return &table[champion, *champion]{kernel: kernel[champion]{
				zero:   champion{most: most},
				add:    k.add,
				result: func(out column.Column, e *champion) string { return orderedValue(out, e.value, e.some) },
				sound: func(e *champion) bool {
					return !e.some || soundOrdered(e.key, k.key) && soundOrdered(e.value, k.value)
				},
			}}
		}
	}
}

// ordered says whether the values of a type have an order.
func ordered(t column.Type) bool { return t.Kind.Simple() || t.Kind == column.Decimal }

type championKernel struct {
	value, key           column.Column // to check what is loaded
	valueBytes, keyBytes []byte
}

func (k *championKernel) add(cells []champion, in *Input, rows []int32, groups []uint32) int64 {
	x, y, grown := in.Args[0], in.Args[1], int64(0)
	absent, unkeyed := x.Nulls(), y.Nulls()
	for i, row := range rows {
		if unkeyed.Null(int(row)) || absent.Null(int(row)) {
			continue
		}
		e, p := &cells[groups[i]], in.position(row)
		k.keyBytes = appendOrdered(k.keyBytes[:0], y, int(row), oneZero)
		if e.ahead(k.keyBytes, &p) > 0 {
			continue
		}
		k.valueBytes = appendOrdered(k.valueBytes[:0], x, int(row), twoZeros)
		had := e.size()
		e.take(k.keyBytes, k.valueBytes, &p)
		grown += e.size() - had
	}
	return grown
}
