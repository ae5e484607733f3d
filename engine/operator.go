package engine

import (
	"context"
	"io"
)

// A Config is what a definition says of an operator.
type Config interface {
	// Bind checks the config against the columns that arrive and says which leave. It is called once for
	// each instance of the operator (one a partition, or one a lane) and by check; it does no I/O and keeps
	// nothing but what the instance needs. What is wrong is reported all at once, as Faults.
	Bind(in Schema) (Operator, Schema, error)
}

// A Keyed config needs all rows with equal values in some columns in one lane.
type Keyed interface {
	Config
	// Keys names the columns, which must be among those that arrive.
	Keys() []string
}

// A Whole config may have an operator that gives all its results anew at the end of each epoch, for a table whose rows each
// epoch replaces.
type Whole interface {
	Config
	// Replaces says whether this config does.
	Replaces() bool
}

// A Waiting config has an operator that waits for event time to pass: rows that come later than their
// partition's watermark never reach it.
type Waiting interface {
	Config
	// Waits says whether this config does.
	Waits() bool
}

// An Operator turns batches into batches. One goroutine owns it: calls never overlap.
type Operator interface {
	// Apply takes a batch, lent for the call, and gives what comes of it to emit, in order. A batch may be
	// empty and come only to pass Upto or Barrier on: an operator emits at least one batch for each it
	// takes unless it keeps rows back, and emits all rows below in.Upto before it passes in.Upto on.
	//
	// A row that is wrong is data: it goes to emit.Quarantine. An error says that the operator can't go on
	// and ends the run.
	Apply(ctx context.Context, in *Batch, emit Emit) error
}

// Emit takes what an operator gives. It is valid for the call of Apply it was passed to.
type Emit interface {
	// Rows passes a batch on. It is lent to the receiver for the call.
	Rows(out *Batch) error
	// Drop counts rows that go no further.
	Drop(reason DropReason, rows int)
	// Made counts rows that the operator gives and did not take in: results.
	Made(rows int)
	// Quarantine sends one row of in, which the caller leaves out of what it emits, to the quarantine table.
	// column is the column that is to blame or ""; detail is for people.
	Quarantine(in *Batch, row int, reason Reason, column, detail string)
}

// Stateful is an operator whose output depends on earlier batches. Its state is split by the slot of the
// row's key (column.Key.Slot); a lane calls Save and Load only for the slots it owns.
type Stateful interface {
	Operator
	// Save writes what changed in the slot since the last Save, deletions too, or the whole slot if it finds
	// that cheaper (whole is then true and what was saved before is dropped). It writes nothing if nothing
	// changed. It runs between batches.
	Save(slot int, w io.Writer) (whole bool, err error)
	// Load takes what Save wrote, in the order saved, before the first Apply. It is not called with nothing. The
	// reader is a stream that is checked when it has ended: damaged bytes may reach Load, which must neither
	// panic nor take memory without bound; what it made of them is thrown away.
	Load(slot int, r io.Reader) error
}

// An Expecting operator is told how much state will come, so that it can make room for it once.
type Expecting interface {
	Stateful
	// Expect is called before the first Load of a slot that has any. size is what Load will be given of the slot, in
	// bytes over all its sections.
	Expect(slot int, size int64)
}

// A Sized operator knows the memory that its state takes.
type Sized interface {
	Stateful
	// StateBytes is about the memory of the state now, in bytes. It is called after each batch and costs no walk.
	StateBytes() int64
	// Largest names at most n keys with the most state, the largest first, for people. It may take its time.
	Largest(n int) []KeySize
}

// A KeySize is what one key's state takes.
type KeySize struct {
	Key   string `json:"key"` // as a row of JSON, or its hash where the operator does not know more
	Bytes int64  `json:"bytes"`
}

// A DropReason says why a row went no further though nothing is wrong with it.
type DropReason uint8

// The reasons a row is dropped, which are columns of the ledger.
const (
	Filtered   DropReason = iota // a condition left it out
	Duplicate                    // its key was seen
	Aggregated                   // it went into results, which are rows of their own: see Emit.Made
)

// A Reason says why a row is in quarantine. The list is closed: it is part of the quarantine table's
// contract.
type Reason string

// The reasons.
const (
	ReasonDecode    Reason = "decode"    // the record is not what its format says
	ReasonRequired  Reason = "required"  // a column that may not be null has no value
	ReasonType      Reason = "type"      // a value does not fit its column's type
	ReasonParse     Reason = "parse"     // a text could not be parsed as clean asks
	ReasonEval      Reason = "eval"      // an expression has no value for the row, such as a division by zero
	ReasonPartition Reason = "partition" // the table can't have a partition of this value
	ReasonTime      Reason = "time"      // the event time is missing or absurd
	ReasonLate      Reason = "late"      // the row came after its partition's watermark had passed it
	ReasonCustom    Reason = "custom"    // a Go function refused the row
)

// A Fault is one thing that is wrong in a definition.
type Fault struct {
	Path    []string // keys and indexes from the step's own node to the value at fault: {"by", "0"}
	Column  int      // offset in bytes within the value, as in an expression
	Key     bool     // the key at Path is at fault, not its value
	Message string   // lower case: what was found and what was expected
	Nearest string   // a name that may have been meant, or ""
}

// Faults is everything that Bind finds wrong.
type Faults []Fault

// Error joins the messages; who has the definition prints them with their places.
func (f Faults) Error() string {
	s := ""
	for i, x := range f {
		if i > 0 {
			s += "; "
		}
		s += x.Message
		if x.Nearest != "" {
			s += " (did you mean " + x.Nearest + "?)"
		}
	}
	return s
}
