package kinesis

import (
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestSequence(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	numbers := []string{"0", "1", "9", "10", strings.Repeat("9", 19), "1" + strings.Repeat("0", 19), strings.Repeat("9", 57),
		"49590338271490256608559692538361571095921575989136588898", "49590338271490256608559692540925702759324208523137515618"}
	for range 200 {
		n := 1 + rnd.IntN(56)
		b := []byte{byte('1' + rnd.IntN(9))}
		for len(b) < n {
			b = append(b, byte('0'+rnd.IntN(10)))
		}
		numbers = append(numbers, string(b))
	}
	for _, a := range numbers {
		s, ok := parseSequence([]byte(a))
		if !ok || s.String() != a {
			t.Errorf("%s was read as %s, %v", a, s, ok)
		}
		for _, b := range numbers {
			x, _ := new(big.Int).SetString(a, 10)
			y, _ := new(big.Int).SetString(b, 10)
			o, _ := parseSequence([]byte(b))
			if got, want := s.before(o), x.Cmp(y) < 0; got != want {
				t.Errorf("%s before %s: %v", a, b, got)
			}
		}
	}
	for _, bad := range []string{"", "x", "-1", "1 ", "1/2", strings.Repeat("1", 58), strings.Repeat("1", 40) + ":" + strings.Repeat("1", 15), "1234567/", "/2345678", "1234\xff678", "\xb1111111111"} {
		if s, ok := parseSequence([]byte(bad)); ok {
			t.Errorf("%q was read as %v", bad, s)
		}
	}
}

func TestPosition(t *testing.T) {
	for _, text := range []string{"", "at:2026-01-02T03:04:05Z", "at:2026-01-02T03:04:05.678Z", "495903382714902566085596925383", "495903382714902566085596925383/0", "7/123"} {
		p, err := parsePosition(text)
		if err != nil || p.String() != text {
			t.Errorf("%q was read as %q, %v", text, p, err)
		}
	}
	for _, bad := range []string{"at:", "at:yesterday", "x", "0", "1/", "1/-1", "1/x", "1/2/3", "at:0001-01-01T00:00:00Z"} {
		if p, err := parsePosition(bad); err == nil {
			t.Errorf("%q was read as %q", bad, p)
		}
	}
}

func BenchmarkSequence(b *testing.B) {
	text := []byte("49590338271490256608559692538361571095921575989136588898")
	for b.Loop() {
		if _, ok := parseSequence(text); !ok {
			b.Fatal("not read")
		}
	}
}
