package tabletest

import (
	"strings"
	"sync"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
)

// testWrite: an epoch has the selected rows of the batches between two cuts.
func (t *trial) testWrite() {
	p := t.start(plain(), "L")
	w, prev := p.Writer(0), engine.NoEpoch
	var want [][]string
	for epoch := range engine.Epoch(4) {
		id := int(epoch) * 100
		p.write(w, rows(id, id+10)...)
		b := optest.Batch(p.config.Schema, rows(id+10, id+20)...)
		b.Sel = column.Selection{0, 3, 9}
		p.writeBatch(w, b)
		want = append(want, rows(id, id+10), []string{row(id + 10), row(id + 13), row(id + 19)})
		p.commit(p.prepared(prev, epoch, p.seal(w)))
		prev = epoch
		t.holds(p.config.Schema, want...)
	}
}

// testNoRows: what has no row gives no file.
func (t *trial) testNoRows() {
	p := t.start(plain(), "L")
	w := p.Writer(0)
	cut := func(after string) {
		t.Helper()
		if s := w.Cut(); s != nil {
			t.Errorf("%s there is something to seal", after)
		}
	}
	cut("at first")
	b := optest.Batch(p.config.Schema, rows(0, 3)...)
	p.writeBatch(w, b.Select(column.Selection{}))
	p.write(w)
	cut("after batches without selected rows")
	p.write(w, rows(0, 3)...)
	files := p.seal(w)
	cut("after a cut")
	p.commit(p.prepared(engine.NoEpoch, 1, files))
	t.holds(p.config.Schema, rows(0, 3))
}

// testDiscardWriter drops what was written since the last cut, and nothing else.
func (t *trial) testDiscardWriter() {
	p := t.start(plain(), "L")
	w := p.Writer(0)
	p.write(w, rows(0, 5)...)
	s := w.Cut()
	p.write(w, rows(5, 10)...)
	w.Discard()
	files, err := s.Seal(t.Context())
	t.must(err)
	p.commit(p.prepared(engine.NoEpoch, 1, files))
	t.holds(p.config.Schema, rows(0, 5))
	p.Writer(1).Discard() // one that nothing was written to
}

// testDiscardSealing drops what was cut, and nothing else.
func (t *trial) testDiscardSealing() {
	p := t.start(plain(), "L")
	w := p.Writer(0)
	p.write(w, rows(0, 5)...)
	s := w.Cut()
	p.write(w, rows(5, 10)...)
	s.Discard()
	p.write(w, rows(10, 15)...)
	p.commit(p.prepared(engine.NoEpoch, 1, p.seal(w)))
	t.holds(p.config.Schema, rows(5, 15))
}

// testInvisible: files are nobody's before their commit.
func (t *trial) testInvisible() {
	p := t.start(plain(), "L")
	p.commit(p.prepared(engine.NoEpoch, 1, p.files(rows(0, 3)...)))
	w := p.Writer(0)
	seen := func(after string) {
		t.Helper()
		if got := t.Rows(p.config.Schema); len(got) != 3 {
			t.Errorf("%s a reader sees %d rows, want 3", after, len(got))
		}
		p.is(1, p.state.Version+1)
	}
	p.write(w, rows(3, 6)...)
	seen("when rows were written")
	s := w.Cut()
	seen("when the epoch was cut")
	files, err := s.Seal(t.Context())
	t.must(err)
	seen("when the files were sealed")
	c := p.prepared(1, 2, files)
	t.must(p.Prepare(t.Context(), c))
	seen("when the commit was prepared")
	p.commit(c)
	t.holds(p.config.Schema, rows(0, 6))
}

// testFiles: what is said of files is true.
func (t *trial) testFiles() {
	c := plain()
	c.PartitionBy = []string{"city"}
	p := t.start(c, "L")
	one, other := p.Writer(0), p.Writer(1)
	var files []engine.File
	for i := range 3 {
		p.write(one, rows(10*i, 10*i+5)...)
		p.write(other, rows(10*i+5, 10*i+10)...)
		files = append(files, p.seal(one, other)...)
	}
	seen, n := map[string]bool{}, int64(0)
	for _, f := range files {
		info, err := t.Files.Stat(t.Context(), t.object(f))
		if err != nil || info.Size != f.Size || f.Size == 0 || f.Rows == 0 || seen[f.Path] {
			t.Errorf("file %+v: the store has %+v, %v; named before: %t", f, info, err, seen[f.Path])
		}
		seen[f.Path] = true
		n += f.Rows
	}
	if n != 30 {
		t.Errorf("the files have %d rows, want 30", n)
	}
	if missing, err := p.Missing(t.Context(), files); err != nil || len(missing) > 0 {
		t.Errorf("missing: %v, %v", missing, err)
	}
}

// testMissing: a file that is gone, or is not what was written, is named.
func (t *trial) testMissing() {
	p := t.start(plain(), "L")
	var files []engine.File
	for i := range 4 {
		files = append(files, p.files(rows(10*i, 10*i+5)...)...)
	}
	gone, short := files[1], files[3]
	t.must(t.Files.Delete(t.Context(), t.object(gone)))
	data, err := t.Files.Get(t.Context(), t.object(short))
	t.must(err)
	t.must(t.Files.Put(t.Context(), t.object(short), data[:len(data)-1]))
	missing, err := t.start(plain(), "L").Missing(t.Context(), files)
	if err != nil || len(missing) != 2 || !strings.HasPrefix(missing[0], gone.Path) || !strings.HasPrefix(missing[1], short.Path) {
		t.Errorf("missing: %q, %v; want %s and %s", missing, err, gone.Path, short.Path)
	}
	if missing, err := p.Missing(t.Context(), nil); err != nil || len(missing) > 0 {
		t.Errorf("missing of no files: %q, %v", missing, err)
	}
}

// testLanes: lanes write beside each other, and go on while what they have cut is sealed.
func (t *trial) testLanes() {
	const lanes, epochs, batches, size = 4, 6, 3, 20
	c := plain()
	c.PartitionBy = []string{"city"}
	p := t.start(c, "L")
	sealed := make([][]engine.File, epochs)
	var mu sync.Mutex
	var all, seals sync.WaitGroup
	for lane := range lanes {
		w := p.Writer(lane)
		all.Go(func() {
			for epoch := range epochs {
				for i := range batches {
					id := ((lane*epochs+epoch)*batches + i) * size
					if err := p.lend(w, optest.Batch(c.Schema, rows(id, id+size)...)); err != nil {
						t.Errorf("write: %v", err)
					}
				}
				s := w.Cut()
				seals.Go(func() {
					files, err := s.Seal(t.Context())
					if err != nil {
						t.Errorf("seal: %v", err)
					}
					mu.Lock()
					defer mu.Unlock()
					sealed[epoch] = append(sealed[epoch], files...)
				})
			}
			w.Discard()
		})
	}
	all.Wait()
	seals.Wait()
	prev := engine.NoEpoch
	for epoch, files := range sealed {
		p.commit(p.prepared(prev, engine.Epoch(epoch), files))
		prev = engine.Epoch(epoch)
	}
	t.holds(c.Schema, rows(0, lanes*epochs*batches*size))
}
