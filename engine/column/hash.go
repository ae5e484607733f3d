package column

import (
	"encoding/binary"
	"math"

	"github.com/zeebo/xxh3"
)

// A Key is the 128-bit hash of a row's key columns. It stands for the key itself: with a random seed two
// of a billion keys collide with a probability below 10^-20 (docs/decisions/0003-keys-are-hashes.md).
type Key struct{ Hi, Lo uint64 }

// Slots is the number of shares that keys are split into; fixed for the life of a pipeline.
const Slots = 256

// Slot is the share of keys that k belongs to.
func (k Key) Slot() int { return int(k.Hi >> 56) }

// nullKey is what a null in the only key column hashes to: a text no value can be taken for, as it is
// hashed under another seed.
func nullKey(seed uint64) Key { return key(xxh3.HashString128Seed("null", ^seed)) }

func key(u xxh3.Uint128) Key { return Key{Hi: u.Hi, Lo: u.Lo} }

// A Hasher computes keys. It keeps a scratch buffer: one goroutine at a time.
type Hasher struct {
	seed    uint64
	scratch []byte
}

// NewHasher makes a hasher; keys agree only between hashers of one seed.
func NewHasher(seed uint64) *Hasher { return &Hasher{seed: seed} }

// Keys sets dst[row], for each of the rows sel (of n when sel is nil), to the key made of cols; dst has
// length n and its other elements are left alone. The columns' types are Keyable. Nulls are equal to each other and to nothing else; -0
// equals 0 and every NaN every other NaN.
func (h *Hasher) Keys(dst []Key, cols []Column, sel Selection, n int) {
	if len(cols) == 1 {
		if t, ok := cols[0].(*Texts); ok {
			h.texts(dst, t, sel, n)
			return
		}
	}
	for row := range sel.All(n) {
		h.scratch = h.scratch[:0]
		for _, c := range cols {
			h.scratch = appendValue(h.scratch, c, row)
		}
		dst[row] = key(xxh3.Hash128Seed(h.scratch, h.seed))
	}
}

func (h *Hasher) texts(dst []Key, t *Texts, sel Selection, n int) {
	for row := range sel.All(n) {
		if t.Valid.Null(row) {
			dst[row] = nullKey(h.seed)
			continue
		}
		dst[row] = key(xxh3.Hash128Seed(t.At(row), h.seed))
	}
}

// appendValue writes a value so that no two different rows of one schema give the same bytes:
//
//	null    0
//	fixed   1, 8 bytes little endian, a decimal 16
//	text    1, length as 8 bytes little endian, bytes
//	list    1, length as 8 bytes little endian, each element as above
//	struct  1, each field as above
//
// Maps have no key: see Type.Keyable.
func appendValue(b []byte, c Column, row int) []byte {
	if c.Nulls().Null(row) {
		return append(b, 0)
	}
	b = append(b, 1)
	switch c := c.(type) {
	case *Bools:
		if c.Values[row] {
			return binary.LittleEndian.AppendUint64(b, 1)
		}
		return binary.LittleEndian.AppendUint64(b, 0)
	case *Bytes:
		return binary.LittleEndian.AppendUint64(b, uint64(c.Values[row]))
	case *Shorts:
		return binary.LittleEndian.AppendUint64(b, uint64(c.Values[row]))
	case *Ints:
		return binary.LittleEndian.AppendUint64(b, uint64(c.Values[row]))
	case *Longs:
		return binary.LittleEndian.AppendUint64(b, uint64(c.Values[row]))
	case *Floats:
		return binary.LittleEndian.AppendUint64(b, canonical(float64(c.Values[row])))
	case *Doubles:
		return binary.LittleEndian.AppendUint64(b, canonical(c.Values[row]))
	case *Decimals:
		b = binary.LittleEndian.AppendUint64(b, c.Values[row].Lo)
		return binary.LittleEndian.AppendUint64(b, uint64(c.Values[row].Hi))
	case *Texts:
		b = binary.LittleEndian.AppendUint64(b, uint64(c.Offsets[row+1]-c.Offsets[row]))
		return append(b, c.At(row)...)
	case *Structs:
		for _, f := range c.Fields {
			b = appendValue(b, f, row)
		}
		return b
	case *List:
		if c.typ.Kind == Map {
			panic("column: a key of a map")
		}
		lo, hi := c.Offsets[row], c.Offsets[row+1]
		b = binary.LittleEndian.AppendUint64(b, uint64(hi-lo))
		for i := lo; i < hi; i++ {
			b = appendValue(b, c.Elem, int(i))
		}
		return b
	}
	panic("column: no such column")
}

// canonical gives the bits of f with one zero and one NaN.
func canonical(f float64) uint64 {
	if f == 0 {
		f = 0
	}
	if math.IsNaN(f) {
		f = math.NaN()
	}
	return math.Float64bits(f)
}
