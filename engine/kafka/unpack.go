package kafka

import (
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// An unpacker decompresses batches. Several goroutines may use it at once.
type unpacker struct {
	codecs kgo.Decompressor
	memory *plainMemory
}

func newUnpacker() *unpacker {
	m := &plainMemory{}
	return &unpacker{codecs: kgo.DefaultDecompressor(m), memory: m}
}

// records gives a batch's records as they were before compression. plain is memory to release when they
// are no longer needed; nil: they are the batch's own.
func (u *unpacker) records(b batch) (records, plain []byte, err error) {
	codec := kgo.CompressionCodecType(b.attributes() & compression)
	if codec == kgo.CodecNone {
		return b.records(), nil, nil
	}
	records, err = u.codecs.Decompress(b.records(), codec)
	if err != nil {
		return nil, nil, fmt.Errorf("decompress it: %w", err)
	}
	return records, records, nil
}

func (u *unpacker) release(plain []byte) {
	if plain != nil {
		u.memory.PutDecompressBytes(plain)
	}
}

// plainMemory is memory that batches are decompressed into.
type plainMemory struct{ pool sync.Pool }

// keepPlain bounds the memory of one batch that is kept.
const keepPlain = 4 << 20

// GetDecompressBytes implements kgo.PoolDecompressBytes.
func (m *plainMemory) GetDecompressBytes([]byte, kgo.CompressionCodecType) []byte {
	if b, ok := m.pool.Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return nil
}

// PutDecompressBytes implements kgo.PoolDecompressBytes.
func (m *plainMemory) PutDecompressBytes(b []byte) {
	if cap(b) <= keepPlain {
		m.pool.Put(&b)
	}
}
