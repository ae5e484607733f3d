package expr

import (
	"fmt"
	"math/big"
	"testing"
)

// TestParseLong: of numbers near all powers of ten, written with and without a point and an exponent, it is
// the exact one that is rounded.
func TestParseLong(t *testing.T) {
	for _, digits := range []string{"0", "4", "5", "9", "14", "15", "949", "95", "9223372036854775807", "9223372036854775808", "92233720368547758075", "18446744073709551615", "18446744073709551616", "999999999999999999999999"} {
		for point := range len(digits) + 1 {
			for exponent := -25; exponent <= 25; exponent++ {
				for _, sign := range []string{"", "-", "+"} {
					text := fmt.Sprintf("%s%s.%se%d", sign, digits[:point], digits[point:], exponent)
					want, fits := exactly(t, text)
					if got, ok := parseLong([]byte(text)); ok != fits || ok && got != want {
						t.Fatalf("%s: %d, %v, want %d, %v", text, got, ok, want, fits)
					}
				}
			}
		}
	}
}

// exactly is the whole number nearest to text, halves away from 0.
func exactly(t *testing.T, text string) (int64, bool) {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%s is no number", text)
	}
	doubled := new(big.Int).Quo(new(big.Int).Mul(r.Num(), big.NewInt(2)), r.Denom()) // cut toward 0
	n := new(big.Int).Quo(new(big.Int).Add(doubled, big.NewInt(int64(doubled.Sign()))), big.NewInt(2))
	return n.Int64(), n.IsInt64()
}

// TestParseBool: no other characters count as those that differ from them in one bit.
func TestParseBool(t *testing.T) {
	for i := range 256 {
		c := byte(i)
		value, ok := parseBool([]byte{c})
		want, known := map[byte]bool{'t': true, 'T': true, 'y': true, 'Y': true, '1': true, 'f': false, 'F': false, 'n': false, 'N': false, '0': false}[c]
		if ok != known || value != want {
			t.Errorf("%q: %v, %v, want %v, %v", c, value, ok, want, known)
		}
	}
}
