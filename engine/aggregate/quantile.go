package aggregate

import (
	"bytes"
	"encoding/binary"
	"math/big"
	"math/bits"
	"slices"
	"strconv"

	"github.com/millrace-io/millrace/engine/column"
)

// A values is all values of a group, in the order in which they came, so that what came since the last Append stands at the
// end.
type values[T column.Native] struct {
	all   []T
	saved int // how many Append has written
}

func (v *values[T]) merge(from *values[T]) { v.all = append(v.all, from.all...) }

func (v *values[T]) clear() { v.all, v.saved = recycled(v.all), 0 }

func (v *values[T]) size() int64 {
	return int64(cap(v.all)) * int64(nativeSize[T]())
}

// append writes how many values there are, or of them that are fresh, and these.
func (v *values[T]) append(b []byte, fresh bool) []byte {
	from := 0
	if fresh {
		from = v.saved
	}
	v.saved = len(v.all)
	b = binary.AppendUvarint(b, uint64(len(v.all)-from))
	for _, x := range v.all[from:] {
		b = appendNative(b, x)
	}
	return b
}

func (v *values[T]) load(r *reader) {
	const least = 8 // bytes of a value
	for range r.count(least) {
		v.all = append(v.all, readNative[T](r))
	}
	v.saved = len(v.all)
}

func addValues[T column.Native](cells []values[T], in *Input, rows []int32, groups []uint32) int64 {
	c, grown := in.Args[0].(*column.Fixed[T]), 0
	all, nulls := c.Values, c.Valid.Nulls() > 0
	for i, row := range rows {
		if nulls && c.Valid.Null(int(row)) {
			continue
		}
		v := &cells[groups[i]]
		had := cap(v.all)
		v.all = append(v.all, all[row])
		grown += cap(v.all) - had
	}
	return int64(grown) * int64(nativeSize[T]())
}

// A fraction is a number from 0 to 1 as people write it in decimals: 0.07 is 7 of 100, which no double is.
type fraction struct{ of, ten *big.Int }

func fractionOf(p float64) fraction {
	digits, exponent, _ := bytes.Cut(strconv.AppendFloat(nil, p, 'e', -1, 64), []byte("e"))
	whole, part, _ := bytes.Cut(digits, []byte("."))
	of, _ := new(big.Int).SetString(string(whole)+string(part), 10)
	e, _ := strconv.Atoi(string(exponent)) // at most 0, for p is at most 1
	return fraction{of, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(len(part)-e)), nil)}
}

// whole is the greatest whole number of n · f, and what is left over as a number below 1.
func (f fraction) whole(n int) (whole int, rest float64) {
	q, r := new(big.Int).Mul(f.of, big.NewInt(int64(n))), new(big.Int)
	q.QuoRem(q, f.ten, r)
	if r.Sign() != 0 {
		rest, _ = new(big.Rat).SetFrac(r, f.ten).Float64()
	}
	return int(q.Int64()), rest
}

// discrete is the index of percentile_disc in n sorted values: of the first that at least the share f of them does not
// exceed.
func (f fraction) discrete(n int) int {
	i, rest := f.whole(n)
	if rest == 0 && i > 0 {
		i--
	}
	return i
}

// sorter sorts copies of values.
type sorter[T column.Native] struct{ scratch []T }

func (s *sorter[T]) sorted(all []T) []T {
	s.scratch = append(s.scratch[:0], all...)
	slices.SortFunc(s.scratch, func(a, b T) int {
		switch {
		case before(a, b):
			return -1
		case before(b, a):
			return 1
		}
		return 0
	})
	return s.scratch
}

func discrete[T column.Native](f fraction) func() State {
	return func() State {
		var s sorter[T]
		return &table[values[T], *values[T]]{kernel: kernel[values[T]]{
			add: addValues[T],
			result: func(out column.Column, v *values[T]) string {
				if len(v.all) == 0 {
					out.AppendNull()
					return ""
				}
				out.(*column.Fixed[T]).Append(s.sorted(v.all)[f.discrete(len(v.all))])
				return ""
			},
		}}
	}
}

// continuous is percentile_cont: between the two values that are nearest to the share f it interpolates.
func continuous[T column.Native](f fraction, double func(T) float64) func() State {
	return func() State {
		var s sorter[T]
		return &table[values[T], *values[T]]{kernel: kernel[values[T]]{
			add: addValues[T],
			result: func(out column.Column, v *values[T]) string {
				if len(v.all) == 0 {
					out.AppendNull()
					return ""
				}
				all := s.sorted(v.all)
				i, rest := f.whole(len(all) - 1)
				x := double(all[i])
				if rest > 0 {
					x = between(x, double(all[i+1]), rest)
				}
				out.(*column.Doubles).Append(x)
				return ""
			},
		}}
	}
}

