package dedupe

import (
	"encoding/binary"
	"io"
	"slices"
)

// The state of a slot is a whole section and the deltas saved after it, integers little endian. A whole section is the
// table as it lies in memory but for the free places, so that it is loaded without a search, from its beginning
// to its end:
//
//	 0  uint8   version: 2
//	 1  uint8   1: whole
//	 2  [6]byte 0
//	 8  int64   floor: entries before it may be gone, microseconds since 1970 UTC
//	16  uint64  entries
//	24  uint64  buckets: 0 if there are no entries, else at most as many as mostFor says
//	32  for each bucket a uint8: its entries, at most 8; and of all places at least a quarter is free
//	 …  the entries of all buckets one after the other, in the order of their places
//
// A delta has no table:
//
//	 0  uint8   version: 2
//	 1  uint8   0: a delta
//	 2  [6]byte 0
//	 8  int64   floor: entries before it that were saved earlier are dropped
//	16  entries to the end
//
// An entry, 24 bytes:
//
//	 0  uint64  key, high half; its highest 8 bits are the slot
//	 8  uint64  key, low half
//	16  int64   event time, microseconds since 1970 UTC
//
// A section has no entry twice, and none that an earlier section since the whole one has. In version 1, which is still
// read, a whole section is as a delta, with kind 1.
const (
	version     = 2
	headerBytes = 16
	tableBytes  = headerBytes + 16 // the header of a whole section
	entryBytes  = 24
)

// saved is what was written of a slot.
type saved struct {
	whole  int // entries in the last whole section
	since  int // entries in the deltas since
	deltas int
}

// maxDeltas bounds the sections of a slot's chain. It differs from slot to slot, so that not all are
// written whole in one epoch.
func maxDeltas(slot int) int { return 128 + slot/2 }

// dueWhole says whether to write the slot whole: its deltas have outgrown what they stand on, there are
// many of them, or most of what was written is gone.
func (t *table) dueWhole(slot int) bool {
	s := t.saved
	return s.since+len(t.fresh) > s.whole || s.deltas >= maxDeltas(slot) || 4*t.used < s.whole+s.since
}

// Save implements engine.Stateful.
func (d *dedupe) Save(slot int, w io.Writer) (whole bool, err error) {
	t := &d.slots[slot]
	d.sweep(t)
	whole = t.dueWhole(slot)
	switch {
	case whole:
		err = d.write(w, slot, true, t.used)
		t.saved = saved{whole: t.used}
	case len(t.fresh) > 0:
		err = d.write(w, slot, false, len(t.fresh))
		t.saved.since += len(t.fresh)
		t.saved.deltas++
	}
	t.fresh = t.fresh[:0]
	return whole, err
}

// sweep drops what no row to come sees.
func (d *dedupe) sweep(t *table) {
	before := len(t.buckets)
	d.scratch = t.sweep(d.floor, d.scratch)
	d.buckets += len(t.buckets) - before
}

// write writes a section of n entries, in one piece.
func (d *dedupe) write(w io.Writer, slot int, whole bool, n int) error {
	t := &d.slots[slot]
	b := slices.Grow(d.bytes[:0], tableBytes+len(t.buckets)+n*entryBytes)
	b = append(b, version, 0, 0, 0, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(t.floor))
	if whole {
		b[1] = 1
		b = t.append(b, slot)
	} else {
		for _, i := range t.fresh {
			b = t.entry(int(i)).append(b, slot)
		}
	}
	_, err := w.Write(b)
	d.bytes = b[:0]
	return err
}

// append writes the table.
func (t *table) append(b []byte, slot int) []byte {
	buckets := t.buckets
	if t.used == 0 {
		buckets = nil
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(t.used))
	b = binary.LittleEndian.AppendUint64(b, uint64(len(buckets)))
	for i := range buckets {
		b = append(b, uint8(buckets[i].taken()))
	}
	for i := range buckets {
		for j, tag := range buckets[i].tags {
			if tag == 0 {
				break
			}
			b = entry{tag, buckets[i].rest[j]}.append(b, slot)
		}
	}
	return b
}

func (e entry) append(b []byte, slot int) []byte {
	b = binary.LittleEndian.AppendUint64(b, e.tag&^taken|uint64(slot)<<56)
	b = binary.LittleEndian.AppendUint64(b, e.lo)
	return binary.LittleEndian.AppendUint64(b, uint64(e.at))
}
