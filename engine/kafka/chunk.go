package kafka

import (
	"sync"
	"sync/atomic"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// A chunk is what one fetch brought of one partition: whole batches, or an error. Who receives it releases
// it.
type chunk struct {
	batches []byte // memory of the buffer
	aborted []kmsg.FetchResponseTopicPartitionAbortedTransaction
	buffer  *buffer // nil: none
	err     error   // why there is no more; batches is then empty
}

// release gives the memory back.
func (c *chunk) release() {
	if c.buffer != nil {
		c.buffer.release()
	}
	*c = chunk{}
}

// A buffer is the memory of one answer. The fetcher and the chunks use it; the last one gives it back.
type buffer struct {
	bytes []byte
	users atomic.Int32
	pool  *buffers
}

func (b *buffer) release() {
	if b.users.Add(-1) == 0 {
		b.pool.put(b)
	}
}

// buffers keeps the memory of answers. Memory made anew costs more than the reading: the kernel clears it.
type buffers struct {
	size int // bytes of one: what an answer normally has at most
	pool sync.Pool
}

// small answers come where a partition has been read to its end; they leave the large buffers alone.
const small = 64 << 10

// get gives a buffer of n bytes with one user.
func (p *buffers) get(n int) *buffer {
	var b *buffer
	if n > small {
		b, _ = p.pool.Get().(*buffer)
	}
	switch {
	case b != nil && cap(b.bytes) >= n:
	case n > p.size:
		b = &buffer{bytes: make([]byte, n+n/4), pool: p} // a single batch; others will be as large
	case n > small:
		b = &buffer{bytes: make([]byte, p.size), pool: p}
	default:
		b = &buffer{bytes: make([]byte, n), pool: p}
	}
	b.bytes = b.bytes[:n]
	b.users.Store(1)
	return b
}

func (p *buffers) put(b *buffer) {
	if cap(b.bytes) > small {
		p.pool.Put(b)
	}
}
