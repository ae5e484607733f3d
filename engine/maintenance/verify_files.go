package maintenance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/parquet"
)

// files reads every live file.
func (v *Verified) files(ctx context.Context, store blob.Store, s *delta.Snapshot) error {
	schema, err := s.Schema().Columns()
	if err != nil {
		return err
	}
	r := &reader{store: store, schema: schema, by: s.Metadata().PartitionBy}
	keys, reason := newKeys(s, schema)
	if reason != "" {
		v.Unprovable = append(v.Unprovable, "duplicates: "+reason)
	}
	seen := map[string]bool{}
	for _, a := range s.Files() {
		name, err := a.Name()
		if err != nil {
			return err
		}
		if seen[name] {
			return untrue("file %s is in the table twice", name)
		}
		seen[name] = true
		rows, err := r.file(ctx, a, name, keys)
		if err != nil {
			return err
		}
		v.Files++
		v.Rows += rows
	}
	if keys == nil {
		return nil
	}
	v.DedupeBy = keys.dedupe.By
	return keys.distinct()
}

// A reader reads the files of a table and compares them with the log.
type reader struct {
	store  blob.Store
	schema column.Schema // of the table
	by     []string      // columns that are not in the files
	pool   column.Pool
}

// file reads one file and gives its rows.
func (r *reader) file(ctx context.Context, a *delta.Add, name string, keys *keys) (rows int64, err error) {
	info, err := r.store.Stat(ctx, name)
	if errors.Is(err, blob.ErrNotFound) {
		return 0, untrue("file %s is gone", name)
	}
	if err != nil {
		return 0, err
	}
	if info.Size != a.Size {
		return 0, untrue("file %s has %d bytes, the log says %d", name, info.Size, a.Size)
	}
	f, err := parquet.Open(ctx, r.store, name, r.schema)
	if err != nil {
		return 0, err
	}
	stats, err := newStatsCheck(a, r.schema, r.by)
	if err != nil {
		return 0, fmt.Errorf("%s: its statistics: %w", name, err)
	}
	for i := range f.RowGroups() {
		if err := r.rowGroup(ctx, f, i, a, name, stats, keys); err != nil {
			return 0, err
		}
		rows += int64(f.RowGroupRows(i))
	}
	if said, ok := a.Rows(); ok && said != rows {
		return 0, untrue("file %s has %d rows, the log says %d", name, rows, said)
	}
	return rows, stats.nulls(name)
}

func (r *reader) rowGroup(ctx context.Context, f *parquet.File, i int, a *delta.Add, name string, stats *statsCheck, keys *keys) error {
	arena := r.pool.Get()
	defer arena.Release()
	columns, err := f.ReadRowGroup(ctx, i, arena)
	if err != nil {
		return err
	}
	for _, by := range r.by {
		at := r.schema.Index(by)
		columns[at].Reset()
		for range f.RowGroupRows(i) {
			if err := delta.AppendPartition(columns[at], a.PartitionValues[by]); err != nil {
				return untrue("file %s: partition column %s: %v", name, by, err)
			}
		}
	}
	if err := stats.check(name, columns); err != nil {
		return err
	}
	if keys != nil {
		keys.add(columns, f.RowGroupRows(i))
	}
	return nil
}

// keys is the rows of a table by what tells duplicates.
type keys struct {
	dedupe delta.Dedupe
	hasher *column.Hasher
	by     []int // columns of the schema
	at     int
	rows   []keyed
	hashes []column.Key
}

// keyed is a row: the hash of its key, and its event time.
type keyed struct {
	column.Key
	at int64 // microseconds
}

// newKeys makes what finds duplicates, or says why none can be found; both are zero where the table does not say
// that it has none.
func newKeys(s *delta.Snapshot, schema column.Schema) (k *keys, reason string) {
	text, ok := s.Metadata().Configuration[delta.DedupeKey]
	if !ok {
		return nil, ""
	}
	k = &keys{hasher: column.NewHasher(0)}
	if err := json.Unmarshal([]byte(text), &k.dedupe); err != nil {
		return nil, "the property " + delta.DedupeKey + " can't be read: " + err.Error()
	}
	if k.dedupe.At == "" {
		return nil, "the event time of the rows is not in the table"
	}
	k.at = schema.Index(k.dedupe.At)
	if k.at < 0 || schema[k.at].Type != column.Of(column.Timestamp) {
		return nil, "the table has no timestamp " + k.dedupe.At
	}
	for _, name := range k.dedupe.By {
		at := schema.Index(name)
		if at < 0 {
			return nil, "the table has no column " + name
		}
		k.by = append(k.by, at)
	}
	return k, ""
}

func (k *keys) add(columns []column.Column, rows int) {
	by := make([]column.Column, len(k.by))
	for i, at := range k.by {
		by[i] = columns[at]
	}
	k.hashes = slices.Grow(k.hashes[:0], rows)[:rows]
	k.hasher.Keys(k.hashes, by, nil, rows)
	times := columns[k.at].(*column.Longs)
	for row := range rows {
		if !times.Valid.Null(row) {
			k.rows = append(k.rows, keyed{k.hashes[row], times.Values[row]})
		}
	}
}

// distinct finds two rows of a key that are within the span.
func (k *keys) distinct() error {
	slices.SortFunc(k.rows, func(a, b keyed) int {
		switch {
		case a.Hi != b.Hi:
			return order(a.Hi, b.Hi)
		case a.Lo != b.Lo:
			return order(a.Lo, b.Lo)
		}
		return order(a.at, b.at)
	})
	twice, first := 0, int64(0)
	for i := 1; i < len(k.rows); i++ {
		a, b := k.rows[i-1], k.rows[i]
		if a.Key == b.Key && uint64(b.at)-uint64(a.at) <= uint64(k.dedupe.Micros) {
			if twice++; twice == 1 {
				first = b.at
			}
		}
	}
	if twice > 0 {
		return untrue("%d rows are duplicates by %v, the first at event time %s: rows that came later than the source's max_delay may be such",
			twice, k.dedupe.By, micros(first))
	}
	return nil
}

func order[T int64 | uint64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
