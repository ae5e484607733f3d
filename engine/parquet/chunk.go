package parquet

import (
	"fmt"
	"slices"

	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace-io/millrace/engine/column"
)

// A chunk is a column's share of the row group being filled: pages that are compressed, and one that takes
// values.
//
// A chunk begins with a dictionary, unless its last ones ended without, and gives it up when values turn
// out to be new or the dictionary grows too large. Pages that were finished before keep it.
type chunk struct {
	leaf  leaf
	limit limits
	press *press
	page  page

	values     values     // takes the values now: plain or dictionary
	plain      values     // never nil
	dictionary dictionary // nil: none for this type
	untilTrial int        // row groups until a dictionary is tried again

	pages     [][]byte // headers and bodies, in the stash
	indexed   int      // how many of pages need the dictionary
	unpacked  int64    // bytes of pages before compression, headers included
	entries   int64    // levels in pages, nulls among them
	withValue int64    // values in pages
}

// limits are the options that a chunk needs.
type limits struct{ page, rows, dictionary int }

// trialEvery is how many row groups a column that was given up stays plain.
const trialEvery = 32

func newChunk(l leaf, limit limits, p *press) *chunk {
	k := &chunk{leaf: l, limit: limit, press: p, page: page{mem: p.stash.mem}, plain: newValues(l.values)}
	if limit.dictionary > 0 {
		k.dictionary = newDictionary(l.values)
	}
	k.begin()
	return k
}

// begin makes the chunk ready for a row group.
func (k *chunk) begin() {
	clear(k.pages)
	k.pages, k.indexed = k.pages[:0], 0
	k.unpacked, k.entries, k.withValue = 0, 0, 0
	k.page.clear()
	k.plain.reset()
	k.values = k.plain
	if k.dictionary == nil {
		return
	}
	k.dictionary.reset()
	if k.untilTrial--; k.untilTrial <= 0 {
		k.values = k.dictionary
	}
}

// append adds the rows from to to of c.
func (k *chunk) append(c column.Column, from, to int) error {
	for from < to {
		n := k.fit(c, from, to)
		if n == 0 {
			if err := k.finishPage(); err != nil {
				return err
			}
			continue
		}
		k.take(c, from, from+n)
		from += n
		if err := k.review(); err != nil {
			return err
		}
	}
	return nil
}

// fit is how many of the rows from to to the page has room for: at least one if it is empty.
func (k *chunk) fit(c column.Column, from, to int) int {
	n := min(to-from, k.limit.rows-k.page.rows)
	for n > 0 && k.page.size()+k.bytes(c, from, from+n) > k.limit.page {
		if n == 1 && k.page.rows == 0 {
			return 1
		}
		n /= 2
	}
	return n
}

func (k *chunk) bytes(c column.Column, from, to int) int {
	if l, ok := c.(*column.List); ok {
		first, end := int(l.Offsets[from]), int(l.Offsets[to])
		return k.values.bytes(l.Elem, first, end) + to - from
	}
	return k.values.bytes(c, from, to)
}

// take adds rows that fit.
func (k *chunk) take(c column.Column, from, to int) {
	k.page.rows += to - from
	l, ok := c.(*column.List)
	if !ok {
		if k.leaf.optional {
			k.page.flat.appendBits(c.Nulls().Words(), from, to-from)
		}
		k.values.add(&k.page, c, from, to)
		return
	}
	k.page.addArrays(&k.leaf, l, from, to)
	words := l.Valid.Words()
	if words == nil {
		k.values.add(&k.page, l.Elem, int(l.Offsets[from]), int(l.Offsets[to]))
		return
	}
	for from < to {
		first, end := nextRun(words, from, to)
		k.values.add(&k.page, l.Elem, int(l.Offsets[first]), int(l.Offsets[end]))
		from = end
	}
}

// review gives the dictionary up if more than half of the values are new, once there are some hundred, or if
// it has grown too large.
func (k *chunk) review() error {
	if k.values == k.plain {
		return nil
	}
	x := k.dictionary.state()
	if x.n <= x.values()/2+256 && k.dictionary.size() <= k.limit.dictionary {
		return nil
	}
	return k.giveUp()
}

// giveUp goes on without the dictionary. The current page is made plain, if it is then no larger than it may
// be.
func (k *chunk) giveUp() error {
	k.untilTrial = trialEvery
	if k.dictionary.state().plain > k.limit.page {
		if err := k.finishPage(); err != nil {
			return err
		}
	}
	k.dictionary.unpack(&k.page, k.plain)
	k.values = k.plain
	return nil
}

