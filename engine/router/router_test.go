package router

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/millrace-io/millrace/engine"
)

// A feeder is a Subscriber like those of the connectors: a goroutine a partition, which sends the next
// frame when the one before was acknowledged.
type feeder struct {
	partitions int
	frames     int // of each partition; then it waits for the end
	frame      engine.Frame
	refuse     error // what Subscribe gives

	acks, nacks atomic.Int64
	closed      atomic.Bool
}

func (f *feeder) Subscribe(ctx context.Context, _ string) (<-chan *message.Message, error) {
	if f.refuse != nil {
		return nil, f.refuse
	}
	out := make(chan *message.Message)
	var all sync.WaitGroup
	for p := range f.partitions {
		all.Go(func() { f.feed(ctx, fmt.Sprint(p), out) })
	}
	go func() { all.Wait(); close(out) }()
	return out, nil
}

func (f *feeder) feed(ctx context.Context, partition string, out chan<- *message.Message) {
	for range f.frames {
		m := message.NewMessage("", message.Payload(f.frame))
		m.Metadata.Set(PartitionKey, partition)
		select {
		case out <- m:
		case <-ctx.Done():
			return
		}
		select {
		case <-m.Acked():
			f.acks.Add(1)
		case <-m.Nacked():
			f.nacks.Add(1)
		case <-ctx.Done():
			return
		}
	}
	<-ctx.Done()
}

func (f *feeder) Close() error {
	f.closed.Store(true)
	return nil
}

// A sinkFunc is a Sink of one function.
type sinkFunc func(ctx context.Context, partition string, f engine.Frame) error

func (s sinkFunc) Frame(ctx context.Context, partition string, f engine.Frame) error {
	return s(ctx, partition, f)
}

func (s sinkFunc) Passed(string, engine.Offset) error { return nil }

func (s sinkFunc) Ended(string) error { return nil }

func (s sinkFunc) Lost(string, engine.Offset, engine.Offset) error { return nil }

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestFramesReachTheSinkAndComeBack(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	sub := &feeder{partitions: 3, frames: 100, frame: engine.Frame("frame")}
	var mu sync.Mutex
	taken, released := map[string]int{}, 0
	err := Read(ctx, Feed{
		Subscriber: sub, Topic: "t", Logger: discard(),
		Sink: sinkFunc(func(_ context.Context, p string, f engine.Frame) error {
			mu.Lock()
			defer mu.Unlock()
			if string(f) != "frame" {
				t.Errorf("the sink got %q", f)
			}
			taken[p]++
			return nil
		}),
		Release: func(engine.Frame) {
			mu.Lock()
			defer mu.Unlock()
			if released++; released == 300 {
				cancel()
			}
		},
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("reading ended with %v, want the context's error", err)
	}
	for _, p := range []string{"0", "1", "2"} {
		if taken[p] != 100 {
			t.Errorf("partition %s: %d frames, want 100", p, taken[p])
		}
	}
	if !sub.closed.Load() {
		t.Error("the subscriber was not closed")
	}
	if n := sub.nacks.Load(); n > 0 {
		t.Errorf("%d frames were refused", n)
	}
}

func TestWhatTheSinkRefusesEndsTheReading(t *testing.T) {
	refused := errors.New("no room")
	for name, fail := range map[string]func() error{
		"error": func() error { return refused },
		"panic": func() error { panic(refused) },
	} {
		t.Run(name, func(t *testing.T) {
			sub := &feeder{partitions: 1, frames: 100}
			calls, released := 0, 0
			err := Read(t.Context(), Feed{
				Subscriber: sub, Topic: "t", Logger: discard(), Release: func(engine.Frame) { released++ },
				Sink: sinkFunc(func(context.Context, string, engine.Frame) error {
					if calls++; calls == 3 {
						return fail()
					}
					return nil
				}),
			})
			if err == nil || !strings.Contains(err.Error(), "no room") {
				t.Errorf("reading ended with %v, want what the sink gave", err)
			}
			if calls != 3 || released != 2 {
				t.Errorf("%d frames reached the sink and %d came back, want 3 and 2: none after the one it refused", calls, released)
			}
			if n := sub.nacks.Load(); n > 0 {
				t.Errorf("%d frames were sent back", n)
			}
		})
	}
}

func TestAPanicSaysWhere(t *testing.T) {
	err := Read(t.Context(), Feed{
		Subscriber: &feeder{partitions: 1, frames: 1}, Topic: "pins", Logger: discard(),
		Sink: sinkFunc(func(context.Context, string, engine.Frame) error { panic("out of cheese") }),
	})
	for _, want := range []string{"pins", "partition 0", "out of cheese", "router_test.go"} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("the error does not name %q: %v", want, err)
		}
	}
}

