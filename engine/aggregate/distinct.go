package aggregate

import (
	"encoding/binary"

	"github.com/millrace-io/millrace/engine/column"
)

// A keyset is the distinct values of a group, known by their 128-bit hashes (docs/decisions/0003-keys-are-hashes.md), in
// the order in which they came first, so that what came since the last Append stands at the end.
type keyset struct {
	keys  []column.Key
	index []uint32 // open addressing: numbers of keys, counted from 1; 0: free. nil while keys are few
	saved int      // how many keys Append has written
}

// fewKeys is how many keys are looked through one by one.
const fewKeys = 8

// seed is that of all hashes of values here. It is fixed, for states of other runs must know the same values.
const seed = 0x6d696c6c72616365

// add adds a key and says whether it is new.
func (s *keyset) add(k column.Key) bool {
	if s.index == nil {
		for _, have := range s.keys {
			if have == k {
				return false
			}
		}
		if s.keys = append(s.keys, k); len(s.keys) > fewKeys {
			s.reindex(4 * fewKeys)
		}
		return true
	}
	mask := uint64(len(s.index) - 1)
	i := k.Lo & mask
	for ; s.index[i] != 0; i = (i + 1) & mask {
		if s.keys[s.index[i]-1] == k {
			return false
		}
	}
	s.keys = append(s.keys, k)
	s.index[i] = uint32(len(s.keys))
	if 4*len(s.keys) > 3*len(s.index) {
		s.reindex(2 * len(s.index))
	}
	return true
}

func (s *keyset) reindex(size int) {
	s.index = make([]uint32, size)
	mask := uint64(size - 1)
	for n, k := range s.keys {
		i := k.Lo & mask
		for ; s.index[i] != 0; i = (i + 1) & mask {
		}
		s.index[i] = uint32(n + 1)
	}
}

func (s *keyset) merge(from *keyset) {
	for _, k := range from.keys {
		s.add(k)
	}
}

func (s *keyset) clear() { *s = keyset{keys: recycled(s.keys)} }

func (s *keyset) size() int64 { return 16*int64(cap(s.keys)) + 4*int64(cap(s.index)) }

// append writes how many keys there are, or of them that are fresh, and these in 16 bytes each.
func (s *keyset) append(b []byte, fresh bool) []byte {
	from := 0
	if fresh {
		from = s.saved
	}
	s.saved = len(s.keys)
	b = binary.AppendUvarint(b, uint64(len(s.keys)-from))
	for _, k := range s.keys[from:] {
		b = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, k.Hi), k.Lo)
	}
	return b
}

func (s *keyset) load(r *reader) { s.take(r, r.count(16)) }

// take loads n keys.
func (s *keyset) take(r *reader, n int) {
	for range n {
		hi := r.uint64()
		s.add(column.Key{Hi: hi, Lo: r.uint64()})
	}
	s.saved = len(s.keys)
}

// hashes computes the keys of an argument's values.
type hashes struct {
	hasher *column.Hasher
	keys   []column.Key // one a row of the batch
	args   [1]column.Column
}

func newHashes() *hashes { return &hashes{hasher: column.NewHasher(seed)} }

// of gives the keys of rows, at the rows' places, lent until the next call.
func (h *hashes) of(c column.Column, rows []int32) []column.Key {
	n := c.Len()
	if cap(h.keys) < n {
		h.keys = make([]column.Key, n+n/8)
	}
	h.args[0] = c
	h.hasher.Keys(h.keys[:n], h.args[:], rows, n)
	h.args[0] = nil
	return h.keys[:n]
}

// bindCountDistinct is count(distinct x).
func bindCountDistinct(b *binder) (column.Type, func() State) {
	if t := b.arg(0); t != (column.Type{}) && !t.Keyable() {
		return b.expected(0, "a value that can be told from others")
	}
	b.required = true
	return column.Of(column.Long), func() State {
		h := newHashes()
		return &table[keyset, *keyset]{kernel: kernel[keyset]{
			add: func(cells []keyset, in *Input, rows []int32, groups []uint32) int64 {
				c, grown := in.Args[0], int64(0)
				keys, nulls := h.of(c, rows), c.Nulls()
				for i, row := range rows {
					if nulls.Null(int(row)) {
						continue
					}
					s := &cells[groups[i]]
					if had := s.size(); s.add(keys[row]) {
						grown += s.size() - had
					}
				}
				return grown
			},
			result: func(out column.Column, s *keyset) string {
				out.(*column.Longs).Append(int64(len(s.keys)))
				return ""
			},
		}}
	}
}

