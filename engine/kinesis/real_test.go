//go:build real

package kinesis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/kinesis/kinesistest"
	"github.com/millrace-io/millrace/scripts/realtest"
)

// A real is a stream of a server that is not ours.
type real struct {
	t      *testing.T
	client *kinesis.Client
	put    int // records so far
}

func (r *real) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// puts puts records, each fifth of them with nine others in an aggregated one, and gives how many.
func (r *real) puts(n int) {
	r.t.Helper()
	for n > 0 {
		var entries []types.PutRecordsRequestEntry
		for range min(n, 20) {
			n--
			if r.put++; r.put%5 != 0 {
				entries = append(entries, types.PutRecordsRequestEntry{PartitionKey: aws.String(strconv.Itoa(r.put)), Data: fmt.Append(nil, r.put)})
				continue
			}
			users := []kinesistest.User{{Key: "a", Data: fmt.Append(nil, r.put)}}
			for u := range 9 {
				users = append(users, kinesistest.User{Key: "b", Hash: "1", Data: fmt.Appendf(nil, "%d/%d", r.put, u)})
			}
			entries = append(entries, types.PutRecordsRequestEntry{PartitionKey: aws.String(strconv.Itoa(r.put)), Data: kinesistest.Aggregate(users...)})
		}
		out, err := r.client.PutRecords(r.t.Context(), &kinesis.PutRecordsInput{StreamName: aws.String(stream), Records: entries})
		r.must(err)
		if aws.ToInt32(out.FailedRecordCount) > 0 {
			r.t.Fatalf("%d records were not put", *out.FailedRecordCount)
		}
	}
}

// active waits until a change of the stream is over.
func (r *real) active() {
	r.t.Helper()
	for range 600 {
		out, err := r.client.DescribeStreamSummary(r.t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: aws.String(stream)})
		r.must(err)
		if out.StreamDescriptionSummary.StreamStatus == types.StreamStatusActive {
			return
		}
		pause(r.t.Context(), 50*time.Millisecond)
	}
	r.t.Fatal("the stream does not become active")
}

// open is the shards that take records, by hash key.
func (r *real) open() (all []types.Shard) {
	r.t.Helper()
	out, err := r.client.ListShards(r.t.Context(), &kinesis.ListShardsInput{StreamName: aws.String(stream)})
	r.must(err)
	for _, s := range out.Shards {
		if s.SequenceNumberRange.EndingSequenceNumber == nil {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b types.Shard) int {
		x, _ := parseSequence([]byte(*a.HashKeyRange.StartingHashKey))
		y, _ := parseSequence([]byte(*b.HashKeyRange.StartingHashKey))
		switch {
		case x.before(y):
			return -1
		case y.before(x):
			return 1
		}
		return 0
	})
	return all
}

// TestReal: all records come once, through a split, a merge and changes of the number of shards, from where a reader
// before stopped in the middle of an aggregated record.
func TestReal(t *testing.T) {
	server := realtest.StartKinesis(t)
	change := func(c *Config) { c.Endpoint, c.Poll, c.FetchRecords = server.Endpoint, 20*time.Millisecond, 100 }
	s := openReal(t, server.Endpoint, change)
	r := &real{t: t, client: s.client}
	_, err := r.client.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: aws.String(stream), ShardCount: aws.Int32(2)})
	r.must(err)
	r.active()
	r.puts(500)
	l := &lineage{t: t, s: s, seen: map[string]int{}, at: map[string]engine.Start{}, ended: map[string]bool{}}
	l.read(func() bool { return len(l.seen) > 300 })

	first := r.open()[0]
	low, _ := strconv.ParseFloat(*first.HashKeyRange.StartingHashKey, 64)
	high, _ := strconv.ParseFloat(*first.HashKeyRange.EndingHashKey, 64)
	_, err = r.client.SplitShard(t.Context(), &kinesis.SplitShardInput{StreamName: aws.String(stream), ShardToSplit: first.ShardId, NewStartingHashKey: aws.String(strconv.FormatFloat((low+high)/2, 'f', 0, 64))})
	r.must(err)
	r.active()
	r.puts(500)
	l.read(func() bool { return len(l.seen) > 1000 })

	two := r.open()
	_, err = r.client.MergeShards(t.Context(), &kinesis.MergeShardsInput{StreamName: aws.String(stream), ShardToMerge: two[0].ShardId, AdjacentShardToMerge: two[1].ShardId})
	r.must(err)
	r.active()
	r.puts(500)
	for _, n := range []int32{4, 2} {
		_, err = r.client.UpdateShardCount(t.Context(), &kinesis.UpdateShardCountInput{StreamName: aws.String(stream), TargetShardCount: aws.Int32(n), ScalingType: types.ScalingTypeUniformScaling})
		r.must(err)
		r.active()
		r.puts(250)
	}
	want := r.put / 5 * 4
	want += r.put / 5 * 10
	l.read(func() bool { return len(l.seen) >= want })
	for value, n := range l.seen {
		if n != 1 {
			t.Errorf("record %s came %d times", value, n)
		}
	}
	if len(l.seen) != want || len(l.ended) < 5 {
		t.Errorf("%d records, want %d; %d shards ended", len(l.seen), want, len(l.ended))
	}
}

