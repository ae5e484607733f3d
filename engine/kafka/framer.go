package kafka

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"

	"github.com/millrace-io/millrace/engine"
)

// A framer is a sarama.PartitionConsumer that hands out frames: each of its messages has as its value an
// engine.Frame of many records. It cuts them from the record batches that a fetcher brings, and gives a frame
// away as soon as somebody takes it, so that frames are small when nothing is behind and full when much is.
type framer struct {
	r         *reading
	partition int32
	ctx       context.Context // of the reading; done too when the framer is closed
	end       context.CancelFunc
	next      atomic.Int64 // offset after the last record that was given away
	high      atomic.Int64 // the high watermark that the broker told last; 0: none yet
	tries     atomic.Int32 // since the leader last answered

	messages chan *sarama.ConsumerMessage
	errors   chan *sarama.ConsumerError // stays empty
	done     chan struct{}

	// What follows is the running goroutine's own.
	cutter  cutter
	known   int64     // offset up to which the sink knows what there is
	failed  time.Time // when something last went wrong
	told    time.Time // when that was last logged
	damaged int64     // offset of the batch that was last found damaged; -1: none
}

func newFramer(r *reading, partition int32, from engine.Offset) *framer {
	f := &framer{
		r: r, partition: partition, damaged: -1, known: int64(from),
		messages: make(chan *sarama.ConsumerMessage), errors: make(chan *sarama.ConsumerError), done: make(chan struct{}),
	}
	f.ctx, f.end = context.WithCancel(r.ctx)
	f.next.Store(int64(from))
	return f
}

// run hands out frames until the framer is closed or the reading is over. It begins again where it was
// interrupted.
func (f *framer) run() {
	defer close(f.done)
	defer close(f.messages)
	for {
		err := f.consume()
		if f.ctx.Err() != nil || f.r.ctx.Err() != nil { // the fetcher may hear of the reading's end before we do
			return
		}
		if err = f.judge(err); err != nil {
			f.r.fail(err)
			return
		}
	}
}

// consume has the leader fetch and hands out frames until something goes wrong or the framer is closed.
func (f *framer) consume() error {
	leader, err := f.r.leaders.of(f.ctx, f.partition, f.failed)
	if err != nil {
		return err
	}
	m := f.r.fetchers.join(leader, f, f.next.Load())
	defer m.leave()
	f.cutter.next, f.cutter.unpack = f.next.Load(), f.r.source.unpack
	defer f.cutter.release()
	var frame engine.Frame
	for {
		if err == nil {
			frame, err = f.fill(frame, m)
		}
		in, out := m.chunks, f.messages
		if len(frame) == 0 {
			if f.cutter.next == f.known {
				out = nil
			}
			if err != nil {
				return err
			}
		}
		if err != nil || !f.cutter.empty() {
			in = nil
		}
		select {
		case c := <-in:
			err = f.take(m, c)
		case out <- f.message(frame):
			f.next.Store(f.cutter.next)
			if f.known = f.cutter.next; len(frame) > 0 {
				f.known, frame = f.cutter.after, nil // the frame is the receiver's now
			}
		case <-f.ctx.Done():
			return nil
		}
	}
}

// fill cuts what is there until the frame is full.
func (f *framer) fill(frame engine.Frame, m *member) (engine.Frame, error) {
	for len(frame) < frameSize {
		if f.cutter.empty() {
			select {
			case c := <-m.chunks:
				if err := f.take(m, c); err != nil {
					return frame, err
				}
			default:
				return frame, nil
			}
		}
		if frame == nil {
			frame = f.r.source.frame()
		}
		start := time.Now()
		var err error
		frame, err = f.cutter.cut(frame)
		f.r.source.spend(start)
		if err != nil {
			return frame, err
		}
	}
	return frame, nil
}

// take begins with a chunk, or gives the error that it brings.
func (f *framer) take(m *member, c chunk) error {
	if c.err == nil {
		m.took()
		f.cutter.load(c)
	}
	return c.err
}

// message makes the pseudo message of a frame. An empty one says that a reader is given nothing more of what
// was cut; its offset is where that ends.
func (f *framer) message(frame engine.Frame) *sarama.ConsumerMessage {
	m := &sarama.ConsumerMessage{Topic: f.r.source.cfg.Topic, Partition: f.partition, Offset: f.cutter.next}
	if first, _, ok := frame.Next(); ok {
		m.Offset, m.Timestamp, m.Value = int64(first.Offset), first.At.Std(), frame
	}
	return m
}

