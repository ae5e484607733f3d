package parquet

import (
	"bytes"
	"fmt"
	"math"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// A press makes of the body of a page what stands in the file, its header and its compressed body, and puts
// it into the stash. The chunks of a file share one.
type press struct {
	codec   *codec
	stash   stash
	header  bytes.Buffer
	thrift  *thrift.Encoder // into header
	scratch []byte
}

// pressed is a page as it stands in the file.
type pressed struct {
	bytes  []byte // in the stash
	header int    // bytes of it that are the header
}

// headerRoom is more than a page's header takes: it holds a dozen small numbers.
const headerRoom = 128

func newPress(c *codec, m *memory) *press {
	p := &press{codec: c, stash: stash{mem: m}}
	p.thrift = thrift.NewEncoder(new(thrift.CompactProtocol).NewWriter(&p.header))
	return p
}

// assemble gives the whole body of a page whose values are finished. It is lent until the page is changed.
func (p *press) assemble(page *page, l *leaf) []byte {
	var body []byte
	body, p.scratch = page.finish(l, p.scratch)
	return body
}

// data presses a data page; raw says that it is not to be compressed.
func (p *press) data(body []byte, raw bool, entries, nulls int, e format.Encoding) (pressed, error) {
	return p.press(body, raw, format.PageHeader{
		Type: format.DataPage,
		DataPageHeader: thrift.New(format.DataPageHeader{
			NumValues: int32(entries), Encoding: e, DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE,
			Statistics: format.Statistics{NullCount: int64(nulls)},
		}),
	})
}

// dictionary presses a dictionary page of n entries.
func (p *press) dictionary(body []byte, raw bool, n int) (pressed, error) {
	return p.press(body, raw, format.PageHeader{
		Type:                 format.DictionaryPage,
		DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: int32(n), Encoding: format.Plain}),
	})
}

func (p *press) press(body []byte, raw bool, h format.PageHeader) (pressed, error) {
	if len(body) > math.MaxInt32-largestGrowth {
		return pressed{}, fmt.Errorf("a page of %d bytes: Parquet has no pages of 2 GiB and more", len(body))
	}
	room := p.stash.room(headerRoom + p.codec.bound(len(body)))
	var small []byte
	if raw {
		small = room[headerRoom:][:copy(room[headerRoom:], body)]
	} else {
		small = p.codec.encode(room[headerRoom:], body)
	}
	h.UncompressedPageSize, h.CompressedPageSize = int32(len(body)), int32(len(small))
	p.header.Reset()
	if err := p.thrift.Encode(&h); err != nil {
		return pressed{}, fmt.Errorf("encode a page's header: %w", err)
	}
	n := p.header.Len()
	start := headerRoom - n // the header stands right before the body; what is free before it is lost
	copy(room[start:], p.header.Bytes())
	p.stash.keep(headerRoom + len(small))
	return pressed{room[start : headerRoom+len(small)], n}, nil
}

// largestGrowth bounds by how much compression can make a page larger.
const largestGrowth = 16 << 20
