package file

import (
	"context"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/millrace-io/millrace/engine/blob"
)

// List yields the objects whose names begin with prefix and are greater than after. Objects that come or
// go while it runs may be seen or not.
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		w := &walk{ctx: ctx, root: s.root, prefix: prefix, after: after, yield: yield}
		dir := prefix[:strings.LastIndexByte(prefix, '/')+1]
		if dir != "" && blob.CheckName(dir[:len(dir)-1]) != nil {
			return // no object has such a name
		}
		if err := w.dir(dir); err != nil && !w.stopped {
			yield(blob.Info{}, s.failed("list", prefix, err))
		}
	}
}

// walk is one List on its way through the folders.
type walk struct {
	ctx           context.Context
	root          string
	prefix, after string
	yield         func(blob.Info, error) bool
	stopped       bool
}

// dir walks the folder whose objects' names begin with at, which is "" or ends in a slash.
func (w *walk) dir(at string) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	entries, err := os.ReadDir(filepath.Join(w.root, filepath.FromSlash(at)))
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	names := make([]string, 0, len(entries)) // folders with a slash: so the order is that of full names
	byName := make(map[string]fs.DirEntry, len(entries))
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), tempPrefix) {
			continue
		}
		name := at + e.Name()
		if e.IsDir() {
			name += "/"
		}
		names = append(names, name)
		byName[name] = e
	}
	slices.Sort(names)
	for _, name := range names {
		if err := w.entry(name, byName[name]); err != nil || w.stopped {
			return err
		}
	}
	return nil
}

func (w *walk) entry(name string, e fs.DirEntry) error {
	if strings.HasSuffix(name, "/") {
		if !overlaps(name, w.prefix) || name < w.after && !strings.HasPrefix(w.after, name) {
			return nil
		}
		return w.dir(name)
	}
	if !strings.HasPrefix(name, w.prefix) || name <= w.after {
		return nil
	}
	info, err := e.Info()
	if err == nil && e.Type()&fs.ModeSymlink != 0 {
		info, err = os.Stat(filepath.Join(w.root, filepath.FromSlash(name)))
	}
	if missing(err) { // removed meanwhile
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().IsRegular() {
		w.stopped = !w.yield(infoOf(name, info), nil)
	}
	return nil
}

// overlaps says whether names that begin with dir may begin with prefix.
func overlaps(dir, prefix string) bool {
	return strings.HasPrefix(dir, prefix) || strings.HasPrefix(prefix, dir)
}
