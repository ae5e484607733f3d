package enginetest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/millrace-io/millrace/engine"
)

// parentsOf is the family of the partitions of an input for a Case that Reshards: 0 is split into 1 and 2, 3 stands alone
// until it is merged with 1 into 4, and 2 is split into 5 and 6, which merge into 7.
//
//	0 ─┬─ 1 ─┬─ 4
//	   │  3 ─┘
//	   └─ 2 ─┬─ 5 ─┬─ 7
//	         └─ 6 ─┘
func parentsOf(p int) []int {
	return [...][]int{nil, {0}, {0}, nil, {1, 3}, {2}, {2}, {5, 6}}[p]
}

// childrenOf is the children of a partition among the first n.
func childrenOf(p, n int) []int {
	var all []int
	for c := range n {
		if slices.Contains(parentsOf(c), p) {
			all = append(all, c)
		}
	}
	return all
}

// age is how many ancestors lie between a partition and the beginning.
func age(p int) int {
	oldest := 0
	for _, parent := range parentsOf(p) {
		oldest = max(oldest, 1+age(parent))
	}
	return oldest
}

// openAt lists those of n partitions that take records at a time, counted in ages.
func openAt(when, n int) []int {
	var all []int
	for p := range n {
		closes := 1 << 30
		for _, c := range childrenOf(p, n) {
			closes = min(closes, age(c))
		}
		if age(p) <= when && when < closes {
			all = append(all, p)
		}
	}
	return all
}

// ages is the number of times at which partitions open.
const ages = 4

// keyedTo is which of n partitions takes the records of a key at a time.
func keyedTo(key uint32, when, n int) int {
	var roots []int
	for p := range n {
		if len(parentsOf(p)) == 0 {
			roots = append(roots, p)
		}
	}
	pick := func(some []int) int {
		p := some[int(key)%len(some)]
		key /= uint32(len(some))
		return p
	}
	p := pick(roots)
	for children := childrenOf(p, n); len(children) > 0 && age(children[0]) <= when; children = childrenOf(p, n) {
		p = pick(children)
	}
	return p
}

// Shards is a Source whose partitions are split and merged, and that knows places by names of its own and no ends, as
// Kinesis does. A partition is listed from when it is born or, of some, from the beginning.
type Shards struct {
	*Source
	full *fullShards

	mu    sync.Mutex
	taken map[string]bool // the sink has all of a partition
	asked bool            // for partitions
}

func newShards(s *Source, full *fullShards) *Shards {
	return &Shards{Source: s, full: full, taken: map[string]bool{}}
}

// Partitions implements engine.Source.
func (s *Shards) Partitions(ctx context.Context) ([]engine.Partition, error) {
	all, err := s.Source.Partitions(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.describe(all); err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(p engine.Partition) bool { return !s.listed(p.Name) })
	s.mu.Lock()
	asked := s.asked
	s.asked = true
	s.mu.Unlock()
	if s.full.timed && asked { // the answer takes time, and epochs end meanwhile
		return all, s.full.wait(ctx)
	}
	return all, nil
}

func (s *Shards) describe(all []engine.Partition) error {
	for i := range all {
		p := &all[i]
		n, err := strconv.Atoi(p.Name)
		if err != nil {
			return err
		}
		p.First, p.End, p.ID, p.FirstAt = 0, engine.NoOffset, "made once", position(-1)
		for _, parent := range parentsOf(n) {
			p.Parents = append(p.Parents, strconv.Itoa(parent))
		}
	}
	return nil
}

// listed says whether a partition is shown.
func (s *Shards) listed(name string) bool {
	p, err := strconv.Atoi(name)
	if err != nil {
		return false
	}
	return s.full.there(p)
}

// position is the name of the place of a record; -1: before the first.
func position(o engine.Offset) string { return fmt.Sprint(o) }

// Position implements engine.Positioned.
func (s *Shards) Position(partition string, o engine.Offset) string {
	if next, _ := s.Handed(partition); o >= next {
		return ""
	}
	return position(o)
}

// CaughtUp implements engine.Chasing.
func (s *Shards) CaughtUp(partition string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken[partition]
}

// Behind implements engine.Chasing.
func (s *Shards) Behind() map[string]time.Duration { return nil }

// Read implements engine.Source.
func (s *Shards) Read(ctx context.Context, from []engine.Start, sink engine.Sink) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	var all sync.WaitGroup
	for _, start := range from {
		all.Go(func() {
			if err := s.readShard(ctx, start, sink); err != nil {
				end(err)
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

func (s *Shards) readShard(ctx context.Context, start engine.Start, sink engine.Sink) error {
	if want := position(start.From - 1); start.After != want {
		return fmt.Errorf("partition %s: asked to read record %d after %q, which is after %q", start.Partition, start.From, start.After, want)
	}
	p, err := strconv.Atoi(start.Partition)
	if err != nil {
		return err
	}
	s.note(start.Partition, start.From)
	if err := s.readRecords(ctx, start, sink); err != nil {
		return err
	}
	ended := s.full.end(ctx, p, len(s.in))
	s.mu.Lock()
	s.taken[start.Partition] = true
	s.mu.Unlock()
	if ended {
		s.full.note(p)
		return sink.Ended(start.Partition)
	}
	<-ctx.Done()
	return ctx.Err()
}
