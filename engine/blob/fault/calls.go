package fault

import (
	"context"

	"github.com/millrace-io/millrace/engine/blob"
)

// ask makes a call that answers with a value; a failed one answers with the zero value.
func ask[T any](ctx context.Context, s *Store, op, name string, do func() (T, error)) (T, error) {
	var v, zero T
	err := s.call(ctx, op, name, func() (err error) {
		v, err = do()
		return err
	})
	if err != nil {
		return zero, err
	}
	return v, nil
}

// Get reads a whole object.
func (s *Store) Get(ctx context.Context, name string) ([]byte, error) {
	return ask(ctx, s, "Get", name, func() ([]byte, error) { return s.inner.Get(ctx, name) })
}

// Range reads a part of an object.
func (s *Store) Range(ctx context.Context, name string, offset, n int64) ([]byte, error) {
	return ask(ctx, s, "Range", name, func() ([]byte, error) { return s.inner.Range(ctx, name, offset, n) })
}

// Stat gives the size of an object.
func (s *Store) Stat(ctx context.Context, name string) (blob.Info, error) {
	return ask(ctx, s, "Stat", name, func() (blob.Info, error) { return s.inner.Stat(ctx, name) })
}

// Put writes an object over one of the same name.
func (s *Store) Put(ctx context.Context, name string, data []byte) error {
	return s.call(ctx, "Put", name, func() error { return s.inner.Put(ctx, name, data) })
}

// PutIfAbsent writes an object if there is none of this name.
func (s *Store) PutIfAbsent(ctx context.Context, name string, data []byte) error {
	return s.call(ctx, "PutIfAbsent", name, func() error { return s.inner.PutIfAbsent(ctx, name, data) })
}

// Delete removes an object.
func (s *Store) Delete(ctx context.Context, name string) error {
	return s.call(ctx, "Delete", name, func() error { return s.inner.Delete(ctx, name) })
}

// Create begins an object; the calls of its Writer count as well.
func (s *Store) Create(ctx context.Context, name string) (blob.Writer, error) {
	w, err := ask(ctx, s, "Create", name, func() (blob.Writer, error) { return s.inner.Create(ctx, name) })
	if err != nil {
		return nil, err
	}
	return &writer{s, ctx, name, w}, nil
}

type writer struct {
	store *Store
	ctx   context.Context
	name  string
	inner blob.Writer
}

// Write implements blob.Writer.
func (w *writer) Write(p []byte) (int, error) {
	return ask(w.ctx, w.store, "Writer.Write", w.name, func() (int, error) { return w.inner.Write(p) })
}

// Close implements blob.Writer.
func (w *writer) Close() error {
	return w.store.call(w.ctx, "Writer.Close", w.name, w.inner.Close)
}

// Abort implements blob.Writer.
func (w *writer) Abort() error {
	return w.store.call(w.ctx, "Writer.Abort", w.name, w.inner.Abort)
}