// between is the number at a share of the way from x to y, which is not less. A NaN counts as beyond all.
func between(x, y, share float64) float64 {
	if x == y {
		return x
	}
	return float64(x*(1-share)) + float64(y*share) // no fused operation: the same on all machines
}

func doubleOf[T int8 | int16 | int32 | int64 | float32 | float64](v T) float64 { return float64(v) }

// bindMedian is median(x).
func bindMedian(b *binder) (column.Type, func() State) {
	return b.continuous(fractionOf(0.5))
}

// bindQuantile is quantile(x, p).
func bindQuantile(b *binder) (column.Type, func() State) {
	return b.continuous(fractionOf(b.share(1)))
}

func (b *binder) continuous(f fraction) (column.Type, func() State) {
	double := column.Of(column.Double)
	t := b.arg(0)
	if len(b.errs) > 0 {
		return t, nil
	}
	switch t.Kind {
	case column.Byte:
		return double, continuous(f, doubleOf[int8])
	case column.Short:
		return double, continuous(f, doubleOf[int16])
	case column.Int:
		return double, continuous(f, doubleOf[int32])
	case column.Long:
		return double, continuous(f, doubleOf[int64])
	case column.Float:
		return double, continuous(f, doubleOf[float32])
	case column.Double:
		return double, continuous(f, doubleOf[float64])
	case column.Decimal:
		return double, continuous(f, func(v column.Int128) float64 { return v.Float(t.Scale()) })
	}
	return b.expected(0, "a number (quantile_disc takes all that has an order)")
}

// bindDiscrete is quantile_disc(x, p).
func bindDiscrete(b *binder) (column.Type, func() State) {
	t, f := b.arg(0), fractionOf(b.share(1))
	if len(b.errs) > 0 {
		return t, nil
	}
	switch t.Kind {
	case column.Bool:
		return t, discrete[bool](f)
	case column.Byte:
		return t, discrete[int8](f)
	case column.Short:
		return t, discrete[int16](f)
	case column.Int, column.Date:
		return t, discrete[int32](f)
	case column.Long, column.Timestamp, column.TimestampNTZ:
		return t, discrete[int64](f)
	case column.Float:
		return t, discrete[float32](f)
	case column.Double:
		return t, discrete[float64](f)
	case column.Decimal:
		return t, discrete[column.Int128](f)
	case column.String, column.Binary:
		return t, discreteText(f)
	}
	return b.expected(0, "a value that has an order")
}

// A texts is values for strings and binaries.
type texts struct {
	data  []byte // one behind the other
	ends  []int  // where each ends
	saved int    // how many texts Append has written
}

func (t *texts) at(i int) []byte {
	if i == 0 {
		return t.data[:t.ends[0]]
	}
	return t.data[t.ends[i-1]:t.ends[i]]
}

func (t *texts) take(v []byte) {
	t.data = append(t.data, v...)
	t.ends = append(t.ends, len(t.data))
}

func (t *texts) merge(from *texts) {
	for i := range from.ends {
		t.take(from.at(i))
	}
}

func (t *texts) clear() { *t = texts{data: recycled(t.data), ends: recycled(t.ends)} }

func (t *texts) size() int64 { return int64(cap(t.data)) + bits.UintSize/8*int64(cap(t.ends)) }

// append writes how many texts there are, or of them that are fresh, and these.
func (t *texts) append(b []byte, fresh bool) []byte {
	from := 0
	if fresh {
		from = t.saved
	}
	t.saved = len(t.ends)
	b = binary.AppendUvarint(b, uint64(len(t.ends)-from))
	for i := from; i < len(t.ends); i++ {
		b = appendBytes(b, t.at(i))
	}
	return b
}

func (t *texts) load(r *reader) {
	for range r.count(1) {
		t.take(r.bytes())
	}
	t.saved = len(t.ends)
}

func discreteText(f fraction) func() State {
	return func() State {
		var order []int
		return &table[texts, *texts]{kernel: kernel[texts]{
			add: func(cells []texts, in *Input, rows []int32, groups []uint32) int64 {
				c, grown := in.Args[0].(*column.Texts), int64(0)
				for i, row := range rows {
					if c.Valid.Null(int(row)) {
						continue
					}
					t := &cells[groups[i]]
					had := t.size()
					t.take(c.At(int(row)))
					grown += t.size() - had
				}
				return grown
			},
			result: func(out column.Column, t *texts) string {
				if len(t.ends) == 0 {
					out.AppendNull()
					return ""
				}
				order = order[:0]
				for i := range t.ends {
					order = append(order, i)
				}
				slices.SortFunc(order, func(i, j int) int { return bytes.Compare(t.at(i), t.at(j)) })
				out.(*column.Texts).Append(t.at(order[f.discrete(len(order))]))
				return ""
			},
		}}
	}
}
