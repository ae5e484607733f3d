package aggregate

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// TestExact: the sum of many doubles of all sizes, in any order and of merged parts, is the double nearest to the exact
// one; so is that of their squares.
func TestExact(t *testing.T) {
	const enough = 4500 // bits for all sums of squares
	for seed := range uint64(30) {
		g := rand.New(rand.NewPCG(seed, 2))
		var values []float64
		for range g.IntN(5000) {
			v := randomDouble(g)
			if seed%3 == 0 { // of like size, of which most cancel out
				v = math.Ldexp(g.Float64()-0.5, g.IntN(10))
			}
			if v-v == 0 {
				values = append(values, v, -v)
			}
		}
		for range 3 {
			values = append(values, randomFinite(g))
		}
		want, squares := new(big.Float).SetPrec(enough), new(big.Float).SetPrec(enough)
		for _, v := range values {
			x := new(big.Float).SetPrec(enough).SetFloat64(v)
			want.Add(want, x)
			squares.Add(squares, x.Mul(x, x))
		}
		g.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
		var sums [4]exact
		var square exact
		for _, v := range values {
			sums[g.IntN(len(sums))].add(v)
			square.addSquare(v)
		}
		for i := range sums[1:] {
			sums[0].merge(&sums[1+i])
		}
		if f, _ := want.Float64(); sums[0].float(0) != f {
			t.Errorf("seed %d: %v, expected %v", seed, sums[0].float(0), f)
		}
		got := new(big.Float).SetInt(square.big())
		if got.SetMantExp(got, -origin).Cmp(squares) != 0 {
			t.Errorf("seed %d: squares: %v, expected %v", seed, got, squares)
		}
	}
}

func randomFinite(g *rand.Rand) float64 {
	for {
		if v := math.Float64frombits(g.Uint64()); v-v == 0 {
			return v
		}
	}
}

// TestExactRounding: ties go to the even double, what lies beyond a tie by the least double does not, and the largest sums
// are infinite.
func TestExactRounding(t *testing.T) {
	const least = math.SmallestNonzeroFloat64
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{nil, 0},
		{[]float64{math.Copysign(0, -1)}, 0},
		{[]float64{1, -1, least}, least},
		{[]float64{1e308, 1e308, -1e308}, 1e308},
		{[]float64{math.MaxFloat64, math.MaxFloat64}, math.Inf(1)},
		{[]float64{-math.MaxFloat64, -math.MaxFloat64}, math.Inf(-1)},
		{[]float64{1 << 53, 1}, 1 << 53},
		{[]float64{1<<53 + 2, 1}, 1<<53 + 4},
		{[]float64{1 << 53, 1, least}, 1<<53 + 2},
		{[]float64{-1 << 53, -1, -least}, -1<<53 - 2},
		{[]float64{0.1, 0.2, 0.3}, 0.6},
		{[]float64{math.MaxFloat64, math.Ldexp(1, 969)}, math.MaxFloat64},
		{[]float64{math.MaxFloat64, math.Ldexp(1, 970)}, math.Inf(1)},
		{[]float64{0x1p-1022, -least}, 0x1p-1022 - least},
	} {
		var e exact
		for _, v := range c.values {
			e.add(v)
		}
		if got := e.float(0); got != c.want || math.Signbit(got) != math.Signbit(c.want) {
			t.Errorf("%v: sum %v, expected %v", c.values, got, c.want)
		}
	}
}

// TestExactCarries: many values of one size and sign fill the chunks that they go to; what piles up is carried on in time.
func TestExactCarries(t *testing.T) {
	const times = 20_000
	for shift := range 40 {
		v := math.Ldexp(1<<53-1, shift)
		var up, down, merged exact
		for range times {
			up.add(v)
			down.add(-v)
		}
		for range 3 {
			merged.merge(&up)
		}
		want, _ := new(big.Float).Mul(big.NewFloat(v).SetPrec(200), big.NewFloat(times)).Float64()
		if up.float(0) != want || down.float(0) != -want {
			t.Errorf("2^%d: sums %v and %v, expected ±%v", shift, up.float(0), down.float(0), want)
		}
		thrice, _ := new(big.Float).Mul(big.NewFloat(v).SetPrec(200), big.NewFloat(3*times)).Float64()
		if merged.float(0) != thrice {
			t.Errorf("2^%d: merged %v, expected %v", shift, merged.float(0), thrice)
		}
	}
}
