package aggregate

import (
	"github.com/axiomhq/hyperloglog"

	"github.com/millrace-io/millrace/engine/column"
)

// mostExact is up to how many values approx_count_distinct counts without a sketch.
const mostExact = 1024

// A rough is the distinct values of a group, about: the hashes of up to mostExact of them, and then a HyperLogLog of 2^14
// registers. Which of both it is depends on how many different values there are and on nothing else, and so do the registers on
// the values (docs/decisions/0014-sketches-that-keep-the-law.md).
type rough struct {
	few    keyset
	sketch *hyperloglog.Sketch // nil: few has all
}

// denseSize is the bytes of a sketch, about.
const denseSize = 1 << 14

func (s *rough) take(k column.Key) {
	if s.sketch != nil {
		s.sketch.InsertHash(k.Lo)
		return
	}
	if s.few.add(k) && len(s.few.keys) > mostExact {
		s.dense()
	}
}

// dense makes a sketch of what there is.
func (s *rough) dense() {
	if s.sketch != nil {
		return
	}
	s.sketch = hyperloglog.NewNoSparse()
	for _, k := range s.few.keys {
		s.sketch.InsertHash(k.Lo)
	}
	s.few = keyset{}
}

func (s *rough) merge(from *rough) {
	if from.sketch != nil {
		s.dense()
		if err := s.sketch.Merge(from.sketch); err != nil {
			panic(err) // both have 2^14 registers
		}
	}
	for _, k := range from.few.keys {
		s.take(k)
	}
}

func (s *rough) clear() {
	s.few.clear()
	s.sketch = nil
}

func (s *rough) size() int64 {
	if s.sketch != nil {
		return denseSize
	}
	return s.few.size()
}

// append writes 0 and the keys, as keyset does, or 1 and the sketch in its library's form.
func (s *rough) append(b []byte, fresh bool) []byte {
	if s.sketch == nil {
		return s.few.append(append(b, 0), fresh)
	}
	form, err := s.sketch.MarshalBinary()
	if err != nil {
		panic(err) // its precision is 14
	}
	return appendBytes(append(b, 1), form)
}

func (s *rough) load(r *reader) {
	if !r.flag() {
		if s.sketch != nil && r.err == nil {
			r.fail()
			return
		}
		s.few.load(r)
		if len(s.few.keys) > mostExact {
			r.fail()
		}
		return
	}
	form, was := r.bytes(), new(hyperloglog.Sketch)
	if len(form) != 8+denseSize || was.UnmarshalBinary(form) != nil {
		r.fail()
		return
	}
	s.merge(&rough{sketch: was})
}

func (s *rough) count() int64 {
	if s.sketch == nil {
		return int64(len(s.few.keys))
	}
	return int64(s.sketch.Estimate())
}

// bindRough is approx_count_distinct(x).
func bindRough(b *binder) (column.Type, func() State) {
	if t := b.arg(0); t != (column.Type{}) && !t.Keyable() {
		return b.expected(0, "a value that can be told from others")
	}
	b.required = true
	return column.Of(column.Long), func() State {
		h := newHashes()
		return &table[rough, *rough]{kernel: kernel[rough]{
			add: func(cells []rough, in *Input, rows []int32, groups []uint32) int64 {
				c, grown := in.Args[0], int64(0)
				keys, nulls := h.of(c, rows), c.Nulls()
				for i, row := range rows {
					if nulls.Null(int(row)) {
						continue
					}
					s := &cells[groups[i]]
					had := s.size()
					s.take(keys[row])
					grown += s.size() - had
				}
				return grown
			},
			result: func(out column.Column, s *rough) string {
				out.(*column.Longs).Append(s.count())
				return ""
			},
		}}
	}
}
