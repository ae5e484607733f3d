package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-io/millrace/engine"
)

// answer has the broker answer fetches with what change makes of an empty answer; true: the broker answers
// this one and all that follow by itself. change is told how many fetches came before.
func answer(c *kfake.Cluster, change func(n int, p *kmsg.FetchResponseTopicPartition) (done bool)) {
	n := 0
	c.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		req := r.(*kmsg.FetchRequest)
		resp := req.ResponseKind().(*kmsg.FetchResponse)
		for _, t := range req.Topics {
			topic := kmsg.FetchResponseTopic{Topic: t.Topic}
			for _, p := range t.Partitions {
				part := kmsg.FetchResponseTopicPartition{Partition: p.Partition}
				if change(n, &part) {
					return nil, nil, false
				}
				topic.Partitions = append(topic.Partitions, part)
			}
			resp.Topics = append(resp.Topics, topic)
		}
		n++
		c.KeepControl()
		return resp, nil, true
	})
}

// A warnings handler counts what is logged at that level.
type warnings struct {
	slog.Handler
	n *atomic.Int32
}

func (w warnings) Handle(_ context.Context, r slog.Record) error {
	if r.Level >= slog.LevelWarn {
		w.n.Add(1)
	}
	return nil
}
func (w warnings) Enabled(context.Context, slog.Level) bool { return true }
func (w warnings) WithAttrs([]slog.Attr) slog.Handler       { return w }

func countWarnings(s *Source) *atomic.Int32 {
	w := warnings{slog.DiscardHandler, &atomic.Int32{}}
	s.log = slog.New(w)
	return w.n
}

// readUntil reads partition 0 and gives the error that ends it.
func readUntil(t *testing.T, s *Source) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return s.Read(ctx, []engine.Start{{Partition: "0"}}, newCollector(-1))
}

func TestDamagedOnTheWay(t *testing.T) {
	c := startCluster(t, 1)
	produce(t, c, numbered(0, 0, 10))
	damage := func(p *kmsg.FetchResponseTopicPartition) {
		p.RecordBatches = made{records: values("a")}.bytes(t)
		p.RecordBatches[batchHead] ^= 1
	}
	answer(c, func(n int, p *kmsg.FetchResponseTopicPartition) bool { damage(p); return n == 1 })
	got := newCollector(10)
	got.read(t, newSource(t, c), engine.Start{Partition: "0"})
	got.check(t, 0, 0, 10)

	answer(c, func(n int, p *kmsg.FetchResponseTopicPartition) bool { damage(p); return false })
	err := readUntil(t, newSource(t, c))
	if want := "topic t, partition 0: the batch at offset 0 is damaged: its checksum is"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("reading ended with %v, want %q", err, want)
	}
}

func TestNotAllowed(t *testing.T) {
	c := startCluster(t, 1)
	answer(c, func(_ int, p *kmsg.FetchResponseTopicPartition) bool {
		p.ErrorCode = int16(sarama.ErrTopicAuthorizationFailed)
		return false
	})
	if err := readUntil(t, newSource(t, c)); !errors.Is(err, sarama.ErrTopicAuthorizationFailed) || !strings.Contains(err.Error(), "topic t, partition 0") {
		t.Errorf("reading ended with %v, want that it is not allowed", err)
	}
}

// What passes by itself is waited for, and told once.
func TestTroubleThatPasses(t *testing.T) {
	for _, trouble := range []sarama.KError{
		sarama.ErrNotLeaderForPartition, sarama.ErrFencedLeaderEpoch, sarama.ErrUnknownLeaderEpoch, sarama.ErrLeaderNotAvailable, sarama.ErrReplicaNotAvailable,
		sarama.ErrUnknownTopicOrPartition, sarama.ErrKafkaStorageError, sarama.ErrOffsetOutOfRange, sarama.ErrUnknown,
	} {
		t.Run(fmt.Sprint(int16(trouble)), func(t *testing.T) {
			t.Parallel()
			c := startCluster(t, 1)
			produce(t, c, numbered(0, 0, 10))
			s := newSource(t, c)
			told := countWarnings(s)
			answer(c, func(n int, p *kmsg.FetchResponseTopicPartition) bool {
				p.ErrorCode = int16(trouble)
				return n == 3
			})
			got := newCollector(10)
			got.read(t, s, engine.Start{Partition: "0"})
			got.check(t, 0, 0, 10)
			if n := told.Load(); n != 1 {
				t.Errorf("%d warnings, want 1", n)
			}
		})
	}
}

// Offsets that are read back as aborted, as markers or not at all move the position all the same.
func TestNothingToGive(t *testing.T) {
	c := startCluster(t, 1)
	var asked atomic.Int64
	answer(c, func(n int, p *kmsg.FetchResponseTopicPartition) bool {
		if n == 0 {
			p.RecordBatches = append(made{producer: 1, attributes: transactional, records: values("x", "y")}.bytes(t), marker(2, 1, 0).bytes(t)...)
			p.AbortedTransactions = []aborted{{ProducerID: 1}}
			p.HighWatermark = 3
		}
		asked.Add(1)
		return false
	})
	s := newSource(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Read(ctx, []engine.Start{{Partition: "0"}}, newCollector(-1)) }()
	at := func() engine.Offset {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.framers[0] == nil {
			return 0
		}
		return s.framers[0].position()
	}
	for end := time.Now().Add(patience); at() != 3 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if at() != 3 || s.Ends()["0"] != 3 {
		t.Errorf("at offset %d of %d, want 3 of 3", at(), s.Ends()["0"])
	}
	cancel()
	<-ended
}

