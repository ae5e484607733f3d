package engine

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-io/millrace/engine/column"
)

func batchUpto(upto Time) *Batch { return &Batch{Upto: upto, Arena: column.NewArena()} }

func TestInboxHoldsWhatComesBehindABarrier(t *testing.T) {
	in := newInbox(10)
	a, b := in.join(1, MinTime), in.join(1, MinTime)
	in.put(a, message{barrier: barrier{epoch: 1, upto: 5}})
	in.put(a, message{batch: batchUpto(9)})
	in.put(b, message{batch: batchUpto(3)})
	in.put(b, message{barrier: barrier{epoch: 1, upto: 4}})

	want := []struct {
		barrier Epoch
		upto    Time
	}{{0, 3}, {1, 4}, {0, 4}}
	for i, w := range want {
		m, upto, ok := in.take()
		if !ok || m.epoch != w.barrier || upto != w.upto {
			t.Fatalf("message %d: barrier %d, upto %d, ok %v; want barrier %d, upto %d", i, m.epoch, upto, ok, w.barrier, w.upto)
		}
	}
}

// A partition that joins with epoch 2 has no part in the alignment of epoch 1, which may still be going on.
func TestInboxNewSenderWaitsForItsFirstEpoch(t *testing.T) {
	in := newInbox(10)
	a, b := in.join(1, MinTime), in.join(1, MinTime)
	in.put(a, message{barrier: barrier{epoch: 1}})
	c := in.join(2, MinTime)
	in.put(c, message{barrier: barrier{epoch: 2}})
	in.put(b, message{barrier: barrier{epoch: 1}})
	in.put(a, message{barrier: barrier{epoch: 2}})
	in.put(b, message{barrier: barrier{epoch: 2}})
	for epoch := Epoch(1); epoch <= 2; epoch++ {
		if m, _, ok := in.take(); !ok || m.epoch != epoch {
			t.Fatalf("took barrier %d, want %d", m.epoch, epoch)
		}
	}
}

func TestInboxMakesSendersWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newInbox(1)
		a := in.join(1, MinTime)
		in.put(a, message{batch: batchUpto(1)})
		put := false
		go func() { put = in.put(a, message{batch: batchUpto(2)}) }()
		synctest.Wait()
		if put {
			t.Fatal("a second batch found room in an inbox for one")
		}
		in.take()
		synctest.Wait()
		if !put {
			t.Fatal("the sender still waits though there is room")
		}
		if !in.put(a, message{barrier: barrier{epoch: 1}}) {
			t.Fatal("a barrier was made to wait")
		}
		in.stop()
		if in.put(a, message{barrier: barrier{epoch: 2}}) {
			t.Fatal("a stopped inbox took a message")
		}
		if _, _, ok := in.take(); ok {
			t.Fatal("a stopped inbox gave a message")
		}
	})
}

func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(100)
		var mine, other reserve
		freeShared, _ := b.take(t.Context(), 80, &mine)
		freeReserve, _ := b.take(t.Context(), 50, &mine) // does not fit: the reserve, whatever the size
		taken := false
		go func() {
			free, err := b.take(t.Context(), 30, &mine)
			taken = err == nil
			free()
		}()
		synctest.Wait()
		if taken {
			t.Fatal("a partition took more than the budget and its reserve")
		}
		if _, err := b.take(t.Context(), 1000, &other); err != nil {
			t.Fatalf("another partition's reserve: %v", err)
		}
		freeShared()
		synctest.Wait()
		if !taken {
			t.Fatal("freed memory was not given on")
		}
		freeReserve()
		if got := b.inUse(); got != 0 {
			t.Fatalf("%d bytes in use after all were freed", got)
		}
	})
}

func TestBudgetGivesUpWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(1)
		taken := reserve{taken: true}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := b.take(ctx, 2, &taken); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v, want the context's error", err)
		}
	})
}

func TestChain(t *testing.T) {
	c := newChain()
	names := func() string {
		s := ""
		for _, r := range c.refs() {
			s += r.Name
		}
		return s
	}
	steps := []struct {
		name     string
		sections []Section
		want     string
	}{
		{"a", []Section{{Operator: "x", Slot: 1}, {Operator: "x", Slot: 2}}, "a"},
		{"b", []Section{{Operator: "x", Slot: 1}}, "ab"},
		{"c", []Section{{Operator: "x", Slot: 1, Whole: true}}, "ac"}, // b's only section is replaced
		{"d", []Section{{Operator: "x", Slot: 2, Whole: true}}, "cd"}, // and a's last one
		{"e", []Section{{Operator: "y", Slot: 2}}, "cde"},             // another operator's slot 2
	}
	for _, s := range steps {
		c.add(StateRef{Name: s.name}, s.sections)
		if got := names(); got != s.want {
			t.Fatalf("after %s: objects %q, want %q", s.name, got, s.want)
		}
	}
}

func TestCountingSections(t *testing.T) {
	objects := [][]Section{
		{{Operator: "x", Slot: 1, Data: []byte("old")}, {Operator: "x", Slot: 2, Data: []byte("two")}},
		{{Operator: "x", Slot: 1, Whole: true, Data: []byte("new")}},
		{{Operator: "x", Slot: 1, Data: []byte("more")}},
	}
	got := ""
	for i, numbers := range counting(objects) {
		for _, n := range numbers {
			got += string(objects[i][n].Data) + " "
		}
	}
	if want := "two new more "; got != want {
		t.Fatalf("sections that count: %q, want %q", got, want)
	}
}

func TestSlotsOfLanes(t *testing.T) {
	for width := 1; width <= column.Slots; width++ {
		for n := range width {
			first, end := slotRange(n, width)
			for slot := first; slot < end; slot++ {
				if got := laneOf(slot, width); got != n {
					t.Fatalf("slot %d of %d lanes: exchange says lane %d, lane %d says it is its own", slot, width, got, n)
				}
			}
			if n == width-1 && end != column.Slots || n == 0 && first != 0 {
				t.Fatalf("%d lanes own slots %d to %d only", width, first, end)
			}
		}
	}
}
