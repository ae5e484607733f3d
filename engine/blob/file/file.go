// Package file is a blob.Store in a folder of a local disk. An object is a file, its name the path below
// the folder.
//
// What a write reports done survives a power cut: the bytes are written to a file of a temporary name
// beside the final place and synced, then the file gets its name in one step, then the folder is synced.
// A put-if-absent names it with link(2), which fails where the name is taken; a rename would replace what
// is there, and creating the file under its own name would show half of it to readers.
//
// Temporary names begin with "._millrace_tmp_". A crash may leave such files behind; List does not show
// them, nothing reads them, and they may be removed whenever no process writes to the folder.
//
// What differs from a bucket: a name can't be both an object and the beginning of other names ("a" and
// "a/b"), a part of a name has at most 255 bytes on most file systems, and List does not follow symbolic
// links to folders. The file system must be a local one, or one whose link and rename are atomic between
// machines.
package file

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/millrace-io/millrace/engine/blob"
)

// tempPrefix begins the names of files that are not objects yet.
const tempPrefix = "._millrace_tmp_"

// A Store is a blob.Store in a folder. Make one with New.
type Store struct {
	root string // absolute
}

var _ blob.Store = (*Store)(nil)

// New gives the store in the folder dir. The folder need not exist: the first write makes it.
func New(dir string) (*Store, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open folder %s: %w", dir, err)
	}
	return &Store{root}, nil
}

// Dir is the folder's absolute path.
func (s *Store) Dir() string { return s.root }

// URL is "file:///data/lake".
func (s *Store) URL() string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(s.root)}).String()
}

// path is where the object of a name lies.
func (s *Store) path(ctx context.Context, name string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if err := blob.CheckName(name); err != nil {
		return "", err
	}
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, tempPrefix) {
			return "", fmt.Errorf("names that begin with %q are kept for unfinished files", tempPrefix)
		}
	}
	return filepath.Join(s.root, filepath.FromSlash(name)), nil
}

// Get reads a whole object.
func (s *Store) Get(ctx context.Context, name string) ([]byte, error) {
	path, err := s.path(ctx, name)
	if err != nil {
		return nil, s.failed("get", name, absent(err))
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, s.failed("get", name, absent(err))
	}
	return data, nil
}

// Range reads a part of an object.
func (s *Store) Range(ctx context.Context, name string, offset, n int64) ([]byte, error) {
	data, err := s.readRange(ctx, name, offset, n)
	if err != nil {
		return nil, s.failed("range", name, absent(err))
	}
	return data, nil
}

func (s *Store) readRange(ctx context.Context, name string, offset, n int64) ([]byte, error) {
	path, err := s.path(ctx, name)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	from, to := blob.Span(info.Size(), offset, n)
	data := make([]byte, to-from)
	got, err := f.ReadAt(data, from)
	if err == io.EOF { // cut short meanwhile: fewer bytes, as at any end
		err = nil
	}
	return data[:got], err
}

// Stat gives the size of an object.
func (s *Store) Stat(ctx context.Context, name string) (blob.Info, error) {
	path, err := s.path(ctx, name)
	if err != nil {
		return blob.Info{Name: name}, s.failed("stat", name, absent(err))
	}
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return blob.Info{Name: name}, s.failed("stat", name, absent(err))
	}
	return infoOf(name, info), nil
}

func infoOf(name string, info fs.FileInfo) blob.Info {
	return blob.Info{Name: name, Size: info.Size(), ModifiedMillis: info.ModTime().UnixMilli()}
}

// Delete removes an object. It does not sync: a deletion undone by a power cut is repeated by who wanted it.
func (s *Store) Delete(ctx context.Context, name string) error {
	path, err := s.path(ctx, name)
	if err == nil {
		err = syscall.Unlink(path)
	}
	if err == nil || missing(err) {
		return nil
	}
	return s.failed("delete", name, err)
}
