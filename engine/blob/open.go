package blob

import (
	"context"
	"fmt"
	"io"
)

// An Opener is a Store that gives the bytes of an object as they come, without memory for all of them.
type Opener interface {
	// Open reads n bytes from offset on, which is not negative; the reader ends before them where the object
	// does. That there is none of this name is said by Open or by the first Read. The caller closes the reader.
	Open(ctx context.Context, name string, offset, n int64) (io.ReadCloser, error)
}

// piece is how much Open asks of a store that is no Opener at a time, in bytes.
const piece = 4 << 20

// Open opens a part of an object of any store. From a store that is no Opener it is read in pieces of 4 MiB, a
// Range each.
func Open(ctx context.Context, s Store, name string, offset, n int64) (io.ReadCloser, error) {
	if offset < 0 {
		return nil, fmt.Errorf("open %s: offset %d is negative", name, offset)
	}
	switch s := s.(type) {
	case *sub:
		return Open(ctx, s.s, s.prefix+name, offset, n)
	case Opener:
		return s.Open(ctx, name, offset, n)
	}
	return &pieces{ctx: ctx, store: s, name: name, offset: offset, left: n}, nil
}

// pieces reads by Range.
type pieces struct {
	ctx    context.Context
	store  Store
	name   string
	offset int64 // of the next piece
	left   int64 // bytes that are in no piece yet
	data   []byte
}

// Read implements io.Reader.
func (p *pieces) Read(b []byte) (int, error) {
	if len(p.data) == 0 {
		if p.left <= 0 {
			return 0, io.EOF
		}
		want := min(p.left, piece)
		data, err := p.store.Range(p.ctx, p.name, p.offset, want)
		if err != nil {
			return 0, err
		}
		if p.left -= want; int64(len(data)) < want {
			p.left = 0 // the object ends here
		}
		p.data, p.offset = data, p.offset+want
		if len(data) == 0 {
			return 0, io.EOF
		}
	}
	n := copy(b, p.data)
	p.data = p.data[n:]
	return n, nil
}

// Close implements io.Closer.
func (p *pieces) Close() error {
	p.left, p.data = 0, nil
	return nil
}
