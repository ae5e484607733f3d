package engine

import (
	"context"
	"sync"
)

// An inbox is where a lane gets its batches: one bounded queue a sender, taken in turn, and aligned on
// barriers. Once a sender's barrier has been taken nothing more is taken from it until the barriers of
// all senders are in; what it sends waits in its queue, and then so does the sender.
//
// put is called by one goroutine a sender, take by the lane alone.
type inbox struct {
	mu      sync.Mutex
	changed sync.Cond
	queues  []*queue
	turn    int // the queue to look at first
	stopped bool
	bound   int // batches a sender may have waiting
}

type queue struct {
	items   []message
	barrier Epoch // its barrier that has been taken and waits for those of the others; 0: none
	quiet   bool  // with barrier
	first   Epoch // the first epoch whose barrier the sender sends
	upto    Time  // of the last batch taken
}

// A message is a batch, or a barrier where batch is nil. The receiver owns one reference to the batch's
// arena.
type message struct {
	batch *Batch
	barrier
}

// A barrier ends an epoch for a sender.
type barrier struct {
	epoch Epoch
	upto  Time // the sender's promise
	quiet bool // nothing has changed since the barrier before, and no promise
}

// newInbox makes an inbox that holds up to bound batches a sender.
func newInbox(bound int) *inbox {
	in := &inbox{bound: bound}
	in.changed.L = &in.mu
	return in
}

// join adds a sender and gives its number. Its first barrier is that of epoch first; upto is its promise
// before its first batch.
func (in *inbox) join(first Epoch, upto Time) int {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.queues = append(in.queues, &queue{first: first, upto: upto})
	return len(in.queues) - 1
}

// put adds a message of a sender. A batch waits for room; a barrier never does. It gives false, and has
// not taken the message, when the inbox was stopped.
func (in *inbox) put(sender int, m message) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	q := in.queues[sender]
	for m.batch != nil && len(q.items) >= in.bound && !in.stopped {
		in.changed.Wait()
	}
	if in.stopped {
		return false
	}
	q.items = append(q.items, m)
	in.changed.Broadcast()
	return true
}

// take gives the next batch, or the barrier of an epoch once all senders have sent it; upto is the
// smallest promise of all senders with the message counted. ok is false when the inbox was stopped.
func (in *inbox) take() (m message, upto Time, ok bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for !in.stopped {
		if m, ok := in.next(); ok {
			in.changed.Broadcast()
			return m, in.upto(), true
		}
		in.changed.Wait()
	}
	return message{}, 0, false
}

// next gives a message that may be taken now.
func (in *inbox) next() (message, bool) {
	for i := range in.queues {
		q := in.queues[(in.turn+i)%len(in.queues)]
		if q.barrier != 0 || len(q.items) == 0 {
			continue
		}
		m := q.pop()
		if m.batch != nil {
			q.upto = m.batch.Upto
			in.turn = (in.turn + i + 1) % len(in.queues)
			return m, true
		}
		q.upto, q.barrier, q.quiet = m.upto, m.epoch, m.quiet
		if quiet, all := in.align(m.epoch); all {
			m.quiet = quiet
			return m, true
		}
	}
	return message{}, false
}

// align says whether the barrier of epoch is in from every sender that sends it, and then lets them go on; quiet is
// whether it was for all of them.
func (in *inbox) align(epoch Epoch) (quiet, all bool) {
	for _, q := range in.queues {
		if q.barrier != epoch && q.first <= epoch {
			return false, false
		}
	}
	quiet = true
	for _, q := range in.queues {
		if q.barrier == epoch {
			q.barrier = 0
			quiet = quiet && q.quiet
		}
	}
	return quiet, true
}

func (in *inbox) upto() Time {
	least := MaxTime
	for _, q := range in.queues {
		least = min(least, q.upto)
	}
	return least
}

// stop ends all waiting and releases what is queued.
func (in *inbox) stop() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.stopped = true
	for _, q := range in.queues {
		for _, m := range q.items {
			if m.batch != nil {
				m.batch.Arena.Release()
			}
		}
		q.items = nil
	}
	in.changed.Broadcast()
}

func (q *queue) pop() message {
	m := q.items[0]
	q.items[0] = message{}
	if q.items = q.items[1:]; len(q.items) == 0 {
		q.items = nil
	}
	return m
}

// A budget bounds the memory of all batches in flight. Each partition has room for one batch of its own
// outside the shared part, so that a partition whose barrier others wait for can always go on.
type budget struct {
	mu    sync.Mutex
	freed sync.Cond
	limit int64 // bytes shared
	used  int64
}

// A reserve is the room of one partition outside the shared part.
type reserve struct{ taken bool }

func newBudget(limit int64) *budget {
	b := &budget{limit: limit}
	b.freed.L = &b.mu
	return b
}

// take waits for room for size bytes, from the shared part or, whatever the size, from the partition's
// reserve; free gives it back. It fails only when ctx is done.
func (b *budget) take(ctx context.Context, size int64, r *reserve) (free func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.used+size > b.limit && r.taken {
		defer context.AfterFunc(ctx, b.wake)()
	}
	for b.used+size > b.limit && r.taken {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		b.freed.Wait()
	}
	if b.used+size <= b.limit {
		b.used += size
		return func() { b.give(func() { b.used -= size }) }, nil
	}
	r.taken = true
	return func() { b.give(func() { r.taken = false }) }, nil
}

func (b *budget) give(change func()) {
	b.mu.Lock()
	change()
	b.mu.Unlock()
	b.freed.Broadcast()
}

// wake has all waiters look again. It holds the lock so that none is between its test and its Wait.
func (b *budget) wake() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.freed.Broadcast()
}

// inUse is the shared part taken, in bytes.
func (b *budget) inUse() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}
