package parquet

import (
	"slices"
	"testing"
)

// TestHybrid writes levels in runs and lone values, as bits and as numbers of every width, and reads them.
func TestHybrid(t *testing.T) {
	r := random(3)
	for range 3000 {
		width := 1 + r.below(20)
		var values []uint32
		var asBits bitmap
		for range r.below(6) {
			v := uint32(r.below(1 << width))
			repeat := r.below(2) == 0
			for range r.below(200) {
				if !repeat {
					v = uint32(r.below(1 << width))
				}
				values = append(values, v)
			}
		}
		want := make([]int32, len(values))
		words := make([]uint64, len(values)/64+2)
		for i, v := range values {
			want[i] = int32(v)
			words[i/64] |= uint64(v&1) << (i % 64)
		}
		got, err := decodeHybrid(nil, appendHybrid(nil, values, width), len(values), width, 1<<width-1)
		if err != nil || !slices.Equal(got, want) && len(want) > 0 {
			t.Fatalf("width %d: %v is read as %v, %v", width, want, got, err)
		}
		for from := 0; from < len(values); {
			n := 1 + r.below(min(150, len(values)-from))
			asBits.appendBits(words, from, n)
			from += n
		}
		checkBits(t, &asBits, want)
	}
}

func checkBits(t *testing.T, b *bitmap, want []int32) {
	t.Helper()
	bits, ones := make([]int32, len(want)), 0
	for i, v := range want {
		bits[i] = v & 1
		ones += int(v & 1)
	}
	if b.n != len(want) || b.ones != ones {
		t.Fatalf("%d of %d bits are set, want %d of %d", b.ones, b.n, ones, len(want))
	}
	got, err := decodeHybrid(nil, b.appendHybrid(nil), len(bits), 1, 1)
	if err != nil || len(bits) > 0 && !slices.Equal(got, bits) {
		t.Fatalf("bits %v are read as %v, %v", bits, got, err)
	}
	if got := unpack(nil, b.appendPacked(nil), len(bits), 1); len(bits) > 0 && !slices.Equal(got, bits) {
		t.Fatalf("packed bits %v are read as %v", bits, got)
	}
}

// TestBitmapOfOnes: bits that are all set take no memory, and others may follow.
func TestBitmapOfOnes(t *testing.T) {
	for _, n := range []int{0, 1, 63, 64, 65, 1000} {
		var b bitmap
		b.appendBits(nil, 0, n)
		if b.words != nil {
			t.Errorf("%d ones take %d words", n, len(b.words))
		}
		want := slices.Repeat([]int32{1}, n)
		checkBits(t, &b, want)
		b.reset()
		b.appendOnes(n)
		b.appendWord(0b01, 2)
		b.appendOnes(n)
		checkBits(t, &b, slices.Concat(want, []int32{1, 0}, want))
	}
}
