package kinesis

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/millrace-io/millrace/engine"
)

// A shard reads a shard: it cuts frames from the answers that come and gives them away.
type shard struct {
	sub    *subscriber
	source *Source
	name   string
	log    *slog.Logger
	out    chan<- *message.Message

	marks  marks
	caught atomic.Bool  // what was there when reading began was taken
	behind atomic.Int64 // nanoseconds, see engine.Chasing
	over   atomic.Bool  // it is not read any more

	// What follows is the running goroutine's own.
	next   engine.Offset // of the next record
	begin  position      // where reading began
	last   sequence      // of the last record that was delivered; zero: none, and begin is no sequence number
	inside int           // of last, an aggregated record, user records from this one on are to come; 0: none

	iterator string // to go on with; "": to be asked for
	after    string // of a subscription: to go on after; "": after last
	ends     int    // answers in a row that said that the shard has ended
	limit    int    // records to ask for
	size     int    // bytes that an answer should have
	pace     pace
	answer   answer

	tries   int       // since the server last answered
	bad     int       // answers in a row that were damaged or refused
	told    time.Time // when an interruption was last logged
	users   aggregate
	unpack  *unpacker
	header  []byte
	text    []byte
	pending []mark // of the frame that is being cut
}

func newShard(b *subscriber, start engine.Start, out chan<- *message.Message) *shard {
	s := b.source
	sh := &shard{
		sub: b, source: s, name: start.Partition, log: s.log.With("shard", start.Partition), out: out,
		next: start.From, size: s.cfg.answerSize(s.budget, len(b.from)), unpack: newUnpacker(&s.cfg), pace: pace{off: s.cfg.Unthrottled},
	}
	sh.marks.from, sh.marks.next = start, start.From
	sh.begin, _ = parsePosition(start.After) // Source.subscriber has seen to it
	sh.last, sh.inside = sh.begin.seq, sh.begin.sub+1
	sh.limit = sh.bounded(sh.size / firstRecord)
	s.mu.Lock()
	s.reading[sh.name] = sh
	s.mu.Unlock()
	return sh
}

// firstRecord is the bytes that records are taken to have before one was seen: many, for they may be aggregated.
const firstRecord = 40 << 10

// bounded is a number of records that may be asked for.
func (sh *shard) bounded(records int) int {
	most := mostRecords
	if n := sh.source.cfg.FetchRecords; n > 0 {
		most = min(most, n)
	}
	return max(1, min(most, records))
}

// run reads until the shard has ended or ctx is done.
func (sh *shard) run(ctx context.Context) {
	defer sh.over.Store(true)
	read := sh.poll
	if sh.source.cfg.FanOut != "" {
		read = sh.listen
	}
	for {
		err := read(ctx)
		if ctx.Err() != nil || err == nil {
			return
		}
		if err = sh.judge(ctx, err); err != nil {
			sh.sub.fail(fmt.Errorf("%v, shard %s: %w", sh.source.cfg, sh.name, err))
			return
		}
	}
}

// take delivers the records of an answer. An error says that some of them could not be read; those before were delivered.
func (sh *shard) take(ctx context.Context, a *answer) error {
	var frame engine.Frame
	first, begin := sh.next, time.Now()
	records, err := decode(a.records)
	sh.source.seals.check(records)
	for i := range records {
		r := &records[i]
		if r.seq.before(sh.last) || r.seq == sh.last && sh.inside == 0 {
			continue // it came before
		}
		if frame == nil {
			frame = sh.source.frame()
		}
		frame = sh.cut(frame, r)
		if len(frame) < frameSize {
			continue
		}
		sh.spend(begin)
		if err := sh.give(ctx, frame, first); err != nil {
			return err
		}
		frame, first, begin = nil, sh.next, time.Now()
	}
	sh.spend(begin)
	if len(frame) > 0 {
		if err := sh.give(ctx, frame, first); err != nil {
			return err
		}
	}
	return err
}

// spend adds the time since begin to what Source.Fetched gives.
func (sh *shard) spend(begin time.Time) { sh.source.spent.Add(int64(time.Since(begin))) }

// give marks and sends a frame.
func (sh *shard) give(ctx context.Context, frame engine.Frame, first engine.Offset) error {
	sh.marks.add(sh.pending, sh.next)
	sh.pending = sh.pending[:0]
	return sh.send(ctx, frame, first)
}

// decode takes the base64 off the records' data, in the same memory. It gives those before the first that has none.
func decode(records []record) ([]record, error) {
	for i := range records {
		r := &records[i]
		if !r.base64 {
			continue
		}
		n, err := base64.StdEncoding.Decode(r.data, r.data)
		if err != nil {
			return records[:i], damaged{fmt.Sprintf("the data of record %s is no base64", r.number)}
		}
		r.data, r.base64 = r.data[:n:n], false
	}
	return records, nil
}