// judge decides how to go on after an error: it mends what can be mended and waits a little. What it
// returns ends the reading.
func (f *framer) judge(err error) error {
	var bad *corrupt
	again := f.tries.Add(1) > 1
	f.failed = time.Now()
	switch {
	case !mayPass(err):
		return f.errorf(err)
	case errors.As(err, &bad):
		if f.damaged == bad.offset {
			return f.errorf(err)
		}
		f.damaged = bad.offset
	case errors.Is(err, sarama.ErrOffsetOutOfRange):
		moved, err := f.settle()
		if moved || err != nil {
			return err
		}
	}
	if !again || time.Since(f.told) >= complainEvery {
		f.told = f.failed
		f.r.source.log.Warn("reading is interrupted; it goes on when a broker answers", "partition", f.partition, "error", err)
	}
	f.pause()
	return nil
}

func (f *framer) errorf(err error) error {
	return fmt.Errorf("topic %s, partition %d: %w", f.r.source.cfg.Topic, f.partition, err)
}

// settle looks where the partition begins and ends, and moves on if what comes next is gone. An error ends
// the reading.
func (f *framer) settle() (moved bool, err error) {
	client, err := f.r.source.connect()
	if err != nil {
		return false, nil // not reachable now: the fetch will be tried again
	}
	topic := f.r.source.cfg.Topic
	next := engine.Offset(f.next.Load())
	first, err := offset(client, topic, f.partition, sarama.OffsetOldest)
	if err == nil && first > next {
		f.lose(next, first)
		return true, nil
	}
	end, endErr := offset(client, topic, f.partition, sarama.OffsetNewest)
	if err == nil && endErr == nil && end < next {
		return false, fmt.Errorf("topic %s, partition %d ends at offset %d, and everything up to %d was read: it was cut short or made anew; "+
			"to read it from its start give the pipeline another name or lake", topic, f.partition, end, next)
	}
	return false, nil
}

// lose tells the sink of offsets that are gone. The news goes the way of the frames, as an empty one: the sink
// may have the frame before it still, and a loss that overtook it would move the partition past its records.
func (f *framer) lose(from, to engine.Offset) {
	f.r.setLoss(loss{name(f.partition), to}, from)
	select {
	case f.messages <- &sarama.ConsumerMessage{Topic: f.r.source.cfg.Topic, Partition: f.partition, Offset: int64(to)}:
		f.next.Store(int64(to))
		f.known = int64(to)
	case <-f.ctx.Done(): // as whoever consumes next will see
	}
}

// complainEvery is how often an interruption that lasts is logged.
const complainEvery = 30 * time.Second

// The bounds of the pause between two tries.
const (
	firstPause = 100 * time.Millisecond
	mostPause  = 5 * time.Second
)

// pause waits before the next try: longer each time, and not as long as others who wait.
func (f *framer) pause() {
	d := min(mostPause, firstPause<<min(10, f.tries.Load()-1))
	select {
	case <-time.After(d/2 + rand.N(d/2)):
	case <-f.ctx.Done():
	}
}

// heard notes that the leader answered, and what it said of the partition's end.
func (f *framer) heard(high int64) {
	f.tries.Store(0)
	f.high.Store(high)
}

// position is the offset after the last record that was given away.
func (f *framer) position() engine.Offset { return engine.Offset(f.next.Load()) }

// ended is the high watermark of the last fetch; before the first, the position.
func (f *framer) ended() engine.Offset { return engine.Offset(f.HighWaterMarkOffset()) }

// Messages implements sarama.PartitionConsumer.
func (f *framer) Messages() <-chan *sarama.ConsumerMessage { return f.messages }

// Errors implements sarama.PartitionConsumer: the framer has seen to them.
func (f *framer) Errors() <-chan *sarama.ConsumerError { return f.errors }

// HighWaterMarkOffset implements sarama.PartitionConsumer.
func (f *framer) HighWaterMarkOffset() int64 { return max(f.high.Load(), f.next.Load()) }

// AsyncClose implements sarama.PartitionConsumer.
func (f *framer) AsyncClose() { f.end() }

// Close implements sarama.PartitionConsumer.
func (f *framer) Close() error {
	f.end()
	<-f.done
	return nil
}

// Pause implements sarama.PartitionConsumer; nobody pauses one partition.
func (f *framer) Pause() {}

// Resume implements sarama.PartitionConsumer.
func (f *framer) Resume() {}

// IsPaused implements sarama.PartitionConsumer.
func (f *framer) IsPaused() bool { return false }
