package kinesis

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/ThreeDotsLabs/watermill/pubsub/tests"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/kinesis/kinesistest"
)

// TestPubSub runs Watermill's own suite on the subscriber. Its messages are frames, and it reads from where it is told, so
// it has no consumer groups; the suite's messages are records, which an unframed takes from the frames.
func TestPubSub(t *testing.T) {
	for mode, change := range map[string]func(*Config){"poll": func(*Config) {}, "fan-out": func(c *Config) { c.FanOut = "suite" }} {
		t.Run(mode, func(t *testing.T) {
			v := serve(t, 1)
			tests.TestPubSub(t, tests.Features{GuaranteedOrder: true, Persistent: true, NewSubscriberReceivesOldMessages: true},
				func(*testing.T) (message.Publisher, message.Subscriber) {
					return publisher{v}, &unframed{v: v, change: change, fail: func(err error) { t.Error(err) }}
				}, nil)
		})
	}
}

// A publisher puts messages as records.
type publisher struct{ v *kinesistest.Server }

// A sent is a message as a record.
type sent struct {
	UUID     string
	Metadata map[string]string
	Payload  []byte
}

func (p publisher) Publish(topic string, all ...*message.Message) error {
	p.v.Ensure(topic, 1)
	for _, m := range all {
		b, err := json.Marshal(sent{m.UUID, m.Metadata, m.Payload})
		if err != nil {
			return err
		}
		p.v.Put(topic, shard0, m.UUID, b)
	}
	return nil
}

func (p publisher) Close() error { return nil }

// An unframed is a subscriber whose messages are records. Each topic is a stream, which it reads by a source of its own.
type unframed struct {
	v      *kinesistest.Server
	change func(*Config)
	fail   func(error)

	mu     sync.Mutex
	closed bool
	open   []func() error

	running sync.WaitGroup
}

func (u *unframed) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	u.v.Ensure(topic, 1)
	cfg := configOf(u.v, u.change, func(c *Config) { c.Stream = topic })
	s, err := New(cfg, 1<<24, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	list, err := s.Partitions(ctx)
	if err != nil {
		return nil, err
	}
	var from []engine.Start
	for _, p := range list {
		from = append(from, engine.Start{Partition: p.Name})
	}
	sub, err := s.subscriber(context.Background(), from, u.fail)
	if err != nil {
		return nil, err
	}
	frames, err := sub.Subscribe(ctx, topic)
	if err != nil {
		return nil, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return nil, errors.Join(errClosed, sub.Close())
	}
	out := make(chan *message.Message)
	u.running.Go(func() { unframe(frames, out) })
	u.open = append(u.open, sub.Close, s.Close)
	return out, nil
}

// unframe gives the records of each frame away, and acknowledges the frame when all are.
func unframe(frames <-chan *message.Message, out chan<- *message.Message) {
	defer close(out)
	for f := range frames {
		taken := true
		for r, rest, ok := engine.Frame(f.Payload).Next(); ok && taken; r, rest, ok = rest.Next() {
			taken = give(f.Context(), r.Value, out)
		}
		if taken {
			f.Ack()
		} else {
			f.Nack()
		}
	}
}

// give gives a record away until it is acknowledged; false: the subscription ended before.
func give(ctx context.Context, record []byte, out chan<- *message.Message) bool {
	var m sent
	if err := json.Unmarshal(record, &m); err != nil {
		panic(err)
	}
	for {
		msg := message.NewMessage(m.UUID, m.Payload)
		of, cancel := context.WithCancel(ctx)
		msg.SetContext(of)
		msg.Metadata = m.Metadata
		select {
		case out <- msg:
		case <-ctx.Done():
			cancel()
			return false
		}
		select {
		case <-msg.Acked():
			cancel()
			return true
		case <-msg.Nacked():
			cancel()
		case <-ctx.Done():
			cancel()
			return false
		}
	}
}

func (u *unframed) Close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed = true
	var errs []error
	for _, f := range u.open {
		errs = append(errs, f())
	}
	u.open = nil
	u.running.Wait()
	return errors.Join(errs...)
}

// TestNotAcknowledged: a frame that was not taken comes again, and nothing before it was.
func TestNotAcknowledged(t *testing.T) {
	v := serve(t, 1)
	v.Put(stream, shard0, "k", values(0, 10)...)
	s := open(t, v, func(c *Config) { c.FetchRecords = 5 })
	sub, err := s.subscriber(t.Context(), all(t, s), func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	frames, err := sub.Subscribe(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	first := <-frames
	for range 3 {
		first.Nack()
		again := <-frames
		if again.UUID != first.UUID || string(again.Payload) != string(first.Payload) {
			t.Errorf("after a frame that was not taken came %s, it was %s", again.UUID, first.UUID)
		}
		first = again
	}
	select {
	case m := <-frames:
		t.Errorf("%s came before %s was taken", m.UUID, first.UUID)
	case <-time.After(20 * time.Millisecond):
	}
	first.Ack()
	if second := <-frames; second.UUID != shard0+"/5" {
		t.Errorf("after the first frame came %s", second.UUID)
	}
	if err := errors.Join(sub.Close(), sub.Close()); err != nil {
		t.Error(err)
	}
	if _, err := sub.Subscribe(t.Context(), stream); !errors.Is(err, errClosed) {
		t.Errorf("subscribing to one that is closed: %v", err)
	}
}
