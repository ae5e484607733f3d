package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/engine"
)

const topic = "t"

const patience = 20 * time.Second

func startCluster(t *testing.T, partitions int32, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(partitions, topic)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func newSource(t *testing.T, c *kfake.Cluster, change ...func(*Config)) *Source {
	t.Helper()
	cfg := Defaults()
	cfg.Brokers, cfg.Topic = c.ListenAddrs(), topic
	for _, f := range change {
		f(&cfg)
	}
	s, err := New(cfg, 64<<20, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// produce writes records to a partition and waits until the broker has them.
func produce(t *testing.T, c *kfake.Cluster, records []*kgo.Record, opts ...kgo.Opt) {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(c.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchMaxBytes(32 << 20), kgo.BrokerMaxWriteBytes(64 << 20)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

func numbered(partition int32, from, to int) []*kgo.Record {
	var all []*kgo.Record
	for i := from; i < to; i++ {
		all = append(all, &kgo.Record{Topic: topic, Partition: partition, Value: fmt.Appendf(nil, "%d/%d", partition, i)})
	}
	return all
}

// A collector is a sink that keeps what it gets, and tells when it has enough.
type collector struct {
	mu      sync.Mutex
	records map[string][]engine.Record
	lost    []string
	passed  map[string]engine.Offset
	refuse  error // what Lost gives
	total   int
	want    int
	enough  chan struct{}
}

func newCollector(want int) *collector {
	return &collector{records: map[string][]engine.Record{}, passed: map[string]engine.Offset{}, want: want, enough: make(chan struct{})}
}

func (c *collector) Frame(_ context.Context, partition string, f engine.Frame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for r, rest, ok := f.Next(); ok; r, rest, ok = rest.Next() {
		r.Value, r.Key, r.Headers = clone(r.Value), clone(r.Key), clone(r.Headers)
		c.records[partition] = append(c.records[partition], r)
		if c.total++; c.total == c.want {
			close(c.enough)
		}
	}
	return nil
}

func (c *collector) Passed(partition string, to engine.Offset) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passed[partition] = to
	return nil
}

func clone(b []byte) []byte {
	if b == nil {
		return nil
	}
	return append([]byte{}, b...)
}

func (c *collector) Ended(string) error { return nil }

func (c *collector) Lost(partition string, from, to engine.Offset) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost = append(c.lost, fmt.Sprintf("%s: %d to %d", partition, from, to))
	return c.refuse
}

// read reads from the starts until the collector has enough, and fails if that takes too long.
func (c *collector) read(t *testing.T, s *Source, from ...engine.Start) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Read(ctx, from, c) }()
	select {
	case <-c.enough:
	case err := <-ended:
		t.Fatalf("reading ended after %d of %d records: %v", c.total, c.want, err)
	case <-time.After(patience):
		t.Fatalf("%d of %d records came", c.total, c.want)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("reading ended with %v, want the context's error", err)
	}
}

// check says whether the values of a partition are those of numbered from ≤ n < to, in order.
func (c *collector) check(t *testing.T, partition int32, from, to int) {
	t.Helper()
	got := c.records[name(partition)]
	if len(got) != to-from {
		t.Errorf("partition %d: %d records, want %d", partition, len(got), to-from)
		return
	}
	for i, r := range got {
		if want := fmt.Sprintf("%d/%d", partition, from+i); string(r.Value) != want {
			t.Fatalf("partition %d, record %d: %q, want %q", partition, i, r.Value, want)
		}
	}
}

func TestReadsInOrderFromWhereItIsTold(t *testing.T) {
	c := startCluster(t, 3)
	for p := range int32(3) {
		produce(t, c, numbered(p, 0, 5000))
	}
	s := newSource(t, c)
	parts, err := s.Partitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range parts {
		if want := (engine.Partition{Name: name(int32(i)), First: 0, End: 5000, ID: parts[0].ID}); !reflect.DeepEqual(p, want) {
			t.Errorf("partition %d is %+v, want %+v", i, p, want)
		}
	}
	got := newCollector(5000 + 4000 + 1)
	got.read(t, s, engine.Start{Partition: "0"}, engine.Start{Partition: "1", From: 1000}, engine.Start{Partition: "2", From: 4999})
	got.check(t, 0, 0, 5000)
	got.check(t, 1, 1000, 5000)
	got.check(t, 2, 4999, 5000)
	if s.Ends()["1"] != 5000 {
		t.Errorf("the end of partition 1 is known as %d, want 5000", s.Ends()["1"])
	}
}

func TestRecordsComeAsTheyAre(t *testing.T) {
	c := startCluster(t, 1)
	at := time.UnixMilli(1_600_000_000_123)
	produce(t, c, []*kgo.Record{
		{Topic: topic, Key: []byte("k"), Value: []byte("v"), Timestamp: at, Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("1")}, {Key: "n"}}},
		{Topic: topic, Key: []byte{}, Value: nil, Timestamp: at},
		{Topic: topic, Value: []byte{}, Timestamp: at},
	})
	got := newCollector(3)
	got.read(t, newSource(t, c), engine.Start{Partition: "0"})
	r := got.records["0"]
	if string(r[0].Key) != "k" || string(r[0].Value) != "v" || r[0].At != engine.TimeOf(at) {
		t.Errorf("record 0 is %+v", r[0])
	}
	headers := ""
	engine.EachHeader(r[0].Headers, func(name, value []byte) { headers += fmt.Sprintf("%s=%s;", name, value) })
	if headers != "h=1;n=;" {
		t.Errorf("headers are %q", headers)
	}
	if r[1].Value != nil {
		t.Errorf("a tombstone came as %q", r[1].Value)
	}
	if r[2].Value == nil || r[2].Key != nil {
		t.Errorf("an empty value without key came as key %v, value %v", r[2].Key, r[2].Value)
	}
}

