package parquet

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"unsafe"

	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace-io/millrace/engine/column"
)

// A dictionary takes values as indexes into the list of those that differ, its entries.
type dictionary interface {
	values
	// state is what dictionaries of all types have in common.
	state() *indexes
	// size is the length of body.
	size() int
	// body is the entries as the dictionary page has them.
	body() []byte
	// unpack moves the values of the current page to p as plain ones, and the bounds of all values to to.
	unpack(p *page, to values)
	// held is the memory taken, in bytes; free gives it up.
	held() int
	free()
}

// newDictionary makes a dictionary for values of a type; nil: there is nothing to gain.
func newDictionary(t column.Type) dictionary {
	switch t.Kind {
	case column.Int, column.Date:
		return &numberDictionary[int32]{}
	case column.Long, column.Timestamp, column.TimestampNTZ:
		return &numberDictionary[int64]{}
	case column.Float:
		return &numberDictionary[float32]{}
	case column.Double:
		return &numberDictionary[float64]{}
	case column.String, column.Binary:
		return &textDictionary{utf8: t.Kind == column.String, seed: maphash.MakeSeed()}
	}
	return nil
}

// indexes is what dictionaries of all types have in common: the current page, and a hash table of the
// entries, open and at most half full.
type indexes struct {
	page  []uint32 // of the current page
	plain int      // bounds from above what the current page would take plain, in bytes
	taken int      // values of earlier pages since the reset
	n     int      // entries
	slots []slot
}

// A slot of the hash table. It holds enough to tell most values apart without a look at the entry.
type slot struct {
	hash  uint32
	index uint32 // + 1; 0: the slot is free
	key   uint64 // of a number its bits; of a text where it is: start in the upper half, length in the lower
}

const leastSlots = 256 // a power of two

func (x *indexes) state() *indexes { return x }

// indexBytes is about what the current page takes.
func (x *indexes) indexBytes() int { return len(x.page) * x.width() / 8 }

// width is that of an index in bits; there is an entry.
func (x *indexes) width() int { return max(1, bits.Len(uint(x.n-1))) }

// grow keeps the table at most half full when another entry comes.
func (x *indexes) grow() {
	if (x.n+1)*2 <= len(x.slots) {
		return
	}
	old := x.slots
	x.slots = make([]slot, max(leastSlots, 2*len(old)))
	mask := uint32(len(x.slots) - 1)
	for _, s := range old {
		if s.index == 0 {
			continue
		}
		at := s.hash & mask
		for x.slots[at].index != 0 {
			at = (at + 1) & mask
		}
		x.slots[at] = s
	}
}

// enter makes an entry in a free slot.
func (x *indexes) enter(at, hash uint32, key uint64) {
	x.n++
	x.slots[at] = slot{hash, uint32(x.n), key}
	x.page = append(x.page, uint32(x.n-1))
	x.grow()
}

// finish writes the page's indexes: their width as a byte, then the hybrid.
func (x *indexes) finish(p *page) {
	p.reserve(x.indexBytes() + len(x.page)/2 + 64)
	p.body = appendHybrid(append(p.body, byte(x.width())), x.page, x.width())
	x.clearPage()
}

func (x *indexes) clearPage() {
	x.taken += len(x.page)
	x.page, x.plain = x.page[:0], 0
}

// values is the number of values since the reset.
func (x *indexes) values() int { return x.taken + len(x.page) }

func (x *indexes) encoding() format.Encoding { return format.RLEDictionary }

func (x *indexes) reset() {
	clear(x.slots)
	x.page, x.plain, x.taken, x.n = x.page[:0], 0, 0, 0
}

func (x *indexes) held() int { return 4*cap(x.page) + 16*len(x.slots) }

// free gives up the memory.
func (x *indexes) free() { *x = indexes{} }

// textDictionary is a dictionary of strings or binaries.
type textDictionary struct {
	indexes
	utf8   bool
	seed   maphash.Seed
	warmed uint64  // keeps the compiler from leaving out loads
	data   []byte  // the entries as PLAIN has them: the body of the dictionary page
	ends   []int32 // where each entry ends in data
}

func (d *textDictionary) bytes(c column.Column, runs []run) int {
	return textBytes(c.(*column.Texts), runs)
}

func (d *textDictionary) add(_ *page, c column.Column, runs []run) {
	t := c.(*column.Texts)
	d.plain += textBytes(t, runs) - slack
	d.grow()
	words := t.Valid.Words()
	for _, r := range runs {
		for at := r.from; at < r.to; {
			from, end := nextRun(words, at, r.to)
			at = end
			for ; from < end; from += ahead {
				d.addTexts(t, from, min(from+ahead, end))
			}
		}
	}
}

// ahead is how many texts are hashed and looked for before the first is compared: what they will be compared
// with lies all over the dictionary, and memory is waited for once for all of them.
const ahead = 32

// addTexts adds the rows from to to, at most ahead, which have values.
func (d *textDictionary) addTexts(t *column.Texts, from, to int) {
	var hashes [ahead]uint32
	mask, warm := uint32(len(d.slots)-1), uint64(0)
	for row := from; row < to; row++ {
		h := uint32(maphash.Bytes(d.seed, t.Data[t.Offsets[row]:t.Offsets[row+1]]))
		hashes[row-from] = h
		warm += d.slots[h&mask].key
	}
	for _, h := range hashes[:to-from] {
		if s := &d.slots[h&mask]; s.index != 0 && uint32(s.key) > 0 {
			start, n := s.key>>32, uint64(uint32(s.key))
			warm += uint64(d.data[start]) + uint64(d.data[start+n-1])
		}
	}
	d.warmed += warm
	for row := from; row < to; row++ {
		d.addText(t.Data[t.Offsets[row]:t.Offsets[row+1]], hashes[row-from])
	}
}

