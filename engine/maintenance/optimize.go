package maintenance

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/parquet"
)

// An Optimize makes few large files of many small ones. The rows stay what they are; statistics are made anew
// from them, exact.
type Optimize struct {
	TargetFile int64           // bytes of a file that is large enough; above 0
	Files      parquet.Options // how files are written; TargetFile of it is not looked at
	EngineInfo string          // "millrace/<version>", for the log

	// Tiered leaves up to eight small files in each partition, and does not write a large file again for a
	// few small ones: for a table that grows and is optimized often.
	Tiered bool

	// Progress is told after each commit what was done so far. nil: nobody is.
	Progress func(Optimized)
}

// An Optimized is what an Optimize did.
type Optimized struct {
	Version      int64 `json:"version"` // of the last commit; that of the table where there was nothing to do
	Commits      int64 `json:"commits"`
	FilesRemoved int64 `json:"files_removed"`
	BytesRemoved int64 `json:"bytes_removed"`
	FilesAdded   int64 `json:"files_added"`
	BytesAdded   int64 `json:"bytes_added"`
	Rows         int64 `json:"rows"`         // in these files
	ColumnBytes  int64 `json:"column_bytes"` // of their values in memory, before compression
	Conflicts    int64 `json:"conflicts"`    // groups of files that another writer took first
}

// Run optimizes a table. Each group of files is a commit of its own, so that little is lost when it ends
// early; it can be run again at any time. What it wrote and could not commit it deletes, or, where it died,
// vacuum does.
func (o Optimize) Run(ctx context.Context, t Table) (done Optimized, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("optimize %s: %w", t.Store.URL(), err)
		}
	}()
	s, err := delta.Load(ctx, t.Store, delta.Latest)
	if err == nil {
		err = s.Writable()
	}
	if err != nil {
		return done, err
	}
	o = o.of(t)
	done.Version = s.Version()
	by := s.Metadata().PartitionBy
	plan := pack
	if o.Tiered {
		plan = tier
	}
	groups := plan(s.Files(), by, o.TargetFile)
	if len(groups) == 0 {
		return done, nil
	}
	w, err := o.rewriter(t.Store, s)
	if err != nil {
		return done, err
	}
	for _, g := range groups {
		if err := w.rewrite(ctx, s, g, &done); err != nil {
			return done, err
		}
		if o.Progress != nil {
			o.Progress(done)
		}
	}
	return done, nil
}

// of is o with what the table asks for.
func (o Optimize) of(t Table) Optimize {
	if t.TargetFile > 0 {
		o.TargetFile = t.TargetFile
	}
	if t.Compression != nil {
		o.Files.Compression = *t.Compression
	}
	return o
}

// A rewriter writes groups of files of one table.
type rewriter struct {
	optimize Optimize
	store    blob.Store
	schema   column.Schema // of the data files
	pool     column.Pool
	bytes    int64 // of values read
}

func (o Optimize) rewriter(store blob.Store, s *delta.Snapshot) (*rewriter, error) {
	columns, err := s.Schema().Columns()
	if err != nil {
		return nil, fmt.Errorf("its rows can't be written again: %w", err)
	}
	p, err := s.Metadata().Properties()
	if err != nil {
		return nil, err
	}
	o.Files.Indexed = p.Indexed()
	w := &rewriter{optimize: o, store: store}
	for _, f := range columns {
		if !slices.Contains(s.Metadata().PartitionBy, f.Name) {
			w.schema = append(w.schema, f)
		}
	}
	return w, nil
}

