package column_test

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/millrace-io/millrace/engine/column"
)

func bigOf(v column.Int128) *big.Int {
	b := new(big.Int).Lsh(big.NewInt(v.Hi), 64)
	return b.Add(b, new(big.Int).SetUint64(v.Lo))
}

// drawInt128 draws numbers of any length.
func drawInt128(t *rapid.T, name string) column.Int128 {
	v := column.Int128{Lo: rapid.Uint64().Draw(t, name+" low"), Hi: rapid.Int64().Draw(t, name+" high")}
	if rapid.Bool().Draw(t, name+" small") {
		v = column.Int128Of(v.Hi)
	}
	return v
}

// inside says whether 127 bits and a sign hold b.
func inside(b *big.Int) bool { return new(big.Int).Abs(b).BitLen() <= 127 }

// TestInt128IsBig: arithmetic is that of math/big as far as 128 bits reach, and says where they do not.
func TestInt128IsBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawInt128(t, "a"), drawInt128(t, "b")
		x, y := bigOf(a), bigOf(b)
		check := func(what string, got column.Int128, ok bool, want *big.Int) {
			t.Helper()
			if ok != inside(want) && want.Cmp(new(big.Int).Lsh(big.NewInt(-1), 127)) != 0 {
				t.Fatalf("%v %s %v: ok is %v for %v", x, what, y, ok, want)
			}
			if ok && bigOf(got).Cmp(want) != 0 {
				t.Fatalf("%v %s %v is %v, want %v", x, what, y, bigOf(got), want)
			}
		}
		sum, ok := a.Add(b)
		check("+", sum, ok, new(big.Int).Add(x, y))
		product, ok := a.Mul(b)
		check("*", product, ok, new(big.Int).Mul(x, y))
		if a.Cmp(b) != x.Cmp(y) {
			t.Fatalf("%v against %v is %d", x, y, a.Cmp(b))
		}
		if small, ok := a.Int64(); ok != x.IsInt64() || ok && small != x.Int64() {
			t.Fatalf("%v as int64 is %d, %v", x, small, ok)
		}
		by := rapid.IntRange(-39, 39).Draw(t, "by")
		scaled, ok := a.Rescale(by)
		check("rescaled", scaled, ok, rescaled(x, by))
		n := rapid.IntRange(1, 38).Draw(t, "digits")
		if got, want := a.Digits(n), len(strings.TrimPrefix(x.String(), "-")) <= n; got != want {
			t.Fatalf("%v has at most %d digits: %v", x, n, got)
		}
		whole, exact := a.Whole(n)
		q, r := new(big.Int).QuoRem(x, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil), new(big.Int))
		if bigOf(whole).Cmp(q) != 0 || exact != (r.Sign() == 0) {
			t.Fatalf("%v without %d digits is %v, %v, want %v rest %v", x, n, bigOf(whole), exact, q, r)
		}
	})
}

// rescaled multiplies by a power of ten, and rounds half away from zero where it is negative.
func rescaled(x *big.Int, by int) *big.Int {
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(by, -by))), nil)
	if by >= 0 {
		return power.Mul(power, x)
	}
	twice := new(big.Int).Lsh(x, 1)
	twice.Add(twice, new(big.Int).Mul(power, big.NewInt(int64(x.Sign()))))
	return twice.Quo(twice, power.Lsh(power, 1))
}

// TestInt128Bytes: numbers come back from as few bytes as hold them and from more.
func TestInt128Bytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawInt128(t, "a")
		least := bigOf(a).BitLen()/8 + 1
		if bigOf(a).Sign() < 0 {
			least = new(big.Int).Not(bigOf(a)).BitLen()/8 + 1
		}
		for n := least; n <= 16; n++ {
			b := a.AppendBigEndian(nil, n)
			for range rapid.IntRange(0, 3).Draw(t, "more") {
				b = append([]byte{byte(a.Hi >> 63)}, b...)
			}
			if got, ok := column.Int128FromBigEndian(b); !ok || got != a {
				t.Fatalf("%v in %d bytes %x comes back as %v, %v", bigOf(a), n, b, bigOf(got), ok)
			}
		}
	})
	for _, b := range []string{"\x01" + strings.Repeat("\x00", 16), "\x00\x80" + strings.Repeat("\x00", 15), "\xff\x7f" + strings.Repeat("\x00", 15)} {
		if v, ok := column.Int128FromBigEndian([]byte(b)); ok {
			t.Errorf("%x is %v", b, bigOf(v))
		}
	}
	if v, ok := column.Int128FromBigEndian(nil); !ok || v != (column.Int128{}) {
		t.Errorf("no bytes are %v, %v", v, ok)
	}
}