// finishPage compresses the page and begins another.
func (k *chunk) finishPage() error {
	if k.page.rows == 0 {
		return nil
	}
	how := k.values
	if how != k.plain && k.dictionary.state().n == 0 {
		how = k.plain // nulls only: a dictionary without entries is more than readers expect
	}
	how.finish(&k.page)
	entries, values := k.page.entries(), k.page.values(&k.leaf)
	body := k.press.assemble(&k.page, &k.leaf)
	page, err := k.press.data(body, entries, entries-values, how.encoding())
	if err != nil {
		return fmt.Errorf("column %s: %w", k.leaf.field.Name, err)
	}
	k.keep(page, len(body))
	k.entries, k.withValue = k.entries+int64(entries), k.withValue+int64(values)
	if how != k.plain {
		k.indexed++
	}
	k.page.clear()
	return nil
}

// keep adds a page whose body had n bytes.
func (k *chunk) keep(p pressed, n int) {
	k.pages = append(k.pages, p.bytes)
	k.unpacked += int64(p.header + n)
}

// finish ends the row group: the dictionary page, if one is needed, comes first.
func (k *chunk) finish() error {
	if k.values != k.plain && k.indexed == 0 && !k.pays() {
		if err := k.giveUp(); err != nil {
			return err
		}
	}
	if err := k.finishPage(); err != nil {
		return err
	}
	if k.indexed == 0 {
		return nil
	}
	body := k.dictionary.body()
	page, err := k.press.dictionary(body, k.dictionary.state().n)
	if err != nil {
		return fmt.Errorf("column %s: %w", k.leaf.field.Name, err)
	}
	k.keep(page, len(body))
	last := len(k.pages) - 1
	k.pages = slices.Insert(k.pages[:last], 0, k.pages[last])
	return nil
}

// pays says whether the dictionary makes the row group's only page smaller.
func (k *chunk) pays() bool {
	x := k.dictionary.state()
	return x.n > 0 && k.dictionary.size()+x.indexBytes() < x.plain
}

// metadata describes the finished chunk, which begins at offset in the file.
func (k *chunk) metadata(offset int64) format.ColumnMetaData {
	m := format.ColumnMetaData{
		Type: k.leaf.physical, PathInSchema: k.leaf.path, Codec: k.press.codec.id,
		NumValues: k.entries, TotalUncompressedSize: k.unpacked, DataPageOffset: offset,
		Statistics: k.statistics(),
	}
	for _, p := range k.pages {
		m.TotalCompressedSize += int64(len(p))
	}
	count := func(t format.PageType, e format.Encoding, n int) {
		if n > 0 {
			m.EncodingStats = append(m.EncodingStats, format.PageEncodingStats{PageType: t, Encoding: e, Count: int32(n)})
		}
	}
	data := len(k.pages)
	if k.indexed > 0 {
		m.DictionaryPageOffset, m.DataPageOffset = offset, offset+int64(len(k.pages[0]))
		m.Encoding = append(m.Encoding, format.RLEDictionary)
		count(format.DictionaryPage, format.Plain, 1)
		count(format.DataPage, format.RLEDictionary, k.indexed)
		data -= 1 + k.indexed
	}
	count(format.DataPage, format.Plain, data)
	m.Encoding = append(m.Encoding, format.Plain, format.RLE)
	return m
}

// statistics are those of the whole chunk. Bounds are there in both or in none.
func (k *chunk) statistics() format.Statistics {
	s := format.Statistics{NullCount: k.entries - k.withValue}
	if lower, upper, ok := k.values.bounds(); ok {
		s.MinValue, s.MaxValue = append([]byte{}, lower...), append([]byte{}, upper...)
	}
	return s
}

// size is the memory that the open page and the dictionary take, in bytes.
func (k *chunk) size() int {
	n := cap(k.page.body)
	if k.dictionary != nil {
		n += k.dictionary.held()
	}
	return n
}

// end gives up what the chunk holds and the page's memory. What the chunk knows of its column it keeps.
func (k *chunk) end() {
	k.begin()
	k.page.free()
}

// release is end that gives the dictionary's memory up as well.
func (k *chunk) release() {
	k.end()
	if k.dictionary != nil {
		k.dictionary.free()
	}
}
