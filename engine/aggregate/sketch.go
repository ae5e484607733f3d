package aggregate

import (
	"encoding/binary"
	"math"

	"github.com/DataDog/sketches-go/ddsketch"
	"github.com/DataDog/sketches-go/ddsketch/mapping"
	"github.com/DataDog/sketches-go/ddsketch/store"

	"github.com/millrace-io/millrace/engine/column"
)

// relativeError is how far approx_quantile may be off, as a share of the value.
const relativeError = 0.01

// A sketch is how many values of a group lie in each of DDSketch's buckets, which are relativeError wide to both sides, and
// how many beyond all buckets. Its stores never collapse: the counts are those of the values, whatever their order and
// however they were merged (docs/decisions/0014-sketches-that-keep-the-law.md).
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
	s.n, s.low = r.size(), r.size()
	s.high, s.nan = r.size(), r.size()
	finite := s.n - s.low - s.high - s.nan
	if zeros := r.size(); zeros > 0 {
		s.finite().AddWithCount(0, float64(zeros)) //nolint:errcheck // 0 is within the bounds
	}
	least, most := s.buckets.Index(s.buckets.MinIndexableValue()), s.buckets.Index(s.buckets.MaxIndexableValue())
	for _, negative := range []bool{false, true} {
		for range r.count(2) {
			index, count := r.varint(), r.size()
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

// size is a number of values: as many as the library, which has it as a double, can count.
func (r *reader) size() int64 {
	n := r.uvarint()
	if n > 1<<53 {
		r.fail()
		return 0
	}
	return int64(n)
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
