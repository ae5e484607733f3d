package column

import "math/bits"

// A Validity says which rows of a column have a value. It is the Arrow validity bitmap, made only when
// the first null comes: a column without nulls costs a counter.
//
// The zero Validity is empty and ready for use.
type Validity struct {
	words []uint64 // bit i of word i/64 is set where row i has a value; nil while nulls == 0
	n     int      // rows
	nulls int
}

// Len is the number of rows.
func (v *Validity) Len() int { return v.n }

// Nulls is the number of rows without a value.
func (v *Validity) Nulls() int { return v.nulls }

// Null says whether row i has no value.
func (v *Validity) Null(i int) bool {
	return v.nulls > 0 && v.words[uint(i)/64]&(1<<(uint(i)%64)) == 0
}

// Append adds a row with a value.
func (v *Validity) Append() {
	if v.nulls > 0 {
		v.grow(v.n + 1)
		v.words[uint(v.n)/64] |= 1 << (uint(v.n) % 64)
	}
	v.n++
}

// AppendNull adds a row without a value.
func (v *Validity) AppendNull() {
	if v.nulls == 0 {
		v.materialise()
	}
	v.grow(v.n + 1)
	v.n++
	v.nulls++
}

// AppendN adds n rows with a value.
func (v *Validity) AppendN(n int) {
	if v.nulls == 0 {
		v.n += n
		return
	}
	for ; n > 64; n -= 64 {
		v.appendBits(^uint64(0), 64)
	}
	v.appendBits(1<<n-1, n)
}

// appendRows adds what src says of the rows sel, or of its first n rows when sel is nil.
func (v *Validity) appendRows(src *Validity, sel Selection, n int) {
	switch {
	case src.nulls == 0:
		v.AppendN(sel.Count(n))
	case sel == nil:
		for i := 0; i < n; i += 64 {
			count := min(n-i, 64)
			v.appendBits(src.words[i/64]&(1<<count-1), count)
		}
	default:
		for len(sel) > 0 {
			count := min(len(sel), 64)
			word := uint64(0)
			for i, row := range sel[:count] {
				word |= src.words[uint32(row)/64] >> (uint32(row) % 64) & 1 << i
			}
			v.appendBits(word, count)
			sel = sel[count:]
		}
	}
}

// appendBits adds count rows, at most 64; row i has a value where bit i of word is set. Bits from count on
// must be zero.
func (v *Validity) appendBits(word uint64, count int) {
	missing := count - bits.OnesCount64(word)
	if v.nulls+missing == 0 {
		v.n += count
		return
	}
	if v.nulls == 0 {
		v.materialise()
	}
	at, shift := v.n/64, uint(v.n)%64
	v.n += count
	v.nulls += missing
	v.grow(v.n)
	if count == 0 {
		return
	}
	v.words[at] |= word << shift
	if int(shift)+count > 64 {
		v.words[at+1] |= word >> (64 - shift)
	}
}

// SetNull takes the value of row i away.
func (v *Validity) SetNull(i int) {
	if v.nulls == 0 {
		v.materialise()
	}
	bit := uint64(1) << (uint(i) % 64)
	if v.words[uint(i)/64]&bit != 0 {
		v.words[uint(i)/64] &^= bit
		v.nulls++
	}
}

// CopyFrom makes v say what o says.
func (v *Validity) CopyFrom(o *Validity) {
	v.words = append(v.words[:0], o.words...)
	v.n, v.nulls = o.n, o.nulls
}

// And takes away the values of v that o has not; both must have the same length.
func (v *Validity) And(o *Validity) {
	if o.nulls == 0 {
		return
	}
	if v.nulls == 0 {
		v.materialise()
	}
	set := 0
	for i := range v.words {
		v.words[i] &= o.words[i]
		set += bits.OnesCount64(v.words[i])
	}
	v.nulls = v.n - set
}

// Words is the bitmap, least significant bit first, or nil when no row is null. It is lent: valid until
// the next change.
func (v *Validity) Words() []uint64 {
	if v.nulls == 0 {
		return nil
	}
	return v.words
}

// Reset empties v and keeps its memory.
func (v *Validity) Reset() { v.words, v.n, v.nulls = v.words[:0], 0, 0 }

// Truncate drops all rows from n on.
func (v *Validity) Truncate(n int) {
	if n >= v.n {
		return
	}
	v.n = n
	if v.nulls == 0 {
		return
	}
	v.words = v.words[:(n+63)/64]
	if r := uint(n) % 64; r > 0 {
		v.words[n/64] &= 1<<r - 1
	}
	v.nulls = n
	for _, w := range v.words {
		v.nulls -= bits.OnesCount64(w)
	}
	if v.nulls == 0 {
		v.words = v.words[:0]
	}
}

// materialise writes the bitmap of n rows that all have a value. Invariant: bits past n are zero.
func (v *Validity) materialise() {
	v.words = v.words[:0]
	v.grow(v.n)
	for i := range v.n / 64 {
		v.words[i] = ^uint64(0)
	}
	if r := uint(v.n) % 64; r > 0 {
		v.words[v.n/64] = 1<<r - 1
	}
}

func (v *Validity) grow(rows int) {
	for len(v.words)*64 < rows {
		v.words = append(v.words, 0)
	}
}
