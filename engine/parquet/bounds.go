package parquet

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"

	"github.com/millrace-io/millrace/engine/column"
)

// numberBounds is the least and the greatest of numbers. NaNs are left out, as Parquet asks, and kept apart.
type numberBounds[T number] struct {
	min, max T
	some     bool // a number was seen
	nan      T    // a NaN that was seen, if any
}

func (b *numberBounds[T]) add(values []T) {
	for len(values) > 0 && !b.some {
		v := values[0]
		if values = values[1:]; v == v {
			b.min, b.max, b.some = v, v, true
		} else {
			b.nan = v
		}
	}
	lo, hi := b.min, b.max
	for _, v := range values {
		if v < lo {
			lo = v
		}
		if v > hi {
			hi = v
		}
		if v != v {
			b.nan = v
		}
	}
	b.min, b.max = lo, hi
}

// appendEnds adds the least and the greatest number and a NaN, those that were seen.
func (b *numberBounds[T]) appendEnds(to column.Column) {
	f := to.(*column.Fixed[T])
	if b.some {
		f.Append(b.min)
		f.Append(b.max)
	}
	if b.nan != b.nan {
		f.Append(b.nan)
	}
}

// bytes gives the bounds as statistics have them. A zero is written as -0 below and +0 above: readers may
// tell the two apart (parquet.thrift, ColumnOrder).
func (b *numberBounds[T]) bytes() (lower, upper []byte, ok bool) {
	lower, upper = appendRaw(nil, []T{b.min}), appendRaw(nil, []T{b.max})
	if half := T(1) / 2; half != 0 { // floats
		if b.min == 0 {
			clear(lower)
			lower[len(lower)-1] = 0x80
		}
		if b.max == 0 {
			clear(upper)
		}
	}
	return lower, upper, b.some
}

// textBounds is the least and the greatest of texts, compared as bytes.
type textBounds struct {
	min, max []byte
	some     bool

	// What settles nearly every comparison: how many bytes min and max begin with that are the same, as those
	// of addresses are, and the eight that follow.
	shared           int
	minHead, maxHead uint64
}

func (b *textBounds) reset() { b.some = false }

// add takes the rows from to to of c, whether or not they have a value.
func (b *textBounds) add(c *column.Texts, from, to int) {
	if from == to {
		return
	}
	lo := int(c.Offsets[from])
	for _, end := range c.Offsets[from+1 : to+1] {
		hi := int(end)
		if !b.inside(c.Data[lo:hi]) {
			b.take(c.Data[lo:hi])
		}
		lo = hi
	}
}

// inside says for most texts within the bounds that they are.
func (b *textBounds) inside(v []byte) bool {
	if !b.some || len(v) < b.shared+8 || b.shared > 0 && string(v[:b.shared]) != string(b.min[:b.shared]) {
		return false
	}
	h := binary.BigEndian.Uint64(v[b.shared:])
	return b.minHead < h && h < b.maxHead
}

func (b *textBounds) take(v []byte) {
	below, above := !b.some || bytes.Compare(v, b.min) < 0, !b.some || bytes.Compare(v, b.max) > 0
	if below {
		b.min = append(b.min[:0], v...)
	}
	if above {
		b.max = append(b.max[:0], v...)
	}
	if below || above {
		b.some, b.shared = true, common(b.min, b.max)
		b.minHead, b.maxHead = head(b.min[b.shared:]), head(b.max[b.shared:])
	}
}

// appendEnds adds the least and the greatest text, if there is one.
func (b *textBounds) appendEnds(to column.Column) {
	if b.some {
		t := to.(*column.Texts)
		t.Append(b.min)
		t.Append(b.max)
	}
}

// head orders as the first eight bytes of v do.
func head(v []byte) uint64 {
	var first [8]byte
	copy(first[:], v)
	return binary.BigEndian.Uint64(first[:])
}

// common is how many bytes a and b begin with that are the same.
func common(a, b []byte) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// boundLength is the length in bytes up to which a text is a bound as it is. Statistics can't say that a
// bound is not a value of the column, and some readers take it for one, so only what would bloat the
// footer is cut.
const boundLength = 256

// bytes gives the bounds as statistics have them. Both or none: readers take a lone one for two.
func (b *textBounds) bytes(isUTF8 bool) (lower, upper []byte, ok bool) {
	if !b.some {
		return nil, nil, false
	}
	upper, ok = above(b.max, isUTF8)
	return cut(b.min, isUTF8), upper, ok
}

// cut is v, or its beginning if it is long.
func cut(v []byte, isUTF8 bool) []byte {
	if len(v) <= boundLength {
		return v
	}
	n := boundLength
	for isUTF8 && n > boundLength-utf8.UTFMax && !utf8.RuneStart(v[n]) {
		n--
	}
	return v[:n]
}

// above is v, or if it is long something shorter that is greater; ok is false if there is nothing.
func above(v []byte, isUTF8 bool) (upper []byte, ok bool) {
	if len(v) <= boundLength {
		return v, true
	}
	upper = bytes.Clone(cut(v, isUTF8))
	if isUTF8 {
		return nextText(upper)
	}
	for i := len(upper) - 1; i >= 0; i-- {
		if upper[i]++; upper[i] != 0 {
			return upper[:i+1], true
		}
	}
	return nil, false
}

// nextText is the shortest beginning of v with its last character replaced by a greater one, such that it is
// greater than all that begins with v.
func nextText(v []byte) (upper []byte, ok bool) {
	for len(v) > 0 {
		r, size := utf8.DecodeLastRune(v)
		v = v[:len(v)-size]
		switch {
		case r == utf8.RuneError && size == 1:
			return nil, false
		case r == 0xd7ff:
			return utf8.AppendRune(v, 0xe000), true // between them are surrogates, which are no characters
		case r < utf8.MaxRune:
			return utf8.AppendRune(v, r+1), true
		}
	}
	return nil, false
}
