package file

import (
	"context"
	"io"
	"os"

	"github.com/millrace-io/millrace/engine/blob"
)

var _ blob.Opener = (*Store)(nil)

// Open implements blob.Opener.
func (s *Store) Open(ctx context.Context, name string, offset, n int64) (io.ReadCloser, error) {
	path, err := s.path(ctx, name)
	if err != nil {
		return nil, s.failed("open", name, absent(err))
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, s.failed("open", name, absent(err))
	}
	return &part{s, name, io.NewSectionReader(f, offset, max(n, 0)), f}, nil
}

// A part is an open part of an object.
type part struct {
	store *Store
	name  string
	data  *io.SectionReader
	file  *os.File
}

// Read implements io.Reader.
func (p *part) Read(b []byte) (int, error) {
	n, err := p.data.Read(b)
	if err != nil && err != io.EOF {
		err = p.store.failed("read", p.name, absent(err))
	}
	return n, err
}

// Close implements io.Closer.
func (p *part) Close() error { return p.file.Close() }
