package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
)

var errLevels = errors.New("its levels or indexes end early")

// decodeHybrid appends the first n values of width bits in src, which levels.go draws. Values are at most
// limit.
func decodeHybrid(dst []int32, src []byte, n, width int, limit int32) ([]int32, error) {
	if width > 32 {
		return nil, fmt.Errorf("levels or indexes of %d bits", width)
	}
	for n > 0 {
		h, k := binary.Uvarint(src)
		if k <= 0 {
			return nil, errLevels
		}
		src = src[k:]
		count := n
		if h>>1 < uint64(n) {
			count = int(h >> 1)
		}
		if h&1 == 0 {
			v, rest, err := runValue(src, width)
			if err != nil {
				return nil, err
			}
			src = rest
			for range count {
				dst = append(dst, v)
			}
		} else {
			size := uint64(len(src))
			if groups := h >> 1; width > 0 && groups < size/uint64(width)+1 {
				size = min(size, groups*uint64(width))
			}
			if h>>1 < uint64(n) {
				count = min(n, int(h>>1)*8)
			}
			if uint64(count)*uint64(width) > size*8 {
				return nil, errLevels
			}
			dst = unpack(dst, src[:size], count, width)
			src = src[size:]
		}
		if count == 0 {
			return nil, errLevels
		}
		for _, v := range dst[len(dst)-count:] {
			if uint32(v) > uint32(limit) {
				return nil, fmt.Errorf("a level or an index is %d, above %d", uint32(v), limit)
			}
		}
		n -= count
	}
	return dst, nil
}

// runValue reads the value of a run.
func runValue(src []byte, width int) (v int32, rest []byte, err error) {
	size := (width + 7) / 8
	if len(src) < size {
		return 0, nil, errLevels
	}
	for i := range size {
		v |= int32(src[i]) << (8 * i)
	}
	return v, src[size:], nil
}

// unpack appends n values of width bits each; src has them all.
func unpack(dst []int32, src []byte, n, width int) []int32 {
	word, have, mask := uint64(0), 0, uint64(1)<<width-1
	for range n {
		for have < width {
			word |= uint64(src[0]) << have
			src, have = src[1:], have+8
		}
		dst = append(dst, int32(word&mask))
		word, have = word>>width, have-width
	}
	return dst
}
