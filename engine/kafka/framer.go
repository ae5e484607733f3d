package kafka

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"

	"github.com/millrace-io/millrace/engine"
)

// A framer is a sarama.PartitionConsumer that hands out frames: each of its messages has as its value an
// engine.Frame of many records. It takes records as they come and gives the frame away as soon as somebody
// takes it, so that frames are small when nothing is behind and full when much is.
type framer struct {
	c         *consumer
	topic     string
	partition int32
	next      atomic.Int64 // offset after the last record that was put into a frame

	messages chan *sarama.ConsumerMessage
	errors   chan *sarama.ConsumerError
	closing  chan struct{}
	close    sync.Once
	done     chan struct{}

	mu    sync.Mutex
	inner sarama.PartitionConsumer
}

func newFramer(c *consumer, topic string, partition int32, from engine.Offset) *framer {
	f := &framer{
		c: c, topic: topic, partition: partition,
		messages: make(chan *sarama.ConsumerMessage), errors: make(chan *sarama.ConsumerError), closing: make(chan struct{}), done: make(chan struct{}),
	}
	f.next.Store(int64(from))
	return f
}

// start begins to consume. Offsets that are gone are noticed at once, or with the first fetch.
func (f *framer) start() error {
	err := f.open()
	if err != nil && !errors.Is(err, sarama.ErrOffsetOutOfRange) {
		close(f.done)
		return err
	}
	go f.run()
	return nil
}

func (f *framer) open() error {
	inner, err := f.c.Consumer.ConsumePartition(f.topic, f.partition, f.next.Load())
	f.mu.Lock()
	f.inner = inner
	f.mu.Unlock()
	return err
}

// run consumes until it is closed, and begins again where sarama gives up.
func (f *framer) run() {
	defer close(f.done)
	defer close(f.messages)
	for {
		if f.inner != nil {
			err := f.consume()
			f.inner.Close() //nolint:errcheck // its errors were seen as they came
			if f.closed() {
				return
			}
			if err != nil && !errors.Is(err, sarama.ErrOffsetOutOfRange) {
				f.c.r.source.log.Warn("reading was interrupted; beginning again", "partition", f.partition, "error", err)
			}
		}
		if err := f.settle(); err != nil {
			f.c.r.fail(err)
			return
		}
		if err := f.open(); err != nil && !f.pause() {
			return
		}
	}
}

// consume cuts frames until sarama ends the consumer or the framer is closed. It gives the last error that
// sarama told.
func (f *framer) consume() error {
	failed := make(chan error, 1)
	go func(inner sarama.PartitionConsumer) { failed <- f.watch(inner) }(f.inner)
	in := f.inner.Messages()
	for {
		var m *sarama.ConsumerMessage
		var open bool
		select {
		case m, open = <-in:
		case <-f.closing:
			return nil
		}
		if !open {
			return <-failed
		}
		if !f.cut(m, in) {
			return nil
		}
	}
}

// complainEvery is how often an interruption that lasts is logged.
const complainEvery = 30 * time.Second

// watch logs that reading is interrupted, which sarama tells again and again while it waits for a broker,
// and gives the last error.
func (f *framer) watch(inner sarama.PartitionConsumer) error {
	var last error
	var told time.Time
	for e := range inner.Errors() { // undrained, sarama would block
		last = e.Err
		if errors.Is(last, sarama.ErrOffsetOutOfRange) || time.Since(told) < complainEvery {
			continue
		}
		told = time.Now()
		f.c.r.source.log.Warn("reading is interrupted; it goes on when a broker answers", "partition", f.partition, "error", last)
	}
	return last
}

