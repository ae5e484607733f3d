package parquet

import (
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/compress/lz4"
	"github.com/parquet-go/parquet-go/format"
)

// A decompressor decompresses pages of any writer. What it gives is never larger than the page says.
type decompressor struct {
	zstd *zstd.Decoder // nil before the first page that needs it
}

// page gives the size bytes that b was made of.
func (d *decompressor) page(c format.CompressionCodec, b []byte, size int) (out []byte, err error) {
	if size == 0 && len(b) == 0 { // of nulls alone
		return nil, nil
	}
	switch c {
	case format.Uncompressed:
		out = b
	case format.Snappy:
		out, err = unsnappy(b, size)
	case format.Gzip:
		out, err = gunzip(b, size)
	case format.Zstd:
		out, err = d.unzstd(b, size)
	case format.Lz4Raw:
		out, err = new(lz4.Codec).Decode(make([]byte, size), b)
	default:
		return nil, fmt.Errorf("pages compressed with %v can't be read", c)
	}
	if err != nil {
		return nil, fmt.Errorf("decompress a page: %w", err)
	}
	if len(out) != size {
		return nil, fmt.Errorf("it is corrupt: a page of %d bytes instead of %d", len(out), size)
	}
	return out, nil
}

func unsnappy(b []byte, size int) ([]byte, error) {
	if n, err := snappy.DecodedLen(b); err != nil || n != size {
		return nil, fmt.Errorf("it says to have %d bytes instead of %d", n, size)
	}
	return snappy.Decode(nil, b)
}

func gunzip(b []byte, size int) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, int64(size)+1))
}

func (d *decompressor) unzstd(b []byte, size int) (out []byte, err error) {
	if d.zstd == nil {
		d.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true))
		if err != nil {
			return nil, err
		}
	}
	return d.zstd.DecodeAll(b, make([]byte, 0, max(size, 1))) // a capacity of 0 is no limit
}
