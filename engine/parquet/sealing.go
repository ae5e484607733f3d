package parquet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/delta"
)

// A part is a data file in the making: filled (encoder is open), finished (its footer is written) and closed
// (it is visible in the store).
type part struct {
	path     string
	values   map[string]*string // of the partition columns
	out      blob.Writer        // nil once closed or aborted
	encoder  *Encoder
	tick     int64 // Writer.tick of the last write
	finished bool
	summary  Summary
}

// finish writes the footer.
func (f *part) finish() error {
	if f.finished {
		return nil
	}
	f.finished = true
	var err error
	if f.summary, err = f.encoder.Close(); err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	return nil
}

// close makes a finished file visible.
func (f *part) close() error {
	if f.out == nil {
		return nil
	}
	out := f.out
	f.out = nil
	if err := out.Close(); err != nil {
		return fmt.Errorf("close %s: %w", f.path, err)
	}
	return nil
}

// abort gives the file up. What is visible already stays, an orphan that no commit names.
func (f *part) abort() {
	f.encoder.free()
	if f.out != nil {
		f.out.Abort() //nolint:errcheck // the file is of no use, whatever happens to it
		f.out = nil
	}
}

// describe is the file as the table's log takes it.
func (f *part) describe(now time.Time) engine.File {
	return engine.File{
		Path: f.path, Size: f.summary.Bytes, Rows: f.summary.Rows,
		Add: delta.AddAction(f.path, f.values, f.summary.Bytes, now.UnixMilli(), f.summary.Stats),
	}
}

// A sealing is the files of an epoch on their way to the store.
type sealing struct {
	writer *Writer
	files  []*part
}

// Seal finishes the files and makes them visible. After an error none of them is of use: those not visible
// are aborted.
func (s *sealing) Seal(ctx context.Context) ([]engine.File, error) {
	sealed := make([]engine.File, 0, len(s.files))
	for _, f := range s.files {
		err := errors.Join(ctx.Err(), f.finish())
		if err == nil {
			err = f.close()
		}
		if err != nil {
			s.Discard()
			return nil, err
		}
		sealed = append(sealed, f.describe(s.writer.now()))
	}
	s.recycle()
	return sealed, nil
}

// Discard gives the files up.
func (s *sealing) Discard() {
	for _, f := range s.files {
		f.abort()
	}
	s.recycle()
}

func (s *sealing) recycle() {
	for _, f := range s.files {
		f.finished = false
		s.writer.reuse(f)
	}
	s.files = nil
}
