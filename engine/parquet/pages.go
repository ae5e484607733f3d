package parquet

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"

	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace-io/millrace/engine/column"
)

// chunkReader reads the pages of one column of one row group, one after the other, into a column.
type chunkReader struct {
	source  *source
	codec   format.CompressionCodec
	unpress *decompressor
	dst     column.Column // of the values' type; nil: the levels are enough
	entries *entries      // takes the levels, and dst values alone; nil: dst takes rows
	rows    int           // that the row group has

	dictionary column.Column // nil before the dictionary page
	indexes    []int32       // scratch, as are the following
	repetition []int32
	definition []int32
}

// readChunk reads a leaf in a row group: rows into dst, or if to is not nil what a column with parts is assembled of.
func (f *File) readChunk(ctx context.Context, group int, s *source, dst column.Column, to *entries) error {
	g := &f.meta.RowGroups[group]
	c := &g.Columns[s.leaf]
	if c.MetaData.Type != s.physical {
		return fmt.Errorf("it is corrupt: values are of type %v, in the schema of type %v", c.MetaData.Type, s.physical)
	}
	if c.FilePath != "" {
		return fmt.Errorf("its values are in another file, %s", c.FilePath)
	}
	start := c.MetaData.DataPageOffset
	if d := c.MetaData.DictionaryPageOffset; d > 0 && d < start {
		start = d
	}
	size := c.MetaData.TotalCompressedSize
	if start < 0 || size < 0 || start > f.size || size > f.size-start {
		return fmt.Errorf("it is corrupt: %d bytes at %d in a file of %d", size, start, f.size)
	}
	b, err := f.store.Range(ctx, f.name, start, size)
	if err != nil {
		return err
	}
	if int64(len(b)) != size {
		return fmt.Errorf("it has become shorter: %d bytes at %d instead of %d", len(b), start, size)
	}
	r := &chunkReader{source: s, codec: c.MetaData.Codec, unpress: &f.unpress, dst: dst, entries: to, rows: int(g.NumRows)}
	for len(b) > 0 && (to != nil || dst.Len() < r.rows) {
		if b, err = r.page(b); err != nil {
			return err
		}
	}
	return nil
}

// largestDecoded bounds what a page may become when it is decompressed.
const largestDecoded = 1 << 30

// page reads the page that b begins with and gives what is behind it.
func (r *chunkReader) page(b []byte) ([]byte, error) {
	n, err := skim(b)
	if err != nil {
		return nil, err
	}
	var h format.PageHeader
	if err := decodeThrift(b[:n], &h); err != nil {
		return nil, err
	}
	b = b[n:]
	size := int(h.CompressedPageSize)
	if size < 0 || size > len(b) || h.UncompressedPageSize < 0 || h.UncompressedPageSize > largestDecoded {
		return nil, fmt.Errorf("it is corrupt: a page of %d bytes, uncompressed %d, where %d are left", size, h.UncompressedPageSize, len(b))
	}
	body := b[:size]
	switch {
	case h.Type == format.DictionaryPage && h.DictionaryPageHeader.Valid:
		err = r.dictionaryPage(body, &h)
	case h.Type == format.DataPage && h.DataPageHeader.Valid:
		err = r.dataPage(body, &h)
	case h.Type == format.DataPageV2 && h.DataPageHeaderV2.Valid:
		err = r.dataPageV2(body, &h)
	case h.Type == format.IndexPage:
	default:
		err = fmt.Errorf("it is corrupt: a page of type %v", h.Type)
	}
	return b[size:], err
}

func (r *chunkReader) dictionaryPage(body []byte, h *format.PageHeader) error {
	d := &h.DictionaryPageHeader.V
	if r.dictionary != nil {
		return errors.New("it is corrupt: a column has two dictionaries")
	}
	if d.Encoding != format.Plain && d.Encoding != oldDictionary {
		return fmt.Errorf("a dictionary encoded as %v can't be read", d.Encoding)
	}
	body, err := r.unpress.page(r.codec, body, int(h.UncompressedPageSize))
	if err != nil {
		return err
	}
	if r.dst == nil {
		return nil
	}
	r.dictionary = column.New(r.dst.Type())
	return decodeValues(r.dictionary, r.source, body, int(d.NumValues), format.Plain)
}

// dataPage reads a data page v1, whose levels are compressed with the values.
func (r *chunkReader) dataPage(body []byte, h *format.PageHeader) error {
	d := &h.DataPageHeader.V
	body, err := r.unpress.page(r.codec, body, int(h.UncompressedPageSize))
	if err != nil {
		return err
	}
	entries, err := r.checkEntries(d.NumValues)
	if err != nil {
		return err
	}
	if l := r.source; l.repeated > 0 {
		if r.repetition, body, err = sizedLevels(r.repetition[:0], body, entries, l.repeated, d.RepetitionLevelEncoding); err != nil {
			return err
		}
	}
	if l := r.source; l.defined > 0 {
		if r.definition, body, err = sizedLevels(r.definition[:0], body, entries, l.defined, d.DefinitionLevelEncoding); err != nil {
			return err
		}
	}
	return r.values(body, entries, d.Encoding)
}

// dataPageV2 reads a data page v2, whose levels stand before what is compressed.
func (r *chunkReader) dataPageV2(body []byte, h *format.PageHeader) error {
	d := &h.DataPageHeaderV2.V
	rep, def := int(d.RepetitionLevelsByteLength), int(d.DefinitionLevelsByteLength)
	if rep < 0 || def < 0 || rep+def > len(body) || rep+def > int(h.UncompressedPageSize) {
		return errLevels
	}
	entries, err := r.checkEntries(d.NumValues)
	if err != nil {
		return err
	}
	l := r.source
	if l.repeated > 0 {
		if r.repetition, err = decodeHybrid(r.repetition[:0], body[:rep], entries, bits.Len(uint(l.repeated)), int32(l.repeated)); err != nil {
			return err
		}
	}
	if l.defined > 0 {
		if r.definition, err = decodeHybrid(r.definition[:0], body[rep:rep+def], entries, bits.Len(uint(l.defined)), int32(l.defined)); err != nil {
			return err
		}
	}
	body = body[rep+def:]
	if !d.IsCompressed.Valid || d.IsCompressed.V {
		if body, err = r.unpress.page(r.codec, body, int(h.UncompressedPageSize)-rep-def); err != nil {
			return err
		}
	}
	return r.values(body, entries, d.Encoding)
}

// largestEntries bounds the entries of a page.
const largestEntries = 1 << 26

// checkEntries checks the number of a page's entries.
func (r *chunkReader) checkEntries(n int32) (int, error) {
	if n < 0 || n > largestEntries || r.entries == nil && int(n) > r.rows-r.dst.Len() {
		return 0, fmt.Errorf("it is corrupt: a page of %d values in a row group of %d rows", n, r.rows)
	}
	return int(n), nil
}

// sizedLevels reads levels that have their length before them.
func sizedLevels(dst []int32, body []byte, n, greatest int, e format.Encoding) ([]int32, []byte, error) {
	if e != format.RLE {
		return nil, nil, fmt.Errorf("levels encoded as %v can't be read", e)
	}
	if len(body) < 4 {
		return nil, nil, errLevels
	}
	size := uint64(binary.LittleEndian.Uint32(body))
	if body = body[4:]; size > uint64(len(body)) {
		return nil, nil, errLevels
	}
	dst, err := decodeHybrid(dst, body[:size], n, bits.Len(uint(greatest)), int32(greatest))
	return dst, body[size:], err
}
