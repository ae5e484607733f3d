package aggregate

import (
	"encoding/binary"
	"math"

	"github.com/DataDog/sketches-go/ddsketch"
	"github.com/DataDog/sketches-go/ddsketch/mapping"
	"github.com/DataDog/sketches-go/ddsketch/store"
	"github.com/axiomhq/hyperloglog"

	"github.com/millrace-io/millrace/engine/column"
)

// Both sketches here are functions of the set of values alone, whatever their order, how they are split and where they are
// saved: see docs/decisions/0014-sketches-that-keep-the-law.md.

// mostExact is up to how many values approx_count_distinct counts without a sketch.
const mostExact = 1024

// A rough is the distinct values of a group, about: the hashes of up to mostExact of them, and then a HyperLogLog of 2^14
// registers. Which of both it is depends on how many different values there are and on nothing else.
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

// relativeError is how far approx_quantile may be off, as a share of the value.
const relativeError = 0.01

// A sketch is how many values of a group lie in each of DDSketch's buckets, which are relativeError wide to both sides, and
// how many beyond all buckets. Its stores never collapse: the counts hold whatever the order.
type sketch struct {
	of      *ddsketch.DDSketch // nil: no value was finite
	n       int64              // values
	low     int64              // of which -Inf
	high    int64              // of which +Inf
	nan     int64              // of which NaN
	buckets mapping.IndexMapping
}

func (s *sketch) finite() *ddsketch.DDSketch {
	if s.of == nil {
		s.of = ddsketch.NewDDSketch(s.buckets, store.NewBufferedPaginatedStore(), store.NewBufferedPaginatedStore())
	}
	return s.of
}

func (s *sketch) take(v float64) {
	s.n++
	switch {
	case v != v:
		s.nan++
	case math.IsInf(v, 1):
		s.high++
	case math.IsInf(v, -1):
		s.low++
	default:
		most := s.buckets.MaxIndexableValue() // a little below the greatest double
		if err := s.finite().Add(min(max(v, -most), most)); err != nil {
			panic(err) // it is within the bounds
		}
	}
}

func (s *sketch) merge(from *sketch) {
	s.n, s.low, s.high, s.nan = s.n+from.n, s.low+from.low, s.high+from.high, s.nan+from.nan
	if from.of == nil {
		return
	}
	if err := s.finite().MergeWith(from.of); err != nil {
		panic(err) // their buckets are the same
	}
}

func (s *sketch) clear() { *s = sketch{buckets: s.buckets} }

// size is about what the stores hold: a store counts up to 64 values one by one, and then in pages of 32 buckets.
func (s *sketch) size() int64 {
	const stores, mostValues = 512, 2048
	if s.of == nil {
		return 0
	}
	return stores + 8*min(s.n, mostValues)
}

// append writes the four counts, that of values which are too small for a bucket, and of both stores how many buckets are
// in use and each one's index and count. fresh or not it writes all.
func (s *sketch) append(b []byte, fresh bool) []byte {
	for _, n := range []int64{s.n, s.low, s.high, s.nan} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	if s.of == nil {
		return append(b, 0, 0, 0)
	}
	b = binary.AppendUvarint(b, uint64(s.of.GetZeroCount()))
	b = appendStore(b, s.of.GetPositiveValueStore())
	return appendStore(b, s.of.GetNegativeValueStore())
}

func appendStore(b []byte, of store.Store) []byte {
	used := 0
	of.ForEach(func(int, float64) bool { used++; return false })
	b = binary.AppendUvarint(b, uint64(used))
	of.ForEach(func(index int, count float64) bool {
		b = binary.AppendUvarint(binary.AppendVarint(b, int64(index)), uint64(count))
		return false
	})
	return b
}

func (s *sketch) load(r *reader) {
	s.clear()
	s.n, s.low = int64(r.uvarint()), int64(r.uvarint())
	s.high, s.nan = int64(r.uvarint()), int64(r.uvarint())
	finite := s.n - s.low - s.high - s.nan
	if zeros := r.uvarint(); zeros > 0 {
		s.finite().AddWithCount(0, float64(zeros)) //nolint:errcheck // 0 is within the bounds
	}
	least, most := s.buckets.Index(s.buckets.MinIndexableValue()), s.buckets.Index(s.buckets.MaxIndexableValue())
	for _, negative := range []bool{false, true} {
		for range r.count(2) {
			index, count := r.varint(), r.uvarint()
			if index < int64(least) || index > int64(most) || count == 0 {
				r.fail()
				return
			}
			of := s.finite().GetPositiveValueStore()
			if negative {
				of = s.finite().GetNegativeValueStore()
			}
			of.AddWithCount(int(index), float64(count))
		}
	}
	if s.of != nil && s.of.GetCount() != float64(finite) || s.of == nil && finite != 0 {
		r.fail()
	}
}

// value is that of the rank-th value, counted from 0.
func (s *sketch) value(rank int64) float64 {
	finite := s.n - s.low - s.high - s.nan
	switch rank -= s.low; {
	case rank < 0:
		return math.Inf(-1)
	case rank >= finite+s.high:
		return math.NaN()
	case rank >= finite:
		return math.Inf(1)
	}
	negative := s.of.GetNegativeValueStore()
	below, zeros := int64(negative.TotalCount()), int64(s.of.GetZeroCount())
	switch {
	case rank < below:
		return -s.buckets.Value(negative.KeyAtRank(float64(below - 1 - rank)))
	case rank < below+zeros:
		return 0
	}
	return s.buckets.Value(s.of.GetPositiveValueStore().KeyAtRank(float64(rank - below - zeros)))
}

// bindSketch is approx_quantile(x, p).
func bindSketch(b *binder) (column.Type, func() State) {
	b.argAs(0, column.Double)
	f := fractionOf(b.share(1))
	buckets, err := mapping.NewLogarithmicMapping(relativeError)
	if err != nil {
		panic(err) // relativeError is between 0 and 1
	}
	return column.Of(column.Double), states(kernel[sketch]{
		zero: sketch{buckets: buckets},
		add: func(cells []sketch, in *Input, rows []int32, groups []uint32) int64 {
			c, grown := in.Args[0].(*column.Doubles), int64(0)
			for i, row := range rows {
				if c.Valid.Null(int(row)) {
					continue
				}
				s := &cells[groups[i]]
				had := s.size()
				s.take(c.Values[row])
				grown += s.size() - had
			}
			return grown
		},
		result: func(out column.Column, s *sketch) string {
			if s.n == 0 {
				out.AppendNull()
				return ""
			}
			out.(*column.Doubles).Append(s.value(int64(f.discrete(int(s.n)))))
			return ""
		},
	})
}
