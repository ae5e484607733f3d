package window

import (
	"math/bits"

	"github.com/millrace-io/millrace/engine/column"
)

// A table finds the group of a key: open addressing, at least a quarter of the places free. A place is 32 bits, so that
// those of a million keys are few megabytes. It is 0 where free, else
//
//	high bits   a tag: the low bits of the key's high half
//	low bits    the group's number + 1, in as many bits as their number needs
//
// The tag spares most looks at keys that are not the one searched; the key itself, which the caller has by group,
// decides.
type table struct {
	places []uint32
	mask   uint32 // of the low bits
	shift  uint   // how many they are
	used   int
	most   int // groups that fit was asked for
}

// home is the place where the search for a key begins.
func (t *table) home(k column.Key) int {
	i, _ := bits.Mul64(k.Lo, uint64(len(t.places)))
	return int(i)
}

// find gives the group of k and its place; if there is none, the place where it would go. keys has the key of each group.
func (t *table) find(keys []column.Key, k column.Key) (place int, group uint32, found bool) {
	if len(t.places) == 0 {
		return 0, 0, false
	}
	tag := uint32(k.Hi) << t.shift
	for i := t.home(k); ; {
		e := t.places[i]
		if e == 0 {
			return i, 0, false
		}
		if (e^tag)&^t.mask == 0 {
			if g := e&t.mask - 1; keys[g] == k {
				return i, g, true
			}
		}
		if i++; i == len(t.places) {
			i = 0
		}
	}
}

// add puts a group at the place that find gave for its key, which keys has already.
func (t *table) add(keys []column.Key, place int, group uint32) {
	if 4*(t.used+1) > 3*len(t.places) {
		t.grow(keys)
		place = t.free(keys[group])
	}
	t.set(place, keys[group], group)
	t.used++
}

// set fills a place.
func (t *table) set(place int, k column.Key, group uint32) {
	t.places[place] = uint32(k.Hi)<<t.shift | (group + 1)
}

// free is the place where a key goes that is not there.
func (t *table) free(k column.Key) int {
	i := t.home(k)
	for t.places[i] != 0 {
		if i++; i == len(t.places) {
			i = 0
		}
	}
	return i
}

const (
	leastPlaces = 16
	largePlaces = 1 << 14 // above it memory is dearer than the time to move
)

// grow makes room: a large table is half as large again, a small one is doubled.
func (t *table) grow(keys []column.Key) {
	n := max(leastPlaces, 2*len(t.places))
	if len(t.places) >= largePlaces {
		n = len(t.places) + len(t.places)/2
	}
	t.move(keys, n, max(n, t.most))
}

// fit makes sure that places have bits for the numbers of so many groups, of which not all need be in the table.
func (t *table) fit(keys []column.Key, groups int) {
	if groups > t.most {
		t.most = 2 * groups
	}
	if groups > int(t.mask) && len(t.places) > 0 {
		t.move(keys, len(t.places), t.most)
	}
}

// move makes the table one of n places for the numbers of so many groups.
func (t *table) move(keys []column.Key, n, groups int) {
	old, mask := t.places, t.mask
	t.places = make([]uint32, n)
	t.shift = uint(bits.Len(uint(groups)))
	t.mask = 1<<t.shift - 1
	for _, e := range old {
		if e != 0 {
			g := e&mask - 1
			t.set(t.free(keys[g]), keys[g], g)
		}
	}
}

// remove frees a place, and moves those behind it that a search would not find any more.
func (t *table) remove(keys []column.Key, place int) {
	n := len(t.places)
	for i := place; ; {
		if i++; i == n {
			i = 0
		}
		e := t.places[i]
		if e == 0 {
			break
		}
		off := i - t.home(keys[e&t.mask-1]) // from home
		if off < 0 {
			off += n
		}
		gap := i - place
		if gap < 0 {
			gap += n
		}
		if off >= gap {
			t.places[place] = e
			place = i
		}
	}
	t.places[place] = 0
	t.used--
}

// reset empties the table and keeps its memory.
func (t *table) reset() {
	clear(t.places)
	t.used = 0
}