// TestDecimalsReadWhatTheyWrite with any scale.
func TestDecimalsReadWhatTheyWrite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		precision := rapid.IntRange(1, column.MostDigits).Draw(t, "precision")
		scale := rapid.IntRange(0, precision).Draw(t, "scale")
		v := drawDecimal(t, precision)
		text := v.AppendDecimal(nil, scale)
		if got, err := column.ParseDecimal(text, precision, scale); err != nil || got != v {
			t.Fatalf("%s comes back as %v, %v", text, bigOf(got), err)
		}
		if f, _ := new(big.Rat).SetString(string(text)); f == nil {
			t.Fatalf("%s is no number", text)
		} else if want, _ := f.Float64(); v.Float(scale) != want {
			t.Fatalf("%s as a float is %v", text, v.Float(scale))
		}
	})
}

func TestParseDecimal(t *testing.T) {
	for _, c := range []struct {
		text             string
		precision, scale int
		want             string // or the error
	}{
		{"0", 1, 0, "0"}, {"-0", 1, 1, "0.0"}, {"000", 1, 0, "0"}, {"0e99", 1, 0, "0"},
		{"12.5", 5, 2, "12.50"}, {"+12.50", 4, 2, "12.50"}, {"-.5", 3, 2, "-0.50"}, {"5.", 3, 2, "5.00"},
		{"12.5e1", 3, 0, "125"}, {"12.5E-1", 5, 2, "1.25"}, {"1e-2", 5, 2, "0.01"}, {"100e-2", 3, 0, "1"},
		{"12.500000000000000000000000000000000000000000000000000", 3, 1, "12.5"},
		{"99999999999999999999999999999999999999", 38, 0, "99999999999999999999999999999999999999"},
		{"0.00000000000000000000000000000000000001", 38, 38, "0.00000000000000000000000000000000000001"},
		{"1e38", 38, 0, "too many digits"}, {"100", 2, 0, "too many digits"}, {"9.95", 2, 2, "too many digits"},
		{"999999999999999999999999999999999999999", 38, 0, "too many digits"},
		{"12.55", 5, 1, "too many digits behind the point"}, {"1e-3", 5, 2, "too many digits behind the point"},
		{"", 5, 2, "no number"}, {".", 5, 2, "no number"}, {"-", 5, 2, "no number"}, {"1e", 5, 2, "no number"}, {"1 ", 5, 2, "no number"},
		{"0x1", 5, 2, "no number"}, {"1.2.3", 5, 2, "no number"}, {"e5", 5, 2, "no number"},
	} {
		v, err := column.ParseDecimal([]byte(c.text), c.precision, c.scale)
		got := string(v.AppendDecimal(nil, c.scale))
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%q: %s, want %s", c.text, got, c.want)
		}
	}
	if _, err := column.ParseDecimal([]byte("1e99999999999999999999"), 5, 2); !errors.Is(err, column.ErrDigits) {
		t.Error(err)
	}
}

func TestRoundDecimal(t *testing.T) {
	for text, want := range map[string]string{
		"2.345": "2.35", "-2.345": "-2.35", "2.3449": "2.34", "0.004": "0.00", "-0.005": "-0.01", "1e-50": "0.00", "99.995": "too many digits", "12": "12.00",
		"1.0000000000000000000000000000000000000001": "too many digits behind the point", "x": "no number",
	} {
		v, err := column.RoundDecimal([]byte(text), 4, 2)
		got := string(v.AppendDecimal(nil, 2))
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
