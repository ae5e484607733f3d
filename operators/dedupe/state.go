package dedupe

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/millrace-io/millrace/engine"
)

// The state of a slot is a whole section and the deltas saved after it, integers little endian:
//
//	 0  uint8   version: 1
//	 1  uint8   1: whole, 0: a delta
//	 2  [6]byte 0
//	 8  int64   floor: entries before it that were saved earlier are dropped, microseconds since 1970 UTC
//	16  entries to the end, 24 bytes each:
//	       0  uint64  key, high half; its highest 8 bits are the slot
//	       8  uint64  key, low half
//	      16  int64   event time, microseconds since 1970 UTC
//
// A section has no entry twice, and none that an earlier section since the whole one has.
const (
	version     = 1
	headerBytes = 16
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
	d.scratch = t.sweep(d.floor, d.scratch)
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

// write writes a section of n entries.
func (d *dedupe) write(w io.Writer, slot int, whole bool, n int) error {
	t := &d.slots[slot]
	b := make([]byte, 8, headerBytes+n*entryBytes)
	b[0] = version
	b = binary.LittleEndian.AppendUint64(b, uint64(t.floor))
	if whole {
		b[1] = 1
		for i := range len(t.buckets) * width {
			if e := t.entry(i); e.tag != 0 {
				b = e.append(b, slot)
			}
		}
	} else {
		for _, i := range t.fresh {
			b = t.entry(int(i)).append(b, slot)
		}
	}
	_, err := w.Write(b)
	return err
}

func (e entry) append(b []byte, slot int) []byte {
	b = binary.LittleEndian.AppendUint64(b, e.tag&^taken|uint64(slot)<<56)
	b = binary.LittleEndian.AppendUint64(b, e.lo)
	return binary.LittleEndian.AppendUint64(b, uint64(e.at))
}

// readAll is io.ReadAll, in one piece of memory where the reader says how much it has.
func readAll(r io.Reader) ([]byte, error) {
	sized, ok := r.(interface{ Len() int })
	if !ok {
		return io.ReadAll(r)
	}
	b := make([]byte, sized.Len())
	_, err := io.ReadFull(r, b)
	return b, err
}

// Load implements engine.Stateful. After an error the slot is unspecified.
func (d *dedupe) Load(slot int, r io.Reader) error {
	b, err := readAll(r)
	if err != nil {
		return fmt.Errorf("dedupe: read state: %w", err)
	}
	if len(b) < headerBytes {
		return fmt.Errorf("dedupe: state of %d bytes is cut short", len(b))
	}
	if b[0] != version || b[1] > 1 {
		return fmt.Errorf("dedupe: state of version %d and kind %d: this program reads version %d, kinds 0 and 1", b[0], b[1], version)
	}
	entries := b[headerBytes:]
	if len(entries)%entryBytes != 0 {
		return fmt.Errorf("dedupe: state of %d bytes ends within an entry", len(b))
	}
	t, n := &d.slots[slot], len(entries)/entryBytes
	floor := engine.Time(binary.LittleEndian.Uint64(b[8:]))
	if b[1] == 1 {
		*t = table{floor: floor, saved: saved{whole: n}}
		t.move(nil, (2*n+width-1)/width)
	} else {
		t.floor = max(t.floor, floor)
		t.saved.since += n
		t.saved.deltas++
	}
	// A whole section has its entries by their places, so they come to the new table's places nearly in order: memory
	// is walked once, from one end to the other.
	at := cursor{bucket: none}
	for ; len(entries) > 0; entries = entries[entryBytes:] {
		hi := binary.LittleEndian.Uint64(entries)
		if int(hi>>56) != slot {
			return fmt.Errorf("dedupe: state of slot %d has a key of slot %d", slot, hi>>56)
		}
		if t.full() {
			d.scratch = t.grow(d.scratch)
			at.bucket = none
		}
		t.addNear(&at, entry{hi | taken, rest{binary.LittleEndian.Uint64(entries[8:]), engine.Time(binary.LittleEndian.Uint64(entries[16:]))}})
	}
	return nil
}