// rewrite makes a group one commit.
func (w *rewriter) rewrite(ctx context.Context, s *delta.Snapshot, g group, done *Optimized) error {
	adds, rows, err := w.write(ctx, g)
	if err != nil {
		return err
	}
	r := delta.Rewrite{
		Removes: g, Adds: adds, Operation: "OPTIMIZE", EngineInfo: w.optimize.EngineInfo,
		Parameters: map[string]string{"predicate": "[]", "zOrderBy": "[]", "auto": strconv.FormatBool(w.optimize.Tiered), "targetFile": strconv.FormatInt(w.optimize.TargetFile, 10)},
		Metrics: map[string]string{
			"numRemovedFiles": strconv.Itoa(len(g)), "numRemovedBytes": strconv.FormatInt(g.size(), 10),
			"numAddedFiles": strconv.Itoa(len(adds)), "numAddedBytes": strconv.FormatInt(group(adds).size(), 10),
		},
	}
	version, err := r.Commit(ctx, w.store, s)
	switch {
	case errors.Is(err, delta.ErrConflict):
		done.Conflicts++
		return w.discard(ctx, adds)
	case err != nil:
		return err // it may be in the log: the files stay
	}
	done.Version = version
	done.Commits++
	done.FilesRemoved += int64(len(g))
	done.BytesRemoved += g.size()
	done.FilesAdded += int64(len(adds))
	done.BytesAdded += group(adds).size()
	done.Rows += rows
	done.ColumnBytes = w.bytes
	return nil
}

// discard deletes files that did not come into the log.
func (w *rewriter) discard(ctx context.Context, adds []*delta.Add) error {
	var names []string
	for _, a := range adds {
		name, err := a.Name()
		if err != nil {
			return err
		}
		names = append(names, name)
	}
	return blob.DeleteAll(ctx, w.store, names)
}

// write writes the rows of a group into new files, in the folder of its first file.
func (w *rewriter) write(ctx context.Context, g group) (adds []*delta.Add, rows int64, err error) {
	first, err := g[0].Name()
	if err != nil {
		return nil, 0, err
	}
	folder := path.Dir(first)
	if folder == "." {
		folder = ""
	}
	opt := w.optimize.Files
	opt.TargetFile = w.optimize.TargetFile
	out, err := parquet.NewWriter(blob.Sub(w.store, folder), w.schema, nil, opt, time.Now)
	if err != nil {
		return nil, 0, err
	}
	for _, a := range g {
		n, err := w.copy(ctx, a, out)
		if err != nil {
			out.Discard()
			return nil, 0, err
		}
		rows += n
	}
	cut := out.Cut()
	if cut == nil { // files without rows
		return nil, 0, nil
	}
	files, err := cut.Seal(ctx)
	if err != nil {
		return nil, 0, err
	}
	for _, f := range files {
		add, err := delta.ParseAdd(f.Add, folder, maps.Clone(g[0].PartitionValues))
		if err != nil {
			return nil, 0, err
		}
		adds = append(adds, add)
	}
	return adds, rows, nil
}

// copy writes the rows of a file, a row group at a time.
func (w *rewriter) copy(ctx context.Context, a *delta.Add, out *parquet.Writer) (rows int64, err error) {
	name, err := a.Name()
	if err != nil {
		return 0, err
	}
	f, err := parquet.Open(ctx, w.store, name, w.schema)
	if err != nil {
		return 0, err
	}
	for i := range f.RowGroups() {
		n, err := w.copyRowGroup(ctx, f, i, out)
		if err != nil {
			return 0, err
		}
		rows += int64(n)
	}
	if said, ok := a.Rows(); ok && said != rows {
		return 0, fmt.Errorf("%s has %d rows, the log says %d: it was changed, or is not the file that was written", name, rows, said)
	}
	return rows, nil
}

func (w *rewriter) copyRowGroup(ctx context.Context, f *parquet.File, i int, out *parquet.Writer) (rows int, err error) {
	arena := w.pool.Get()
	defer arena.Release()
	columns, err := f.ReadRowGroup(ctx, i, arena)
	if err != nil {
		return 0, err
	}
	for _, c := range columns {
		w.bytes += dataBytes(c)
	}
	b := &engine.Batch{Schema: w.schema, Columns: columns, Rows: f.RowGroupRows(i), Arena: arena}
	return b.Rows, out.Write(ctx, b)
}

// dataBytes is what the values of a column take in memory.
func dataBytes(c column.Column) int64 {
	switch c := c.(type) {
	case *column.Bools:
		return int64(len(c.Values))
	case *column.Ints:
		return 4 * int64(len(c.Values))
	case *column.Floats:
		return 4 * int64(len(c.Values))
	case *column.Texts:
		return int64(len(c.Data)) + 4*int64(c.Len())
	case *column.List:
		return dataBytes(c.Elem) + 4*int64(c.Len())
	}
	return 8 * int64(c.Len())
}
