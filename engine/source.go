package engine

import (
	"context"
	"time"

	"github.com/millrace-io/millrace/engine/column"
)

// A Source delivers the records of some partitions as frames. Its methods may be called at once from
// several goroutines.
type Source interface {
	// Partitions lists the partitions that exist now, in a fixed order. Errors that may pass (a broker that
	// is down) are retried inside for a time that a start may take, or until ctx is done; what is returned
	// ends a start. It is also asked now and then while the task runs, and what is returned then is logged.
	Partitions(ctx context.Context) ([]Partition, error)

	// Read delivers the frames of the partitions from, each from its offset on, until ctx is done; it then
	// returns ctx's error after the last call of sink has returned; or nil, earlier, when all of from have ended.
	// Calls of sink for one partition never overlap and come in the partition's order; a record may come again
	// after a fault, with its offset. Read may be called again, at once, for partitions that were added. Errors
	// that may pass are retried inside.
	Read(ctx context.Context, from []Start, sink Sink) error

	// Committed is told what every table holds: for each partition the next offset. It is for lag monitors:
	// nothing reads it back and an error is only logged.
	Committed(ctx context.Context, next map[string]Offset) error

	// Close frees what the source holds. No other call is running or follows.
	Close() error
}

// A Lagging source knows how far its readers are behind.
type Lagging interface {
	// Ends is, for each partition being read, one past the newest record known to be there. It does no I/O.
	Ends() map[string]Offset
}

// A Positioned source counts its records in numbers that only it can keep: those of a partition from 0 on, in the order
// they have there, so that a record has the same number in every run that began where the first one did. Its own name of
// a record's place (a Kinesis sequence number, of 186 bits) goes with checkpoints and into quarantine.
type Positioned interface {
	// Position is the source's own position of the record at o, which it has delivered and which is not before the last
	// one committed; else "". It is what Start.After takes. It does no I/O.
	Position(partition string, o Offset) string
}

// A Chasing source can't say where its partitions end and knows when it has come there.
type Chasing interface {
	// CaughtUp says whether the sink has taken everything that was in the partition when reading of it began. It does no
	// I/O.
	CaughtUp(partition string) bool
	// Behind is, for each partition being read, how much younger the newest record there is than what was read last.
	Behind() map[string]time.Duration
}

// A Metered source knows how long it works.
type Metered interface {
	// Fetched is the time spent so far on receiving answers, from the first byte to the last, and on making
	// frames of them, over all goroutines. Waiting for an answer to begin is not part of it.
	Fetched() time.Duration
}

// A Partition is what Source.Partitions says of one.
type Partition struct {
	Name  string // as in PartitionID
	First Offset // the oldest record that can be read; 0 of a Positioned source
	End   Offset // one past the newest record that readers may see now, or NoOffset: the source can't say

	ID      string   // tells the partition from one of its name that was made anew; "": the source can't
	Parents []string // partitions whose records come before this one's: it begins when those that are there have ended

	FirstAt string // of a Positioned source: Start.After for reading from the oldest record on; "" is allowed
	EndAt   string // of a Positioned source: Start.After for reading only what comes from now on
}

// NoOffset stands where a source can't give an offset.
const NoOffset Offset = -1

// A Start says where reading of a partition begins.
type Start struct {
	Partition string
	From      Offset
	After     string // of a Positioned source: its own position of the record before From, or FirstAt or EndAt
}

// A Sink takes what a Source reads.
type Sink interface {
	// Frame takes a frame, lent for the call. It returns when the lanes have the rows, which is how back
	// pressure reaches the source. It returns an error only when the run is over.
	Frame(ctx context.Context, partition string, f Frame) error

	// Passed says that a reader is given nothing more below to: what lies between the last frame and there are
	// markers of transactions, records of aborted ones, or offsets that compaction took. A source tells it at
	// least where no frame follows, so that who reads on reaches Partition.End. An error means that the run is
	// over.
	Passed(partition string, to Offset) error

	// Ended says that the partition has no more records and never will: all were delivered. An error means that the
	// run is over.
	Ended(partition string) error

	// Lost says that the records from ≤ offset < to are gone (retention passed us). An error means that the
	// definition does not allow it and the run is over; nil that reading goes on at to.
	Lost(partition string, from, to Offset) error
}

// A Decoder turns frames into rows. One goroutine at a time uses it.
type Decoder interface {
	// Decode appends to rows, for each record of f in order, a row, a Reject or a tombstone. It allocates
	// nothing a record. An error says that decoding can't go on at all.
	Decode(f Frame, rows *Rows) error
}

// Rows is what a Decoder fills. Invariant: the columns, Offset and At have the same length.
type Rows struct {
	Columns []column.Column // one a field of the source's schema
	Offset  []Offset        // of each row's record
	At      []Time          // the record's own timestamp, of each row

	Rejects    []Reject // records that gave no row and go to quarantine
	Tombstones int      // records without a value
	Unknown    int64    // fields seen that the schema does not name
}

// A Reject is a record that could not be decoded. Its record is the frame's memory.
type Reject struct {
	Record Record
	Reason Reason
	Column string // the column to blame, or ""
	Detail string // for people: what was found, what was expected
}

// EventTime says what the event time of a source's rows is.
type EventTime struct {
	Column   string        // a column of the source's schema, or "" for the record's own timestamp
	MaxDelay time.Duration // how much earlier than the latest row seen a row may be before it is late
	MaxAhead time.Duration // how much later than the record's own timestamp it may be; 0: DefaultMaxAhead
	DropLate bool          // late rows are counted and not kept in quarantine

	// IdleAfter lets time pass without a partition that had no record for so long; 0: never. With it, what is late depends
	// on when records came, and the law does not hold.
	IdleAfter time.Duration

	// Read appends to out, a column of timestamps, the event time of each row of in, which is Column: null where in has no
	// value or one that is no time. It is called once a batch, by several goroutines at once, and allocates nothing. nil: the
	// column is of timestamps.
	Read   func(out *column.Longs, in column.Column)
	Expect string // what Read expects a value to be, for people: "milliseconds since 1970"

	// As says how a value of Column is a time, in words that stay from release to release: the formats that Read tries, in
	// this order, or the name of the column's type. A start compares it with what a checkpoint was made with; nil agrees
	// with anything.
	As []string
}

// DefaultMaxAhead is the default of EventTime.MaxAhead.
const DefaultMaxAhead = 24 * time.Hour

// name is what a definition calls the column.
func (t EventTime) name() string {
	if t.Column == "" {
		return "record.timestamp"
	}
	return t.Column
}

// ahead is MaxAhead or its default.
func (t EventTime) ahead() time.Duration {
	if t.MaxAhead == 0 {
		return DefaultMaxAhead
	}
	return t.MaxAhead
}
