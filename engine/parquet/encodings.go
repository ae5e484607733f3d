package parquet

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace-io/millrace/engine/column"
)

// Here are the encodings of values that writers use (Encodings.md), as far as decode.go needs them.

// words32 decodes n values of 32 bits.
func words32(body []byte, n int, e format.Encoding) ([]uint32, error) {
	switch e {
	case format.Plain, format.ByteStreamSplit:
		body, err := fixed(body, n, 4, e)
		if err != nil {
			return nil, err
		}
		v := make([]uint32, n)
		for i := range v {
			v[i] = binary.LittleEndian.Uint32(body[4*i:])
		}
		return v, nil
	case format.DeltaBinaryPacked:
		wide, _, err := deltas(body, n)
		if err != nil {
			return nil, err
		}
		v := make([]uint32, n)
		for i := range v {
			v[i] = uint32(wide[i])
		}
		return v, nil
	}
	return nil, errEncoding(e)
}

// words64 decodes n values of 64 bits.
func words64(body []byte, n int, e format.Encoding) ([]uint64, error) {
	switch e {
	case format.Plain, format.ByteStreamSplit:
		body, err := fixed(body, n, 8, e)
		if err != nil {
			return nil, err
		}
		v := make([]uint64, n)
		for i := range v {
			v[i] = binary.LittleEndian.Uint64(body[8*i:])
		}
		return v, nil
	case format.DeltaBinaryPacked:
		v, _, err := deltas(body, n)
		return v, err
	}
	return nil, errEncoding(e)
}

// words96 decodes n values of 96 bits.
func words96(body []byte, n int, e format.Encoding) ([][12]byte, error) {
	if e != format.Plain {
		return nil, errEncoding(e)
	}
	body, err := fixed(body, n, 12, e)
	if err != nil {
		return nil, err
	}
	v := make([][12]byte, n)
	for i := range v {
		v[i] = [12]byte(body[12*i:])
	}
	return v, nil
}

// int96Micros is the time that old writers put into 96 bits: nanoseconds of the day, and the Julian day.
func int96Micros(t [12]byte) int64 {
	const epoch, dayMicros = 2440588, 24 * 60 * 60 * 1_000_000
	nanos := int64(binary.LittleEndian.Uint64(t[:]))
	day := int64(int32(binary.LittleEndian.Uint32(t[8:])))
	return (day-epoch)*dayMicros + floorDiv(nanos, 1000)
}

// fixed gives n values of size bytes, one behind the other. BYTE_STREAM_SPLIT has first the first bytes of
// all values, then the second ones, and so on.
func fixed(body []byte, n, size int, e format.Encoding) ([]byte, error) {
	if len(body) < n*size {
		return nil, errShort
	}
	if e == format.Plain {
		return body[:n*size], nil
	}
	out := make([]byte, n*size)
	for k := range size {
		for i := range n {
			out[i*size+k] = body[k*n+i]
		}
	}
	return out, nil
}

// deltas decodes n numbers encoded as DELTA_BINARY_PACKED:
//
//	values in a block, miniblocks in a block, values, first value
//	a block: the least delta, a width for each miniblock, its miniblocks of deltas less the least one
//
// It gives what follows them.
func deltas(b []byte, n int) (values []uint64, rest []byte, err error) {
	var h [3]uint64
	for i := range h {
		if h[i], b, err = uvarint(b); err != nil {
			return nil, nil, err
		}
	}
	perBlock, minis, total := h[0], h[1], h[2]
	if total != uint64(n) || perBlock == 0 || perBlock > 1<<20 || minis == 0 || perBlock%minis != 0 || perBlock/minis%8 != 0 {
		return nil, nil, fmt.Errorf("it is corrupt: deltas of %d values in blocks of %d with %d parts, where %d values are said to be", total, perBlock, minis, n)
	}
	last, b, err := varint(b)
	if err != nil || n == 0 {
		return nil, b, err
	}
	values = append(make([]uint64, 0, n), last)
	for len(values) < n {
		if values, b, err = deltaBlock(values, b, n, int(perBlock/minis), int(minis)); err != nil {
			return nil, nil, err
		}
	}
	return values, b, nil
}

