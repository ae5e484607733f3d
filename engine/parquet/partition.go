package parquet

import (
	"fmt"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/delta"
)

// A share is the rows of one partition value.
type share struct {
	folder string
	values map[string]*string // by column; nil is null
	key    column.Key
	rows   column.Selection // of the current batch; not nil in a partitioned table
	file   *part            // nil: none is open
}

// A splitter sorts the rows of batches by their partition values. Values are told apart by their hash, as
// keys are (docs/decisions/0003-keys-are-hashes.md).
type splitter struct {
	hasher *column.Hasher
	names  []string
	at     []int // the partition columns
	cols   []column.Column
	keys   []column.Key

	known   []*share // in the order in which they came
	slots   []int32  // hash table, open, at most half full: index in known + 1
	touched []*share // by the current batch
}

func newSplitter(schema column.Schema, partitionBy []string) (*splitter, error) {
	s := &splitter{hasher: column.NewHasher(0), names: partitionBy}
	for _, name := range partitionBy {
		i := schema.Index(name)
		if i < 0 {
			return nil, fmt.Errorf("partition column %s is none of the rows' columns", name)
		}
		if err := delta.CheckPartition(schema[i].Type); err != nil {
			return nil, fmt.Errorf("partition column %s: %w", name, err)
		}
		s.at = append(s.at, i)
	}
	s.forget()
	return s, nil
}

// forget forgets all partitions.
func (s *splitter) forget() {
	s.known, s.touched = nil, nil
	s.slots = make([]int32, 64)
}

// shares are the partitions of the batch's selected rows. They are lent until the next call.
func (s *splitter) shares(b *engine.Batch) []*share {
	for _, t := range s.touched {
		t.rows = t.rows[:0]
	}
	s.touched = s.touched[:0]
	s.hash(b)
	var last *share
	for row := range b.Sel.All(b.Rows) {
		if k := s.keys[row]; last == nil || last.key != k {
			last = s.find(k, row)
			if len(last.rows) == 0 {
				s.touched = append(s.touched, last)
			}
		}
		last.rows = append(last.rows, int32(row))
	}
	clear(s.cols)
	return s.touched
}

// hash computes the keys of the batch's selected rows.
func (s *splitter) hash(b *engine.Batch) {
	s.cols = s.cols[:0]
	for _, i := range s.at {
		s.cols = append(s.cols, b.Columns[i])
	}
	if cap(s.keys) < b.Rows {
		s.keys = make([]column.Key, b.Rows)
	}
	s.keys = s.keys[:b.Rows]
	s.hasher.Keys(s.keys, s.cols, b.Sel, b.Rows)
}

// find gives the share of a key, which row has.
func (s *splitter) find(k column.Key, row int) *share {
	mask := uint64(len(s.slots) - 1)
	at := k.Lo & mask
	for ; s.slots[at] != 0; at = (at + 1) & mask {
		if known := s.known[s.slots[at]-1]; known.key == k {
			return known
		}
	}
	found := s.make(k, row)
	s.known = append(s.known, found)
	s.slots[at] = int32(len(s.known))
	if 2*len(s.known) > len(s.slots) {
		s.growSlots()
	}
	return found
}

// make makes the share of a row's partition.
func (s *splitter) make(k column.Key, row int) *share {
	values := make([]*string, len(s.names))
	byName := make(map[string]*string, len(s.names))
	for i, c := range s.cols {
		values[i] = delta.PartitionText(c, row)
		byName[s.names[i]] = values[i]
	}
	return &share{folder: delta.PartitionPath(s.names, values), values: byName, key: k, rows: column.Selection{}}
}

func (s *splitter) growSlots() {
	s.slots = make([]int32, 2*len(s.slots))
	mask := uint64(len(s.slots) - 1)
	for i, known := range s.known {
		at := known.key.Lo & mask
		for s.slots[at] != 0 {
			at = (at + 1) & mask
		}
		s.slots[at] = int32(i + 1)
	}
}