func TestCompressedTopics(t *testing.T) {
	codecs := map[string]kgo.CompressionCodec{
		"gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	for codec, c := range codecs {
		t.Run(codec, func(t *testing.T) {
			cluster := startCluster(t, 1)
			produce(t, cluster, numbered(0, 0, 2000), kgo.ProducerBatchCompression(c))
			got := newCollector(2000)
			got.read(t, newSource(t, cluster), engine.Start{Partition: "0"})
			got.check(t, 0, 0, 2000)
		})
	}
}

func TestRecordLargerThanAFetch(t *testing.T) {
	c := startCluster(t, 1, kfake.BrokerConfigs(map[string]string{"message.max.bytes": "33554432", "max.message.bytes": "33554432"}))
	big := []byte(strings.Repeat("x", 3<<20))
	produce(t, c, []*kgo.Record{{Topic: topic, Value: []byte("a")}, {Topic: topic, Value: big}, {Topic: topic, Value: []byte("b")}}, kgo.ProducerBatchCompression(kgo.NoCompression()))
	got := newCollector(3)
	got.read(t, newSource(t, c, func(c *Config) { c.FetchBytes = 64 << 10 }), engine.Start{Partition: "0"})
	if n := len(got.records["0"][1].Value); n != len(big) {
		t.Errorf("the large record came with %d bytes, want %d", n, len(big))
	}
}

func TestOnlyCommittedTransactions(t *testing.T) {
	c := startCluster(t, 1)
	for i, outcome := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort, kgo.TryCommit, kgo.TryAbort} {
		transact(t, c, numbered(0, 10*i, 10*i+10), outcome)
	}
	got := newCollector(20)
	got.read(t, newSource(t, c), engine.Start{Partition: "0"})
	last := got.records["0"][19]
	if string(last.Value) != "0/29" {
		t.Errorf("the last record is %q, want 0/29", last.Value)
	}
}

// A finder is a sink that tells when a partition has been read to an offset.
type finder struct {
	*collector
	end   engine.Offset
	found chan struct{}
}

