package dedupe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/millrace-io/millrace/engine"
)

// In order of event time a slot's state is that of arrival order behind the rows that it holds:
//
//	 0  uint8   version: 3
//	 1  uint8   1: whole; 0: a delta
//	 2  [6]byte 0
//	 8  int64   upto: rows before it that were saved earlier are held no more, microseconds since 1970 UTC
//	16  blocks of held rows; the last one is empty, 8 bytes of 0
//	 …  a section of kept rows, version 2, to the end; a delta if this is one
//
// A whole section has all rows that are held, a delta those that came since the section before.
const heldVersion = 3

// A share is a slot's part of what is held, and of what was saved of it.
type share struct {
	held     int   // rows
	fresh    int   // of those, rows that no section has
	released bool  // rows that a section has were released since the last
	whole    int64 // bytes of the last whole section
	since    int64 // bytes of the deltas since
	items    int   // held and kept rows in all of these, those that are gone too
	deltas   int
	due      bool  // the next section is whole
	refs     []ref // rows for the next section; while state is loaded, all
}

// Save implements engine.Stateful.
func (o *ordered) Save(slot int, w io.Writer) (whole bool, err error) {
	if !o.listed {
		o.lists()
	}
	t, s := &o.slots[slot], &o.shares[slot]
	if !s.due && !s.changed(t) {
		return false, nil
	}
	whole = s.due
	kept := len(t.fresh)
	if whole {
		kept = t.used
	}
	out := counter{w: w}
	if err = o.writeRows(&out, s); err == nil {
		err = o.write(&out, slot, whole, kept)
	}
	if whole {
		s.whole, s.since, s.items, s.deltas = out.n, 0, 0, 0
	} else {
		s.since += out.n
		s.deltas++
	}
	s.items += kept + len(s.refs)
	s.refs, s.fresh, s.released, s.due = nil, 0, false, false
	t.fresh = t.fresh[:0]
	return whole, err
}

func (s *share) changed(t *table) bool { return s.fresh > 0 || s.released || len(t.fresh) > 0 }

// dueWhole says whether to write the slot whole: its deltas have outgrown what they stand on, there are many of them, or
// most of what was written is gone.
func (s *share) dueWhole(slot int, t *table) bool {
	return s.changed(t) && s.since >= s.whole || s.deltas >= maxDeltas(slot) || 4*(s.held+t.used) < s.items
}

// waits says whether a row waits when time has come to upto: no row is after the end of time.
func waits(at, upto engine.Time) bool { return at >= upto && upto != engine.MaxTime }

// lists says of all slots what is to be saved.
func (o *ordered) lists() {
	if o.loading {
		o.loaded()
	}
	o.listed = true
	o.held.shut()
	whole := false
	for slot := range o.shares {
		t, s := &o.slots[slot], &o.shares[slot]
		o.sweep(t)
		s.due = s.dueWhole(slot, t)
		whole = whole || s.due && s.held > s.fresh
	}
	o.list = emptied(o.list)
	for number, c := range o.held.chunks {
		if c == nil || c.saved {
			continue
		}
		for row, at := range c.at {
			if waits(at, o.upto) {
				o.list = append(o.list, o.bySlot(c, uint32(number), uint32(row)))
			}
		}
	}
	if whole {
		o.listSaved()
	}
	for _, c := range o.held.chunks {
		if c != nil {
			c.saved = true
		}
	}
	o.list = sorted(o.list, &o.held.more)
	eachRunOfSlots(o.list, func(slot int, refs []ref) { o.shares[slot].refs = refs })
}

// listSaved adds the rows that a section has already, of slots that are written whole.
func (o *ordered) listSaved() {
	for _, b := range o.held.queue.buckets {
		for _, r := range b {
			c := o.held.chunks[r.chunk]
			if c.saved && o.shares[c.keys[r.row].Slot()].due {
				o.list = append(o.list, o.bySlot(c, r.chunk, r.row))
			}
		}
	}
}

// bySlot is a ref to be sorted by slot and chunk, for pack.
func (o *ordered) bySlot(c *chunk, number, row uint32) ref {
	return ref{uint64(c.keys[row].Slot())<<32 | uint64(number), number, row}
}

// eachRunOfSlots calls do for the refs of each slot.
func eachRunOfSlots(refs []ref, do func(slot int, refs []ref)) {
	for len(refs) > 0 {
		slot, end := refs[0].by>>32, 1
		for end < len(refs) && refs[end].by>>32 == slot {
			end++
		}
		do(int(slot), refs[:end:end])
		refs = refs[end:]
	}
}

