package parquet

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/millrace-io/millrace/engine/column"
)

// TestFloatBounds: NaN is no bound, and a zero is -0 below and +0 above.
func TestFloatBounds(t *testing.T) {
	nan, inf, minus := math.NaN(), math.Inf(1), math.Copysign(0, -1)
	for _, test := range []struct {
		values   []float64
		min, max float64
		ok       bool
	}{
		{nil, 0, 0, false},
		{[]float64{nan, nan}, 0, 0, false},
		{[]float64{nan, 2, nan, 1}, 1, 2, true},
		{[]float64{0, minus}, minus, 0, true},
		{[]float64{0}, minus, 0, true},
		{[]float64{minus}, minus, 0, true},
		{[]float64{-1, minus}, -1, 0, true},
		{[]float64{inf, -inf, nan}, -inf, inf, true},
	} {
		var b numberBounds[float64]
		for _, v := range test.values {
			b.add([]float64{v})
		}
		lower, upper, ok := b.bytes()
		if ok != test.ok || ok && (!bytes.Equal(lower, appendRaw(nil, []float64{test.min})) || !bytes.Equal(upper, appendRaw(nil, []float64{test.max}))) {
			t.Errorf("%v: %x to %x, %v", test.values, lower, upper, ok)
		}
	}
}

// TestTextBounds compares with the least and the greatest of random texts: bounds hold, are exact unless
// long, and those of strings are UTF-8.
func TestTextBounds(t *testing.T) {
	r := random(7)
	for range 2000 {
		isUTF8 := r.below(2) == 0
		c := column.New(column.Of(column.String)).(*column.Texts)
		prefix := strings.Repeat("é", r.below(3)*140)
		for range 1 + r.below(20) {
			v := prefix + strings.Repeat(string([]rune{rune(r.below(3) + 'a'), utf8.MaxRune, 0xd7ff, 'é'}[r.below(4)]), r.below(200))
			if !isUTF8 && r.below(2) == 0 {
				v = strings.Repeat("\xff", r.below(300))
			}
			c.AppendString(v)
		}
		var b textBounds
		split := r.below(c.Len() + 1)
		b.add(c, 0, split)
		b.add(c, split, c.Len())
		lower, upper, ok := b.bytes(isUTF8)
		least, greatest := c.At(0), c.At(0)
		for i := range c.Len() {
			if bytes.Compare(c.At(i), least) < 0 {
				least = c.At(i)
			}
			if bytes.Compare(c.At(i), greatest) > 0 {
				greatest = c.At(i)
			}
		}
		switch {
		case !ok:
			if len(greatest) <= boundLength {
				t.Errorf("%q has no bound", greatest)
			}
		case bytes.Compare(lower, least) > 0 || bytes.Compare(upper, greatest) < 0:
			t.Errorf("bounds %q to %q of texts from %q to %q", lower, upper, least, greatest)
		case len(least) <= boundLength && !bytes.Equal(lower, least) || len(greatest) <= boundLength && !bytes.Equal(upper, greatest):
			t.Errorf("bounds %q to %q of short texts from %q to %q", lower, upper, least, greatest)
		case len(lower) > boundLength || len(upper) > boundLength+utf8.UTFMax:
			t.Errorf("bounds of %d and %d bytes", len(lower), len(upper))
		case isUTF8 && (!utf8.Valid(lower) || !utf8.Valid(upper)):
			t.Errorf("bounds %q to %q are not UTF-8", lower, upper)
		}
	}
}

// TestNoTextAbove: there is nothing above the greatest of all characters, or bytes.
func TestNoTextAbove(t *testing.T) {
	if _, ok := above([]byte(strings.Repeat("\U0010ffff", 100)), true); ok {
		t.Error("a string is greater than the greatest")
	}
	if _, ok := above(bytes.Repeat([]byte{0xff}, 300), false); ok {
		t.Error("bytes are greater than the greatest")
	}
}
