package enginetest

import (
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/millrace-io/millrace/engine"
)

// generate makes an input of 1 to 8 partitions: few keys, event times out of order by up to some seconds,
// repeats, and among the rows tombstones, records that do not decode and rows without event time or with one that can't
// be. Unless the case is Spread, the rows of a key stay in one partition and its descendants.
func (c *Case) generate(rnd *rand.Rand) Input {
	n := 1 + rnd.IntN(8)
	if c.Reshards && !c.Spread { // few of them are not split, and fewer not merged
		n = max(n, 1+rnd.IntN(8))
	}
	in := make(Input, n)
	keys := 1 + rnd.IntN(12)
	clock := engine.Time(10e6)
	records := rnd.IntN(160)
	for i := range records {
		clock += engine.Time(rnd.Int64N(2e6))
		key := fmt.Sprintf("k%d", rnd.IntN(keys))
		p, when := rnd.IntN(len(in)), i*ages/records
		switch {
		case c.Reshards && c.Spread:
			open := openAt(when, len(in))
			p = open[p%len(open)]
		case c.Reshards:
			p = keyedTo(hash(key), when, len(in))
		case !c.Spread:
			p = int(hash(key) % uint32(len(in)))
		}
		in[p] = append(in[p], record(rnd, key, clock))
	}
	return in
}

func hash(key string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(key))
	return h.Sum32()
}

func record(rnd *rand.Rand, key string, clock engine.Time) []byte {
	switch rnd.IntN(20) {
	case 0:
		return nil
	case 1:
		return []byte("this is no row")
	case 2:
		return []byte(key + ";7")
	case 3: // a clock that is wrong
		return Row(key, []engine.Time{-1, -9e18, clock + 2*24*3600*1e6, 9e18}[rnd.IntN(4)], rnd.Int64N(1000))
	}
	at := clock - engine.Time(rnd.Int64N(5e6))
	return Row(key, at, rnd.Int64N(1000))
}

// A Fact is one record of an input, decoded in the plainest way.
type Fact struct {
	Partition int
	Offset    engine.Offset
	Value     []byte // nil: a tombstone
	OK        bool   // it is a row; the fields below are set
	ID        string
	Timed     bool // it has an event time
	At        engine.Time
	V         int64
}

// Facts is every record of a partition in order.
func (in Input) Facts(partition int) []Fact {
	var all []Fact
	for o, value := range in[partition] {
		f := Fact{Partition: partition, Offset: engine.Offset(o), Value: value}
		switch fields := strings.Split(string(value), ";"); len(fields) {
		case 3:
			f.OK, f.Timed, f.ID = true, true, fields[0]
			fmt.Sscan(fields[1], &f.At) //nolint:errcheck // Row wrote it
			fmt.Sscan(fields[2], &f.V)  //nolint:errcheck // Row wrote it
		case 2:
			f.OK, f.ID = true, fields[0]
			fmt.Sscan(fields[1], &f.V) //nolint:errcheck // record wrote it
		}
		all = append(all, f)
	}
	return all
}

// Entered says what the source alone makes of an input: the rows that enter, in the order of partitions
// and offsets, and the quarantine table and ledger that go with it. With needTime, rows without event time
// are quarantined.
func Entered(in Input, needTime bool) (Outcome, []Fact) {
	out := Outcome{Tables: map[string][]string{QuarantineName: nil}, Ledger: engine.Ledger{}}
	var rows []Fact
	var count engine.Count
	for p := range in {
		for _, f := range in.Facts(p) {
			count.In++
			switch {
			case f.Value == nil:
				count.Filtered++
			case !f.OK:
				count.Quarantined++
				out.quarantine(f, engine.ReasonDecode, "", "not a row", f.Value)
			case needTime && f.untimely() != "":
				count.Quarantined++
				at := "null"
				if f.Timed {
					at = fmt.Sprintf("%q", stamp(f.At))
				}
				row := fmt.Sprintf(`{"id":%q,"at":%s,"v":%d}`, f.ID, at, f.V)
				out.quarantine(f, engine.ReasonTime, "at", f.untimely(), []byte(row))
			default:
				count.Out++
				rows = append(rows, f)
			}
		}
	}
	if count != (engine.Count{}) {
		out.Ledger[SourceName] = count
	}
	return out, rows
}