// writeRows writes the section but for the kept rows.
func (o *ordered) writeRows(w io.Writer, s *share) error {
	b := append(o.out[:0], heldVersion, byte(one(s.due)), 0, 0, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(o.upto))
	for refs := s.refs; len(refs) > 0; {
		o.packed.reset()
		refs = refs[o.held.pack(&o.packed, refs):]
		b = o.appendBlock(b, &o.packed)
		if _, err := w.Write(b); err != nil {
			return err
		}
		b = b[:0]
	}
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
	_, err := w.Write(b)
	if o.out = b[:0]; cap(b) > 4*chunkBytes {
		o.out = nil
	}
	return err
}

// Expect implements engine.Expecting: most of what comes may be held rows, so it says nothing of the tables.
func (o *ordered) Expect(int, int64) {}

// Load implements engine.Stateful. After an error the slot is unspecified.
func (o *ordered) Load(slot int, r io.Reader) error {
	o.loading = true
	in := counter{r: r}
	t, s := &o.slots[slot], &o.shares[slot]
	before, refs := t.used, len(s.refs)
	whole, err := o.loadRows(slot, s, &in)
	if err != nil {
		return fmt.Errorf("dedupe: %w", err)
	}
	if err := o.dedupe.Load(slot, &in); err != nil {
		return err
	}
	s.held = len(s.refs)
	if whole {
		s.whole, s.since, s.items, s.deltas = in.n, 0, s.held+t.used, 0
		return nil
	}
	s.since += in.n
	s.deltas++
	s.items += max(0, t.used-before) + max(0, len(s.refs)-refs)
	return nil
}

// loadRows reads the section but for the kept rows.
func (o *ordered) loadRows(slot int, s *share, r io.Reader) (whole bool, err error) {
	var head [headerBytes]byte
	if err := full(r, head[:]); err != nil {
		return false, err
	}
	if head[0] != heldVersion || head[1] > 1 {
		return false, fmt.Errorf("state of version %d and kind %d: order event_time reads version %d, kinds 0 and 1", head[0], head[1], heldVersion)
	}
	whole = head[1] == 1
	upto := engine.Time(binary.LittleEndian.Uint64(head[8:]))
	left := s.refs[:0]
	for _, r := range s.refs {
		if !whole && waits(o.held.chunks[r.chunk].at[r.row], upto) {
			left = append(left, r)
			continue
		}
		o.held.let(r)
		o.held.clear(r.chunk)
	}
	s.refs = left
	for {
		n, err := o.loadBlock(slot, s, r)
		if n == 0 || err != nil {
			return whole, err
		}
	}
}

// loadBlock holds the rows of a block and gives their number.
func (o *ordered) loadBlock(slot int, s *share, r io.Reader) (n int, err error) {
	var head [blockHead]byte
	if err := full(r, head[:]); err != nil {
		return 0, err
	}
	n = int(binary.LittleEndian.Uint32(head[:]))
	size := int64(binary.LittleEndian.Uint32(head[4:]))
	if n == 0 {
		if size > 0 {
			return 0, fmt.Errorf("state has a block of no rows and %d bytes", size)
		}
		return 0, nil
	}
	b := bytes.NewBuffer(o.out[:0])
	got, err := b.ReadFrom(io.LimitReader(r, size)) // memory is taken as bytes come
	if err != nil {
		return 0, fmt.Errorf("read state: %w", err)
	}
	o.out = b.Bytes()[:0]
	if got < size {
		return 0, errShort
	}
	o.packed.reset()
	block := blockReader{b: b.Bytes()}
	if err := block.rows(&o.packed, slot, n, o.held.number); err != nil {
		return 0, err
	}
	o.held.sel = o.held.sel[:0]
	for i := range n {
		o.held.sel = append(o.held.sel, int32(i))
	}
	s.refs = o.held.add(&o.packed, o.held.sel, s.refs)
	return n, nil
}

var errShort = errors.New("state is cut short")

// full fills b.
func full(r io.Reader, b []byte) error {
	_, err := io.ReadFull(r, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errShort
	}
	if err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	return nil
}

// loaded puts what was loaded where rows wait.
func (o *ordered) loaded() {
	o.dedupe.loaded()
	o.held.shut()
	for _, c := range o.held.chunks {
		if c != nil {
			c.saved = true
		}
	}
	for i := range o.shares {
		s := &o.shares[i]
		for _, r := range s.refs {
			o.held.queue.add(r)
		}
		s.refs = nil
	}
}

// A counter counts the bytes that pass it.
type counter struct {
	w io.Writer
	r io.Reader
	n int64
}

// Write implements io.Writer.
func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// Read implements io.Reader.
func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}
