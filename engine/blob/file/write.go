package file

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/millrace-io/millrace/engine/blob"
)

// Put writes an object over one of the same name.
func (s *Store) Put(ctx context.Context, name string, data []byte) error {
	if err := s.put(ctx, name, data, replace); err != nil {
		return s.failed("put", name, err)
	}
	return nil
}

// PutIfAbsent writes an object if there is none of this name.
func (s *Store) PutIfAbsent(ctx context.Context, name string, data []byte) error {
	if err := s.put(ctx, name, data, claim); err != nil {
		return s.failed("put if absent", name, err)
	}
	return nil
}

func (s *Store) put(ctx context.Context, name string, data []byte, publish func(temp, path string) error) error {
	t, err := s.temp(ctx, name)
	if err != nil {
		return err
	}
	if _, err := t.file.Write(data); err != nil {
		return errors.Join(err, t.drop())
	}
	return t.finish(publish)
}

// Create begins an object that is written in pieces.
func (s *Store) Create(ctx context.Context, name string) (blob.Writer, error) {
	t, err := s.temp(ctx, name)
	if err != nil {
		return nil, s.failed("create", name, err)
	}
	return &writer{s, name, t}, nil
}

type writer struct {
	store *Store
	name  string
	temp  *temp
}

// Write implements blob.Writer.
func (w *writer) Write(p []byte) (int, error) {
	n, err := w.temp.file.Write(p)
	if err != nil {
		err = w.store.failed("write", w.name, err)
	}
	return n, err
}

// Close implements blob.Writer.
func (w *writer) Close() error {
	if err := w.temp.finish(replace); err != nil {
		return w.store.failed("close", w.name, err)
	}
	return nil
}

// Abort implements blob.Writer.
func (w *writer) Abort() error {
	if err := w.temp.drop(); err != nil {
		return w.store.failed("abort", w.name, err)
	}
	return nil
}

// temp is a file of a temporary name beside the place it will have.
type temp struct {
	file *os.File
	path string // the final place
}

func (s *Store) temp(ctx context.Context, name string) (*temp, error) {
	path, err := s.path(ctx, name)
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	place := filepath.Join(dir, tempPrefix+rand.Text())
	f, err := create(place)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeDir(dir); err != nil {
			return nil, err
		}
		f, err = create(place)
	}
	if err != nil {
		return nil, err
	}
	return &temp{f, path}, nil
}

func create(place string) (*os.File, error) {
	return os.OpenFile(place, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}

// drop gives the file up.
func (t *temp) drop() error {
	return errors.Join(t.file.Close(), os.Remove(t.file.Name()))
}

// finish syncs the file and gives it its name by publish. Afterwards the temporary name is gone.
func (t *temp) finish(publish func(temp, path string) error) error {
	if err := t.file.Sync(); err != nil {
		return errors.Join(err, t.drop())
	}
	if err := t.file.Close(); err != nil {
		return errors.Join(err, os.Remove(t.file.Name()))
	}
	if err := publish(t.file.Name(), t.path); err != nil {
		return errors.Join(err, os.Remove(t.file.Name()))
	}
	return syncDir(filepath.Dir(t.path))
}

// replace gives the file at temp the name path, whatever has it now.
func replace(temp, path string) error { return os.Rename(temp, path) }

// claim gives the file at temp the name path if nothing has it. The temporary name may stay behind after
// a crash between the two steps: it is then a second name of the object and harmless.
func claim(temp, path string) error {
	err := os.Link(temp, path)
	linked := err == nil
	if noLinks(err) {
		err = renameNew(temp, path)
	}
	if errors.Is(err, fs.ErrExist) {
		err = blob.ErrExists
	}
	if linked {
		err = os.Remove(temp)
	}
	return err
}

// noLinks says whether the file system has no hard links.
func noLinks(err error) bool {
	return errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.ENOTSUP) ||
		errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.EMLINK)
}

// makeDir makes dir and what is missing above it, durably.
func makeDir(dir string) error {
	switch info, err := os.Stat(dir); {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return fmt.Errorf("%s is a file, a folder was expected", dir)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	parent := filepath.Dir(dir)
	if err := makeDir(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent) // also when another made it: it may not have synced yet
}

// syncDir makes the names in a folder durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
