package parquet

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/column"
)

// A Writer writes one lane's rows into files of a table: an engine.TableWriter. Files are begun with the
// first row, one a partition value, and ended by Cut, by their size, or because too many are open:
//
//	category=art/part-00000-<uuid>-c000.snappy.parquet
//
// All files of a Writer are written in the same memory, one after the other.
type Writer struct {
	store blob.Store
	opt   Options
	codec codec
	mem   memory
	now   func() time.Time

	schema      column.Schema // of the rows
	partitionBy []string
	inFile      []int         // columns of schema that are in the files
	fileSchema  column.Schema // these
	cols        []column.Column

	split   *splitter // nil: one file at a time
	single  []*share  // what a batch gives without a splitter
	filling []*share  // those that have a file, at most opt.OpenFiles
	ended   []*part   // full and not yet visible, for the next Cut
	tick    int64     // batches written, by which the file written to longest ago is known
	serial  int       // of the next file

	mu    sync.Mutex // Seal runs beside the lane
	spare []*part    // for reuse
}

var _ engine.TableWriter = (*Writer)(nil)

// NewWriter makes a Writer of rows of schema into store, whose root is the table's, partitioned by the
// columns named. now is the wall clock.
func NewWriter(store blob.Store, schema column.Schema, partitionBy []string, opt Options, now func() time.Time) (*Writer, error) {
	if err := opt.Validate(); err != nil {
		return nil, err
	}
	c, err := newCodec(opt.Compression)
	if err != nil {
		return nil, err
	}
	w := &Writer{store: store, opt: opt.filled(), codec: c, now: now, schema: schema, partitionBy: partitionBy, single: []*share{{}}}
	for i, f := range schema {
		if !slices.Contains(partitionBy, f.Name) {
			w.inFile, w.fileSchema = append(w.inFile, i), append(w.fileSchema, f)
		}
	}
	if len(partitionBy) > 0 {
		if w.split, err = newSplitter(schema, partitionBy); err != nil {
			return nil, err
		}
	}
	f, err := w.newFile() // shows now what is wrong with the schema
	if err != nil {
		return nil, err
	}
	w.spare = append(w.spare, f)
	return w, nil
}

// Write adds the batch's selected rows.
func (w *Writer) Write(ctx context.Context, b *engine.Batch) error {
	if b.Count() == 0 {
		return nil
	}
	w.tick++
	w.cols = w.cols[:0]
	for _, i := range w.inFile {
		w.cols = append(w.cols, b.Columns[i])
	}
	for _, s := range w.shares(b) {
		if err := w.writeShare(ctx, b, s); err != nil {
			return err
		}
	}
	clear(w.cols)
	return w.keepWithinMemory()
}

// shares are the rows of the batch by the partition they belong to.
func (w *Writer) shares(b *engine.Batch) []*share {
	if w.split != nil {
		return w.split.shares(b)
	}
	w.single[0].rows = b.Sel
	return w.single
}

// writeShare adds rows of one partition.
func (w *Writer) writeShare(ctx context.Context, b *engine.Batch, s *share) error {
	if s.file == nil {
		if err := w.open(ctx, s); err != nil {
			return err
		}
	}
	f := s.file
	f.tick = w.tick
	if err := f.encoder.Write(w.cols, s.rows, b.Rows); err != nil {
		return fmt.Errorf("write %s: %w", f.path, err)
	}
	if f.encoder.size() >= w.opt.TargetFile || f.encoder.rowGroups() >= maxRowGroups {
		return w.end(s)
	}
	return nil
}

// maxRowGroups is how many row groups a file may have. Only little memory for many files makes so many.
const maxRowGroups = 1000

// open begins a file for a partition.
func (w *Writer) open(ctx context.Context, s *share) error {
	if err := w.keepWithinFiles(); err != nil {
		return err
	}
	f, err := w.newFile()
	if err != nil {
		return err
	}
	f.values = s.values
	name := fmt.Sprintf("part-%05d-%s-c000%s.parquet", w.serial%100_000, uuid.NewString(), w.codec.name)
	w.serial++
	if f.path = name; s.folder != "" {
		f.path = s.folder + "/" + name
	}
	if f.out, err = w.store.Create(ctx, f.path); err != nil {
		return fmt.Errorf("begin %s: %w", f.path, err)
	}
	f.encoder.begin(f.out)
	s.file = f
	w.filling = append(w.filling, s)
	return nil
}

// newFile takes a file that was written before, or a new one.
func (w *Writer) newFile() (*part, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := len(w.spare); n > 0 {
		f := w.spare[n-1]
		w.spare = w.spare[:n-1]
		return f, nil
	}
	e, err := newEncoder(w.fileSchema, w.opt, &w.codec, &w.mem)
	if err != nil {
		return nil, err
	}
	return &part{encoder: e}, nil
}

// reuse takes back a file that is done with.
func (w *Writer) reuse(f *part) {
	f.path, f.values, f.out = "", nil, nil
	w.mu.Lock()
	w.spare = append(w.spare, f)
	w.mu.Unlock()
}

// maxEnded is how many ended files wait for Cut. More are made visible at once, so that what an ended file
// holds of the store, a descriptor or an upload, stays bounded. Visible is not committed: nobody reads them.
const maxEnded = 8

// end ends the file of a partition; its next row begins another.
func (w *Writer) end(s *share) error {
	f := s.file
	s.file = nil
	w.filling = slices.DeleteFunc(w.filling, func(o *share) bool { return o == s })
	w.ended = append(w.ended, f)
	if err := f.finish(); err != nil {
		return err
	}
	if len(w.ended) > maxEnded {
		return w.ended[len(w.ended)-1-maxEnded].close()
	}
	return nil
}

// keepWithinFiles ends the file that was written to longest ago if there are as many as may be.
func (w *Writer) keepWithinFiles() error {
	if len(w.filling) < w.opt.OpenFiles {
		return nil
	}
	return w.end(slices.MinFunc(w.filling, func(a, b *share) int { return cmp.Compare(a.file.tick, b.file.tick) }))
}

// keepWithinMemory ends row groups early if all files together hold too much, those of the largest first.
func (w *Writer) keepWithinMemory() error {
	if len(w.filling) < 2 {
		return nil // one file bounds itself
	}
	for {
		held, most, largest := int64(0), int64(0), (*part)(nil)
		for _, s := range w.filling {
			h := s.file.encoder.held()
			if held += h; h > most {
				most, largest = h, s.file
			}
		}
		if held <= w.opt.Memory || largest == nil {
			return nil
		}
		if err := largest.encoder.release(); err != nil {
			return fmt.Errorf("write %s: %w", largest.path, err)
		}
	}
}

// Cut ends the epoch.
func (w *Writer) Cut() engine.Sealing {
	files := w.ended
	for _, s := range w.filling {
		files = append(files, s.file)
		s.file = nil
	}
	w.ended, w.filling = nil, w.filling[:0]
	if w.split != nil {
		w.split.forget()
	}
	if len(files) == 0 {
		return nil
	}
	return &sealing{writer: w, files: files}
}

// Discard drops what was written since the last Cut.
func (w *Writer) Discard() {
	if s := w.Cut(); s != nil {
		s.Discard()
	}
}
