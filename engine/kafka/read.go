package kafka

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/router"
)

// Read delivers the frames of the partitions from until ctx is done. Brokers that go away are waited for.
func (s *Source) Read(ctx context.Context, from []engine.Start, sink engine.Sink) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	r := &reading{
		ctx: ctx, source: s, sink: sink, fail: fail, starts: map[int32]engine.Offset{}, losses: map[loss]engine.Offset{},
		leaders: newLeaders(&s.cfg), fetchers: newFetchers(ctx, &s.cfg, s.cfg.fetchSize(s.budget, len(from))),
	}
	defer r.fetchers.running.Wait() // the subscriber has ended and with it all that they fetch for
	for _, start := range from {
		n, err := number(start.Partition)
		if err != nil {
			return err
		}
		r.starts[n] = start.From
	}
	conf, err := s.cfg.sarama()
	if err != nil {
		return err
	}
	sub, err := kafka.NewSubscriber(kafka.SubscriberConfig{
		Brokers: s.cfg.addresses(), Unmarshaler: unmarshaler{}, OverwriteSaramaConfig: conf, Tracer: r,
	}, watermill.NopLogger{})
	if err != nil {
		return fmt.Errorf("topic %s: %w", s.cfg.Topic, err)
	}
	err = router.Read(ctx, router.Feed{Subscriber: patient{sub, s}, Topic: s.cfg.Topic, Sink: r, Release: s.release, Logger: s.log})
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return errors.Join(err, sub.Close())
}

// patient is a subscriber that waits for brokers when it begins, as sarama does later on.
type patient struct {
	message.Subscriber
	s *Source
}

// Subscribe implements message.Subscriber.
func (p patient) Subscribe(ctx context.Context, topic string) (out <-chan *message.Message, err error) {
	err = p.s.patiently(ctx, func() error {
		out, err = p.Subscriber.Subscribe(ctx, topic)
		return err
	})
	return out, err
}

// A reading is one call of Read. It is the subscriber's tracer, which is how it chooses the partitions and
// cuts the frames; and it is the sink in front of the engine's, which keeps where each partition is.
type reading struct {
	ctx    context.Context
	source *Source
	sink   engine.Sink
	fail   context.CancelCauseFunc
	starts map[int32]engine.Offset // where this call began

	leaders  *leaders
	fetchers *fetchers

	mu     sync.Mutex
	losses map[loss]engine.Offset // those on their way as empty frames, and where they begin
}

// A loss is that a partition's offsets up to one are gone.
type loss struct {
	partition string
	to        engine.Offset
}

func (r *reading) setLoss(l loss, from engine.Offset) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.losses[l] = from
}

// takeLoss gives where a loss began, once.
func (r *reading) takeLoss(l loss) (from engine.Offset, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	from, ok = r.losses[l]
	delete(r.losses, l)
	return from, ok
}

// Frame implements engine.Sink.
func (r *reading) Frame(ctx context.Context, partition string, f engine.Frame) error {
	return r.sink.Frame(ctx, partition, f)
}

// Passed implements engine.Sink. It may be a loss that has come this way.
func (r *reading) Passed(partition string, to engine.Offset) error {
	if from, ok := r.takeLoss(loss{partition, to}); ok {
		return r.sink.Lost(partition, from, to)
	}
	return r.sink.Passed(partition, to)
}

// Ended implements engine.Sink. No partition of a topic ends.
func (r *reading) Ended(partition string) error { return r.sink.Ended(partition) }

// Lost implements engine.Sink.
func (r *reading) Lost(partition string, from, to engine.Offset) error {
	return r.sink.Lost(partition, from, to)
}

// WrapConsumer implements kafka.SaramaTracer: the consumer that the subscriber sees has only our partitions
// and hands out frames.
func (r *reading) WrapConsumer(c sarama.Consumer) sarama.Consumer {
	return &consumer{Consumer: c, r: r}
}

// WrapPartitionConsumer implements kafka.SaramaTracer; the consumer has done it.
func (r *reading) WrapPartitionConsumer(p sarama.PartitionConsumer) sarama.PartitionConsumer {
	return p
}

// WrapConsumerGroupHandler implements kafka.SaramaTracer; there is no group.
func (r *reading) WrapConsumerGroupHandler(h sarama.ConsumerGroupHandler) sarama.ConsumerGroupHandler {
	return h
}

// WrapSyncProducer implements kafka.SaramaTracer; there is no producer.
func (r *reading) WrapSyncProducer(_ *sarama.Config, p sarama.SyncProducer) sarama.SyncProducer {
	return p
}

// A consumer is sarama's, with the partitions of one reading and its framers.
type consumer struct {
	sarama.Consumer
	r *reading
}

// Partitions implements sarama.Consumer.
func (c *consumer) Partitions(string) ([]int32, error) {
	var all []int32
	for p := range c.r.starts {
		all = append(all, p)
	}
	return all, nil
}

// ConsumePartition implements sarama.Consumer: it starts where the partition is, whatever offset it is
// asked for. The subscriber calls it again when it has lost all connections.
func (c *consumer) ConsumePartition(_ string, partition int32, _ int64) (sarama.PartitionConsumer, error) {
	s := c.r.source
	s.mu.Lock()
	from := c.r.starts[partition]
	if old := s.framers[partition]; old != nil && old.r == c.r { // not one of a reading that is over
		from = max(from, old.position())
	}
	f := newFramer(c.r, partition, from)
	s.framers[partition] = f
	s.mu.Unlock()
	go f.run()
	return f, nil
}

// unmarshaler makes a message of the pseudo message that a framer gives: its value is the frame; without one its
// offset is what was passed.
type unmarshaler struct{}

// Unmarshal implements kafka.Unmarshaler.
func (unmarshaler) Unmarshal(m *sarama.ConsumerMessage) (*message.Message, error) {
	partition := name(m.Partition)
	offset := strconv.FormatInt(m.Offset, 10)
	msg := message.NewMessage(partition+"/"+offset, m.Value)
	msg.Metadata.Set(router.PartitionKey, partition)
	if len(m.Value) == 0 {
		msg.Metadata.Set(router.PassedKey, offset)
	}
	return msg, nil
}

// frameSize is how many bytes a frame holds before it is cut; one record may make it larger.
const frameSize = 256 << 10

// keepFrames bounds the memory of a frame that is kept for reuse: one that a huge record made is not.
const keepFrames = 4 * frameSize

// frame gives an empty frame with memory of its own.
func (s *Source) frame() engine.Frame {
	if f, ok := s.frames.Get().(*engine.Frame); ok {
		return (*f)[:0]
	}
	return make(engine.Frame, 0, frameSize+frameSize/8)
}

// release takes a frame's memory back.
func (s *Source) release(f engine.Frame) {
	if cap(f) >= frameSize && cap(f) <= keepFrames {
		s.frames.Put(&f)
	}
}
