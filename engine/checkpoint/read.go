package checkpoint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
)

// tailBytes is read from the end of a state object first: the directory of a few thousand sections, and all of an
// object that is no larger.
const tailBytes = 64 << 10

// maxGap is how many bytes between two sections that are wanted are read with them rather than left out.
const maxGap = 256 << 10

// A stateObject implements engine.State.
type stateObject struct {
	blobs    blob.Store
	name     string
	sections []engine.Section
	places   []place // of the sections' data
	data     []byte  // all of it, if it was small enough to be read with its directory; or nil
}

// OpenState opens a state object.
func (s *Store) OpenState(ctx context.Context, ref engine.StateRef) (engine.State, error) {
	o, err := s.openState(ctx, ref)
	switch {
	case err == nil:
		return o, nil
	case errors.Is(err, errDamaged), errors.Is(err, blob.ErrNotFound):
		return nil, fmt.Errorf("%s: %w: %s", ref.Name, err, cure)
	}
	return nil, fmt.Errorf("%s: %w", ref.Name, err)
}

func (s *Store) openState(ctx context.Context, ref engine.StateRef) (*stateObject, error) {
	tail, err := s.blobs.Range(ctx, ref.Name, -tailBytes, tailBytes)
	if err != nil {
		return nil, err
	}
	if int64(len(tail)) != min(ref.Size, tailBytes) {
		return nil, fmt.Errorf("%w: it has not the %d bytes that the checkpoint says", errDamaged, ref.Size)
	}
	o := &stateObject{}
	if len(tail) < stateHead+stateFoot || string(tail[len(tail)-len(stateEnd):]) != stateEnd {
		o, err = s.openState1(ctx, ref)
	} else {
		o.sections, o.places, err = s.directory(ctx, ref, tail)
	}
	if err != nil {
		return nil, err
	}
	if o.data == nil && int64(len(tail)) == ref.Size {
		o.data = tail
		if !bytes.Equal(tail[:stateHead], []byte{'M', 'R', 'S', 'T', stateVersion, 0, 0, 0}) {
			return nil, fmt.Errorf("%w: it does not begin as one", errDamaged)
		}
	}
	o.blobs, o.name = s.blobs, ref.Name
	return o, nil
}

// openState1 reads an object of version 1, which has no directory.
func (s *Store) openState1(ctx context.Context, ref engine.StateRef) (*stateObject, error) {
	data, err := s.blobs.Get(ctx, ref.Name)
	if err != nil {
		return nil, err
	}
	if int64(len(data)) != ref.Size {
		return nil, fmt.Errorf("%w: %d bytes, the checkpoint says %d", errDamaged, len(data), ref.Size)
	}
	return decodeState1(data)
}

// directory reads the directory of an object that ends with tail.
func (s *Store) directory(ctx context.Context, ref engine.StateRef, tail []byte) ([]engine.Section, []place, error) {
	n, err := directoryBytes(tail[len(tail)-stateFoot:], ref.Size)
	if err != nil {
		return nil, nil, err
	}
	n += stateFoot
	if n > int64(len(tail)) {
		if tail, err = s.blobs.Range(ctx, ref.Name, ref.Size-n, n); err != nil {
			return nil, nil, err
		}
		if int64(len(tail)) != n {
			return nil, nil, fmt.Errorf("%w: it was cut short", errDamaged)
		}
	}
	return decodeDirectory(tail[int64(len(tail))-n:], ref.Size)
}

// Sections implements engine.State.
func (o *stateObject) Sections() []engine.Section { return o.sections }

// Read implements engine.State. Sections that lie side by side are read as one stream.
func (o *stateObject) Read(ctx context.Context, numbers []int, load func(number int, data io.Reader) error) error {
	for len(numbers) > 0 {
		n := o.run(numbers)
		if err := o.readRun(ctx, numbers[:n], load); err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
		numbers = numbers[n:]
	}
	return nil
}

// end is where a section's data ends.
func (o *stateObject) end(number int) int64 { return o.places[number].offset + o.sections[number].Size }

// run is how many of the sections, from the first on, lie side by side.
func (o *stateObject) run(numbers []int) int {
	n := 1
	for n < len(numbers) && o.places[numbers[n]].offset-o.end(numbers[n-1]) <= maxGap {
		n++
	}
	return n
}

// readRun reads sections and what little lies between them.
func (o *stateObject) readRun(ctx context.Context, numbers []int, load func(number int, data io.Reader) error) error {
	at, end := o.places[numbers[0]].offset, o.end(numbers[len(numbers)-1])
	r, err := o.open(ctx, at, end-at)
	if err != nil {
		return lost(err)
	}
	defer r.Close()
	for _, number := range numbers {
		if _, err := io.CopyN(io.Discard, r, o.places[number].offset-at); err != nil {
			return lost(err)
		}
		at = o.end(number)
		data := &sectionReader{r: r, left: o.sections[number].Size}
		err := load(number, data)
		s := o.sections[number]
		if sum, damage := data.finish(); damage != nil {
			err = lost(damage)
		} else if sum != o.places[number].sum {
			err = fmt.Errorf("the checksum does not fit: %w: %s %s", errDamaged, sectionCure, s.Operator)
		}
		if err != nil {
			return fmt.Errorf("operator %s, slot %d: %w", s.Operator, s.Slot, err)
		}
	}
	return nil
}

// lost says what to do where an error means that the object, or a part of it, is gone.
func lost(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("it was cut short: %w", errDamaged)
	}
	if errors.Is(err, errDamaged) || errors.Is(err, blob.ErrNotFound) {
		return fmt.Errorf("%w: %s", err, cure)
	}
	return err
}

func (o *stateObject) open(ctx context.Context, offset, n int64) (io.ReadCloser, error) {
	if o.data != nil {
		return io.NopCloser(bytes.NewReader(o.data[offset : offset+n])), nil
	}
	return blob.Open(ctx, o.blobs, o.name, offset, n)
}

// A sectionReader reads a section's data and sums it up. That the object ends within is an error; it stays the
// reader's, so that it is told as such whatever the operator makes of it.
type sectionReader struct {
	r    io.Reader
	left int64
	sum  uint32
	err  error
}

// Read implements io.Reader.
func (s *sectionReader) Read(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if s.left == 0 {
		return 0, io.EOF
	}
	n, err := s.r.Read(b[:min(int64(len(b)), s.left)])
	s.left -= int64(n)
	s.sum = crc32.Update(s.sum, crc32.MakeTable(crc32.Castagnoli), b[:n])
	switch {
	case err == io.EOF && s.left > 0:
		s.err = io.ErrUnexpectedEOF
	case err != io.EOF:
		s.err = err
	}
	return n, s.err
}

// finish reads what the operator has left and gives the checksum of all.
func (s *sectionReader) finish() (sum uint32, err error) {
	if s.err == nil {
		io.Copy(io.Discard, s) //nolint:errcheck // it is s.err
	}
	return s.sum, s.err
}
