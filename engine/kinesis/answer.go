package kinesis

import (
	"errors"
	"fmt"
	"time"
)

// A record is a record of an answer. Its slices are the answer's memory.
type record struct {
	seq    sequence
	number []byte // seq as it was written
	key    []byte
	data   []byte
	base64 bool // data still is
	sealed bool // data ends with the MD5 of an aggregated record, see seals

	at int64 // of arrival, milliseconds since 1970
}

// An answer is what a shard gave at once: to GetRecords, or as one event of a subscription.
type answer struct {
	body    []byte   // what came; the records' memory
	records []record // in the order in which they came

	next       string        // the iterator to go on with; "": the shard's end was reached
	after      string        // of an event: the sequence number to go on after; "": the shard's end was reached
	behind     time.Duration // how much younger the newest record of the shard is
	told       bool          // behind was said
	full       bool          // it has as many records as were asked for: there may be more, whatever behind says
	children   bool          // the shard's end was reached, and others come in its place
	hasRecords bool          // there was a list of records, be it an empty one

	spent time.Duration // on receiving and reading it
}

// damaged is an answer that can't be right. It is asked for again.
type damaged struct{ reason string }

// Error says what is wrong.
func (d damaged) Error() string { return "the answer is damaged: " + d.reason }

func isDamaged(err error) bool { return errors.As(err, new(damaged)) }

// newest says whether the shard had no more.
func (a *answer) newest() bool { return a.told && a.behind == 0 && !a.full }

// reset makes the answer ready for the next body. It keeps memory.
func (a *answer) reset() {
	*a = answer{body: a.body[:0], records: a.records[:0]}
}

// check says what can't be right about an answer that was read whole: records that are missing, or not in the shard's
// order. Delivered in another order a record would be taken for one that came before.
func (a *answer) check() error {
	if !a.hasRecords {
		return damaged{"it has no list of records"}
	}
	for i := range a.records {
		r := &a.records[i]
		switch {
		case r.number == nil:
			return damaged{"a record has no sequence number"}
		case r.data == nil:
			return damaged{fmt.Sprintf("record %s has no data", r.number)}
		case i > 0 && !a.records[i-1].seq.before(r.seq):
			return damaged{fmt.Sprintf("record %s comes after %s", r.number, a.records[i-1].number)}
		}
	}
	return nil
}

// number sets a record's sequence number.
func (r *record) setNumber(text []byte) (ok bool) {
	r.number = text
	r.seq, ok = parseSequence(text)
	return ok
}
