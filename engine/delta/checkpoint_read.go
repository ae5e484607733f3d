package delta

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"

	"github.com/millrace-io/millrace/engine/blob"
)

// errBroken: a checkpoint is not what its name says. Who reads the log goes back to an older one.
var errBroken = errors.New("the checkpoint is broken")

// readCheckpoint makes the state that of a checkpoint. After an error the state is of no use.
func (s *state) readCheckpoint(ctx context.Context, store blob.Store, c logCheckpoint) error {
	for _, name := range c.parts {
		if err := s.readPart(ctx, store, name, c.version); err != nil {
			return fmt.Errorf("checkpoint %s: %w", name, err)
		}
	}
	if err := s.complete(); err != nil {
		return fmt.Errorf("checkpoint %s: %w: %w", c.parts[0], errBroken, err)
	}
	s.version, s.size = c.version, -1
	return nil
}

// readPart takes in one file of a checkpoint. The library that reads it panics at some of what no writer
// wrote.
func (s *state) readPart(ctx context.Context, store blob.Store, name string, version int64) (err error) {
	info, err := store.Stat(ctx, name)
	if err != nil {
		return gone(err)
	}
	file := &object{ctx: ctx, store: store, name: name}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errBroken, p)
		}
		if file.err != nil { // what the library made of it does not matter
			err = gone(file.err)
		}
	}()
	if err := file.prefetch(info.Size); err != nil {
		return err
	}
	f, err := parquet.OpenFile(file, info.Size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(checkpointBuffer))
	if err != nil {
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	if s.files == nil {
		return eachRow(f, func(r *lightRow) error {
			return s.takeRow(&checkpointRow{Txn: r.Txn, Metadata: r.Metadata, Protocol: r.Protocol}, version)
		})
	}
	return eachRow(f, func(r *checkpointRow) error { return s.takeRow(r, version) })
}

// gone makes a checkpoint that was cleaned up since it was listed one to go back from.
func gone(err error) error {
	if errors.Is(err, blob.ErrNotFound) {
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	return err
}

// checkpointBuffer is how much of each column of a large checkpoint is read at a time.
const checkpointBuffer = 256 << 10

// eachRow calls take with each row of a file.
func eachRow[T any](f *parquet.File, take func(*T) error) error {
	for _, group := range f.RowGroups() {
		r := parquet.NewGenericRowGroupReader[T](group)
		rows := make([]T, 256)
		for {
			n, err := r.Read(rows)
			for i := range rows[:n] {
				if err := take(&rows[i]); err != nil {
					return fmt.Errorf("%w: %w", errBroken, err)
				}
			}
			clear(rows[:n]) // what they point at is kept
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return fmt.Errorf("%w: %w", errBroken, err)
			}
		}
		if err := r.Close(); err != nil {
			return fmt.Errorf("%w: %w", errBroken, err)
		}
	}
	return nil
}

// takeRow is apply for a row of the checkpoint of a version.
func (s *state) takeRow(r *checkpointRow, version int64) error {
	var a action
	switch {
	case r.Add != nil:
		a.Add = r.Add.action()
	case r.Remove != nil:
		a.Remove = r.Remove.action()
	case r.Txn != nil:
		a.Txn = r.Txn.action()
	case r.Metadata != nil:
		a.Metadata = r.Metadata.action()
	case r.Protocol != nil:
		a.Protocol = r.Protocol.action()
	}
	if err := a.check(); err != nil {
		return err
	}
	return s.take(a, version)
}

// smallCheckpoint is the size in bytes up to which a checkpoint is read in one request.
const smallCheckpoint = 32 << 20

// object is an object of a store as the Parquet library reads it.
type object struct {
	ctx   context.Context
	store blob.Store
	name  string
	whole *bytes.Reader // nil: read in pieces
	err   error         // of the store
}

func (o *object) prefetch(size int64) error {
	if size > smallCheckpoint {
		return nil
	}
	data, err := o.store.Get(o.ctx, o.name)
	if err != nil {
		return gone(err)
	}
	o.whole = bytes.NewReader(data)
	return nil
}

// ReadAt implements io.ReaderAt.
func (o *object) ReadAt(p []byte, offset int64) (int, error) {
	if o.whole != nil {
		return o.whole.ReadAt(p, offset)
	}
	data, err := o.store.Range(o.ctx, o.name, offset, int64(len(p)))
	if err != nil {
		o.err = err
		return 0, err
	}
	n := copy(p, data)
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