// A stuck sink takes one frame of a partition and holds it until the run is over.
type stuck struct {
	*collector
	partition string
	stuck     chan struct{} // closed when it has the frame
}

func (s stuck) Frame(ctx context.Context, partition string, f engine.Frame) error {
	if partition != s.partition {
		return s.collector.Frame(ctx, partition, f)
	}
	close(s.stuck)
	<-ctx.Done()
	return context.Cause(ctx)
}

// A partition whose rows nobody takes holds up no other of the same broker, and closing does not wait for
// it. Nothing goes on running afterwards.
func TestStuckPartition(t *testing.T) {
	c := startCluster(t, 2)
	s := newSource(t, c, func(c *Config) { c.FetchBytes = leastFetch })
	parts, err := s.Partitions(t.Context())
	if err != nil || len(parts) != 2 {
		t.Fatal(parts, err)
	}
	big := strings.Repeat("x", 1000)
	var all []*kgo.Record
	for i := range 3000 {
		all = append(all, &kgo.Record{Topic: topic, Partition: int32(i % 2), Value: []byte(big)})
	}
	produce(t, c, all)
	time.Sleep(50 * time.Millisecond) // the producer's goroutines end
	before := runtime.NumGoroutine()

	sink := stuck{newCollector(1500), "0", make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Read(ctx, []engine.Start{{Partition: "0"}, {Partition: "1"}}, sink) }()
	wait(t, sink.stuck)
	wait(t, sink.enough)
	time.Sleep(2 * shortWait) // partition 0 has as much as it may
	now := time.Now()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("reading ended with %v", err)
	}
	if took := time.Since(now); took > time.Second {
		t.Errorf("closing took %v", took)
	}
	var after int
	for range 200 {
		if after = runtime.NumGoroutine(); after <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	stacks := make([]byte, 1<<20)
	t.Errorf("%d goroutines before, %d after:\n%s", before, after, stacks[:runtime.Stack(stacks, true)])
}

// Every partition comes to its turn, also where each batch is larger than an answer should be.
func TestManyPartitionsLargeBatches(t *testing.T) {
	const partitions = 8
	c := startCluster(t, partitions)
	var all []*kgo.Record
	for i := range 10 * partitions {
		all = append(all, &kgo.Record{Topic: topic, Partition: int32(i % partitions), Value: fmt.Appendf(nil, "%0*d", 200<<10, i)})
	}
	produce(t, c, all, kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerBatchMaxBytes(500<<10))
	got := newCollector(len(all))
	var from []engine.Start
	for p := range partitions {
		from = append(from, engine.Start{Partition: name(int32(p))})
	}
	got.read(t, newSource(t, c, func(c *Config) { c.FetchBytes = leastFetch }), from...)
}

func TestReadsEncryptedAndLoggedIn(t *testing.T) {
	pair, ca := certificate(t)
	for _, mechanism := range mechanisms() {
		t.Run(mechanism, func(t *testing.T) {
			t.Parallel()
			// A login is good for a second: the connection is made anew before, and nobody notices.
			c := startCluster(t, 1, kfake.EnableSASL(), kfake.Superuser(mechanism, "u", "secret"),
				kfake.TLS(&tls.Config{Certificates: []tls.Certificate{pair}}), kfake.BrokerConfigs(map[string]string{"connections.max.reauth.ms": "1000"}))
			s := newSource(t, c, func(c *Config) {
				c.SASL = SASL{Mechanism: mechanism, User: "u", Password: "secret"}
				c.TLS = TLS{Enabled: true, CAFile: ca}
			})
			told := countWarnings(s)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			if err := s.Read(ctx, []engine.Start{{Partition: "0"}}, newCollector(-1)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("reading ended with %v", err)
			}
			if n := told.Load(); n != 0 {
				t.Errorf("%d warnings, want none", n)
			}
			s.cfg.SASL.Password = "wrong-password"
			k, err := s.cfg.dial(t.Context(), c.ListenAddrs()[0])
			if err == nil || strings.Contains(err.Error(), "wrong-password") {
				t.Errorf("with a wrong password: %v, %v", k, err)
			}
		})
	}
}

// No broker at all: one warning, tries for ever, and a prompt end.
func TestBrokerGone(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 1)
	produce(t, c, numbered(0, 0, 10))
	s, got := newSource(t, c), newCollector(10)
	told := countWarnings(s)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Read(ctx, []engine.Start{{Partition: "0"}}, got) }()
	wait(t, got.enough)
	c.Close()
	time.Sleep(time.Second)
	now := time.Now()
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) || time.Since(now) > time.Second {
		t.Errorf("reading ended after %v with %v", time.Since(now), err)
	}
	if n := told.Load(); n != 1 {
		t.Errorf("%d warnings, want 1", n)
	}
}
