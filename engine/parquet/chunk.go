package parquet

import (
	"fmt"
	"slices"

	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/delta"
)

// A chunk is a leaf's share of the row group being filled: pages that are compressed, and one that takes
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

	raw      bool // pages are not compressed
	settled  bool // raw will not change in this file
	untilRaw int  // files until it is tried again how well pages compress

	pages     [][]byte      // headers and bodies, in the stash
	indexed   int           // how many of pages need the dictionary
	unpacked  int64         // bytes of pages before compression, headers included
	entries   int64         // levels in pages, nulls among them
	withValue int64         // values in pages
	nulls     int64         // rows in pages that are null, or the array in them is
	ends      column.Column // scratch of summary

	one, whole [1]run        // scratch
	reach      reach         // of a column with parts
	narrow     column.Column // scratch of take; nil: pages take values as they are
	narrowEnds column.Column // scratch of summary; nil as above
}

// limits are the options that a chunk needs.
type limits struct{ page, rows, dictionary int }

// trialEvery is for how many row groups a column whose values don't repeat is plain, and for how many files one
// that does not compress is not compressed.
const trialEvery = 32

func newChunk(l leaf, limit limits, p *press) *chunk {
	k := &chunk{leaf: l, limit: limit, press: p, page: page{mem: p.stash.mem}, plain: newValues(l.stored)}
	if limit.dictionary > 0 {
		k.dictionary = newDictionary(l.stored)
	}
	if l.stored != l.values {
		k.narrow, k.narrowEnds = column.New(l.stored), column.New(l.stored)
	}
	k.begin()
	return k
}

// begin makes the chunk ready for a row group.
func (k *chunk) begin() {
	clear(k.pages)
	k.pages, k.indexed = k.pages[:0], 0
	k.unpacked, k.entries, k.withValue, k.nulls = 0, 0, 0, 0
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

// beginFile makes the chunk ready for the first row group of a file.
func (k *chunk) beginFile() {
	k.untilRaw--
	k.raw = k.raw && k.untilRaw > 0
	k.settled = k.raw
}

// append adds rows of c.
func (k *chunk) append(c column.Column, runs []run) error {
	if k.fits(c, runs) {
		k.take(c, runs)
		return k.review()
	}
	for _, r := range runs {
		if err := k.appendRun(c, r); err != nil {
			return err
		}
	}
	return nil
}

// fits says whether the page has room for all the rows.
func (k *chunk) fits(c column.Column, runs []run) bool {
	return count(runs) <= k.limit.rows-k.page.rows && k.bytes(c, runs) <= k.limit.page-k.page.size()
}

// appendRun adds rows that may take more than a page.
func (k *chunk) appendRun(c column.Column, r run) error {
	for r.from < r.to {
		some := k.fit(c, r)
		if len(some) == 0 {
			if err := k.finishPage(); err != nil {
				return err
			}
			continue
		}
		k.take(c, some)
		r.from = some[0].to
		if err := k.review(); err != nil {
			return err
		}
	}
	return nil
}

// fit gives the first of the rows, as many as the page has room for: at least one if it is empty. They are
// lent.
func (k *chunk) fit(c column.Column, r run) []run {
	n := min(r.to-r.from, k.limit.rows-k.page.rows)
	for ; n > 0; n /= 2 {
		k.one[0] = run{r.from, r.from + n}
		if k.fits(c, k.one[:]) || n == 1 && k.page.rows == 0 {
			return k.one[:]
		}
	}
	return nil
}

func (k *chunk) bytes(c column.Column, runs []run) int {
	if !k.leaf.nested() {
		return k.values.bytes(c, runs)
	}
	v, inner := k.reach.values(&k.leaf, c, runs)
	return k.values.bytes(v, inner) + count(runs)
}

// take adds rows that fit.
func (k *chunk) take(c column.Column, runs []run) {
	k.page.rows += count(runs)
	if k.leaf.nested() {
		for _, r := range runs {
			k.page.list.add(&k.leaf, 0, c, r, 0, 0, 0)
		}
		c, runs = k.reach.values(&k.leaf, c, runs)
	} else if k.leaf.optional {
		words := c.Nulls().Words()
		for _, r := range runs {
			k.page.flat.appendBits(words, r.from, r.to-r.from)
		}
	}
	if k.narrow != nil {
		convert(k.narrow, c, runs)
		k.whole[0] = run{0, k.narrow.Len()}
		c, runs = k.narrow, k.whole[:]
	}
	k.values.add(&k.page, c, runs)
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
	page, err := k.compress(body, how, entries, entries-values)
	if err != nil {
		return fmt.Errorf("column %s: %w", k.leaf.name(), err)
	}
	k.keep(page, len(body))
	k.entries, k.withValue = k.entries+int64(entries), k.withValue+int64(values)
	if k.leaf.lists > 0 {
		k.nulls += int64(k.page.list.below(k.leaf.present))
	} else {
		k.nulls += int64(entries - values)
	}
	if how != k.plain {
		k.indexed++
	}
	k.page.clear()
	return nil
}

// compress presses a page. If the first page of a file hardly becomes smaller, no page of the column in this
// file is compressed: what is spent on texts like UUIDs, and again on reading them, is spent for nothing.
// Row groups of one file agree, as there are readers that look at the first one only. A column that begins
// with a dictionary is compressed, for the dictionary's sake.
func (k *chunk) compress(body []byte, how values, entries, nulls int) (pressed, error) {
	page, err := k.press.data(body, k.raw, entries, nulls, how.encoding())
	if err != nil || k.settled {
		return page, err
	}
	k.settled = true
	k.raw = k.values == k.plain && len(page.bytes)-page.header > len(body)/10*9
	if !k.raw || k.press.codec.id == format.Uncompressed {
		return page, nil
	}
	k.untilRaw = trialEvery
	k.press.stash.drop(len(page.bytes))
	return k.press.data(body, true, entries, nulls, how.encoding())
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
	page, err := k.press.dictionary(body, k.raw, k.dictionary.state().n)
	if err != nil {
		return fmt.Errorf("column %s: %w", k.leaf.name(), err)
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
	codec := k.press.codec.id
	if k.raw {
		codec = format.Uncompressed
	}
	m := format.ColumnMetaData{
		Type: k.leaf.physical, PathInSchema: k.leaf.path, Codec: codec,
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

// summary is what the table's log says of the finished chunk. It is lent until the next call.
func (k *chunk) summary() delta.ColumnSummary {
	if k.leaf.lists > 0 {
		return delta.ColumnSummary{Nulls: k.nulls} // arrays and maps have no order
	}
	if k.ends == nil {
		k.ends = column.New(k.leaf.values)
	}
	k.ends.Reset()
	if k.narrowEnds == nil {
		k.values.appendEnds(k.ends)
	} else {
		k.narrowEnds.Reset()
		k.values.appendEnds(k.narrowEnds)
		widen(k.ends, k.narrowEnds)
	}
	return delta.ColumnSummary{Nulls: k.nulls, Ends: k.ends}
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
