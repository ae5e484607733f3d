package kinesis

import (
	"slices"
	"sort"
	"sync"

	"github.com/millrace-io/millrace/engine"
)

// A mark says which record of the stream an offset belongs to: 32 bytes for each record that is delivered and not
// committed.
type mark struct {
	first int64 // offset of the record, or of its first user record, times two; and one if it is an aggregated one
	seq   sequence
}

func newMark(first engine.Offset, seq sequence, aggregated bool) mark {
	m := mark{int64(first) << 1, seq}
	if aggregated {
		m.first |= 1
	}
	return m
}

func (m mark) at() engine.Offset { return engine.Offset(m.first >> 1) }

// marks are those of a shard, in order. Invariant: at() of one is less than that of the next.
type marks struct {
	mu    sync.Mutex
	from  engine.Start // where reading began
	next  engine.Offset
	marks []mark
}

// add takes the marks of records that are about to be delivered; next is the offset after the last of them.
func (m *marks) add(all []mark, next engine.Offset) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.marks)+len(all) > cap(m.marks) { // twice as large: append would copy a large one more often
		m.marks = slices.Grow(m.marks, len(m.marks)+len(all))
	}
	m.marks = append(m.marks, all...)
	m.next = next
}

// position is where the record at o is, or "".
func (m *marks) position(o engine.Offset) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if o == m.from.From-1 {
		return m.from.After
	}
	i := m.upto(o)
	if i < 0 || o >= m.next {
		return ""
	}
	p := position{seq: m.marks[i].seq, sub: whole}
	if m.marks[i].first&1 != 0 {
		p.sub = int(o - m.marks[i].at())
	}
	return p.String()
}

// upto is the place of the mark that o belongs to, or -1.
func (m *marks) upto(o engine.Offset) int {
	return sort.Search(len(m.marks), func(i int) bool { return m.marks[i].at() > o }) - 1
}

// committed forgets what lies before the last record that is committed.
func (m *marks) committed(next engine.Offset) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := m.upto(next - 1); i > 0 {
		m.marks = append(m.marks[:0], m.marks[i:]...)
	}
}
