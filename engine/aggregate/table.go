package aggregate

import (
	"unsafe"

	"github.com/millrace-io/millrace/engine/column"
)

// A cell is the state of one group, of the concrete type S.
type cell[S any] interface {
	*S
	merge(from *S)                      // puts the rows of from, another cell, into this one
	clear()                             // makes it empty; it may keep a little memory
	append(b []byte, fresh bool) []byte // as State.Append
	load(r *reader)                     // as State.Load; the cell may be left in any state where r is damaged
	size() int64                        // bytes held besides the S itself
}

// A kernel is what differs between aggregates whose groups have cells of one type: how arguments come in, and how the
// result comes out. It serves one State, and may hold scratch memory.
type kernel[S any] struct {
	// zero is an empty cell, with what a cell has to know of the aggregate. Clearing a cell leaves that alone.
	zero S

	// add puts rows[i] into cells[groups[i]], and says how many more bytes the cells hold then.
	add func(cells []S, in *Input, rows []int32, groups []uint32) int64

	// unmerge takes the rows of from, which were merged into s, out of it again; nil: that can't be done. It frees no memory.
	unmerge func(s, from *S)

	// result appends one row to out, and says why it could not be a value, or "".
	result func(out column.Column, s *S) string

	// sound says whether a cell that was loaded holds values of the types it is to hold; nil: any cell does.
	sound func(s *S) bool
}

// A table is the State of aggregates with a cell a group.
type table[S any, P cell[S]] struct {
	kernel[S]
	cells []S
	made  int   // cells that were ever used: those behind len are empty and may hold memory
	held  int64 // bytes held by cells besides themselves

	warmed byte // keeps the compiler from leaving out loads
}

// states gives what makes states with a kernel that has no scratch memory.
func states[S any, P cell[S]](k kernel[S]) func() State {
	return func() State { return &table[S, P]{kernel: k} }
}

// Grow makes groups exist.
func (t *table[S, P]) Grow(n int) {
	if n <= len(t.cells) {
		return
	}
	if n > cap(t.cells) {
		t.cells = append(make([]S, 0, max(n, roomier(cap(t.cells)))), t.cells[:t.made]...)
	}
	t.cells = t.cells[:n]
	for ; t.made < n; t.made++ {
		t.cells[t.made] = t.zero
	}
}

// roomier is how many cells there is room for after so many: twice as many, or where they are many an eighth more, for then
// memory is dearer than copies.
func roomier(n int) int {
	if n < 1<<14 {
		return 2 * n
	}
	return n + n/8
}

// Add takes rows of a batch.
func (t *table[S, P]) Add(in *Input, rows []int32, groups []uint32) {
	t.held += t.add(t.cells, in, rows, groups[:len(rows)])
}

// Merge takes groups of another state.
func (t *table[S, P]) Merge(from State, src, dst []uint32) {
	f := from.(*table[S, P])
	for i, g := range dst {
		to := P(&t.cells[g])
		before := to.size()
		to.merge(&f.cells[src[i]])
		t.held += to.size() - before
	}
}

func (t *table[S, P]) unmerges() bool { return t.unmerge != nil }

// Unmerge implements Unmerger.
func (t *table[S, P]) Unmerge(from State, src, dst []uint32) {
	f := from.(*table[S, P])
	for i, g := range dst {
		t.unmerge(&t.cells[g], &f.cells[src[i]])
	}
}

// Result appends a row a group.
func (t *table[S, P]) Result(out column.Column, groups []uint32, fail func(i int, detail string)) {
	t.warm(groups)
	for i, g := range groups {
		c := &t.cells[g]
		before := P(c).size() // a cell may put itself in order
		if detail := t.result(out, c); detail != "" {
			fail(i, detail)
		}
		t.held += P(c).size() - before
	}
}

// warm loads the cells of groups. These loads do not wait for one another, as those of a result and the next do: without it
// each of many groups costs the time of main memory.
func (t *table[S, P]) warm(groups []uint32) {
	sum := byte(0)
	for _, g := range groups {
		sum += *(*byte)(unsafe.Pointer(&t.cells[g]))
	}
	t.warmed = sum
}

// Clear empties a group.
func (t *table[S, P]) Clear(group uint32) {
	c := P(&t.cells[group])
	before := c.size()
	c.clear()
	t.held += c.size() - before
}

// Reset empties all.
func (t *table[S, P]) Reset() {
	for i := range t.cells {
		t.Clear(uint32(i))
	}
	t.cells = t.cells[:0]
}

// Append writes a group.
func (t *table[S, P]) Append(b []byte, group uint32, fresh bool) []byte {
	c := P(&t.cells[group])
	before := c.size()
	b = c.append(b, fresh)
	t.held += c.size() - before
	return b
}

// Load reads what Append has written.
func (t *table[S, P]) Load(b []byte, group uint32) (rest []byte, err error) {
	c := P(&t.cells[group])
	before := c.size()
	r := reader{rest: b}
	c.load(&r)
	t.held += c.size() - before
	if r.err == nil && t.sound != nil && !t.sound((*S)(c)) {
		r.fail()
	}
	return r.rest, r.err
}

// Bytes is the memory taken.
func (t *table[S, P]) Bytes() int64 {
	return t.held + int64(cap(t.cells))*int64(unsafe.Sizeof(*new(S)))
}
