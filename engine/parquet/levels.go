package parquet

import (
	"encoding/binary"
	"math/bits"
)

// Levels and dictionary indexes are written in Parquet's hybrid of runs and bit-packed values (Encodings.md,
// "Run Length Encoding / Bit-Packing Hybrid"):
//
//	run      varint(count << 1), the value in as many bytes as its width needs
//	packed   varint(groups << 1 | 1), groups of 8 values of width bits each, least significant bit first

// A bitmap is bits, least significant first, that are appended many at a time. As long as all are set only
// their number is kept.
type bitmap struct {
	words []uint64 // nil while all are set
	n     int      // bits
	ones  int      // bits that are set
}

func (b *bitmap) reset() { b.words, b.n, b.ones = b.words[:0], 0, 0 }

// whole says whether all bits are set.
func (b *bitmap) whole() bool { return b.ones == b.n }

// appendOnes adds n bits that are set.
func (b *bitmap) appendOnes(n int) {
	if n == 0 {
		return
	}
	if b.whole() {
		b.n, b.ones = b.n+n, b.ones+n
		return
	}
	for ; n > 64; n -= 64 {
		b.appendWord(^uint64(0), 64)
	}
	b.appendWord(^uint64(0)>>(64-n), n)
}

// appendBits adds n bits of src from bit from on; nil stands for bits that are all set.
func (b *bitmap) appendBits(src []uint64, from, n int) {
	if src == nil {
		b.appendOnes(n)
		return
	}
	for n > 0 {
		k := min(n, 64)
		b.appendWord(bitsAt(src, from, k), k)
		from, n = from+k, n-k
	}
}

// bitsAt gives n bits, at most 64, of src from bit from on.
func bitsAt(src []uint64, from, n int) uint64 {
	w, off := from/64, uint(from%64)
	v := src[w] >> off
	if off > 0 && int(64-off) < n {
		v |= src[w+1] << (64 - off)
	}
	return v & (^uint64(0) >> (64 - n))
}

// appendWord adds the low n bits of v, at most 64; the others are 0.
func (b *bitmap) appendWord(v uint64, n int) {
	set := bits.OnesCount64(v)
	if b.whole() {
		if set == n {
			b.n, b.ones = b.n+n, b.ones+n
			return
		}
		b.materialise()
	}
	off := uint(b.n % 64)
	if off == 0 {
		b.words = append(b.words, v)
	} else {
		b.words[len(b.words)-1] |= v << off
		if int(off)+n > 64 {
			b.words = append(b.words, v>>(64-off))
		}
	}
	b.n, b.ones = b.n+n, b.ones+set
}

// materialise writes the words of n bits that are all set.
func (b *bitmap) materialise() {
	b.words = b.words[:0]
	for left := b.n; left > 0; left -= 64 {
		b.words = append(b.words, ^uint64(0)>>(64-min(left, 64)))
	}
}

// appendPacked appends the bits as PLAIN has bools: eight a byte.
func (b *bitmap) appendPacked(dst []byte) []byte {
	if b.whole() {
		b.materialise()
	}
	size := len(dst) + (b.n+7)/8
	for _, w := range b.words {
		dst = binary.LittleEndian.AppendUint64(dst, w)
	}
	return dst[:size]
}

// appendHybrid appends the bits as levels of width 1. Words whose bits are all alike make runs, the others
// are packed as they are.
func (b *bitmap) appendHybrid(dst []byte) []byte {
	if b.whole() || b.ones == 0 {
		return appendRun(dst, b.n, min(b.ones, 1), 1)
	}
	for i := 0; i < len(b.words); {
		if alike(b.words[i]) {
			k := i + 1
			for k < len(b.words) && b.words[k] == b.words[i] {
				k++
			}
			// A last word whose unused bits hide that it is alike is written as packed: that is right too.
			dst = appendRun(dst, min(k*64, b.n)-i*64, int(b.words[i]&1), 1)
			i = k
			continue
		}
		k := i + 1
		for k < len(b.words) && !alike(b.words[k]) {
			k++
		}
		groups := (min(k*64, b.n) - i*64 + 7) / 8
		dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
		end := len(dst) + groups
		for _, w := range b.words[i:k] {
			dst = binary.LittleEndian.AppendUint64(dst, w)
		}
		dst, i = dst[:end], k
	}
	return dst
}

func alike(w uint64) bool { return w == 0 || w == ^uint64(0) }

func appendRun(dst []byte, count, value, width int) []byte {
	dst = binary.AppendUvarint(dst, uint64(count)<<1)
	for ; width > 0; width -= 8 {
		dst = append(dst, byte(value))
		value >>= 8
	}
	return dst
}

// appendHybrid appends values of width bits, at most 32. Eight equal values and more make a run.
func appendHybrid[T byte | uint32](dst []byte, values []T, width int) []byte {
	packed := 0 // values[:packed] are written
	for i := 0; i < len(values); {
		n := repeats(values[i:])
		if n < 8 {
			i += 8
			continue
		}
		dst = appendGroups(dst, values[packed:i], width)
		dst = appendRun(dst, n, int(values[i]), width)
		i += n
		packed = i
	}
	return appendGroups(dst, values[packed:], width)
}

// repeats is how often the first of values comes at their beginning.
func repeats[T byte | uint32](values []T) int {
	n := 1
	for n < len(values) && values[n] == values[0] {
		n++
	}
	return n
}

// appendGroups appends values packed; the last group is filled up with zeros.
func appendGroups[T byte | uint32](dst []byte, values []T, width int) []byte {
	if len(values) == 0 {
		return dst
	}
	groups := (len(values) + 7) / 8
	dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
	end := len(dst) + groups*width
	word, used := uint64(0), 0
	for _, v := range values {
		word |= uint64(v) << used
		if used += width; used >= 32 {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(word))
			word, used = word>>32, used-32
		}
	}
	for len(dst) < end {
		dst = append(dst, byte(word))
		word >>= 8
	}
	return dst[:end]
}