// Headers of the records, for columns record.sequence_number and record.explicit_hash_key.
const (
	numberHeader = "kinesis.sequence_number"
	hashHeader   = "kinesis.explicit_hash_key"
)

// cut adds a record, or its user records, to the frame.
func (sh *shard) cut(frame engine.Frame, r *record) engine.Frame {
	users := sh.users.open(r)
	done := 0 // user records that are not to come
	if r.seq == sh.last {
		done = min(sh.inside, max(1, len(users)))
	}
	sh.pending = append(sh.pending, newMark(sh.next-engine.Offset(done), r.seq, users != nil))
	sh.last, sh.inside = r.seq, 0
	rec := engine.Record{At: timeOf(r.at)}
	if users == nil {
		if done == 0 {
			rec.Key, rec.Value = r.key, sh.unpack.open(r.data)
			rec.Headers = engine.AppendHeader(sh.header[:0], []byte(numberHeader), r.number)
			frame = sh.append(frame, &rec)
		}
		return frame
	}
	for i := done; i < len(users); i++ {
		u := &users[i]
		rec.Key, rec.Value = u.key, sh.unpack.open(u.data)
		sh.text = strconv.AppendInt(append(append(sh.text[:0], r.number...), '/'), int64(i), 10)
		rec.Headers = engine.AppendHeader(sh.header[:0], []byte(numberHeader), sh.text)
		if u.hash != nil {
			rec.Headers = engine.AppendHeader(rec.Headers, []byte(hashHeader), u.hash)
		}
		frame = sh.append(frame, &rec)
	}
	return frame
}

// append adds a record at the next offset.
func (sh *shard) append(frame engine.Frame, r *engine.Record) engine.Frame {
	r.Offset = sh.next
	sh.next++
	sh.header = r.Headers
	return frame.AppendRecord(*r)
}

// timeOf is the event time of a timestamp in milliseconds since 1970; a nonsensical one is held near the ends of event
// time.
func timeOf(ms int64) engine.Time {
	const most = int64(engine.MaxTime) / 1000
	return engine.Time(1000 * min(most, max(-most, ms)))
}

// took notes what an answer said once its records were taken.
func (sh *shard) took(a *answer) {
	if !a.told {
		return
	}
	sh.behind.Store(int64(a.behind))
	if a.newest() && !sh.caught.Load() && !sh.source.wasClosed(sh.name) {
		sh.caught.Store(true) // one that was closed when reading began has children, and these come when it has ended
	}
}

// heard notes that the server answered.
func (sh *shard) heard() { sh.tries, sh.bad = 0, 0 }

// end tells that the shard has ended, if it has: an answer that was damaged could have looked so.
func (sh *shard) end(ctx context.Context) error {
	closed, err := sh.source.closed(ctx, sh.name)
	if err != nil {
		return err
	}
	if !closed {
		return damaged{"it is said to be the shard's last, and the shard is open"}
	}
	sh.behind.Store(0)
	sh.caught.Store(true)
	return sh.sendEnd(ctx)
}

const (
	throttledTries = 3                // a shard that was asked too much is left alone for as long as after so many errors, at least
	enoughBad      = 3                // answers in a row that are damaged, before they are asked for in JSON
	mostBad        = 10               // answers in a row that are damaged, or requests that are refused, before reading gives up
	complainEvery  = 30 * time.Second // how often an interruption that lasts is logged
)

// judge decides how to go on after an error: it mends what can be mended and waits a little. What it returns ends the
// reading.
func (sh *shard) judge(ctx context.Context, err error) error {
	sh.tries++
	switch {
	case errors.Is(err, errRenew):
		if sh.tries == 1 {
			return nil
		}
	case code(err) == codeExpired:
		sh.iterator = ""
		if sh.tries == 1 {
			return nil
		}
	case noCBOR(err) && !sh.source.protocol.plain.Swap(true):
		sh.log.Debug("the server does not know CBOR; going on in JSON", "error", err)
		return nil
	case isDamaged(err), code(err) == codeArgument:
		sh.iterator, sh.after = "", ""
		if sh.bad++; sh.bad == enoughBad && isDamaged(err) && !sh.source.protocol.plain.Swap(true) {
			sh.log.Warn("the server's answers in CBOR are damaged again and again; going on in JSON", "error", err)
		}
		if sh.bad >= mostBad || errors.As(err, new(final)) {
			return explain(err)
		}
	case !mayPass(err):
		return explain(err)
	}
	if isThrottle(err) {
		sh.log.Debug("the shard is asked too much", "error", err)
		sh.tries = max(sh.tries, throttledTries)
	} else if time.Since(sh.told) >= complainEvery {
		sh.told = time.Now()
		sh.log.Warn("reading is interrupted; it goes on when the server answers", "error", err)
	}
	pause(ctx, sh.source.backoff(sh.tries))
	return nil
}