// Timely says which of the rows that enter, which Entered gives for a source with an event time, enter a stream with an
// operator that waits for time; the others are late by delay and go to quarantine.
func (c *Case) Timely(o *Outcome, stream string, entered []Fact) []Fact {
	var timely []Fact
	delay := c.Time.MaxDelay
	marks := c.Marks(entered)
	count := o.Ledger[stream]
	for i, f := range entered {
		mark := marks[i]
		count.In++
		if f.At >= mark {
			timely = append(timely, f)
			continue
		}
		count.Late++
		by := mark.Std().Sub(f.At.Std())
		o.quarantineRow(f, stream, engine.ReasonLate, "at",
			fmt.Sprintf("it came %v too late: its event time, %s, is %v older than the newest before it, and max_delay is %v", by, f.At.Std().Format(people), by+delay, delay))
	}
	if count != (engine.Count{}) {
		o.Ledger[stream] = count
	}
	return timely
}

// Marks is the watermark of each row's partition before the row.
func (c *Case) Marks(entered []Fact) []engine.Time {
	marks := watermarks{reshards: c.Reshards, of: map[int]engine.Time{}}
	before := make([]engine.Time, len(entered))
	for i, f := range entered { // a partition's parents come before it
		before[i] = marks.at(f.Partition)
		marks.of[f.Partition] = max(before[i], f.At.Minus(c.Time.MaxDelay))
	}
	return before
}

// Upto is where event time is in the end, when all of n partitions were read: the watermark of all that have not ended.
func (c *Case) Upto(n int, entered []Fact) engine.Time {
	marks := watermarks{reshards: c.Reshards, of: map[int]engine.Time{}}
	for _, f := range entered {
		marks.of[f.Partition] = max(marks.at(f.Partition), f.At.Minus(c.Time.MaxDelay))
	}
	upto := engine.MaxTime
	for p := range n {
		if !c.Reshards || len(childrenOf(p, n)) == 0 {
			upto = min(upto, marks.at(p))
		}
	}
	return upto
}

// watermarks is where the event time of each partition has come.
type watermarks struct {
	reshards bool
	of       map[int]engine.Time
}

// at is the watermark of a partition, which begins with that of its parents.
func (w watermarks) at(p int) engine.Time {
	if mark, ok := w.of[p]; ok {
		return mark
	}
	if !w.reshards || len(parentsOf(p)) == 0 {
		return engine.MinTime
	}
	least := engine.MaxTime
	for _, parent := range parentsOf(p) {
		least = min(least, w.at(parent))
	}
	return least
}

// quarantineRow adds a row that a stream refused.
func (o *Outcome) quarantineRow(f Fact, stream string, reason engine.Reason, col, detail string) {
	row := fmt.Sprintf(`{"id":%q,"at":%q,"v":%d}`, f.ID, stamp(f.At), f.V)
	o.Tables[QuarantineName] = append(o.Tables[QuarantineName], fmt.Sprintf(
		`{"source":%q,"stream":%q,"partition":"%d","position":"%d","record_time":%q,"reason":%q,"column":%q,"detail":%q,"bytes":%q}`,
		SourceName, stream, f.Partition, f.Offset, stamp(f.RecordAt()), reason, col, detail, base64.StdEncoding.EncodeToString([]byte(row))))
}

func (o *Outcome) quarantine(f Fact, reason engine.Reason, col, detail string, value []byte) {
	at, blame := fmt.Sprintf("%q", f.RecordAt().Std().Format("2006-01-02T15:04:05.000000Z")), "null"
	if col != "" {
		blame = fmt.Sprintf("%q", col)
	}
	o.Tables[QuarantineName] = append(o.Tables[QuarantineName], fmt.Sprintf(
		`{"source":%q,"stream":null,"partition":"%d","position":"%d","record_time":%s,"reason":%q,"column":%s,"detail":%q,"bytes":%q}`,
		SourceName, f.Partition, f.Offset, at, reason, blame, detail, base64.StdEncoding.EncodeToString(value)))
}

// untimely says why a row's event time is none, or "".
func (f Fact) untimely() string {
	switch {
	case !f.Timed:
		return "the row has no event time"
	case f.At < 0:
		return "the event time is before 1970: " + f.At.Std().Format(people)
	case f.At > f.RecordAt()+engine.TimeOf(time.UnixMicro(0).Add(engine.DefaultMaxAhead)):
		return fmt.Sprintf("the event time %s is more than 24h0m0s (max_ahead) after the record's own, %s", f.At.Std().Format(people), f.RecordAt().Std().Format(people))
	}
	return ""
}

const people = "2006-01-02T15:04:05.999999Z"

func stamp(at engine.Time) string { return at.Std().Format("2006-01-02T15:04:05.000000Z") }

// RecordAt is the record's own timestamp: the fake source stamps offset n with second n.
func (f Fact) RecordAt() engine.Time { return engine.Time(f.Offset) * 1e6 }