// A valueset is the distinct values of a group themselves.
type valueset struct {
	keyset
	values      []byte // as appendOrdered writes them, in the order of keys
	savedValues int    // how many bytes of values Append has written
	sound       int    // how many bytes of values are known to be values
}

func (s *valueset) merge(from *valueset) {
	rest := from.values
	for _, k := range from.keys {
		n, width := binary.Uvarint(rest)
		if s.add(k) {
			s.values = append(s.values, rest[:width+int(n)]...)
		}
		rest = rest[width+int(n):]
	}
}

func (s *valueset) clear() {
	s.keyset.clear()
	s.values, s.savedValues, s.sound = recycled(s.values), 0, 0
}

func (s *valueset) size() int64 { return s.keyset.size() + int64(cap(s.values)) }

// append writes the keys, as keyset does, and their values with the length before each.
func (s *valueset) append(b []byte, fresh bool) []byte {
	from := 0
	if fresh {
		from = s.savedValues
	}
	s.savedValues = len(s.values)
	return append(s.keyset.append(b, fresh), s.values[from:]...)
}

func (s *valueset) load(r *reader) {
	before := len(s.keys)
	n := r.count(16)
	s.take(r, n)
	if len(s.keys) != before+n {
		r.fail() // a key came twice
	}
	for range n {
		s.values = appendBytes(s.values, r.bytes())
	}
	s.savedValues = len(s.values)
}

// distinct makes of an aggregate of one argument of type t one of its distinct values. It keeps these, and lets the
// aggregate have them when a result is wanted.
func distinct(t column.Type, inner func() State) func() State {
	return func() State {
		d := distinctValues{hashes: newHashes(), inner: inner(), of: column.New(t)}
		d.inner.Grow(1)
		return &table[valueset, *valueset]{kernel: kernel[valueset]{add: d.add, result: d.result, sound: d.sound}}
	}
}

type distinctValues struct {
	hashes *hashes
	inner  State         // with one group
	of     column.Column // a group's values
	rows   []int32       // 0, 1, 2, …
	groups []uint32      // as many zeros
	group  [1]uint32     // one
	value  []byte
}

func (d *distinctValues) add(cells []valueset, in *Input, rows []int32, groups []uint32) int64 {
	c, grown := in.Args[0], int64(0)
	keys, nulls := d.hashes.of(c, rows), c.Nulls()
	for i, row := range rows {
		if nulls.Null(int(row)) {
			continue
		}
		s := &cells[groups[i]]
		had := s.size()
		if s.keyset.add(keys[row]) {
			d.value = appendOrdered(d.value[:0], c, int(row), oneZero)
			s.values = appendBytes(s.values, d.value)
			grown += s.size() - had
		}
	}
	return grown
}

// sound looks at what was loaded last.
func (d *distinctValues) sound(s *valueset) bool {
	for r := (reader{rest: s.values[s.sound:]}); len(r.rest) > 0; {
		if v := r.bytes(); r.err != nil || !soundOrdered(v, d.of) {
			return false
		}
	}
	s.sound = len(s.values)
	return true
}

func (d *distinctValues) result(out column.Column, s *valueset) (problem string) {
	d.of.Reset()
	for all := (reader{rest: s.values}); len(all.rest) > 0; {
		readOrdered(&reader{rest: all.bytes()}, d.of)
	}
	for len(d.rows) < len(s.keys) {
		d.rows, d.groups = append(d.rows, int32(len(d.rows))), append(d.groups, 0)
	}
	d.inner.Clear(0)
	n := len(s.keys)
	d.inner.Add(&Input{Args: []column.Column{d.of}}, d.rows[:n], d.groups[:n])
	d.inner.Result(out, d.group[:], func(_ int, detail string) { problem = detail })
	return problem
}
