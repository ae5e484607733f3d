// Package blob is what millrace asks of a place that keeps bytes by name: a folder, a bucket, a map in
// memory. Everything the engine makes durable goes through a [Store], so that a test which fails the n-th
// call of a Store has been everywhere the engine can fail.
package blob

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"
)

// The errors a caller acts on; implementations wrap them.
var (
	// ErrNotFound: there is no object of this name.
	ErrNotFound = errors.New("not found")
	// ErrExists: PutIfAbsent found an object of this name. It may be the caller's own, when an earlier
	// attempt landed and its answer was lost: read it back and compare.
	ErrExists = errors.New("already exists")
)

// A Store keeps objects by name. A name is one or more parts of any bytes but NUL, joined by "/", none of
// them empty, "." or "..". Methods may be called at once from several goroutines.
//
// Reads are consistent: what a completed write made, every later Get, Range and List sees. An error that
// is neither ErrNotFound nor ErrExists leaves open whether a write landed.
type Store interface {
	// Get reads a whole object.
	Get(ctx context.Context, name string) ([]byte, error)

	// Range reads n bytes from offset on, fewer at the end of the object. A negative offset counts from the
	// end: the last -offset bytes, of which n are read.
	Range(ctx context.Context, name string, offset, n int64) ([]byte, error)

	// Stat gives the size of an object without reading it.
	Stat(ctx context.Context, name string) (Info, error)

	// Put writes an object, whole or not at all, over one of the same name. When it returns nil the object
	// is durable.
	Put(ctx context.Context, name string, data []byte) error

	// PutIfAbsent writes an object, whole or not at all, if there is none of this name; else ErrExists. Of
	// any number at once exactly one wins.
	PutIfAbsent(ctx context.Context, name string, data []byte) error

	// Create begins an object that is written in pieces and seen by nobody before Close.
	Create(ctx context.Context, name string) (Writer, error)

	// List yields the objects whose names begin with prefix and are greater than after, in the order of
	// their names' bytes. It ends with the first error it yields.
	List(ctx context.Context, prefix, after string) iter.Seq2[Info, error]

	// Delete removes an object; that there is none is no error.
	Delete(ctx context.Context, name string) error

	// URL names the place for people and for other programs: "file:///data/lake", "s3://bucket/lake".
	URL() string
}

// Info is what List and Stat say of an object.
type Info struct {
	Name string
	Size int64 // bytes
	// ModifiedMillis is the wall time of the last write, in milliseconds since 1970 UTC.
	ModifiedMillis int64
}

// A Writer is an object in the making. After Close or Abort no other call follows.
type Writer interface {
	io.Writer
	// Close makes the object visible and durable. After an error it may or may not be there.
	Close() error
	// Abort gives the object up and frees what it held.
	Abort() error
}

// Sub is the part of s below prefix: name "a" of it is prefix + "/a" of s.
func Sub(s Store, prefix string) Store {
	if prefix == "" {
		return s
	}
	return &sub{s, prefix + "/"}
}

type sub struct {
	s      Store
	prefix string // ends in "/"
}

// Get implements Store.
func (s *sub) Get(ctx context.Context, name string) ([]byte, error) {
	return s.s.Get(ctx, s.prefix+name)
}

// Range implements Store.
func (s *sub) Range(ctx context.Context, name string, offset, n int64) ([]byte, error) {
	return s.s.Range(ctx, s.prefix+name, offset, n)
}

// Stat implements Store.
func (s *sub) Stat(ctx context.Context, name string) (Info, error) {
	info, err := s.s.Stat(ctx, s.prefix+name)
	info.Name = name
	return info, err
}

// Put implements Store.
func (s *sub) Put(ctx context.Context, name string, data []byte) error {
	return s.s.Put(ctx, s.prefix+name, data)
}

// PutIfAbsent implements Store.
func (s *sub) PutIfAbsent(ctx context.Context, name string, data []byte) error {
	return s.s.PutIfAbsent(ctx, s.prefix+name, data)
}

// Create implements Store.
func (s *sub) Create(ctx context.Context, name string) (Writer, error) {
	return s.s.Create(ctx, s.prefix+name)
}

// List implements Store.
func (s *sub) List(ctx context.Context, prefix, after string) iter.Seq2[Info, error] {
	if after != "" {
		after = s.prefix + after
	}
	return func(yield func(Info, error) bool) {
		for info, err := range s.s.List(ctx, s.prefix+prefix, after) {
			if err == nil {
				info.Name = info.Name[len(s.prefix):]
			}
			if !yield(info, err) {
				return
			}
		}
	}
}

// Delete implements Store.
func (s *sub) Delete(ctx context.Context, name string) error { return s.s.Delete(ctx, s.prefix+name) }

// URL implements Store.
func (s *sub) URL() string { return s.s.URL() + "/" + s.prefix[:len(s.prefix)-1] }

// A Sweeper is a Store in which the beginnings of objects stay whose writers died: parts of uploads,
// temporary files. No List shows them.
type Sweeper interface {
	// Sweep deletes those of names with prefix that were begun before a time, and gives their number.
	Sweep(ctx context.Context, prefix string, before time.Time) (swept int, err error)
}

// Sweep sweeps a store that is a Sweeper; of another it does nothing.
func Sweep(ctx context.Context, s Store, prefix string, before time.Time) (swept int, err error) {
	if part, ok := s.(*sub); ok {
		return Sweep(ctx, part.s, part.prefix+prefix, before)
	}
	if sweeper, ok := s.(Sweeper); ok {
		return sweeper.Sweep(ctx, prefix, before)
	}
	return 0, nil
}

// DeleteAll deletes objects, in fewer requests than one each where the store can. After an error some of them
// may be there still; it can be repeated.
func DeleteAll(ctx context.Context, s Store, names []string) error {
	switch s := s.(type) {
	case *sub:
		whole := make([]string, len(names))
		for i, name := range names {
			whole[i] = s.prefix + name
		}
		return DeleteAll(ctx, s.s, whole)
	case interface {
		DeleteAll(ctx context.Context, names []string) error
	}:
		return s.DeleteAll(ctx, names)
	}
	for _, name := range names {
		if err := s.Delete(ctx, name); err != nil {
			return err
		}
	}
	return nil
}