func (f finder) Frame(ctx context.Context, partition string, frame engine.Frame) error {
	err := f.collector.Frame(ctx, partition, frame)
	records := f.records[partition]
	return errors.Join(err, f.Passed(partition, records[len(records)-1].Offset+1))
}

func (f finder) Passed(_ string, to engine.Offset) error {
	if to >= f.end {
		close(f.found)
	}
	return nil
}

// readToEnd reads a partition from an offset to its end.
func readToEnd(t *testing.T, c *kfake.Cluster, from engine.Offset) *collector {
	t.Helper()
	s := newSource(t, c)
	parts, err := s.Partitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f := finder{newCollector(-1), parts[0].End, make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Read(ctx, []engine.Start{{Partition: "0", From: from}}, f) }()
	wait(t, f.found)
	cancel()
	<-ended
	return f.collector
}

// Two transactions overlap and both are aborted, the later one first: brokers list aborted transactions in the
// order in which they ended. No record is left, and the end is reached.
func TestOverlappingAborts(t *testing.T) {
	c := startCluster(t, 1)
	begin := func(id string) *kgo.Client {
		client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID(id))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(client.Close)
		if err := errors.Join(client.BeginTransaction(), client.ProduceSync(t.Context(), numbered(0, 0, 3)...).FirstErr(), client.Flush(t.Context())); err != nil {
			t.Fatal(err)
		}
		return client
	}
	first, second := begin("first"), begin("second")
	for _, client := range []*kgo.Client{second, first} {
		if err := client.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(readToEnd(t, c, 0).records["0"]); n != 0 {
		t.Errorf("%d records of aborted transactions came", n)
	}
}

// The marker of a transaction is passed, so that it is no loss when retention takes it.
func TestMarkerGoneIsNoLoss(t *testing.T) {
	c := startCluster(t, 1)
	transact(t, c, numbered(0, 0, 10), kgo.TryCommit)
	readToEnd(t, c, 0).check(t, 0, 0, 10)
	deleteRecords(t, c, 0, 11)
	produce(t, c, numbered(0, 10, 11))
	got := readToEnd(t, c, 11)
	if got.check(t, 0, 10, 11); len(got.lost) > 0 {
		t.Errorf("lost %v, though every record was read", got.lost)
	}
}

func transact(t *testing.T, c *kfake.Cluster, records []*kgo.Record, outcome kgo.TransactionEndTry) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID("tx"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	err = errors.Join(client.BeginTransaction(), client.ProduceSync(t.Context(), records...).FirstErr(), client.Flush(t.Context()), client.EndTransaction(t.Context(), outcome))
	if err != nil {
		t.Fatal(err)
	}
}

func TestTopicMissing(t *testing.T) {
	c := startCluster(t, 1)
	s := newSource(t, c, func(c *Config) { c.Topic = "tt" })
	_, err := s.Partitions(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no topic tt") || !strings.Contains(err.Error(), "[t]") {
		t.Errorf("got %v, want an error that names the missing topic and those there are", err)
	}
}

func TestMarksOffsetsInTheGroup(t *testing.T) {
	c := startCluster(t, 2)
	s := newSource(t, c, func(c *Config) { c.Group = "g" })
	for _, next := range []engine.Offset{5, 9} {
		if err := s.Committed(t.Context(), map[string]engine.Offset{"0": next, "1": next + 1}); err != nil {
			t.Fatal(err)
		}
	}
	client, err := s.connect()
	if err != nil {
		t.Fatal(err)
	}
	coordinator, err := client.Coordinator("g")
	if err != nil {
		t.Fatal(err)
	}
	req := &sarama.OffsetFetchRequest{Version: 2, ConsumerGroup: "g"}
	req.AddPartition(topic, 1)
	resp, err := coordinator.FetchOffset(req)
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.GetBlock(topic, 1).Offset; got != 10 {
		t.Errorf("the group is at offset %d of partition 1, want 10", got)
	}
}
