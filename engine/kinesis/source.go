package kinesis

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/router"
)

// A Source is a stream as an engine.Source.
type Source struct {
	cfg       Config
	budget    int64 // bytes of memory for all that is in flight
	log       *slog.Logger
	protocol  *protocol
	client    *kinesis.Client
	closeIdle func()    // closes its connections
	frames    sync.Pool // of *engine.Frame
	seals     seals
	spent     atomic.Int64 // nanoseconds on receiving and cutting

	registering sync.Mutex // held while the consumer is looked for
	consumerARN string     // of enhanced fan-out; "": not looked for yet

	mu      sync.Mutex
	reading map[string]*shard // by name: those that are read, or were
	shut    map[string]bool   // by name: the shards that took no more records when they were last listed
}

var (
	_ engine.Source     = (*Source)(nil)
	_ engine.Positioned = (*Source)(nil)
	_ engine.Chasing    = (*Source)(nil)
	_ engine.Metered    = (*Source)(nil)
)

// New makes the source of a valid config. It reads files of configuration and connects to nothing yet. budget is the
// memory, in bytes, that the task has for all that is in flight: it bounds the size of answers.
func New(cfg Config, budget int64, logger *slog.Logger) (*Source, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Source{cfg: cfg, budget: budget, log: logger.With("stream", cfg.name()), protocol: &protocol{}, reading: map[string]*shard{}}
	var err error
	s.client, s.closeIdle, err = newClient(cfg, s.protocol)
	return s, err
}

// How a request is made again.
const (
	requestTime   = time.Minute      // how long one may take
	startPatience = 30 * time.Second // how long a server that does not answer is asked again by a start
	tellEvery     = 5 * time.Second  // how often a start's wait is logged
	firstPause    = 100 * time.Millisecond
	mostPauses    = 50 // times the first, the longest
	inProcess     = 20 // a server in the process is asked again so many times sooner
)

// backoff is the pause before the n-th try: longer each time, and not as long as that of others who wait.
func (s *Source) backoff(n int) time.Duration {
	first := firstPause
	if s.cfg.Unthrottled {
		first /= inProcess
	}
	d := min(mostPauses*first, first<<min(10, max(0, n-1)))
	return d/2 + rand.N(d/2)
}

// patiently asks the server until it answers, or half a minute is over, or the error is one that asking again does not
// cure.
func (s *Source) patiently(ctx context.Context, ask func() error) error {
	deadline, tell := time.Now().Add(startPatience), time.Now()
	for n := 1; ; n++ {
		err := ask()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil || !mayPass(err) || time.Now().After(deadline) {
			return err
		}
		if !time.Now().Before(tell) {
			tell = time.Now().Add(tellEvery)
			s.log.Warn("the server does not answer as it should; trying again", "error", err)
		}
		pause(ctx, s.backoff(n))
	}
}

// Partitions lists the stream's shards, the closed ones too. A server that does not answer is asked again for half a
// minute.
func (s *Source) Partitions(ctx context.Context) (all []engine.Partition, err error) {
	err = s.patiently(ctx, func() error {
		all, err = s.partitions(ctx)
		return err
	})
	return all, err
}

// Read delivers the frames of the shards from until ctx is done, or all have ended. A server that goes away is waited for.
func (s *Source) Read(ctx context.Context, from []engine.Start, sink engine.Sink) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	sub, err := s.subscriber(ctx, from, fail)
	if err != nil {
		return err
	}
	err = router.Read(ctx, router.Feed{Subscriber: sub, Topic: s.cfg.name(), Sink: sink, Release: s.release, Logger: s.log})
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// shard is a shard that is read, or was; nil: never.
func (s *Source) shard(name string) *shard {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reading[name]
}

// wasClosed says whether a shard took no more records when it was last listed.
func (s *Source) wasClosed(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shut[name]
}

// Position implements engine.Positioned.
func (s *Source) Position(partition string, o engine.Offset) string {
	if sh := s.shard(partition); sh != nil {
		return sh.marks.position(o)
	}
	return ""
}

// CaughtUp implements engine.Chasing.
func (s *Source) CaughtUp(partition string) bool {
	sh := s.shard(partition)
	return sh != nil && sh.caught.Load()
}

// Behind implements engine.Chasing: what the last answers said.
func (s *Source) Behind() map[string]time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]time.Duration{}
	for name, sh := range s.reading {
		if !sh.over.Load() {
			all[name] = time.Duration(sh.behind.Load())
		}
	}
	return all
}

// Fetched implements engine.Metered.
func (s *Source) Fetched() time.Duration { return time.Duration(s.spent.Load()) }

// Committed implements engine.Source. Kinesis keeps nothing of it; the source forgets what lies before.
func (s *Source) Committed(_ context.Context, next map[string]engine.Offset) error {
	for name, o := range next {
		if sh := s.shard(name); sh != nil {
			sh.marks.committed(o)
		}
	}
	return nil
}

// Close implements engine.Source. Nothing is being read any more.
func (s *Source) Close() error {
	s.seals.close()
	s.closeIdle()
	return nil
}

// frameSize is how many bytes a frame holds before it is cut; one record may make it larger.
const frameSize = 256 << 10

// keepFrames bounds the memory of a frame that is kept for reuse.
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
