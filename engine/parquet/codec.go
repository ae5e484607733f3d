package parquet

import (
	"fmt"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
)

// A codec compresses pages. It may be used by several goroutines at once.
type codec struct {
	id   format.CompressionCodec
	name string        // as in names of files, with the dot: ".snappy"
	zstd *zstd.Encoder // nil unless id is Zstd
}

func newCodec(c Compression) (codec, error) {
	switch c {
	case Snappy:
		return codec{id: format.Snappy, name: ".snappy"}, nil
	case Zstd:
		// Pages are small: a window of their size does, and takes less memory than the usual one. Two may
		// compress at a time, the lane and the sealing of the epoch before.
		z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2),
			zstd.WithWindowSize(1<<20), zstd.WithEncoderCRC(false), zstd.WithZeroFrames(true))
		if err != nil {
			return codec{}, fmt.Errorf("zstd: %w", err)
		}
		return codec{id: format.Zstd, name: ".zstd", zstd: z}, nil
	default:
		return codec{id: format.Uncompressed}, nil
	}
}

// bound is how many bytes n bytes can become.
func (c *codec) bound(n int) int {
	switch c.id {
	case format.Snappy:
		return s2.MaxEncodedLen(n)
	case format.Zstd:
		return c.zstd.MaxEncodedSize(n)
	default:
		return n
	}
}

// encode compresses src into dst, which has bound(len(src)) bytes, and gives the part of dst it has filled.
func (c *codec) encode(dst, src []byte) []byte {
	switch c.id {
	case format.Snappy:
		return s2.EncodeSnappy(dst, src)
	case format.Zstd:
		// On its way to a result that fits, the encoder may need more room than dst has, and takes other.
		out := c.zstd.EncodeAll(src, dst[:0:len(dst)])
		return dst[:copy(dst, out)]
	default:
		return dst[:copy(dst, src)]
	}
}
