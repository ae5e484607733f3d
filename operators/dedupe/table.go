package dedupe

import (
	"math/bits"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// A table holds the kept rows of one slot: open addressing in buckets, at least a quarter of the places
// free. A key has an entry for each of its rows that was kept, in no order.
//
//	bucket 0: places 0 to 7         bucket 1: places 8 to 15
//	tag 0 … tag 7 rest 0 … rest 7   tag 8 … tag 15 rest 8 … rest 15   …
//
// A search begins at a bucket's first place and goes on to the next bucket where one is full. So most
// searches touch the one line of memory that the tags of a bucket fill.
type table struct {
	buckets []bucket
	used    int         // entries
	newest  engine.Time // of all entries; unspecified where used is 0
	floor   engine.Time // entries before it may be gone
	fresh   []uint32    // places of what was kept since the last Save
	counts  []uint8     // entries of each bucket, while state is loaded; else nil

	saved saved
}

// width is the places of a bucket.
const width = 8

// Invariant: the free places of a bucket, whose tags are 0, come last.
type bucket struct {
	tags [width]uint64
	rest [width]rest
}

// A rest is what belongs to a tag: the low half of the row's key and its event time. The tag is the high
// half but its highest eight bits, which say the slot and are set instead, so that no tag is 0.
type rest struct {
	lo uint64
	at engine.Time
}

// An entry is a kept row out of its place.
type entry struct {
	tag uint64
	rest
}

const (
	taken  = 0xff << 56 // in each tag
	marked = 1 << 56    // taken out of the tags of fresh entries while the table moves
)

const (
	least      = 2                   // buckets of the smallest table that holds anything
	maxBuckets = (1<<32 - 1) / width // so that a place is a uint32
)

// roomFor is the number of buckets of which n entries fill half.
func roomFor(n int) int { return (2*n + width - 1) / width }

// roomyFor is the number of buckets of which n entries fill two thirds: a table that was loaded takes as much memory for
// each as one that has grown, on average.
func roomyFor(n int) int { return (3*n + 2*width - 1) / (2 * width) }

// mostFor is the number of buckets that a table of n entries may have: it is made anew, smaller, if it would have more
// when it moves, and then n only grows.
func mostFor(n int) int { return 2*max(least, roomFor(n)) + 1 }

// home is the bucket where the search for a key begins. The low half is independent of the slot.
func (t *table) home(lo uint64) int {
	i, _ := bits.Mul64(lo, uint64(len(t.buckets)))
	return int(i)
}

// load reads from each line of memory of the bucket where the search for k begins.
func (t *table) load(k column.Key) uint64 {
	if len(t.buckets) == 0 {
		return 0
	}
	b := &t.buckets[t.home(k.Lo)]
	return b.tags[0] + b.rest[0].lo + b.rest[width/2].lo
}

// has says whether an entry of the key at or after visible is within span, in microseconds, of at; if not,
// place is where the key's next entry goes. The table is not full.
func (t *table) has(k column.Key, at, visible engine.Time, span uint64) (place int, yes bool) {
	tag := k.Hi | taken
	for i := t.home(k.Lo); ; {
		b := &t.buckets[i]
		used, same := 0, 0
		for _, x := range b.tags { // without a branch: how many are taken can't be foretold
			used += one(x != 0)
			same += one(x == tag)
		}
		if same > 0 && b.sees(tag, k.Lo, at, visible, span) {
			return i * width, true
		}
		if used < width {
			return i*width + used, false
		}
		if i++; i == len(t.buckets) {
			i = 0
		}
	}
}

// sees is has for one bucket.
func (b *bucket) sees(tag, lo uint64, at, visible engine.Time, span uint64) bool {
	for i := range b.tags {
		if r := &b.rest[i]; b.tags[i] == tag && r.lo == lo && r.at >= visible && distance(r.at, at) <= span {
			return true
		}
	}
	return false
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// distance is |a − b|. Unsigned, it never overflows.
func distance(a, b engine.Time) uint64 {
	if a < b {
		a, b = b, a
	}
	return uint64(a) - uint64(b)
}

func (t *table) full() bool { return t.used >= len(t.buckets)*(width*3/4) }

// put fills a free place.
func (t *table) put(place int, e entry) {
	b := &t.buckets[place/width]
	b.tags[place%width], b.rest[place%width] = e.tag, e.rest
	if t.used == 0 || e.at > t.newest {
		t.newest = e.at
	}
	t.used++
}

// entry is what is at a place.
func (t *table) entry(place int) entry {
	b := &t.buckets[place/width]
	return entry{b.tags[place%width], b.rest[place%width]}
}

// grow makes room: about half the places are free after it. It gives back scratch, grown.
func (t *table) grow(scratch []entry) []entry {
	scratch = t.live(scratch)
	t.move(scratch, max(least, roomFor(len(scratch))))
	return scratch
}

// sweep drops entries before floor where that pays: it looks at the table when floor has come half the way
// from where it was the last time to the newest entry, so that an entry is looked at a few times in its life.
func (t *table) sweep(floor engine.Time, scratch []entry) []entry {
	if t.used == 0 || floor <= t.floor || t.newest > floor && distance(floor, t.floor) < distance(t.newest, t.floor)/2 {
		return scratch
	}
	t.floor = floor
	scratch = t.live(scratch)
	t.move(scratch, roomFor(len(scratch)))
	return scratch
}

// live gives the entries that are not before the floor, in the order of their places. Those of fresh lack
// marked.
func (t *table) live(scratch []entry) []entry {
	for _, i := range t.fresh {
		t.buckets[i/width].tags[i%width] &^= marked
	}
	if cap(scratch) <= t.used {
		scratch = make([]entry, t.used+t.used/4+1)
	}
	scratch = scratch[:t.used+1]
	n := 0
	for i := range t.buckets {
		b := &t.buckets[i]
		for j, tag := range b.tags {
			if tag == 0 {
				break
			}
			scratch[n] = entry{tag, b.rest[j]}
			n += one(b.rest[j].at >= t.floor) // without a branch: it can't be foretold
		}
	}
	return scratch[:n]
}

// move makes the table one of n buckets that holds just entries, as live gives them.
func (t *table) move(entries []entry, n int) {
	if n > len(t.buckets) || n < len(t.buckets)/2 {
		t.buckets = make([]bucket, n)
	}
	// New memory too: a page that is read before it is written costs two faults, and the second one halts the
	// other processors.
	clear(t.buckets)
	t.used, t.fresh, t.counts = 0, t.fresh[:0], nil
	for _, e := range entries {
		fresh := e.tag&marked == 0
		e.tag |= marked
		place := t.add(e)
		if fresh {
			t.fresh = append(t.fresh, uint32(place))
		}
	}
}

// taken is the number of entries in the bucket.
func (b *bucket) taken() int {
	n := 0
	for _, x := range b.tags {
		n += one(x != 0)
	}
	return n
}

// add puts in an entry; the table is not full.
func (t *table) add(e entry) (place int) {
	for i := t.home(e.lo); ; {
		for j, tag := range t.buckets[i].tags {
			if tag == 0 {
				t.put(i*width+j, e)
				return i*width + j
			}
		}
		if i++; i == len(t.buckets) {
			i = 0
		}
	}
}
