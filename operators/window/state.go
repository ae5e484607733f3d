package window

import (
	"encoding/binary"
	"io"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// The state of a slot is a whole section and the deltas saved after it. Integers are little endian:
//
//	 0  uint8   version: 1
//	 1  uint8   1: whole, 0: a delta
//	 2  [6]byte 0
//	 8  int64   time that the watermark had come to, microseconds since 1970 UTC: windows that end at or before it have closed
//	16  int64   panes and sessions whose last window ends at or before it are no longer held: those saved earlier are dropped
//	24  runs, to the end
//
// A run is the groups of one pane, or one session:
//
//	 0  int64   start of the pane, or of the session
//	 8  int64   end
//	16  uint32  groups, at least 1; of a session 1
//	20  the groups
//
// A group is what changed of it:
//
//	 0  uint64  key, high half; its highest 8 bits are the slot
//	 8  uint64  key, low half
//	16  uint8   1: values follow, 2: the group is written whole. A session that is written whole takes the place of all of its
//	            key that were saved and lie within it; one that is not goes on with the one that does
//	17  the values of the columns of by, where they follow: see appendValue
//	 …  the states of the aggregates, each in its own format
//
// All groups of a whole section are written whole.
const (
	version     = 1
	headerBytes = 24
	runBytes    = 20
	groupBytes  = 17

	withValues uint8 = 1
	inWhole    uint8 = 2
)

// A keeper is the part of a store that is saved.
type keeper interface {
	// walk visits the groups that changed since settle, and all of the slots of whole, if it is not nil; those of a
	// slot in an order that keeps those of a pane together.
	walk(whole *[column.Slots]bool, visit func(slot int, it item))
	// settle says that what changed has been visited for good.
	settle()
	// entry gives where a visited group is.
	entry(it item) (g *groups, row int, start, end engine.Time)
	// pane gives the pane of a run that is loaded; a session has none.
	run(start, end engine.Time) (number uint32, err error)
	// load makes or finds the group of a key of a run; isNew says that values have to follow.
	load(number uint32, start, end engine.Time, k column.Key, whole bool) (g *groups, group uint32, isNew bool, err error)
}

// An item is a group to save.
type item struct {
	pane, group uint32
	flags       uint8
}

// saving is what is known of what was saved.
type saving struct {
	live  [column.Slots]int  // groups
	lost  [column.Slots]bool // groups that were saved have gone since
	moved bool               // windows have closed since the last Save whose panes are held for others
	saved [column.Slots]saved

	ready  bool                  // items are those of the state as it is
	slot   int                   // saved last
	items  []item                // by slot
	ends   [column.Slots + 1]int // items of a slot end there
	due    [column.Slots]bool    // slots to write whole
	buffer []byte
	loaded bool
}

// saved is what was written of a slot.
type saved struct {
	whole  int // bytes of the last whole section
	since  int // bytes of the deltas since
	groups int // in all of them
	deltas int
}

// maxDeltas bounds the sections of a slot's chain. It differs from slot to slot, so that not all are written whole in one
// epoch.
func maxDeltas(slot int) int { return 128 + slot/2 }

// left notes that a group is gone.
func (s *saving) left(slot int, stored bool) {
	s.live[slot]--
	s.lost[slot] = s.lost[slot] || stored
}

// Save implements engine.Stateful.
func (o *operator) Save(slot int, w io.Writer) (whole bool, err error) {
	o.resume()
	if !o.ready || slot <= o.slot {
		o.prepare()
	}
	o.slot = slot
	items := o.items[o.ends[slot]:o.ends[slot+1]]
	if len(items) == 0 && !o.lost[slot] {
		return false, nil
	}
	whole = o.due[slot]
	b := o.section(items, whole)
	s := &o.saved[slot]
	if whole {
		*s = saved{whole: len(b), groups: len(items)}
	} else {
		s.since += len(b)
		s.deltas++
		for _, it := range items {
			s.groups += int(it.flags & withValues)
		}
	}
	o.lost[slot], o.due[slot] = false, false
	_, err = w.Write(b)
	o.buffer = b[:0]
	return whole, err
}

// prepare lists what is to be saved of each slot.
func (o *operator) prepare() {
	var count [column.Slots]int
	o.store.walk(nil, func(slot int, _ item) { count[slot]++ })
	for slot := range count {
		o.lost[slot] = o.lost[slot] || o.moved && o.live[slot] > 0 // which windows have closed has to be known
		o.due[slot] = (count[slot] > 0 || o.lost[slot]) && o.saved[slot].dueWhole(slot, o.live[slot])
		if o.due[slot] {
			count[slot] = o.live[slot]
		}
	}
	var next [column.Slots]int
	for slot, n := range count {
		next[slot] = o.ends[slot]
		o.ends[slot+1] = o.ends[slot] + n
	}
	if n := o.ends[column.Slots]; cap(o.items) < n {
		o.items = make([]item, n)
	}
	o.items = o.items[:o.ends[column.Slots]]
	o.store.walk(&o.due, func(slot int, it item) {
		o.items[next[slot]] = it
		next[slot]++
	})
	o.store.settle()
	o.ready, o.moved = true, false
}

// dueWhole says whether to write a slot of live groups whole: its deltas have outgrown what they stand on, there are many
// of them, or most of what was written is gone.
func (s saved) dueWhole(slot, live int) bool {
	return s.whole == 0 || s.since > s.whole || s.deltas >= maxDeltas(slot) || 4*live < s.groups
}

// section writes items.
func (o *operator) section(items []item, whole bool) []byte {
	b := append(o.buffer[:0], version, 0, 0, 0, 0, 0, 0, 0)
	if whole {
		b[1] = 1
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(o.floor))
	b = binary.LittleEndian.AppendUint64(b, uint64(o.gone))
	for len(items) > 0 {
		g, _, start, end := o.store.entry(items[0])
		n := 1
		for n < len(items) && items[n].pane == items[0].pane && items[0].pane != none {
			n++
		}
		b = binary.LittleEndian.AppendUint64(b, uint64(start))
		b = binary.LittleEndian.AppendUint64(b, uint64(end))
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
		for _, it := range items[:n] {
			_, row, _, _ := o.store.entry(it)
			b = g.encode(b, it, row)
		}
		items = items[n:]
	}
	return b
}

func (g *groups) encode(b []byte, it item, row int) []byte {
	k := g.keys[it.group]
	b = binary.LittleEndian.AppendUint64(b, k.Hi)
	b = binary.LittleEndian.AppendUint64(b, k.Lo)
	b = append(b, it.flags)
	if it.flags&withValues != 0 {
		for _, c := range g.values {
			b = appendValue(b, c, row)
		}
	}
	for _, s := range g.states {
		b = s.Append(b, it.group, it.flags&inWhole == 0)
	}
	return b
}

// resume begins the life of an operator that has loaded, or goes on with it.
func (o *operator) resume() {
	if o.loaded {
		o.loaded = false
		o.store.forget(o.gone)
		o.lost = [column.Slots]bool{} // what was saved says so already
	}
}