// A frame that the sink has when the end comes is taken whole, with a context that the subscriber's end
// does not touch, and Read waits for it, however long it takes.
func TestReadWaitsForTheSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		done := false
		start := time.Now()
		err := Read(ctx, Feed{
			Subscriber: &feeder{partitions: 2, frames: 2}, Topic: "t", Logger: discard(),
			Sink: sinkFunc(func(_ context.Context, p string, _ engine.Frame) error {
				if p == "0" {
					cancel()
					time.Sleep(2 * closeTimeout)
					done = true
				}
				return nil
			}),
		})
		if !errors.Is(err, context.Canceled) || !done {
			t.Errorf("reading ended with %v after %v; the sink was done: %v", err, time.Since(start), done)
		}
	})
}

// While the sink blocks, each partition has one frame with it and no more.
func TestBackPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		sub := &feeder{partitions: 4, frames: 100}
		inside, room := atomic.Int64{}, make(chan struct{})
		ended := make(chan error, 1)
		go func() {
			ended <- Read(ctx, Feed{
				Subscriber: sub, Topic: "t", Logger: discard(),
				Sink: sinkFunc(func(ctx context.Context, _ string, _ engine.Frame) error {
					inside.Add(1)
					select {
					case <-room:
						return nil
					case <-ctx.Done():
						return context.Cause(ctx)
					}
				}),
			})
		}()
		synctest.Wait()
		if got := inside.Load(); got != 4 {
			t.Errorf("the sink has %d frames, want one a partition", got)
		}
		close(room)
		synctest.Wait()
		if got := inside.Load(); got != 400 {
			t.Errorf("the sink got %d frames, want all 400", got)
		}
		cancel()
		<-ended
	})
}

func TestASubscriberThatRefuses(t *testing.T) {
	sub := &feeder{refuse: errors.New("no such topic")}
	err := Read(t.Context(), Feed{Subscriber: sub, Topic: "t", Logger: discard(), Sink: sinkFunc(nil)})
	if !errors.Is(err, sub.refuse) {
		t.Errorf("reading ended with %v, want what the subscriber gave", err)
	}
	if !sub.closed.Load() {
		t.Error("the subscriber was not closed")
	}
}

// BenchmarkHop is one frame through the Router, from subscriber to sink and back. A record's share is told
// for frames of 256 KiB with records of 732 bytes: 350 records.
func BenchmarkHop(b *testing.B) {
	const records = 256 << 10 / (732 + 28)
	for _, partitions := range []int{1, 4} {
		b.Run(fmt.Sprintf("partitions=%d", partitions), func(b *testing.B) {
			ctx, cancel := context.WithCancel(b.Context())
			sub := &feeder{partitions: partitions, frames: 1 + b.N/partitions, frame: make(engine.Frame, 256<<10)}
			var taken atomic.Int64
			b.ReportAllocs()
			b.ResetTimer()
			err := Read(ctx, Feed{
				Subscriber: sub, Topic: "t", Logger: discard(),
				Sink: sinkFunc(func(context.Context, string, engine.Frame) error {
					if taken.Add(1) == int64(b.N) {
						cancel()
					}
					return nil
				}),
			})
			if !errors.Is(err, context.Canceled) {
				b.Fatal(err)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/records, "ns/record")
		})
	}
}
