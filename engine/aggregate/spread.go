package aggregate

import (
	"encoding/binary"
	"math"
	"math/big"

	"github.com/millrace-io/millrace/engine/column"
)

// A spread is what variance is computed from: n values, their sum and the sum of their squares, both exact, so that
// neither the order of rows nor how the values lie matters.
type spread struct {
	sum, squares exact
	n            int64
}

func (s *spread) merge(from *spread) {
	s.sum.merge(&from.sum)
	s.squares.merge(&from.squares)
	s.n += from.n
}

func (s *spread) clear() {
	s.sum.clear()
	s.squares.clear()
	s.n = 0
}

func (s *spread) append(b []byte, fresh bool) []byte {
	return s.squares.append(s.sum.append(binary.AppendVarint(b, s.n)))
}

func (s *spread) load(r *reader) {
	s.n = r.varint()
	s.sum.load(r)
	s.squares.load(r)
}

func (s *spread) size() int64 { return s.sum.size() + s.squares.size() }

func addSpread(cells []spread, in *Input, rows []int32, groups []uint32) int64 {
	c := in.Args[0].(*column.Doubles)
	values, nulls, grown := c.Values, c.Valid.Nulls() > 0, 0
	for i, row := range rows {
		if nulls && c.Valid.Null(int(row)) {
			continue
		}
		s, v := &cells[groups[i]], values[row]
		grown += s.sum.add(v)
		if v-v == 0 { // finite
			grown += s.squares.addSquare(v)
		}
		s.n++
	}
	return int64(grown)
}

// variance is (n·Σx² − (Σx)²) / (n·(n − less)): of a sample for less = 1, of a whole population for 0.
func (s *spread) variance(less int64) float64 {
	if s.sum.special != 0 {
		return math.NaN()
	}
	n, sum := big.NewInt(s.n), s.sum.big()
	squares := s.squares.big()
	squares.Lsh(squares.Mul(squares, n), origin) // to the units of sum², 2^(-2·origin)
	squares.Sub(squares, sum.Mul(sum, sum))
	of := n.Mul(n, big.NewInt(s.n-less))
	const precision = 128 // bits, of which a double has 53
	f := new(big.Float).SetPrec(precision).SetInt(squares)
	f.Quo(f, new(big.Float).SetPrec(precision).SetInt(of))
	v, _ := f.SetMantExp(f, -2*origin).Float64()
	return v
}

// bindSpread is variance and stddev, of a sample (less = 1) or a population (0).
func bindSpread(less int64, of func(variance float64) float64) func(b *binder) (column.Type, func() State) {
	return func(b *binder) (column.Type, func() State) {
		b.argAs(0, column.Double)
		return column.Of(column.Double), states(kernel[spread]{add: addSpread, result: func(out column.Column, s *spread) string {
			if s.n <= less {
				out.AppendNull()
				return ""
			}
			out.(*column.Doubles).Append(of(s.variance(less)))
			return ""
		}})
	}
}

func itself(variance float64) float64 { return variance }
