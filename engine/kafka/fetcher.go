package kafka

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// How long a broker may wait for records before it answers a fetch. It is short where a partition was left
// out that had no room, because it will have some soon and a connection serves one request at a time.
const (
	longWait  = 250 * time.Millisecond
	shortWait = 10 * time.Millisecond
)

// fetchVersion is understood by every broker from 2.1.0 on: it is the one that zstd came with.
const fetchVersion = 10

// fetchers fetch for the partitions of one reading: a goroutine for each broker that leads some.
//
// Invariant: a partition holds at most the chunk being cut, one fetched ahead, and nothing is asked for
// while that lies there. An answer is no larger than size (but for a single batch that is), whatever number
// of partitions it has, and lives as long as one of its chunks. So all of them together hold at most
// 2 × partitions + brokers answers.
type fetchers struct {
	cfg  *Config
	ctx  context.Context // of the reading
	size int             // bytes of an answer, at most; of one partition's share in it too

	running sync.WaitGroup
	memory  buffers

	mu sync.Mutex
	of map[string]*fetcher // by the broker's address; each has a member
}

func newFetchers(ctx context.Context, cfg *Config, size int) *fetchers {
	return &fetchers{cfg: cfg, ctx: ctx, size: size, memory: buffers{size: size + answerHead}, of: map[string]*fetcher{}}
}

// answerHead is room for what an answer has beside records.
const answerHead = 64 << 10

// A fetcher fetches from one broker, over one connection.
type fetcher struct {
	all     *fetchers
	address string
	end     context.CancelFunc
	wake    chan struct{} // of capacity 1: a member came, or has room

	members []*member // under all.mu; who got records goes to the end
}

// A member is a partition for which a fetcher fetches.
type member struct {
	fetcher *fetcher
	framer  *framer
	at      int64      // offset to fetch from; only the fetcher's goroutine goes on with it
	chunks  chan chunk // of capacity 2: one fetched ahead, and the error after which the membership is over
}

// join has the broker fetch for a partition, from an offset on.
func (s *fetchers) join(address string, f *framer, at int64) *member {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.of[address]
	if t == nil {
		ctx, end := context.WithCancel(s.ctx)
		t = &fetcher{all: s, address: address, end: end, wake: make(chan struct{}, 1)}
		s.of[address] = t
		s.running.Go(func() { t.run(ctx) })
	}
	m := &member{fetcher: t, framer: f, at: at, chunks: make(chan chunk, 2)}
	t.members = append(t.members, m)
	t.poke()
	return m
}

// leave ends a membership. A fetcher without members ends.
func (m *member) leave() {
	s := m.fetcher.all
	s.mu.Lock()
	m.fetcher.drop(m)
	s.mu.Unlock()
	for {
		select {
		case c := <-m.chunks:
			c.release()
		default:
			return
		}
	}
}

// took says that a chunk was taken, so that there is room.
func (m *member) took() { m.fetcher.poke() }

func (t *fetcher) poke() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// drop takes a member off, if it is still one; under all.mu.
func (t *fetcher) drop(m *member) {
	t.members = slices.DeleteFunc(t.members, func(x *member) bool { return x == m })
	if len(t.members) == 0 {
		t.retire()
	}
}

// retire ends the fetcher; who comes next to the broker gets another. Under all.mu.
func (t *fetcher) retire() {
	t.end()
	if t.all.of[t.address] == t {
		delete(t.all.of, t.address)
	}
}

// run fetches until there is no member or the connection breaks, which it tells all members.
func (t *fetcher) run(ctx context.Context) {
	err := t.connect(ctx)
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	t.retire()
	for _, m := range t.members {
		m.chunks <- chunk{err: err}
	}
	t.members = nil
}

// connect fetches over one connection after the other: a login may be for a time only.
func (t *fetcher) connect(ctx context.Context) error {
	for {
		k, err := t.all.cfg.dial(ctx, t.address)
		if err == nil {
			err = t.serve(ctx, k)
			k.Close()
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return fmt.Errorf("fetch from %s: %w", t.address, err)
		}
	}
}