// cut makes a frame that begins with m and gives it away. It goes on putting records in as long as nobody
// takes the frame and there is room. false: the framer was closed.
func (f *framer) cut(m *sarama.ConsumerMessage, in <-chan *sarama.ConsumerMessage) bool {
	out := &sarama.ConsumerMessage{Topic: f.topic, Partition: f.partition, Offset: m.Offset, Timestamp: m.Timestamp}
	frame := appendRecord(f.c.r.source.frame(), m)
	next := m.Offset + 1
	for {
		more := in
		if len(frame) >= frameSize {
			more = nil
		}
		// Records that are there already go in before the frame is offered: an offer costs a switch of
		// goroutines.
		select {
		case m, open := <-more:
			if open {
				frame, next = appendRecord(frame, m), m.Offset+1
				continue
			}
			in = nil // ended: what is in the frame still goes out
		default:
		}
		out.Value = frame
		select {
		case f.messages <- out:
			f.next.Store(next)
			return true
		case m, open := <-more:
			if open {
				frame, next = appendRecord(frame, m), m.Offset+1
				continue
			}
			in = nil
		case <-f.closing:
			return false
		}
	}
}

// appendRecord puts a record into a frame.
func appendRecord(f engine.Frame, m *sarama.ConsumerMessage) engine.Frame {
	r := engine.Record{Offset: engine.Offset(m.Offset), At: engine.TimeOf(m.Timestamp), Key: m.Key, Value: m.Value}
	for _, h := range m.Headers {
		r.Headers = engine.AppendHeader(r.Headers, h.Key, h.Value)
	}
	return f.AppendRecord(r)
}

// settle looks where the partition begins and ends, and moves on if what comes next is gone. An error ends
// the reading.
func (f *framer) settle() error {
	client, err := f.c.r.source.connect()
	if err != nil {
		return nil // not reachable now: opening will be tried again
	}
	next := engine.Offset(f.next.Load())
	first, err := offset(client, f.topic, f.partition, sarama.OffsetOldest)
	if err == nil && first > next {
		f.lose(next, first)
		return nil
	}
	end, endErr := offset(client, f.topic, f.partition, sarama.OffsetNewest)
	if err == nil && endErr == nil && end < next {
		return fmt.Errorf("topic %s, partition %d ends at offset %d, and everything up to %d was read: it was cut short or made anew; "+
			"to read it from its start give the pipeline another name or lake", f.topic, f.partition, end, next)
	}
	return nil
}

// lose tells the sink of offsets that are gone. The news goes the way of the frames, as an empty one: the sink
// may have the frame before it still, and a loss that overtook it would move the partition past its records.
func (f *framer) lose(from, to engine.Offset) {
	f.c.r.setLoss(name(f.partition), loss{from, to})
	select {
	case f.messages <- &sarama.ConsumerMessage{Topic: f.topic, Partition: f.partition, Offset: int64(from)}:
		f.next.Store(int64(to))
	case <-f.closing:
	}
}

// pause waits a little before the next try. false: the framer was closed.
func (f *framer) pause() bool {
	select {
	case <-time.After(startPause):
		return true
	case <-f.closing:
		return false
	}
}

func (f *framer) closed() bool {
	select {
	case <-f.closing:
		return true
	default:
		return false
	}
}

// position is the offset after the last record that was given away.
func (f *framer) position() engine.Offset { return engine.Offset(f.next.Load()) }

// end is the high watermark of the last fetch.
func (f *framer) end() engine.Offset { return engine.Offset(f.HighWaterMarkOffset()) }

// Messages implements sarama.PartitionConsumer.
func (f *framer) Messages() <-chan *sarama.ConsumerMessage { return f.messages }

// Errors implements sarama.PartitionConsumer: the framer has seen to them.
func (f *framer) Errors() <-chan *sarama.ConsumerError { return f.errors }

// HighWaterMarkOffset implements sarama.PartitionConsumer.
func (f *framer) HighWaterMarkOffset() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.inner == nil {
		return f.next.Load()
	}
	return f.inner.HighWaterMarkOffset()
}

// AsyncClose implements sarama.PartitionConsumer.
func (f *framer) AsyncClose() { f.close.Do(func() { close(f.closing) }) }

// Close implements sarama.PartitionConsumer.
func (f *framer) Close() error {
	f.AsyncClose()
	<-f.done
	return nil
}

// Pause implements sarama.PartitionConsumer; nobody pauses one partition.
func (f *framer) Pause() { f.inner.Pause() }

// Resume implements sarama.PartitionConsumer.
func (f *framer) Resume() { f.inner.Resume() }

// IsPaused implements sarama.PartitionConsumer.
func (f *framer) IsPaused() bool { return f.inner.IsPaused() }
