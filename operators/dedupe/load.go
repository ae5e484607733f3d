package dedupe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/millrace-io/millrace/engine"
)

// loadBytes is read at a time: it stays in the second cache from the checksum to the table.
const loadBytes = 8192 * entryBytes

// Expect implements engine.Expecting.
func (d *dedupe) Expect(slot int, size int64) { d.coming[slot] = int(size / entryBytes) }

// Load implements engine.Stateful. After an error the slot is unspecified. Memory is taken as the state comes: what a
// damaged section says of its size costs at most a table for as many entries as it has bytes.
func (d *dedupe) Load(slot int, r io.Reader) error {
	if cap(d.bytes) < loadBytes {
		d.bytes = make([]byte, 0, loadBytes)
	}
	d.loading = true
	before := len(d.slots[slot].buckets)
	defer func() { d.buckets += len(d.slots[slot].buckets) - before }()
	l := loader{dedupe: d, r: r, slot: slot, table: &d.slots[slot], buffer: d.bytes[:loadBytes]}
	if err := l.load(); err != nil {
		return fmt.Errorf("dedupe: %w", err)
	}
	return nil
}

// A loader reads a section into a table.
type loader struct {
	*dedupe
	r      io.Reader
	slot   int
	table  *table
	buffer []byte
	read   int64 // bytes so far
}

func (l *loader) load() error {
	head, err := l.take(headerBytes)
	if err != nil {
		return err
	}
	floor := engine.Time(binary.LittleEndian.Uint64(head[8:]))
	switch v, kind := head[0], head[1]; {
	case v < 1 || v > version || kind > 1:
		return fmt.Errorf("state of version %d and kind %d: this program reads versions 1 and %d, kinds 0 and 1", v, kind, version)
	case kind == 0:
		l.table.floor = max(l.table.floor, floor)
		l.table.count()
		n, err := l.entries(endless)
		l.table.saved.since += n
		l.table.saved.deltas++
		return err
	case v == 1:
		l.begin(floor)
		l.table.count()
		n, err := l.entries(endless)
		l.table.saved = saved{whole: n}
		return err
	default:
		return l.whole(floor)
	}
}

// begin empties the table, and makes room for what is to come. Nothing clears it: new memory is 0, and a page of it is
// touched when the first entry is written to it.
func (l *loader) begin(floor engine.Time) {
	*l.table = table{floor: floor}
	if n := l.coming[l.slot]; n > 0 {
		l.table.buckets = make([]bucket, max(least, roomyFor(n)))
	}
}

// take reads the next n bytes, at most loadBytes.
func (l *loader) take(n int) ([]byte, error) {
	b := l.buffer[:n]
	got, err := io.ReadFull(l.r, b)
	l.read += int64(got)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("state of %d bytes is cut short", l.read)
	}
	if err != nil {
		return nil, fmt.Errorf("read state: %w", err)
	}
	return b, nil
}

// endless is a number of entries that no section has.
const endless = math.MaxInt

// entries reads as many entries, or all to the end if there are fewer, searches a place for each, and gives their
// number.
func (l *loader) entries(most int) (n int, err error) {
	for n < most {
		got, err := io.ReadFull(l.r, l.buffer[:min(most-n, loadBytes/entryBytes)*entryBytes])
		l.read += int64(got)
		end := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !end {
			return n, fmt.Errorf("read state: %w", err)
		}
		if got%entryBytes != 0 {
			return n, fmt.Errorf("state of %d bytes ends within an entry", l.read)
		}
		for b := l.buffer[:got]; len(b) > 0; b = b[entryBytes:] {
			e, err := l.entry(b)
			if err != nil {
				return n, err
			}
			l.add(e)
			n++
		}
		if end {
			return n, nil
		}
	}
	return n, nil
}

// add puts in an entry. It reads nothing of the buckets, only their counts, which lie close together: what is only
// written need not be waited for.
func (l *loader) add(e entry) {
	t := l.table
	if t.full() {
		l.scratch = t.grow(l.scratch)
		t.count()
	}
	i := t.home(e.lo)
	for t.counts[i] == width {
		if i++; i == len(t.counts) {
			i = 0
		}
	}
	t.put(i*width+int(t.counts[i]), e)
	t.counts[i]++
}

// count makes counts, unless they are there.
func (t *table) count() {
	if len(t.counts) == len(t.buckets) {
		return
	}
	t.counts = make([]uint8, len(t.buckets))
	if t.used == 0 {
		return // and new memory is not read before it is written: that would cost two faults a page
	}
	for i := range t.buckets {
		t.counts[i] = uint8(t.buckets[i].taken())
	}
}

