package aggregate

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
)

// An exact is the sum of doubles without any rounding, so that it does not depend on their order: the small
// superaccumulator of R. Neal, "Fast exact summation using small and large superaccumulators" (2015), of which only the
// part in use is held. The sum is
//
//	Σ chunks[i] · 2^(32·(base+i) − origin)
//
// Chunks overlap by half. A double is added to two of them; only after mostAdds values must what has piled up in their
// upper halves be carried on. Squares of doubles are added as exactly: origin is low enough for the least one.
//
// The zero exact is 0.
type exact struct {
	chunks  []int64
	base    int16  // position of chunks[0]
	adds    uint16 // values added since carries were last propagated, each less than 2^53 a chunk
	special uint8  // which of NaN, +Inf and -Inf were added
}

const (
	origin   = 2176 // a multiple of 32 above 2·1074: the least double is 2^-1074, its square 2^-2148
	mostAdds = 1000 // (1000 + 1) · 2^53 < 2^63
	leastExp = 1075 // a double is mantissa · 2^(exponent − leastExp)

	// Positions of the first and last chunk that any sum of fewer than 2^64 squares reaches, one to spare.
	lastChunk = (origin+2048+64)/32 + 1
)

// The bits of special.
const (
	hasNaN = 1 << iota
	hasInf
	hasMinusInf
)

// parts takes a finite double apart: it is mantissa · 2^(exponent − leastExp), the sign aside. ok is false of what is not
// finite.
func parts(f float64) (mantissa uint64, exponent int, ok bool) {
	b := math.Float64bits(f)
	exponent, mantissa = int(b>>52&0x7ff), b&(1<<52-1)
	switch exponent {
	case 0x7ff:
		return 0, 0, false
	case 0:
		return mantissa, 1, true
	}
	return mantissa | 1<<52, exponent, true
}

// add adds a double and says how many more bytes e holds.
func (e *exact) add(f float64) (grown int) {
	m, exponent, ok := parts(f)
	if !ok {
		e.addSpecial(f)
		return 0
	}
	if m == 0 {
		return 0
	}
	at := exponent - leastExp + origin
	shift := uint(at) % 32
	low, high := int64(uint32(m<<shift)), int64(m>>(32-shift))
	if f < 0 {
		low, high = -low, -high
	}
	i := at/32 - int(e.base)
	if i < 0 || i+1 >= len(e.chunks) || e.adds >= mostAdds {
		i, grown = e.room(at/32, 2)
	}
	e.chunks[i] += low
	e.chunks[i+1] += high
	e.adds++
	return grown
}

func (e *exact) addSpecial(f float64) {
	switch {
	case f != f:
		e.special |= hasNaN
	case f > 0:
		e.special |= hasInf
	default:
		e.special |= hasMinusInf
	}
}

// addSquare adds f² and says how many more bytes e holds. What is not finite it leaves to the sum of the values.
func (e *exact) addSquare(f float64) (grown int) {
	m, exponent, _ := parts(f)
	if m == 0 {
		return 0
	}
	hi, lo := bits.Mul64(m, m)
	at := 2*(exponent-leastExp) + origin
	shift := uint(at) % 32
	i, grown := e.room(at/32, 4)
	e.chunks[i] += int64(uint32(lo << shift))
	lo, hi = lo>>(32-shift)|hi<<(32+shift), hi>>(32-shift)
	e.chunks[i+1] += int64(uint32(lo))
	e.chunks[i+2] += int64(lo >> 32)
	e.chunks[i+3] += int64(hi)
	e.adds++
	return grown
}

// room makes n chunks from a position on exist, with room for one more value. It gives the index of the first and how
// many more bytes e holds.
func (e *exact) room(position, n int) (i, grown int) {
	had := cap(e.chunks)
	if e.adds >= mostAdds {
		e.carry()
	}
	switch {
	case len(e.chunks) == 0:
		e.base = int16(position)
		e.chunks = append(e.chunks, make([]int64, n)...)
	case position < int(e.base):
		more := int(e.base) - position
		e.chunks = append(e.chunks, make([]int64, more)...)
		copy(e.chunks[more:], e.chunks)
		clear(e.chunks[:more])
		e.base = int16(position)
	}
	i = position - int(e.base)
	if more := i + n - len(e.chunks); more > 0 {
		e.chunks = append(e.chunks, make([]int64, more)...)
	}
	return i, 8 * (cap(e.chunks) - had)
}

