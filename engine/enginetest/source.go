package enginetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// SourceName is what the fake source is called in a plan.
const SourceName = "in"

// InputSchema is the columns of the fake source's rows.
var InputSchema = engine.Schema{
	{Name: "id", Type: column.Of(column.String), Required: true},
	{Name: "at", Type: column.Of(column.Timestamp)},
	{Name: "v", Type: column.Of(column.Long)},
}

// An Input is the records of each partition, in order. A nil record is a tombstone.
type Input [][][]byte

// Row is the value of a record with the given columns, as the fake source's Decoder reads it.
func Row(id string, at engine.Time, v int64) []byte {
	return fmt.Appendf(nil, "%s;%d;%d", id, at, v)
}

// A Source is an engine.Source over an Input: it cuts frames of random sizes, delivers some of them twice,
// and pauses at random. Its clock is the standard one: run it in a synctest bubble.
type Source struct {
	in     Input
	first  []engine.Offset // by partition: records before it are gone
	frames int             // most records a frame
	pause  time.Duration   // longest pause between frames

	mu     sync.Mutex
	rnd    *rand.Rand
	handed map[string]engine.Offset // next offset after what was handed to the sink, returned or not
}

// NewSource makes a source that reads in by frames of at most frames records.
func NewSource(in Input, seed uint64, frames int, pause time.Duration) *Source {
	return &Source{
		in: in, first: make([]engine.Offset, len(in)), frames: frames, pause: pause,
		rnd: rand.New(rand.NewPCG(seed, 1)), handed: map[string]engine.Offset{},
	}
}

// Partitions implements engine.Source.
func (s *Source) Partitions(context.Context) ([]engine.Partition, error) {
	var all []engine.Partition
	for i, records := range s.in {
		all = append(all, engine.Partition{Name: strconv.Itoa(i), First: s.first[i], End: engine.Offset(len(records))})
	}
	return all, nil
}

// Read implements engine.Source.
func (s *Source) Read(ctx context.Context, from []engine.Start, sink engine.Sink) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	var all sync.WaitGroup
	for _, start := range from {
		all.Go(func() {
			if err := s.readRecords(ctx, start, sink); err != nil {
				end(err)
			}
		})
	}
	all.Wait()
	<-ctx.Done()
	return context.Cause(ctx)
}

// readRecords delivers the records of a partition that are there.
func (s *Source) readRecords(ctx context.Context, start engine.Start, sink engine.Sink) error {
	p, err := strconv.Atoi(start.Partition)
	if err != nil {
		return err
	}
	for next := start.From; int(next) < len(s.in[p]); {
		n, again, pause := s.choose()
		var f engine.Frame
		from := max(0, next-engine.Offset(again)) // records that come once more
		end := min(next+engine.Offset(n), engine.Offset(len(s.in[p])))
		for o := from; o < end; o++ {
			f = f.AppendRecord(engine.Record{Offset: o, At: engine.Time(o) * 1e6, Value: s.in[p][o]})
		}
		s.note(start.Partition, end)
		if err := sink.Frame(ctx, start.Partition, f); err != nil {
			return err
		}
		next = end
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// note keeps that the records before next were handed over.
func (s *Source) note(partition string, next engine.Offset) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handed[partition] = max(s.handed[partition], next)
}

func (s *Source) choose() (records, again int, pause time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	records = 1 + s.rnd.IntN(s.frames)
	if s.rnd.IntN(5) == 0 {
		again = s.rnd.IntN(3)
	}
	if s.pause > 0 {
		pause = time.Duration(s.rnd.Int64N(int64(s.pause)))
	}
	return records, again, pause
}

// Handed is, for a partition, the offset after what was handed to the sink, whether it returned or not.
func (s *Source) Handed(partition string) (engine.Offset, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.handed[partition]
	return o, ok
}

// Committed implements engine.Source.
func (s *Source) Committed(context.Context, map[string]engine.Offset) error { return nil }

// Close implements engine.Source.
func (s *Source) Close() error { return nil }

// A Decoder reads what Row writes. A record of two fields has no event time; anything else is rejected.
type Decoder struct{}

// Decode implements engine.Decoder.
func (Decoder) Decode(f engine.Frame, rows *engine.Rows) error {
	id, at, v := rows.Columns[0].(*column.Texts), rows.Columns[1].(*column.Longs), rows.Columns[2].(*column.Longs)
	for r, rest, ok := f.Next(); ok; r, rest, ok = rest.Next() {
		if r.Value == nil {
			rows.Tombstones++
			continue
		}
		fields := strings.Split(string(r.Value), ";")
		when, err1 := strconv.ParseInt(fields[min(1, len(fields)-1)], 10, 64)
		n, err2 := strconv.ParseInt(fields[len(fields)-1], 10, 64)
		if len(fields) < 2 || len(fields) > 3 || err2 != nil || len(fields) == 3 && err1 != nil {
			rows.Rejects = append(rows.Rejects, engine.Reject{Record: r, Reason: engine.ReasonDecode, Detail: "not a row"})
			continue
		}
		id.AppendString(fields[0])
		if len(fields) == 3 {
			at.Append(when)
		} else {
			at.AppendNull()
		}
		v.Append(n)
		rows.Offset = append(rows.Offset, r.Offset)
		rows.At = append(rows.At, r.At)
	}
	return nil
}
