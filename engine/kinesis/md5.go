package kinesis

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"hash"
	"math/bits"
)

// Each step of MD5 (RFC 1321) waits for the one before, so that a processor is idle half of the time. Two messages beside
// each other fill the gaps: aggregated records are checked in pairs, which costs a fifth less than the standard library's
// assembly, and checking is most of what an aggregated record costs.

// A sumState is MD5 between two blocks.
type sumState [4]uint32

func newSumState() sumState { return sumState{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476} }

// sumPair gives the MD5 of two messages.
func sumPair(p, q []byte) (x, y [md5.Size]byte) {
	s, r := newSumState(), newSumState()
	common := min(len(p), len(q)) &^ (md5.BlockSize - 1)
	s.blocks(&r, p[:common], q[:common])
	return s.finish(p, common), r.finish(q, common)
}

// finish gives the MD5 of a message of which the first done bytes, whole blocks, are in the state.
func (s sumState) finish(message []byte, done int) (sum [md5.Size]byte) {
	h := md5.New()
	b := []byte("md5\x01") // as hash.Hash marshals itself: the state, a block that is not full, the length
	for _, v := range s {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	b = append(b, make([]byte, md5.BlockSize)...)
	b = binary.BigEndian.AppendUint64(b, uint64(done))
	if err := h.(interface{ UnmarshalBinary([]byte) error }).UnmarshalBinary(b); err != nil {
		panic("kinesis: the standard library marshals MD5 in another way: " + err.Error())
	}
	write(h, message[done:])
	h.Sum(sum[:0])
	return sum
}

func write(h hash.Hash, b []byte) {
	if _, err := h.Write(b); err != nil {
		panic("kinesis: a hash does not take bytes: " + err.Error())
	}
}

// verify says of each record whether it looks like an aggregated one and has the MD5 of what it holds.
func verify(records []record) {
	var waiting *record
	for i := range records {
		r := &records[i]
		switch {
		case !looksAggregated(r.data):
		case waiting == nil:
			waiting = r
		default:
			x, y := sumPair(content(waiting.data), content(r.data))
			waiting.aggregated, r.aggregated = bytes.HasSuffix(waiting.data, x[:]), bytes.HasSuffix(r.data, y[:])
			waiting = nil
		}
	}
	if waiting != nil {
		x := md5.Sum(content(waiting.data))
		waiting.aggregated = bytes.HasSuffix(waiting.data, x[:])
	}
}

func md5F(a, b, c, d, m, t uint32, s int) uint32 { return b + bits.RotateLeft32(a+((c^d)&b^d)+m+t, s) }
func md5G(a, b, c, d, m, t uint32, s int) uint32 { return b + bits.RotateLeft32(a+(b&d)+(c&^d)+m+t, s) }
func md5H(a, b, c, d, m, t uint32, s int) uint32 { return b + bits.RotateLeft32(a+(b^c^d)+m+t, s) }
func md5I(a, b, c, d, m, t uint32, s int) uint32 { return b + bits.RotateLeft32(a+(c^(b|^d))+m+t, s) }

func word(b *[64]byte, i int) uint32 { return binary.LittleEndian.Uint32(b[4*i : 4*i+4]) }

// blocks takes as many blocks of both messages as both have.
func (s *sumState) blocks(r *sumState, p, q []byte) {
	a, b, c, d := s[0], s[1], s[2], s[3]
	k, l, m, n := r[0], r[1], r[2], r[3]
	for len(p) >= 64 && len(q) >= 64 {
		x, y := (*[64]byte)(p), (*[64]byte)(q)
		a0, b0, c0, d0, k0, l0, m0, n0 := a, b, c, d, k, l, m, n
		a, b, c, d, k, l, m, n = md5RoundF(x, y, a, b, c, d, k, l, m, n)
		a, b, c, d, k, l, m, n = md5RoundG(x, y, a, b, c, d, k, l, m, n)
		a, b, c, d, k, l, m, n = md5RoundH(x, y, a, b, c, d, k, l, m, n)
		a, b, c, d, k, l, m, n = md5RoundI(x, y, a, b, c, d, k, l, m, n)
		a, b, c, d, k, l, m, n = a+a0, b+b0, c+c0, d+d0, k+k0, l+l0, m+m0, n+n0
		p, q = p[64:], q[64:]
	}
	*s, *r = sumState{a, b, c, d}, sumState{k, l, m, n}
}

func md5RoundF(x, y *[64]byte, a, b, c, d, k, l, m, n uint32) (_, _, _, _, _, _, _, _ uint32) {
	a = md5F(a, b, c, d, word(x, 0), 0xd76aa478, 7)
	k = md5F(k, l, m, n, word(y, 0), 0xd76aa478, 7)
	d = md5F(d, a, b, c, word(x, 1), 0xe8c7b756, 12)
	n = md5F(n, k, l, m, word(y, 1), 0xe8c7b756, 12)
	c = md5F(c, d, a, b, word(x, 2), 0x242070db, 17)
	m = md5F(m, n, k, l, word(y, 2), 0x242070db, 17)
	b = md5F(b, c, d, a, word(x, 3), 0xc1bdceee, 22)
	l = md5F(l, m, n, k, word(y, 3), 0xc1bdceee, 22)
	a = md5F(a, b, c, d, word(x, 4), 0xf57c0faf, 7)
	k = md5F(k, l, m, n, word(y, 4), 0xf57c0faf, 7)
	d = md5F(d, a, b, c, word(x, 5), 0x4787c62a, 12)
	n = md5F(n, k, l, m, word(y, 5), 0x4787c62a, 12)
	c = md5F(c, d, a, b, word(x, 6), 0xa8304613, 17)
	m = md5F(m, n, k, l, word(y, 6), 0xa8304613, 17)
	b = md5F(b, c, d, a, word(x, 7), 0xfd469501, 22)
	l = md5F(l, m, n, k, word(y, 7), 0xfd469501, 22)
	a = md5F(a, b, c, d, word(x, 8), 0x698098d8, 7)
	k = md5F(k, l, m, n, word(y, 8), 0x698098d8, 7)
	d = md5F(d, a, b, c, word(x, 9), 0x8b44f7af, 12)
	n = md5F(n, k, l, m, word(y, 9), 0x8b44f7af, 12)
	c = md5F(c, d, a, b, word(x, 10), 0xffff5bb1, 17)
	m = md5F(m, n, k, l, word(y, 10), 0xffff5bb1, 17)
	b = md5F(b, c, d, a, word(x, 11), 0x895cd7be, 22)
	l = md5F(l, m, n, k, word(y, 11), 0x895cd7be, 22)
	a = md5F(a, b, c, d, word(x, 12), 0x6b901122, 7)
	k = md5F(k, l, m, n, word(y, 12), 0x6b901122, 7)
	d = md5F(d, a, b, c, word(x, 13), 0xfd987193, 12)
	n = md5F(n, k, l, m, word(y, 13), 0xfd987193, 12)
	c = md5F(c, d, a, b, word(x, 14), 0xa679438e, 17)
	m = md5F(m, n, k, l, word(y, 14), 0xa679438e, 17)
	b = md5F(b, c, d, a, word(x, 15), 0x49b40821, 22)
	l = md5F(l, m, n, k, word(y, 15), 0x49b40821, 22)
	return a, b, c, d, k, l, m, n
}

func md5RoundG(x, y *[64]byte, a, b, c, d, k, l, m, n uint32) (_, _, _, _, _, _, _, _ uint32) {
	a = md5G(a, b, c, d, word(x, 1), 0xf61e2562, 5)
	k = md5G(k, l, m, n, word(y, 1), 0xf61e2562, 5)
	d = md5G(d, a, b, c, word(x, 6), 0xc040b340, 9)
	n = md5G(n, k, l, m, word(y, 6), 0xc040b340, 9)
	c = md5G(c, d, a, b, word(x, 11), 0x265e5a51, 14)
	m = md5G(m, n, k, l, word(y, 11), 0x265e5a51, 14)
	b = md5G(b, c, d, a, word(x, 0), 0xe9b6c7aa, 20)
	l = md5G(l, m, n, k, word(y, 0), 0xe9b6c7aa, 20)
	a = md5G(a, b, c, d, word(x, 5), 0xd62f105d, 5)
	k = md5G(k, l, m, n, word(y, 5), 0xd62f105d, 5)
	d = md5G(d, a, b, c, word(x, 10), 0x02441453, 9)
	n = md5G(n, k, l, m, word(y, 10), 0x02441453, 9)
	c = md5G(c, d, a, b, word(x, 15), 0xd8a1e681, 14)
	m = md5G(m, n, k, l, word(y, 15), 0xd8a1e681, 14)
	b = md5G(b, c, d, a, word(x, 4), 0xe7d3fbc8, 20)
	l = md5G(l, m, n, k, word(y, 4), 0xe7d3fbc8, 20)
	a = md5G(a, b, c, d, word(x, 9), 0x21e1cde6, 5)
	k = md5G(k, l, m, n, word(y, 9), 0x21e1cde6, 5)
	d = md5G(d, a, b, c, word(x, 14), 0xc33707d6, 9)
	n = md5G(n, k, l, m, word(y, 14), 0xc33707d6, 9)
	c = md5G(c, d, a, b, word(x, 3), 0xf4d50d87, 14)
	m = md5G(m, n, k, l, word(y, 3), 0xf4d50d87, 14)
	b = md5G(b, c, d, a, word(x, 8), 0x455a14ed, 20)
	l = md5G(l, m, n, k, word(y, 8), 0x455a14ed, 20)
	a = md5G(a, b, c, d, word(x, 13), 0xa9e3e905, 5)
	k = md5G(k, l, m, n, word(y, 13), 0xa9e3e905, 5)
	d = md5G(d, a, b, c, word(x, 2), 0xfcefa3f8, 9)
	n = md5G(n, k, l, m, word(y, 2), 0xfcefa3f8, 9)
	c = md5G(c, d, a, b, word(x, 7), 0x676f02d9, 14)
	m = md5G(m, n, k, l, word(y, 7), 0x676f02d9, 14)
	b = md5G(b, c, d, a, word(x, 12), 0x8d2a4c8a, 20)
	l = md5G(l, m, n, k, word(y, 12), 0x8d2a4c8a, 20)
	return a, b, c, d, k, l, m, n
}

func md5RoundH(x, y *[64]byte, a, b, c, d, k, l, m, n uint32) (_, _, _, _, _, _, _, _ uint32) {
	a = md5H(a, b, c, d, word(x, 5), 0xfffa3942, 4)
	k = md5H(k, l, m, n, word(y, 5), 0xfffa3942, 4)
	d = md5H(d, a, b, c, word(x, 8), 0x8771f681, 11)
	n = md5H(n, k, l, m, word(y, 8), 0x8771f681, 11)
	c = md5H(c, d, a, b, word(x, 11), 0x6d9d6122, 16)
	m = md5H(m, n, k, l, word(y, 11), 0x6d9d6122, 16)
	b = md5H(b, c, d, a, word(x, 14), 0xfde5380c, 23)
	l = md5H(l, m, n, k, word(y, 14), 0xfde5380c, 23)
	a = md5H(a, b, c, d, word(x, 1), 0xa4beea44, 4)
	k = md5H(k, l, m, n, word(y, 1), 0xa4beea44, 4)
	d = md5H(d, a, b, c, word(x, 4), 0x4bdecfa9, 11)
	n = md5H(n, k, l, m, word(y, 4), 0x4bdecfa9, 11)
	c = md5H(c, d, a, b, word(x, 7), 0xf6bb4b60, 16)
	m = md5H(m, n, k, l, word(y, 7), 0xf6bb4b60, 16)
	b = md5H(b, c, d, a, word(x, 10), 0xbebfbc70, 23)
	l = md5H(l, m, n, k, word(y, 10), 0xbebfbc70, 23)
	a = md5H(a, b, c, d, word(x, 13), 0x289b7ec6, 4)
	k = md5H(k, l, m, n, word(y, 13), 0x289b7ec6, 4)
	d = md5H(d, a, b, c, word(x, 0), 0xeaa127fa, 11)
	n = md5H(n, k, l, m, word(y, 0), 0xeaa127fa, 11)
	c = md5H(c, d, a, b, word(x, 3), 0xd4ef3085, 16)
	m = md5H(m, n, k, l, word(y, 3), 0xd4ef3085, 16)
	b = md5H(b, c, d, a, word(x, 6), 0x04881d05, 23)
	l = md5H(l, m, n, k, word(y, 6), 0x04881d05, 23)
	a = md5H(a, b, c, d, word(x, 9), 0xd9d4d039, 4)
	k = md5H(k, l, m, n, word(y, 9), 0xd9d4d039, 4)
	d = md5H(d, a, b, c, word(x, 12), 0xe6db99e5, 11)
	n = md5H(n, k, l, m, word(y, 12), 0xe6db99e5, 11)
	c = md5H(c, d, a, b, word(x, 15), 0x1fa27cf8, 16)
	m = md5H(m, n, k, l, word(y, 15), 0x1fa27cf8, 16)
	b = md5H(b, c, d, a, word(x, 2), 0xc4ac5665, 23)
	l = md5H(l, m, n, k, word(y, 2), 0xc4ac5665, 23)
	return a, b, c, d, k, l, m, n
}

func md5RoundI(x, y *[64]byte, a, b, c, d, k, l, m, n uint32) (_, _, _, _, _, _, _, _ uint32) {
	a = md5I(a, b, c, d, word(x, 0), 0xf4292244, 6)
	k = md5I(k, l, m, n, word(y, 0), 0xf4292244, 6)
	d = md5I(d, a, b, c, word(x, 7), 0x432aff97, 10)
	n = md5I(n, k, l, m, word(y, 7), 0x432aff97, 10)
	c = md5I(c, d, a, b, word(x, 14), 0xab9423a7, 15)
	m = md5I(m, n, k, l, word(y, 14), 0xab9423a7, 15)
	b = md5I(b, c, d, a, word(x, 5), 0xfc93a039, 21)
	l = md5I(l, m, n, k, word(y, 5), 0xfc93a039, 21)
	a = md5I(a, b, c, d, word(x, 12), 0x655b59c3, 6)
	k = md5I(k, l, m, n, word(y, 12), 0x655b59c3, 6)
	d = md5I(d, a, b, c, word(x, 3), 0x8f0ccc92, 10)
	n = md5I(n, k, l, m, word(y, 3), 0x8f0ccc92, 10)
	c = md5I(c, d, a, b, word(x, 10), 0xffeff47d, 15)
	m = md5I(m, n, k, l, word(y, 10), 0xffeff47d, 15)
	b = md5I(b, c, d, a, word(x, 1), 0x85845dd1, 21)
	l = md5I(l, m, n, k, word(y, 1), 0x85845dd1, 21)
	a = md5I(a, b, c, d, word(x, 8), 0x6fa87e4f, 6)
	k = md5I(k, l, m, n, word(y, 8), 0x6fa87e4f, 6)
	d = md5I(d, a, b, c, word(x, 15), 0xfe2ce6e0, 10)
	n = md5I(n, k, l, m, word(y, 15), 0xfe2ce6e0, 10)
	c = md5I(c, d, a, b, word(x, 6), 0xa3014314, 15)
	m = md5I(m, n, k, l, word(y, 6), 0xa3014314, 15)
	b = md5I(b, c, d, a, word(x, 13), 0x4e0811a1, 21)
	l = md5I(l, m, n, k, word(y, 13), 0x4e0811a1, 21)
	a = md5I(a, b, c, d, word(x, 4), 0xf7537e82, 6)
	k = md5I(k, l, m, n, word(y, 4), 0xf7537e82, 6)
	d = md5I(d, a, b, c, word(x, 11), 0xbd3af235, 10)
	n = md5I(n, k, l, m, word(y, 11), 0xbd3af235, 10)
	c = md5I(c, d, a, b, word(x, 2), 0x2ad7d2bb, 15)
	m = md5I(m, n, k, l, word(y, 2), 0x2ad7d2bb, 15)
	b = md5I(b, c, d, a, word(x, 9), 0xeb86d391, 21)
	l = md5I(l, m, n, k, word(y, 9), 0xeb86d391, 21)
	return a, b, c, d, k, l, m, n
}
