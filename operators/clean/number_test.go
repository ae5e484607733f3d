package clean

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// FuzzMagnitude compares with exact fractions.
func FuzzMagnitude(f *testing.F) {
	for _, s := range []string{"0", "437", "136k", "1.5M", "-2B", "+1.234567m", "1.2345k", "9223372036.854775807b", "9223372036854775808", "1e3", "k", "1.", "00.0k", "18446744073709551616"} {
		f.Add(s)
	}
	form := regexp.MustCompile(`^[-+]?([0-9]+)(\.[0-9]+)?([kKmMbB])?$`)
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := readMagnitude([]byte(s))
		var want *big.Int
		if parts := form.FindStringSubmatch(s); parts != nil {
			r, _ := new(big.Rat).SetString(strings.TrimPrefix(strings.TrimRight(s, "kKmMbB"), "+"))
			r.Mul(r, big.NewRat(map[string]int64{"": 1, "k": 1e3, "m": 1e6, "b": 1e9}[strings.ToLower(parts[3])], 1))
			if r.IsInt() && r.Num().IsInt64() {
				want = r.Num()
			}
		}
		if ok != (want != nil) || ok && got != want.Int64() {
			t.Fatalf("%q: got %d, %v, expected %v", s, got, ok, want)
		}
	})
}

// FuzzNumbers compares with the standard library.
func FuzzNumbers(f *testing.F) {
	for _, s := range []string{"0", "-0", "+5", "9223372036854775807", "-9223372036854775808", "-9223372036854775809", "2147483648", "1.5e-3", "1_0", "0x10", ".", "NaN", "1e999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		long, err := strconv.ParseInt(s, 10, 64)
		if got, ok := readLong([]byte(s)); ok != (err == nil) || ok && got != long {
			t.Errorf("long %q: got %d, %v, expected %d, %v", s, got, ok, long, err)
		}
		short, err := strconv.ParseInt(s, 10, 32)
		if got, ok := readInt([]byte(s)); ok != (err == nil) || ok && int64(got) != short {
			t.Errorf("int %q: got %d, %v, expected %d, %v", s, got, ok, short, err)
		}
		double, err := strconv.ParseFloat(s, 64)
		plain := !strings.ContainsAny(s, "xXnN_iI")
		if got, ok := readDouble([]byte(s)); ok != (err == nil && plain) || ok && got != double {
			t.Errorf("double %q: got %g, %v, expected %g, %v", s, got, ok, double, err)
		}
	})
}
