package enginetest

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/checkpoint"
)

// fullShards is what a stream of shards remembers over all lives of its readers. In a law the children of a partition are
// born when a reader has come to its end. In a simulation (timed) they are born at a moment of the life at hand, wherever the
// readers are then, and until then their parents are open.
type fullShards struct {
	early bool // all are listed from the beginning
	timed bool

	mu   sync.Mutex
	born map[int]bool      // it is there, by a split or merge; those without parents always are
	due  map[int]time.Time // when those are born that are not, and will be in this life
	told map[int]bool      // a reader has said in this life that it has ended
	slow time.Duration     // how long it takes in this life to say which partitions there are
}

func newStream(early, timed bool) *fullShards {
	return &fullShards{early: early, timed: timed, born: map[int]bool{}, told: map[int]bool{}}
}

// bear lets the children of a partition be there, and whatever must be there before them.
func (f *fullShards) bear(p int, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var ancestry func(p int)
	ancestry = func(p int) {
		f.born[p] = true
		for _, parent := range parentsOf(p) {
			ancestry(parent)
		}
	}
	for _, c := range childrenOf(p, n) {
		ancestry(c)
	}
}

// there says whether a partition is listed.
func (f *fullShards) there(p int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if at, ok := f.due[p]; ok && !time.Now().Before(at) {
		f.born[p] = true
	}
	return f.early || f.born[p] || len(parentsOf(p)) == 0
}

// wait waits as long as an answer takes.
func (f *fullShards) wait(ctx context.Context) error {
	f.mu.Lock()
	slow := f.slow
	f.mu.Unlock()
	select {
	case <-time.After(slow):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// end waits until a partition, whose records a reader has, has ended; false: it stays open.
func (f *fullShards) end(ctx context.Context, p, n int) bool {
	children := childrenOf(p, n)
	switch {
	case len(children) == 0:
		return false
	case !f.timed:
		f.bear(p, n)
		return true
	}
	for !f.there(children[0]) {
		f.mu.Lock()
		at, due := f.due[children[0]]
		f.mu.Unlock()
		if !due {
			return false
		}
		select {
		case <-time.After(time.Until(at)):
		case <-ctx.Done():
			return false
		}
	}
	return true
}

func (f *fullShards) note(p int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told[p] = true
}

// slowest is how long it takes at most to say which partitions there are.
const slowest = 3 * time.Second

// latest is how long after its parents, or the life's start, a partition is born.
const latest = 400 * time.Millisecond

// live begins a life in which all of n partitions are born that are as old as upto says, in per cent: some as it begins,
// others while it runs.
func (f *fullShards) live(rnd *rand.Rand, upto, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.due = map[int]time.Time{}
	clear(f.told)
	if f.slow = 0; rnd.IntN(4) > 0 {
		f.slow = time.Duration(rnd.Int64N(int64(slowest)))
	}
	for p := range n { // parents come before their children
		if len(parentsOf(p)) == 0 || f.born[p] || 100*age(p) > ages*upto {
			continue
		}
		if first := childrenOf(parentsOf(p)[0], n)[0]; first < p {
			f.due[p], f.born[p] = f.due[first], f.born[first] // born with it
			continue
		}
		at := time.Now()
		for _, parent := range parentsOf(p) {
			if born, ok := f.due[parent]; ok && born.After(at) {
				at = born
			}
		}
		if rnd.IntN(3) > 0 {
			at = at.Add(time.Duration(rnd.Int64N(int64(latest))))
		}
		f.due[p] = at
	}
}

// come is how much of its records a partition of n has got by upto per cent of all time.
func come(records, p, upto, n int) int {
	closes := ages
	if children := childrenOf(p, n); len(children) > 0 {
		closes = age(children[0])
	}
	opened, open := 100*age(p), 100*(closes-age(p))
	return records * min(max(ages*upto-opened, 0), open) / open
}

// amid says which states between a parent's end and its children's beginning a process that died has left behind.
func (f *fullShards) amid(c *engine.Checkpoint, n int) map[string]bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	states := map[string]engine.PartitionState{}
	for _, s := range c.Partitions {
		states[s.Partition] = s
	}
	found := map[string]bool{}
	for p := range n {
		parent, known := states[strconv.Itoa(p)]
		for _, c := range childrenOf(p, n) {
			child, begun := states[strconv.Itoa(c)]
			switch {
			case !known || !f.born[c]:
			case !parent.Ended && f.told[p]:
				found["parent's end read and not committed"] = true
			case !parent.Ended:
				found["child there and parent not read to its end"] = true
			case !begun:
				found["parent's end committed and child not begun"] = true
			case child.Next == 0:
				found["child begun and nothing of it committed"] = true
			}
		}
	}
	return found
}

// amid counts a process that died amid a split or merge.
func (l *lives) amid(ctx context.Context) {
	c, err := checkpoint.New(blob.Sub(l.store, home)).Newest(ctx)
	if err != nil || c == nil {
		return
	}
	for state := range l.full.amid(c, len(l.in)) {
		l.toll.Amid[state]++
	}
}
