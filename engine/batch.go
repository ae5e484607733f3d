package engine

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/millrace-io/millrace/engine/column"
)

// Schema is the columns of a batch.
type Schema = column.Schema

// A Time is an instant of event time: microseconds since 1970-01-01 00:00:00 UTC.
type Time int64

// The ends of event time. MinTime is the watermark before any row, MaxTime the one after the last.
const (
	MinTime Time = -1 << 63
	MaxTime Time = 1<<63 - 1
)

// TimeOf is the event time of a wall clock's instant, cut down to a microsecond.
func TimeOf(t time.Time) Time { return Time(t.UnixMicro()) }

// Std is t for the standard library, in UTC.
func (t Time) Std() time.Time { return time.UnixMicro(int64(t)).UTC() }

// text is t for people.
func (t Time) text() string { return t.Std().Format("2006-01-02T15:04:05.999999Z07:00") }

// Minus is t − d, held at the ends of event time.
func (t Time) Minus(d time.Duration) Time {
	us := Time(d.Microseconds())
	switch r := t - us; {
	case t == MinTime || t == MaxTime:
		return t
	case us > 0 && r > t:
		return MinTime
	case us < 0 && r < t:
		return MaxTime
	default:
		return r
	}
}

// A PartitionID names a partition among all partitions of a task.
type PartitionID struct {
	Source    string // the source's name in the definition
	Partition string // the source's own name of it: a Kafka partition's number, a Kinesis shard, a path
}

// String is "pins/3".
func (p PartitionID) String() string { return p.Source + "/" + p.Partition }

// Compare orders partitions by source and then by name, a shorter one first: 9 is before 10.
func (p PartitionID) Compare(o PartitionID) int {
	return cmp.Or(strings.Compare(p.Source, o.Source), cmp.Compare(len(p.Partition), len(o.Partition)), strings.Compare(p.Partition, o.Partition))
}

// An Offset is a record's place in its partition, counted from 0. Within a partition offsets rise, not
// always by one.
type Offset int64

// An Epoch is the number of a commit. The first checkpoint of a pipeline is epoch 0 and holds no rows.
type Epoch int64

// text is e for people.
func (e Epoch) text() string {
	if e == NoEpoch {
		return "no epoch"
	}
	return fmt.Sprintf("epoch %d", int64(e))
}

// A Batch is the unit of work: rows of one partition (or of one lane, after a join or a window) as
// columns, with what the engine knows of each row beside them.
//
// A batch is lent for the call it is passed to. Who keeps it, or any of its memory, retains Arena first
// and releases it when done. Columns and slices of an emitted batch are never changed again; an operator
// that changes a column takes a fresh one from Arena.
type Batch struct {
	Schema  Schema
	Columns []column.Column  // one a field of Schema, each of Rows rows
	Rows    int              // rows held, selected or not
	Sel     column.Selection // the rows that count

	At     []Time   // event time of each row, len Rows
	Mark   []Time   // watermark of the row's partition before the row came, len Rows: late is At < Mark
	Offset []Offset // offset of each row's record, len Rows
	// Recorded is the timestamp of each row's record itself, len Rows, for people who look for it. nil: not known, as of rows
	// that come from no one record. An operator that gives other rows than it takes sets it anew, as it does those above.
	Recorded []Time

	Origin  PartitionID  // where the rows come from; zero after a join or a window
	Keys    []column.Key // hash of the exchange's key columns, len Rows (unselected rows: unspecified); nil before an exchange
	Upto    Time         // no row after this batch that is not late has an earlier event time; rows in the batch may have a Mark below it
	Barrier Epoch        // the epoch that ends behind this batch; 0: none
	Quiet   bool         // with Barrier: nothing was taken in since the barrier before, and no promise made: results are what they were

	Arena *column.Arena // owns the memory above
}

// Count is the number of selected rows.
func (b *Batch) Count() int { return b.Sel.Count(b.Rows) }

// With gives a batch of the same rows with other columns.
func (b *Batch) With(schema Schema, columns []column.Column) *Batch {
	c := *b
	c.Schema, c.Columns = schema, columns
	return &c
}

// Select gives a batch of the same columns with other rows selected.
func (b *Batch) Select(sel column.Selection) *Batch {
	c := *b
	c.Sel = sel
	return &c
}
