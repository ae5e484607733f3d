package kafka

import (
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/enginetest/sourcetest"
)

func TestConforms(t *testing.T) {
	t.Parallel()
	sourcetest.Run(t, func(t *testing.T, partitions int) sourcetest.Harness {
		b := &broker{t: t, asked: map[string]engine.Offset{}}
		b.Cluster = startCluster(t, int32(partitions), kfake.ListenFn(b.listen))
		b.ControlKey(int16(kmsg.Fetch), b.sees)
		for p := range partitions {
			b.names = append(b.names, name(int32(p)))
		}
		return b.harness()
	})
}

// A broker is an in-process cluster of one that can be out of reach, and knows how far it was read.
type broker struct {
	t *testing.T
	*kfake.Cluster
	names []string

	mu    sync.Mutex
	down  bool
	conns []net.Conn
	asked map[string]engine.Offset // by partition: the highest offset of a fetch
}

func (b *broker) harness() sourcetest.Harness {
	const group = "g"
	return sourcetest.Harness{
		Partitions: b.names,
		Source: func() engine.Source {
			return newSource(b.t, b.Cluster, func(c *Config) { c.Group, c.FetchBytes = group, leastFetch })
		},
		Append: b.append, Grow: b.grow, Hide: b.hide, Pend: b.pend,
		Trim: func(partition string, before engine.Offset) {
			deleteRecords(b.t, b.Cluster, b.number(partition), int64(before))
		},
		Down:   func() { b.setDown(true) },
		Up:     func() { b.setDown(false) },
		Outage: 3 * time.Second, // sarama tries for one
		Marked: func(partition string) engine.Offset { return b.marked(group, partition) },
		Asked: func(partition string) engine.Offset {
			b.mu.Lock()
			defer b.mu.Unlock()
			return b.asked[partition]
		},
		Ahead: 4 << 20, // two of the producer's batches, sarama's channel, two frames
	}
}

func (b *broker) number(partition string) int32 {
	b.t.Helper()
	n, err := number(partition)
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

func (b *broker) append(partition string, records ...sourcetest.Record) {
	b.t.Helper()
	produce(b.t, b.Cluster, b.records(partition, records), kgo.ProducerBatchMaxBytes(1_000_000), kgo.ProducerBatchCompression(kgo.NoCompression()))
}

func (b *broker) records(partition string, records []sourcetest.Record) []*kgo.Record {
	b.t.Helper()
	all := make([]*kgo.Record, len(records))
	for i, r := range records {
		all[i] = &kgo.Record{Topic: topic, Partition: b.number(partition), Timestamp: r.At, Key: r.Key, Value: r.Value}
		for _, h := range r.Headers {
			all[i].Headers = append(all[i].Headers, kgo.RecordHeader{Key: h.Name, Value: h.Value})
		}
	}
	return all
}

// pend begins a transaction that ends when it is told.
func (b *broker) pend(partition string, records ...sourcetest.Record) (commit func()) {
	b.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID("pending"))
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(client.Close)
	err = errors.Join(client.BeginTransaction(), client.ProduceSync(b.t.Context(), b.records(partition, records)...).FirstErr())
	if err != nil {
		b.t.Fatal(err)
	}
	return func() {
		if err := client.EndTransaction(b.t.Context(), kgo.TryCommit); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *broker) hide(partition string, records int) {
	b.t.Helper()
	transact(b.t, b.Cluster, numbered(b.number(partition), 0, records), kgo.TryAbort)
}

func (b *broker) grow() string {
	b.t.Helper()
	b.names = append(b.names, name(int32(len(b.names))))
	req, t := kmsg.NewPtrCreatePartitionsRequest(), kmsg.NewCreatePartitionsRequestTopic()
	t.Topic, t.Count = topic, int32(len(b.names))
	req.Topics, req.TimeoutMillis = append(req.Topics, t), 10_000
	resp := b.ask(req).(*kmsg.CreatePartitionsResponse)
	if err := kerr.ErrorForCode(resp.Topics[0].ErrorCode); err != nil {
		b.t.Fatal(err)
	}
	return b.names[len(b.names)-1]
}

// marked is the group's offset of a partition.
func (b *broker) marked(group, partition string) engine.Offset {
	b.t.Helper()
	req, t := kmsg.NewPtrOffsetFetchRequest(), kmsg.NewOffsetFetchRequestTopic()
	t.Topic, t.Partitions = topic, []int32{b.number(partition)}
	req.Group, req.Topics = group, append(req.Topics, t)
	return engine.Offset(b.ask(req).(*kmsg.OffsetFetchResponse).Topics[0].Partitions[0].Offset)
}

func (b *broker) ask(req kmsg.Request) kmsg.Response {
	b.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(b.ListenAddrs()...))
	if err != nil {
		b.t.Fatal(err)
	}
	defer client.Close()
	resp, err := client.Request(b.t.Context(), req)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp
}

// sees is shown each fetch before the cluster is.
func (b *broker) sees(req kmsg.Request) (kmsg.Response, error, bool) { //nolint:revive // kfake's order
	b.KeepControl()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range req.(*kmsg.FetchRequest).Topics {
		for _, p := range t.Partitions {
			b.asked[name(p.Partition)] = max(b.asked[name(p.Partition)], engine.Offset(p.FetchOffset))
		}
	}
	return nil, nil, false
}

// listen makes the cluster's listener one that hangs up while the broker is down.
func (b *broker) listen(network, address string) (net.Listener, error) {
	l, err := net.Listen(network, address)
	return listener{l, b}, err
}

type listener struct {
	net.Listener
	b *broker
}

// Accept implements net.Listener.
func (l listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil || l.b.takes(c) {
			return c, err
		}
		c.Close() //nolint:errcheck // nobody has it
	}
}

// takes says whether a connection may come now.
func (b *broker) takes(c net.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.down {
		b.conns = append(b.conns, c)
	}
	return !b.down
}

func (b *broker) setDown(down bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down = down
	for _, c := range b.conns {
		c.Close() //nolint:errcheck // it may be closed already
	}
	b.conns = nil
}
