package parquet

import (
	"encoding/binary"
	"math/bits"
	"sync"
	"unsafe"
)

// memory lends buffers whose sizes are powers of two and takes them back, so that the files of a Writer,
// one after the other, are written in the same memory. It holds at most as many as were lent at once.
// Its methods may be called from several goroutines. The zero memory is ready.
type memory struct {
	mu   sync.Mutex
	free [largestBuffer + 1][][]byte // by the logarithm of their size
}

// Buffers below 2^smallestBuffer bytes are not worth the trouble, those above 2^largestBuffer are not kept:
// they are made for single values larger than a page.
const (
	smallestBuffer = 12
	largestBuffer  = 27
)

// get lends an empty buffer with a capacity of at least n bytes.
func (m *memory) get(n int) []byte {
	class := max(bits.Len(uint(n-1)), smallestBuffer)
	if n <= 0 {
		class = smallestBuffer
	}
	if class > largestBuffer {
		return make([]byte, 0, n)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if f := m.free[class]; len(f) > 0 {
		b := f[len(f)-1]
		m.free[class] = f[:len(f)-1]
		return b[:0]
	}
	return make([]byte, 0, 1<<class)
}

// put takes back what get lent. nil is fine.
func (m *memory) put(b []byte) {
	c := cap(b)
	if c < 1<<smallestBuffer || c > 1<<largestBuffer || c&(c-1) != 0 {
		return
	}
	class := bits.Len(uint(c)) - 1
	m.mu.Lock()
	m.free[class] = append(m.free[class], b)
	m.mu.Unlock()
}

// grow gives b room for n more bytes, in a larger buffer if need be, which takes b's place.
func (m *memory) grow(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b
	}
	larger := append(m.get(max(len(b)+n, 2*cap(b))), b...)
	m.put(b)
	return larger
}

// A stash keeps compressed pages, one behind the other, until the row group ends.
type stash struct {
	mem      *memory
	segments [][]byte
	kept     int // bytes kept
}

// Segments grow from smallSegment, so that a file with few rows takes little memory, to largeSegment, so
// that the end of a segment in which the next page has no room is small against the rest.
const (
	smallSegment = 32 << 10
	largeSegment = 4 << 20
)

// room gives n bytes that nobody uses. What the caller has filled of them, keep keeps.
func (s *stash) room(n int) []byte {
	if k := len(s.segments); k > 0 {
		if last := s.segments[k-1]; cap(last)-len(last) >= n {
			return last[len(last) : len(last)+n]
		}
	}
	size := min(largeSegment, max(smallSegment, 2*s.capacity()))
	s.segments = append(s.segments, s.mem.get(max(size, n)))
	return s.segments[len(s.segments)-1][:n]
}

// keep keeps the first n bytes that room gave.
func (s *stash) keep(n int) {
	last := &s.segments[len(s.segments)-1]
	*last = (*last)[:len(*last)+n]
	s.kept += n
}

// drop gives up the last n bytes of what was kept last.
func (s *stash) drop(n int) {
	last := &s.segments[len(s.segments)-1]
	*last = (*last)[:len(*last)-n]
	s.kept -= n
}

// capacity is the memory taken, in bytes.
func (s *stash) capacity() int {
	n := 0
	for _, segment := range s.segments {
		n += cap(segment)
	}
	return n
}

// reset gives all memory back: nobody may hold on to what was kept.
func (s *stash) reset() {
	for i, segment := range s.segments {
		s.mem.put(segment)
		s.segments[i] = nil
	}
	s.segments, s.kept = s.segments[:0], 0
}

// number is what has a fixed width in a page and in a dictionary.
type number interface {
	int32 | int64 | float32 | float64
}

func width[T number]() int {
	var v T
	return int(unsafe.Sizeof(v))
}

// appendRaw appends the values as PLAIN has them: little endian.
func appendRaw[T number](b []byte, values []T) []byte {
	if len(values) == 0 {
		return b
	}
	if littleEndian() {
		return append(b, unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), len(values)*width[T]())...)
	}
	b, _ = binary.Append(b, binary.LittleEndian, values) // fails for types without a fixed width only
	return b
}

// littleEndian says whether this machine keeps numbers as Parquet does.
func littleEndian() bool {
	one := uint16(1)
	return *(*byte)(unsafe.Pointer(&one)) == 1
}