// serve fetches until the login of the connection ends.
func (t *fetcher) serve(ctx context.Context, k *conn) error {
	patience := askTimeout
	for k.renewed.IsZero() || time.Now().Before(k.renewed) {
		asked, wait := t.due()
		if len(asked) == 0 {
			select {
			case <-t.wake:
				continue
			case <-ctx.Done():
				return nil
			}
		}
		var memory *buffer
		var began time.Time // when the answer began to come
		var resp kmsg.FetchResponse
		err := k.ask(t.request(asked, wait), &resp, patience+wait, func(n int) []byte {
			memory, began = t.all.memory.get(n), time.Now()
			return memory.bytes
		})
		if err == nil {
			err = trouble(resp.ErrorCode)
		}
		if err == nil {
			t.deliver(asked, &resp, memory)
		}
		if memory != nil {
			asked[0].framer.r.source.spend(began)
			memory.release()
		}
		if err != nil {
			return err
		}
		patience = askTimeout + time.Duration(resp.ThrottleMillis)*time.Millisecond // it will not answer before
	}
	return nil
}

// due gives the members that have room, and how long the broker may wait.
func (t *fetcher) due() ([]*member, time.Duration) {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	var asked []*member
	wait := longWait
	for _, m := range t.members {
		if len(m.chunks) == 0 {
			asked = append(asked, m)
		} else {
			wait = shortWait
		}
	}
	return asked, wait
}

// request asks for the records of some members.
func (t *fetcher) request(asked []*member, wait time.Duration) *kmsg.FetchRequest {
	req := &kmsg.FetchRequest{
		Version: fetchVersion, ReplicaID: -1, MaxWaitMillis: int32(wait.Milliseconds()), MinBytes: 1, MaxBytes: int32(t.all.size),
		IsolationLevel: int8(sarama.ReadCommitted), SessionEpoch: -1,
	}
	topic := kmsg.FetchRequestTopic{Topic: t.all.cfg.Topic}
	for _, m := range asked {
		topic.Partitions = append(topic.Partitions, kmsg.FetchRequestTopicPartition{
			Partition: m.framer.partition, CurrentLeaderEpoch: -1, FetchOffset: m.at, LogStartOffset: -1, PartitionMaxBytes: int32(t.all.size),
		})
	}
	req.Topics = append(req.Topics, topic)
	return req
}

// deliver gives each member that was asked for what came.
func (t *fetcher) deliver(asked []*member, resp *kmsg.FetchResponse, memory *buffer) {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	for _, topic := range resp.Topics {
		for i := range topic.Partitions {
			p := &topic.Partitions[i]
			n := slices.IndexFunc(asked, func(m *member) bool { return m.framer.partition == p.Partition })
			if n < 0 || !slices.Contains(t.members, asked[n]) {
				continue // it has left
			}
			t.give(asked[n], p, memory, n == 0)
		}
	}
}

// give gives a member its part of an answer. The first one of an answer gets at least one whole batch, if
// there is any. Under all.mu.
func (t *fetcher) give(m *member, p *kmsg.FetchResponseTopicPartition, memory *buffer, first bool) {
	err := trouble(p.ErrorCode)
	if err == nil {
		m.framer.heard(p.HighWatermark)
		var c chunk
		c.batches, m.at, err = whole(p.RecordBatches, m.at)
		if first && err == nil && len(c.batches) < min(1, len(p.RecordBatches)) {
			err = damaged(m.at, fmt.Errorf("it does not end in %d bytes", len(p.RecordBatches)))
		}
		if len(c.batches) > 0 {
			c.aborted, c.buffer = p.AbortedTransactions, memory
			memory.users.Add(1)
			m.chunks <- c
			// Who comes first is sure to get a batch, however large: so it is the others' turn.
			t.members = append(slices.DeleteFunc(t.members, func(x *member) bool { return x == m }), m)
		}
	}
	if err != nil {
		m.chunks <- chunk{err: err}
		t.drop(m)
	}
}
