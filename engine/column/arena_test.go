package column_test

import (
	"sync"
	"testing"

	"github.com/millrace-io/millrace/engine/column"
)

// TestArenaReuse: what a batch released serves the next one, empty.
func TestArenaReuse(t *testing.T) {
	var pool column.Pool
	a := pool.Get()
	long, again := a.Column(column.Of(column.Long)), a.Column(column.Of(column.Long))
	if long == again {
		t.Fatal("one column given twice")
	}
	put(long, int64(1))
	put(again, nil)
	keys, longs := a.Keys(10), a.Longs(10)
	sel := append(a.Selection(5), 1, 2, 3)
	a.Release()

	b := pool.Get()
	if b != a {
		t.Fatal("the pool made a second arena")
	}
	if c := b.Column(column.Of(column.Long)); c != long || c.Len() != 0 {
		t.Errorf("got %p with %d rows, want %p, empty", c, c.Len(), long)
	}
	if c := b.Column(column.Of(column.Timestamp)); c.Type() != column.Of(column.Timestamp) {
		t.Errorf("got a %v", c.Type())
	}
	if k := b.Keys(8); len(k) != 8 || &k[0] != &keys[0] {
		t.Error("keys made anew")
	}
	if l := b.Longs(8); len(l) != 8 || &l[0] != &longs[0] {
		t.Error("longs made anew")
	}
	if s := b.Selection(4); s == nil || len(s) != 0 || &s[:1][0] != &sel[0] {
		t.Error("selection made anew, nil or not empty")
	}
}

// TestArenaGrows: a slice that is too small is replaced.
func TestArenaGrows(t *testing.T) {
	var pool column.Pool
	for _, n := range []int{1, 1000, 10} {
		a := pool.Get()
		if got := len(a.Keys(n)); got != n {
			t.Errorf("%d keys, want %d", got, n)
		}
		if got := len(a.Longs(n)); got != n {
			t.Errorf("%d longs, want %d", got, n)
		}
		if got := cap(a.Selection(n)); got < n {
			t.Errorf("room for %d rows, want %d", got, n)
		}
		a.Release()
	}
}

// TestArenaAllocatesNothing once it has been used.
func TestArenaAllocatesNothing(t *testing.T) {
	var pool column.Pool
	allocs := testing.AllocsPerRun(10, func() {
		a := pool.Get()
		for _, typ := range []column.Type{column.Of(column.Long), column.Of(column.String), column.ArrayOf(column.Double)} {
			c := a.Column(typ)
			for range 100 {
				c.AppendNull()
			}
		}
		a.Selection(100)
		a.Longs(100)
		a.Keys(100)
		a.Child().Release()
		a.Release()
	})
	if allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// TestArenaOwners: memory is held until the last owner has released it, children included.
func TestArenaOwners(t *testing.T) {
	var pool column.Pool
	freed := 0
	a := pool.Get()
	a.OnFree(func() { freed++ })
	c := a.Column(column.Of(column.String))
	put(c, "kept")
	a.Retain()
	child := a.Child()
	a.Release()
	a.Release()
	if freed != 0 || get(c, 0) != "kept" {
		t.Fatal("released under its child")
	}
	if other := pool.Get(); other == a {
		t.Fatal("reused under its child")
	}
	child.Release()
	if freed != 1 || c.Len() != 0 {
		t.Errorf("freed %d times, %d rows left", freed, c.Len())
	}
	a = pool.Get()
	a.Release()
	if freed != 1 {
		t.Error("OnFree was kept for the next batch")
	}
}

func TestArenaReleasedTooOften(t *testing.T) {
	a := column.NewArena()
	a.Release()
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	a.Release()
}

// TestArenaSize: it counts what is held, used or not.
func TestArenaSize(t *testing.T) {
	var pool column.Pool
	a := pool.Get()
	if a.Size() != 0 {
		t.Errorf("%d bytes in an empty arena", a.Size())
	}
	for _, typ := range types() {
		c := a.Column(typ)
		before := c.Size()
		for range 1000 {
			c.AppendNull()
		}
		if grown := c.Size() - before; grown < 1000 {
			t.Errorf("%v: a thousand rows took %d bytes", typ, grown)
		}
	}
	a.Keys(100)
	a.Longs(100)
	a.Selection(100)
	size := a.Size()
	if least := 100 * (16 + 8 + 4); size < least {
		t.Errorf("%d bytes, want at least %d", size, least)
	}
	a.Release()
	if b := pool.Get(); b.Size() != size {
		t.Errorf("%d bytes after reuse, want %d", b.Size(), size)
	}
}

// TestArenaAlias: taking values away from an alias, or appending to it, leaves the column it was made of.
func TestArenaAlias(t *testing.T) {
	var pool column.Pool
	owner, a := pool.Get(), pool.Get()
	text := owner.Column(column.Of(column.String)).(*column.Texts)
	put(text, "one")
	put(text, nil)
	put(text, "three")
	alias := a.Alias(text)
	alias.Valid.SetNull(0)
	put(alias, "four")
	for i, want := range []any{nil, nil, "three", "four"} {
		if got := get(alias, i); got != want {
			t.Errorf("alias, row %d: %v, want %v", i, got, want)
		}
	}
	for i, want := range []any{"one", nil, "three"} {
		if got := get(text, i); got != want {
			t.Errorf("row %d: %v, want %v", i, got, want)
		}
	}
	a.Release()
	if text.Len() != 3 || get(text, 2) != "three" {
		t.Error("the alias took the column's rows with it")
	}
}

// TestPoolConcurrent: arenas go from hand to hand between goroutines; for the race detector.
func TestPoolConcurrent(t *testing.T) {
	var pool column.Pool
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				a := pool.Get()
				put(a.Column(column.Of(column.Long)), int64(1))
				a.Retain()
				child := a.Child()
				done := make(chan struct{})
				go func() {
					child.Column(column.Of(column.Long)).AppendNull()
					child.Release()
					a.Release()
					close(done)
				}()
				a.Release()
				<-done
			}
		})
	}
	wg.Wait()
}