// loaded forgets what only loading needs.
func (d *dedupe) loaded() {
	for i := range d.slots {
		d.slots[i].counts = nil
	}
	d.loading = false
}

func (l *loader) entry(b []byte) (entry, error) {
	hi := binary.LittleEndian.Uint64(b)
	if int(hi>>56) != l.slot {
		return entry{}, fmt.Errorf("state of slot %d has a key of slot %d", l.slot, hi>>56)
	}
	return entry{hi | taken, rest{binary.LittleEndian.Uint64(b[8:]), engine.Time(binary.LittleEndian.Uint64(b[16:]))}}, nil
}

// whole reads a table; into a larger one, place by place all the same, if what is to come would not have room in it.
func (l *loader) whole(floor engine.Time) error {
	head, err := l.take(tableBytes - headerBytes)
	if err != nil {
		return err
	}
	entries, buckets := binary.LittleEndian.Uint64(head), binary.LittleEndian.Uint64(head[8:])
	if buckets > maxBuckets || entries > buckets*width*3/4 || buckets > uint64(mostFor(int(entries))) {
		return fmt.Errorf("state has a table of %d buckets for %d entries, which can't be", buckets, entries)
	}
	counts, err := l.counts(int(entries), int(buckets))
	if err != nil {
		return err
	}
	if uint64(l.coming[l.slot]) > buckets*width*3/4 {
		l.begin(floor)
		l.table.count()
		var n int
		if n, err = l.entries(int(entries)); err == nil && n < int(entries) {
			err = fmt.Errorf("state of %d bytes is cut short", l.read)
		}
	} else {
		*l.table = table{floor: floor, buckets: make([]bucket, buckets), counts: counts, used: int(entries), newest: engine.MinTime}
		err = l.fill(counts)
	}
	if err != nil {
		return err
	}
	l.table.saved = saved{whole: int(entries)}
	if n, err := io.ReadFull(l.r, l.buffer[:1]); n > 0 || !errors.Is(err, io.EOF) {
		return fmt.Errorf("state has bytes behind its %d entries", entries)
	}
	return nil
}

// counts reads how many entries each bucket has.
func (l *loader) counts(entries, buckets int) ([]uint8, error) {
	var counts []uint8
	sum := 0
	for len(counts) < buckets {
		b, err := l.take(min(buckets-len(counts), loadBytes))
		if err != nil {
			return nil, err
		}
		counts = append(counts, b...)
		for _, n := range b {
			if n > width {
				return nil, fmt.Errorf("state has a bucket of %d entries, which can't be", n)
			}
			sum += int(n)
		}
	}
	if sum != entries {
		return nil, fmt.Errorf("state has %d entries in its buckets, its header says %d", sum, entries)
	}
	return counts, nil
}

// fill reads the entries of a table whose buckets have so many each.
func (l *loader) fill(counts []uint8) error {
	full := fullBefore(counts)
	for at := 0; at < len(counts); {
		end, n := at, 0
		for end < len(counts) && (n+int(counts[end]))*entryBytes <= loadBytes {
			n += int(counts[end])
			end++
		}
		b, err := l.take(n * entryBytes)
		if err != nil {
			return err
		}
		for ; at < end; at++ {
			if b, err = l.bucket(at, int(counts[at]), full, b); err != nil {
				return err
			}
			full++
			if counts[at] < width {
				full = 0
			}
		}
	}
	return nil
}

// fullBefore is how many full buckets there are before the first one, going round. One at least is not full.
func fullBefore(counts []uint8) int {
	n := 0
	for n < len(counts) && counts[len(counts)-1-n] == width {
		n++
	}
	return n
}

// bucket takes the n entries of a bucket from b. An entry must be where a search for it looks: at home or behind it with
// nothing but full buckets in between, of which there are so many before this one.
func (l *loader) bucket(at, n, full int, b []byte) ([]byte, error) {
	t := l.table
	to := &t.buckets[at]
	for j := range n {
		e, err := l.entry(b)
		if err != nil {
			return nil, err
		}
		off := at - t.home(e.lo)
		if off < 0 {
			off += len(t.buckets)
		}
		if off > full {
			return nil, fmt.Errorf("state of slot %d has an entry in bucket %d that no search finds there", l.slot, at)
		}
		to.tags[j], to.rest[j] = e.tag, e.rest
		t.newest = max(t.newest, e.at)
		b = b[entryBytes:]
	}
	return b, nil
}