// deltaBlock appends a block's values, n in all at most.
func deltaBlock(values []uint64, b []byte, n, perMini, minis int) ([]uint64, []byte, error) {
	least, b, err := varint(b)
	if err != nil {
		return nil, nil, err
	}
	if len(b) < minis {
		return nil, nil, errShort
	}
	widths, b := b[:minis], b[minis:]
	last := values[len(values)-1]
	for _, w := range widths {
		if len(values) == n { // miniblocks without values are left out
			break
		}
		width, count := int(w), min(perMini, n-len(values))
		if width > 64 || len(b)*8 < count*width {
			return nil, nil, errShort
		}
		for i := range count {
			last += least + bitsIn(b, i*width, width)
			values = append(values, last)
		}
		b = b[min(len(b), perMini*width/8):]
	}
	return values, b, nil
}

// bitsIn gives the width bits, at most 64, of b from bit at on.
func bitsIn(b []byte, at, width int) uint64 {
	v := uint64(0)
	for have := 0; have < width; {
		off := (at + have) % 8
		v |= uint64(b[(at+have)/8]>>off) << have
		have += 8 - off
	}
	if width < 64 {
		v &= 1<<width - 1
	}
	return v
}

func uvarint(b []byte) (uint64, []byte, error) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, errShort
	}
	return v, b[n:], nil
}

// varint reads a signed number, which it gives in two's complement.
func varint(b []byte) (uint64, []byte, error) {
	v, n := binary.Varint(b)
	if n <= 0 {
		return 0, nil, errShort
	}
	return uint64(v), b[n:], nil
}

// decodeTexts takes what can be read as string or binary.
func decodeTexts(dst *column.Texts, s *source, body []byte, n int, e format.Encoding) error {
	if len(dst.Data)+len(body) > math.MaxInt32 && e != format.DeltaByteArray {
		return errTooLarge
	}
	switch {
	case s.physical == format.FixedLenByteArray && e != format.DeltaByteArray:
		if e != format.Plain && e != format.ByteStreamSplit {
			return errEncoding(e)
		}
		if s.length > len(body) && n > 0 {
			return errShort
		}
		body, err := fixed(body, n, s.length, e)
		for i := 0; err == nil && i < n; i++ {
			dst.Append(body[i*s.length : (i+1)*s.length])
		}
		return err
	case e == format.Plain:
		return plainTexts(dst, body, n)
	case e == format.DeltaLengthByteArray:
		return deltaLengthTexts(dst, body, n)
	case e == format.DeltaByteArray:
		return deltaTexts(dst, body, n)
	}
	return errEncoding(e)
}

// plainTexts reads texts with four bytes of length before each.
func plainTexts(dst *column.Texts, body []byte, n int) error {
	for range n {
		if len(body) < 4 {
			return errShort
		}
		size := uint64(binary.LittleEndian.Uint32(body))
		if body = body[4:]; size > uint64(len(body)) {
			return errShort
		}
		dst.Append(body[:size])
		body = body[size:]
	}
	return nil
}

// deltaLengthTexts reads the lengths of all texts and then the texts.
func deltaLengthTexts(dst *column.Texts, body []byte, n int) error {
	sizes, body, err := deltas(body, n)
	for i := 0; err == nil && i < n; i++ {
		if sizes[i] > uint64(len(body)) {
			return errShort
		}
		dst.Append(body[:sizes[i]])
		body = body[sizes[i]:]
	}
	return err
}

// deltaTexts reads how many bytes each text shares with the one before, the lengths of the rest, and the
// rests.
func deltaTexts(dst *column.Texts, body []byte, n int) error {
	shared, body, err := deltas(body, n)
	if err != nil {
		return err
	}
	sizes, body, err := deltas(body, n)
	if err != nil {
		return err
	}
	var text []byte
	for i := range n {
		if shared[i] > uint64(len(text)) || sizes[i] > uint64(len(body)) {
			return errShort
		}
		text = append(text[:shared[i]], body[:sizes[i]]...)
		body = body[sizes[i]:]
		if len(dst.Data)+len(text) > math.MaxInt32 {
			return errTooLarge
		}
		dst.Append(text)
	}
	return nil
}
