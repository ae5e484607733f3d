// Package mem is a blob.Store that keeps its objects in memory: for tests, and for a pipeline whose
// results nobody needs after the process ends.
package mem

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/millrace-io/millrace/engine/blob"
)

// A Store is a blob.Store in memory. Make one with New.
type Store struct {
	mu      sync.RWMutex
	objects map[string]object
	names   []string // the keys of objects, sorted, so that List need not sort
}

type object struct {
	data     []byte // never changed once stored: clones share it
	modified int64  // ms since 1970 UTC
}

var _ blob.Store = (*Store)(nil)

// New makes an empty store.
func New() *Store { return &Store{objects: map[string]object{}} }

// Clone is a store of its own with the same objects. It costs a map entry an object, not its bytes.
func (s *Store) Clone() *Store {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := &Store{objects: make(map[string]object, len(s.objects)), names: slices.Clone(s.names)}
	for name, o := range s.objects {
		c.objects[name] = o
	}
	return c
}

// Snapshot gives every object's bytes by name, for comparison in tests. The slices are lent: they must not
// be changed.
func (s *Store) Snapshot() map[string][]byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	m := make(map[string][]byte, len(s.objects))
	for name, o := range s.objects {
		m[name] = o.data
	}
	return m
}

// Get reads a whole object.
func (s *Store) Get(ctx context.Context, name string) ([]byte, error) {
	o, err := s.find(ctx, "get", name)
	return slices.Clone(o.data), err
}

// Range reads a part of an object.
func (s *Store) Range(ctx context.Context, name string, offset, n int64) ([]byte, error) {
	o, err := s.find(ctx, "range", name)
	from, to := blob.Span(int64(len(o.data)), offset, n)
	return slices.Clone(o.data[from:to]), err
}

// Stat gives the size of an object.
func (s *Store) Stat(ctx context.Context, name string) (blob.Info, error) {
	o, err := s.find(ctx, "stat", name)
	return o.info(name), err
}

func (o object) info(name string) blob.Info {
	return blob.Info{Name: name, Size: int64(len(o.data)), ModifiedMillis: o.modified}
}

func (s *Store) find(ctx context.Context, op, name string) (object, error) {
	if err := ctx.Err(); err != nil {
		return object{}, fmt.Errorf("%s %s: %w", op, name, err)
	}
	s.mu.RLock()
	o, ok := s.objects[name]
	s.mu.RUnlock()
	if !ok {
		return o, fmt.Errorf("%s %s: %w", op, name, blob.ErrNotFound)
	}
	return o, nil
}

// Put writes an object over one of the same name.
func (s *Store) Put(ctx context.Context, name string, data []byte) error {
	return s.put(ctx, "put", name, slices.Clone(data), true)
}

// PutIfAbsent writes an object if there is none of this name.
func (s *Store) PutIfAbsent(ctx context.Context, name string, data []byte) error {
	return s.put(ctx, "put if absent", name, slices.Clone(data), false)
}

// put stores data, which it keeps.
func (s *Store) put(ctx context.Context, op, name string, data []byte, over bool) error {
	if err := check(ctx, name); err != nil {
		return fmt.Errorf("%s %s: %w", op, name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, there := s.objects[name]
	if there && !over {
		return fmt.Errorf("%s %s: %w", op, name, blob.ErrExists)
	}
	if !there {
		i, _ := slices.BinarySearch(s.names, name)
		s.names = slices.Insert(s.names, i, name)
	}
	s.objects[name] = object{data, time.Now().UnixMilli()}
	return nil
}

func check(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return blob.CheckName(name)
}

// Create begins an object that is written in pieces.
func (s *Store) Create(ctx context.Context, name string) (blob.Writer, error) {
	if err := check(ctx, name); err != nil {
		return nil, fmt.Errorf("create %s: %w", name, err)
	}
	return &writer{store: s, ctx: ctx, name: name}, nil
}

type writer struct {
	store *Store
	ctx   context.Context
	name  string
	data  []byte
}

// Write implements blob.Writer.
func (w *writer) Write(p []byte) (int, error) {
	w.data = append(w.data, p...)
	return len(p), nil
}

// Close implements blob.Writer.
func (w *writer) Close() error { return w.store.put(w.ctx, "close", w.name, w.data, true) }

// Abort implements blob.Writer.
func (w *writer) Abort() error {
	w.data = nil
	return nil
}

// List yields the objects there were when it began.
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(blob.Info{}, fmt.Errorf("list %s: %w", prefix, err))
			return
		}
		for _, info := range s.list(prefix, after) {
			if !yield(info, nil) {
				return
			}
		}
	}
}

func (s *Store) list(prefix, after string) []blob.Info {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var infos []blob.Info
	from, _ := slices.BinarySearch(s.names, max(prefix, after))
	for _, name := range s.names[from:] {
		if !strings.HasPrefix(name, prefix) {
			break
		}
		if name > after {
			infos = append(infos, s.objects[name].info(name))
		}
	}
	return infos
}

// Delete removes an object.
func (s *Store) Delete(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("delete %s: %w", name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.objects[name]; ok {
		delete(s.objects, name)
		i, _ := slices.BinarySearch(s.names, name)
		s.names = slices.Delete(s.names, i, i+1)
	}
	return nil
}

// URL is "mem:".
func (s *Store) URL() string { return "mem:" }
