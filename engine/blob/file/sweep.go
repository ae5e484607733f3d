package file

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/millrace-io/millrace/engine/blob"
)

var _ blob.Sweeper = (*Store)(nil)

// Sweep implements blob.Sweeper: it deletes temporary files, of writers that died, that were last written to
// before a time.
func (s *Store) Sweep(ctx context.Context, prefix string, before time.Time) (swept int, err error) {
	folder := filepath.Join(s.root, filepath.FromSlash(prefix[:strings.LastIndexByte(prefix, '/')+1]))
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // gone meanwhile, or never there
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case d.IsDir() || !strings.HasPrefix(d.Name(), tempPrefix) || !strings.HasPrefix(path, filepath.Join(s.root, filepath.FromSlash(prefix))):
			return nil
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.ModTime().Before(before) {
			return nil
		}
		if err == nil {
			err = os.Remove(path)
		}
		if err == nil {
			swept++
		}
		return err
	})
	if err != nil {
		return swept, s.failed("sweep", prefix, err)
	}
	return swept, nil
}
