package delta

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/snappy"

	"github.com/millrace-io/millrace/engine/blob"
)

// checkpointGroup is the number of rows of a row group of a checkpoint: what is held of it at a time.
const checkpointGroup = 5000

// WriteCheckpoint writes the checkpoint of the snapshot's version, unless it is there, and then the hint that
// leads readers to it. The table is whole without it: what it costs to read a log goes down, nothing else. It
// writes the classic kind, one Parquet file, whose rows go out in groups, so that beside the snapshot little
// memory is needed. A writer of the table may go on meanwhile, and several may write the same checkpoint: one
// wins, as checkpoints of one version say the same.
func (s *Snapshot) WriteCheckpoint(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("write the checkpoint of version %d of %s: %w", s.Version(), s.store.URL(), err)
		}
	}()
	if err := s.state.writable(); err != nil {
		return err
	}
	name := checkpointName(s.Version())
	switch _, err := s.store.Stat(ctx, name); {
	case err == nil:
		return nil // its writer takes care of the hint
	case !errors.Is(err, blob.ErrNotFound):
		return err
	}
	h := hint{Version: s.Version(), AddFiles: int64(len(s.state.files.live))}
	if h.Size, h.Bytes, err = s.writeRows(ctx, name); err != nil {
		return err
	}
	return writeHint(ctx, s.store, h)
}

// writeRows writes the file and gives the number of its rows and bytes.
func (s *Snapshot) writeRows(ctx context.Context, name string) (rows, bytes int64, err error) {
	out := &checkpointFile{ctx: ctx, store: s.store, name: name}
	w := parquet.NewGenericWriter[checkpointRow](out, parquet.Compression(&snappy.Codec{}),
		parquet.MaxRowsPerRowGroup(checkpointGroup), parquet.CreatedBy("millrace", "0.1.0", "checkpoint"))
	err = s.state.eachRow(time.Now(), func(r checkpointRow) error {
		rows++
		_, err := w.Write([]checkpointRow{r})
		return err
	})
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return 0, 0, errors.Join(err, out.abort())
	}
	return rows, out.size, out.close()
}

// A checkpointFile is the object of a checkpoint in the making. A small one is put where there is none, so
// that who reads it in pieces never gets those of two; a large one is streamed.
type checkpointFile struct {
	ctx   context.Context
	store blob.Store
	name  string
	small bytes.Buffer
	large blob.Writer // nil: it is small yet
	size  int64
}

// Write implements io.Writer.
func (f *checkpointFile) Write(p []byte) (int, error) {
	f.size += int64(len(p))
	if f.large == nil && f.size <= smallCheckpoint {
		return f.small.Write(p)
	}
	if f.large == nil {
		large, err := f.store.Create(f.ctx, f.name)
		if err != nil {
			return 0, err
		}
		f.large = large
		if _, err := large.Write(f.small.Bytes()); err != nil {
			return 0, err
		}
		f.small = bytes.Buffer{}
	}
	return f.large.Write(p)
}

func (f *checkpointFile) close() error {
	if f.large != nil {
		return f.large.Close()
	}
	err := f.store.PutIfAbsent(f.ctx, f.name, f.small.Bytes())
	if errors.Is(err, blob.ErrExists) {
		return nil // it says the same
	}
	return err
}

func (f *checkpointFile) abort() error {
	if f.large != nil {
		return f.large.Abort()
	}
	return nil
}

// eachRow yields the rows of a checkpoint of the state: protocol, metadata, the last txn of each application,
// the files, and the tombstones whose files vacuum must keep yet.
func (s *state) eachRow(now time.Time, yield func(checkpointRow) error) error {
	if err := errors.Join(yield(rowOfProtocol(s.protocol)), yield(rowOfMetadata(s.metadata))); err != nil {
		return err
	}
	keep, err := s.properties()
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(s.txns)) {
		t := s.txns[id].Txn
		if keep.txnExpired(t, now) {
			continue
		}
		if err := yield(rowOfTxn(t)); err != nil {
			return err
		}
	}
	for _, a := range s.files.sorted() {
		if err := yield(rowOfAdd(a)); err != nil {
			return err
		}
	}
	for _, d := range s.files.tombstones() {
		if keep.tombstoneExpired(d, now) {
			continue
		}
		if err := yield(rowOfRemove(d)); err != nil {
			return err
		}
	}
	return nil
}

// tombstones lists what was removed, by path.
func (f *files) tombstones() []*Remove {
	return slices.SortedFunc(maps.Values(f.gone), func(a, b *Remove) int { return cmp.Compare(a.Path, b.Path) })
}

// writeHint makes the hint name a checkpoint, unless it names a newer one. Two that write at once may leave
// the older one, which readers bear.
func writeHint(ctx context.Context, store blob.Store, h hint) error {
	named, err := readHint(ctx, store)
	if err != nil || named >= h.Version {
		return err
	}
	return store.Put(ctx, hintName, h.encode())
}