// carry propagates carries: all chunks but the last are then from 0 to 2^32-1, and the last, which has the sum's sign, has
// at most 33 bits.
func (e *exact) carry() {
	e.adds = 0
	if len(e.chunks) == 0 {
		return
	}
	last := len(e.chunks) - 1
	for i := range e.chunks[:last] {
		c := e.chunks[i]
		e.chunks[i] = c & (1<<32 - 1)
		e.chunks[i+1] += c >> 32
	}
	for c := e.chunks[last]; c>>32 != c>>63; c = e.chunks[last] {
		e.chunks[last] = c & (1<<32 - 1)
		e.chunks = append(e.chunks, c>>32)
		last++
	}
}

// merge adds another sum.
func (e *exact) merge(from *exact) {
	e.special |= from.special
	for j := range from.chunks {
		c := from.chunks[j] // room may move them, where from is e
		if c == 0 {
			continue
		}
		i, _ := e.room(int(from.base)+j, 2)
		e.chunks[i] += c & (1<<32 - 1)
		e.chunks[i+1] += c >> 32
		e.adds++
	}
}

func (e *exact) clear() { *e = exact{chunks: recycled(e.chunks)} }

// size is the bytes held besides e itself.
func (e *exact) size() int64 { return 8 * int64(cap(e.chunks)) }

// append writes what was special, how many chunks there are and if any the position of the first, the last chunk, and
// the others in 4 bytes each.
func (e *exact) append(b []byte) []byte {
	e.carry()
	b = binary.AppendUvarint(append(b, e.special), uint64(len(e.chunks)))
	if len(e.chunks) == 0 {
		return b
	}
	last := len(e.chunks) - 1
	b = binary.AppendVarint(binary.AppendUvarint(b, uint64(e.base)), e.chunks[last])
	for _, c := range e.chunks[:last] {
		b = binary.LittleEndian.AppendUint32(b, uint32(c))
	}
	return b
}

func (e *exact) load(r *reader) {
	e.clear()
	e.special = r.byte()
	n := r.uvarint()
	if n == 0 {
		return
	}
	base, top := r.uvarint(), r.varint()
	if e.special > hasNaN|hasInf|hasMinusInf || base > lastChunk || n > lastChunk+1-base || top>>32 != top>>63 || uint64(len(r.rest)) < 4*(n-1) {
		r.fail()
		return
	}
	e.base = int16(base)
	for range n - 1 {
		e.chunks = append(e.chunks, int64(binary.LittleEndian.Uint32(r.rest)))
		r.rest = r.rest[4:]
	}
	e.chunks = append(e.chunks, top)
}

// float is the double nearest to the sum times 2^by, of two the even one. It is NaN where one was added or infinities of
// both signs, and never -0.
func (e *exact) float(by int) float64 {
	switch {
	case e.special&hasNaN != 0 || e.special&(hasInf|hasMinusInf) == hasInf|hasMinusInf:
		return math.NaN()
	case e.special != 0:
		return math.Inf(1 - 2*int(e.special&hasMinusInf/hasMinusInf))
	}
	e.carry()
	var digits [lastChunk + 3]uint32 // of the sum without its sign, the lowest first
	n := len(e.chunks)
	if n == 0 {
		return 0
	}
	negative, carry := e.chunks[n-1] < 0, int64(0)
	for i, c := range e.chunks {
		if negative {
			c = -c
		}
		c += carry
		digits[i], carry = uint32(c), c>>32
	}
	digits[n] = uint32(carry)
	for ; n >= 0 && digits[n] == 0; n-- {
	}
	if n < 0 {
		return 0
	}
	f := math.Ldexp(leading(digits[:n+1]), 32*(n-1+int(e.base))-origin+by)
	if negative {
		return -f
	}
	return f
}

// leading is the double nearest to digits of 32 bits, the last but one of which counts ones and the last not 0.
func leading(digits []uint32) float64 {
	at := func(i int) uint64 {
		if i < 0 {
			return 0
		}
		return uint64(digits[i])
	}
	last := len(digits) - 1
	head := at(last)<<32 | at(last-1)
	shift := uint(bits.LeadingZeros64(head))
	rest := at(last-2) << shift
	head = head<<shift | rest>>32
	sticky := uint32(rest)
	for i := range max(last-2, 0) {
		sticky |= digits[i]
	}
	if sticky != 0 {
		head |= 1 // 64 bits round to 53 as all of them would
	}
	return math.Ldexp(float64(head), -int(shift))
}

// big is the sum in units of 2^-origin, as long as nothing special was added.
func (e *exact) big() *big.Int {
	e.carry()
	sum := new(big.Int)
	for i := len(e.chunks) - 1; i >= 0; i-- {
		sum.Lsh(sum, 32)
		sum.Add(sum, big.NewInt(e.chunks[i]))
	}
	return sum.Lsh(sum, 32*uint(e.base))
}
