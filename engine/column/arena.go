package column

import (
	"slices"
	"sync"
	"sync/atomic"
)

// An Arena owns the columns and scratch slices of one batch on its way from decode to the table. All
// that share the batch hold the arena; when the last one releases it, its memory serves another batch.
//
// Taking memory (Column, Alias, Selection, Longs, Keys) is for one goroutine at a time: the one that owns the batch.
// Retain and Release are safe from any.
type Arena struct {
	refs    atomic.Int32
	pool    *Pool
	parent  *Arena // held as long as this one is; nil: none
	child   bool   // it was made by Child, and serves children only
	columns map[Type]*shelf[Column]
	aliases shelf[*Texts]
	sels    shelf[Selection]
	longs   shelf[[]int64]
	keys    shelf[[]Key]
	onFree  func() // called once, when the last owner releases
}

// A shelf hands out what it holds in order and takes all of it back at once.
type shelf[T any] struct {
	items []T
	used  int
}

// NewArena makes an arena that no pool takes back; tests and edges use it.
func NewArena() *Arena { return new(Pool).Get() }

func newArena() *Arena {
	a := &Arena{columns: map[Type]*shelf[Column]{}}
	a.refs.Store(1)
	return a
}

// Column gives an empty column of type t that lives as long as the arena is held.
func (a *Arena) Column(t Type) Column {
	s := a.columns[t]
	if s == nil {
		s = &shelf[Column]{}
		a.columns[t] = s
	}
	if s.used == len(s.items) {
		s.items = append(s.items, New(t))
	}
	c := s.items[s.used]
	s.used++
	return c
}

// Alias gives a column that shares the bytes of t and has a validity of its own, which says at first what
// that of t says: who only takes values away copies no text. It lives as long as both arenas are held.
// Appending to it leaves t alone; Truncate and Reset are not for it, for appends after them would not.
func (a *Arena) Alias(t *Texts) *Texts {
	if a.aliases.used == len(a.aliases.items) {
		a.aliases.items = append(a.aliases.items, &Texts{})
	}
	c := a.aliases.items[a.aliases.used]
	a.aliases.used++
	c.typ = t.typ
	c.Offsets, c.Data = slices.Clip(t.Offsets), slices.Clip(t.Data)
	c.Valid.CopyFrom(&t.Valid)
	return c
}

// Selection gives an empty selection with room for n rows. It is not nil.
func (a *Arena) Selection(n int) Selection {
	if a.sels.used == len(a.sels.items) {
		a.sels.items = append(a.sels.items, nil)
	}
	s := &a.sels.items[a.sels.used]
	a.sels.used++
	if cap(*s) < n || *s == nil {
		*s = make(Selection, 0, max(n, 64))
	}
	return (*s)[:0]
}

// Longs gives a slice of n values of unspecified content.
func (a *Arena) Longs(n int) []int64 {
	if a.longs.used == len(a.longs.items) {
		a.longs.items = append(a.longs.items, nil)
	}
	s := &a.longs.items[a.longs.used]
	a.longs.used++
	if cap(*s) < n {
		*s = make([]int64, n+n/8)
	}
	return (*s)[:n]
}

// Keys gives a slice of n keys of unspecified content.
func (a *Arena) Keys(n int) []Key {
	if a.keys.used == len(a.keys.items) {
		a.keys.items = append(a.keys.items, nil)
	}
	s := &a.keys.items[a.keys.used]
	a.keys.used++
	if cap(*s) < n {
		*s = make([]Key, n+n/8)
	}
	return (*s)[:n]
}

// OnFree has f called once, when the last owner releases the arena.
func (a *Arena) OnFree(f func()) { a.onFree = f }

// Size is the memory held, in bytes.
func (a *Arena) Size() int {
	size := 0
	for _, s := range a.columns {
		for _, c := range s.items {
			size += c.Size()
		}
	}
	for _, c := range a.aliases.items {
		size += cap(c.Valid.words) * 8
	}
	for _, s := range a.sels.items {
		size += cap(s) * 4
	}
	for _, s := range a.longs.items {
		size += cap(s) * 8
	}
	for _, s := range a.keys.items {
		size += cap(s) * 16
	}
	return size
}

// Child gives an arena with one owner that holds a. Who passes a batch on to another goroutine gives it a
// child: each side takes memory from its own, and both hold what the batch has now.
func (a *Arena) Child() *Arena {
	c := a.pool.get(true)
	a.Retain()
	c.parent = a
	return c
}

// Retain adds an owner.
func (a *Arena) Retain() { a.refs.Add(1) }

// Release takes an owner away. After the last one all memory taken from the arena is reused: nobody may
// hold on to it.
func (a *Arena) Release() {
	switch n := a.refs.Add(-1); {
	case n > 0:
	case n < 0:
		panic("column: arena released more often than retained")
	default:
		if f := a.onFree; f != nil {
			a.onFree = nil
			f()
		}
		parent := a.parent
		a.parent = nil
		if a.pool != nil {
			a.reset()
			a.pool.put(a)
		}
		if parent != nil {
			parent.Release()
		}
	}
}

func (a *Arena) reset() {
	for _, s := range a.columns {
		for _, c := range s.items[:s.used] {
			c.Reset()
		}
		s.used = 0
	}
	for _, c := range a.aliases.items[:a.aliases.used] {
		c.Offsets, c.Data = nil, nil // they are the other column's: they must not be kept alive by this one
		c.Valid.Reset()
	}
	a.aliases.used, a.sels.used, a.longs.used, a.keys.used = 0, 0, 0, 0
}

// A Pool keeps arenas for reuse. It holds at most as many as were in use at once, and children apart from
// the others: they hold little, and would come to hold as much as batches do if they changed places with
// those. The zero Pool is ready.
type Pool struct {
	mu       sync.Mutex
	free     []*Arena
	children []*Arena
}

// largestKept is the size in bytes up to which an arena is kept: one that a huge record has made is not.
const largestKept = 16 << 20

// Get gives an arena with one owner.
func (p *Pool) Get() *Arena { return p.get(false) }

func (p *Pool) get(child bool) *Arena {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.list(child)
	if n := len(*list); n > 0 {
		a := (*list)[n-1]
		*list = (*list)[:n-1]
		a.refs.Store(1)
		return a
	}
	a := newArena()
	a.pool, a.child = p, child
	return a
}

func (p *Pool) list(child bool) *[]*Arena {
	if child {
		return &p.children
	}
	return &p.free
}

func (p *Pool) put(a *Arena) {
	if a.Size() > largestKept {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.list(a.child)
	*list = append(*list, a)
}