func (d *textDictionary) addText(v []byte, hash uint32) {
	mask := uint32(len(d.slots) - 1)
	at := hash & mask
	for {
		s := &d.slots[at]
		if s.index == 0 {
			break
		}
		if start := s.key >> 32; s.hash == hash && uint32(s.key) == uint32(len(v)) && string(d.data[start:][:len(v)]) == string(v) {
			d.page = append(d.page, s.index-1)
			return
		}
		at = (at + 1) & mask
	}
	d.data = binary.LittleEndian.AppendUint32(d.data, uint32(len(v)))
	d.enter(at, hash, uint64(len(d.data))<<32|uint64(len(v)))
	d.data = append(d.data, v...)
	d.ends = append(d.ends, int32(len(d.data)))
}

// plainEntry is an entry as PLAIN has it, entry the text alone.
func (d *textDictionary) plainEntry(i uint32) []byte {
	start := int32(0)
	if i > 0 {
		start = d.ends[i-1]
	}
	return d.data[start:d.ends[i]]
}

func (d *textDictionary) entry(i uint32) []byte { return d.plainEntry(i)[4:] }

func (d *textDictionary) size() int { return len(d.data) }

func (d *textDictionary) body() []byte { return d.data }

func (d *textDictionary) unpack(p *page, to values) {
	p.reserve(d.plain)
	for _, i := range d.page {
		p.body = append(p.body, d.plainEntry(i)...)
	}
	d.addBounds(&to.(*texts).seen)
	d.clearPage()
}

func (d *textDictionary) bounds() (lower, upper []byte, ok bool) {
	var b textBounds
	d.addBounds(&b)
	return b.bytes(d.utf8)
}

func (d *textDictionary) appendEnds(to column.Column) {
	var b textBounds
	d.addBounds(&b)
	b.appendEnds(to)
}

func (d *textDictionary) addBounds(b *textBounds) {
	for i := range uint32(d.n) {
		if v := d.entry(i); !b.inside(v) {
			b.take(v)
		}
	}
}

func (d *textDictionary) reset() {
	d.indexes.reset()
	d.data, d.ends = d.data[:0], d.ends[:0]
}

func (d *textDictionary) held() int { return d.indexes.held() + cap(d.data) + 4*cap(d.ends) }

func (d *textDictionary) free() {
	d.indexes.free()
	d.data, d.ends = nil, nil
}

// numberDictionary is a dictionary of fixed-width values. Values are equal if their bits are.
type numberDictionary[T number] struct {
	indexes
	list []T
	raw  []byte // what body gave last
}

func (d *numberDictionary[T]) bytes(_ column.Column, runs []run) int { return count(runs) * width[T]() }

func (d *numberDictionary[T]) add(_ *page, c column.Column, runs []run) {
	f := c.(*column.Fixed[T])
	d.plain += d.bytes(c, runs)
	d.grow()
	words := f.Valid.Words()
	for _, r := range runs {
		for row := r.from; row < r.to; row++ {
			if words == nil || words[row/64]>>(row%64)&1 != 0 {
				d.addNumber(f.Values[row])
			}
		}
	}
}

func (d *numberDictionary[T]) addNumber(v T) {
	pattern := bitsOf(v)
	hash := uint32(pattern * 0x9e3779b97f4a7c15 >> 32)
	mask := uint32(len(d.slots) - 1)
	at := hash & mask
	for {
		s := &d.slots[at]
		if s.index == 0 {
			break
		}
		if s.key == pattern {
			d.page = append(d.page, s.index-1)
			return
		}
		at = (at + 1) & mask
	}
	d.enter(at, hash, pattern)
	d.list = append(d.list, v)
}

func bitsOf[T number](v T) uint64 {
	if unsafe.Sizeof(v) == 4 {
		return uint64(*(*uint32)(unsafe.Pointer(&v)))
	}
	return *(*uint64)(unsafe.Pointer(&v))
}

func (d *numberDictionary[T]) size() int { return len(d.list) * width[T]() }

func (d *numberDictionary[T]) body() []byte {
	d.raw = appendRaw(d.raw[:0], d.list)
	return d.raw
}

func (d *numberDictionary[T]) unpack(p *page, to values) {
	p.reserve(d.plain)
	for _, i := range d.page {
		p.body = appendRaw(p.body, d.list[i:i+1])
	}
	to.(*numbers[T]).seen.add(d.list)
	d.clearPage()
}

func (d *numberDictionary[T]) bounds() (lower, upper []byte, ok bool) {
	var b numberBounds[T]
	b.add(d.list)
	return b.bytes()
}

func (d *numberDictionary[T]) appendEnds(to column.Column) {
	var b numberBounds[T]
	b.add(d.list)
	b.appendEnds(to)
}

func (d *numberDictionary[T]) reset() {
	d.indexes.reset()
	d.list = d.list[:0]
}

func (d *numberDictionary[T]) held() int {
	return d.indexes.held() + cap(d.list)*width[T]() + cap(d.raw)
}

func (d *numberDictionary[T]) free() {
	d.indexes.free()
	d.list, d.raw = nil, nil
}