func openReal(t *testing.T, endpoint string, change func(*Config)) *Source {
	c := Defaults()
	c.Stream, c.Region, c.Unthrottled, c.Endpoint = stream, "us-east-1", true, endpoint
	change(&c)
	s, err := New(c, 1<<24, quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() }) //nolint:errcheck // the test is over
	return s
}

// A lineage reads the shards of a stream as the engine does: children when their parents have ended. It stops now and then
// and goes on from positions.
type lineage struct {
	t     *testing.T
	s     *Source
	seen  map[string]int          // by value
	at    map[string]engine.Start // where the next reading of a shard begins
	ended map[string]bool
}

// ready is the shards to read now.
func (l *lineage) ready() (from []engine.Start) {
	list, err := l.s.Partitions(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, p := range list {
		listed[p.Name] = true
	}
	for _, p := range list {
		wait := slices.ContainsFunc(p.Parents, func(parent string) bool { return listed[parent] && !l.ended[parent] })
		if wait || l.ended[p.Name] {
			continue
		}
		start, ok := l.at[p.Name]
		if !ok {
			start = engine.Start{Partition: p.Name, After: p.FirstAt}
		}
		from = append(from, start)
	}
	return from
}

// read reads until done says so, for ten seconds at a time.
func (l *lineage) read(done func() bool) {
	l.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !done(); {
		if time.Now().After(deadline) {
			l.t.Fatalf("%d records came, and no more", len(l.seen))
		}
		from := l.ready()
		ctx, stop := context.WithTimeout(l.t.Context(), 2*time.Second)
		sink := &cutOff{l: l, lock: make(chan struct{}, 1), stop: stop, done: done}
		if err := l.s.Read(ctx, from, sink); err != nil && ctx.Err() == nil {
			l.t.Fatal(err)
		}
		stop()
	}
}

// A cutOff is a sink that takes half of every third frame, as a checkpoint may, and then ends the reading.
type cutOff struct {
	l     *lineage
	lock  chan struct{}
	stop  context.CancelFunc
	done  func() bool
	count int
	over  bool
}

func (c *cutOff) Frame(_ context.Context, name string, f engine.Frame) error {
	c.lock <- struct{}{}
	defer func() { <-c.lock }()
	if c.over {
		return context.Canceled
	}
	n := 0
	for _, rest, ok := f.Next(); ok; _, rest, ok = rest.Next() {
		n++
	}
	if c.count++; c.count%3 == 0 {
		n, c.over = (n+1)/2, true
	}
	var last engine.Offset
	for r, rest, ok := f.Next(); ok && n > 0; r, rest, ok = rest.Next() {
		c.l.seen[string(r.Value)]++
		last = r.Offset
		n--
	}
	c.l.at[name] = engine.Start{Partition: name, From: last + 1, After: c.l.s.Position(name, last)}
	if c.over || c.done() {
		c.over = true
		c.stop()
	}
	return nil
}

func (c *cutOff) Ended(name string) error {
	c.lock <- struct{}{}
	defer func() { <-c.lock }()
	if !c.over {
		c.l.ended[name] = true
	}
	return nil
}
func (c *cutOff) Passed(string, engine.Offset) error              { return nil }
func (c *cutOff) Lost(string, engine.Offset, engine.Offset) error { return nil }
