package kinesis

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/kinesis/kinesistest"
)

const stream = "pins"

func TestMain(m *testing.M) {
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere"} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	if os.Getenv("MILLRACE_BENCH") != "" {
		serveBench()
		return
	}
	os.Exit(m.Run())
}

// serve starts a server with one stream.
func serve(t testing.TB, shards int) *kinesistest.Server {
	t.Helper()
	v, err := kinesistest.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() }) //nolint:errcheck // the test is over
	v.CreateStream(stream, shards)
	return v
}

// configOf is that of a source of the server's stream which asks as often as it can.
func configOf(v *kinesistest.Server, change ...func(*Config)) Config {
	c := Defaults()
	c.Stream, c.Endpoint, c.Region, c.Poll, c.Unthrottled = stream, v.URL, "eu-central-1", 5*time.Millisecond, true
	for _, f := range change {
		f(&c)
	}
	return c
}

// quiet is a logger that says nothing.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func open(t testing.TB, v *kinesistest.Server, change ...func(*Config)) *Source {
	t.Helper()
	s, err := New(configOf(v, change...), 1<<26, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() }) //nolint:errcheck // the test is over
	return s
}

// A gatherer is a sink that keeps what comes.
type gatherer struct {
	t       testing.TB
	mu      sync.Mutex
	parts   map[string]*gathered
	changed chan struct{} // closed, and made anew, with every call
	over    chan struct{} // closed when Read has returned
	err     error         // what it returned
	stop    context.CancelFunc
}

type gathered struct {
	records []engine.Record
	next    engine.Offset
	ended   bool
}

// gather begins to read.
func gather(t testing.TB, s *Source, from ...engine.Start) *gatherer {
	t.Helper()
	g := &gatherer{t: t, parts: map[string]*gathered{}, changed: make(chan struct{}), over: make(chan struct{})}
	for _, start := range from {
		g.parts[start.Partition] = &gathered{next: start.From}
	}
	var ctx context.Context
	ctx, g.stop = context.WithCancel(context.Background())
	go func() {
		defer close(g.over)
		g.err = s.Read(ctx, from, g)
	}()
	t.Cleanup(g.end)
	return g
}

// all is the starts of all shards at their oldest records.
func all(t testing.TB, s *Source) (from []engine.Start) {
	t.Helper()
	list, err := s.Partitions(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		from = append(from, engine.Start{Partition: p.Name, From: p.First, After: p.FirstAt})
	}
	return from
}

func (g *gatherer) end() {
	g.stop()
	<-g.over
}

func (g *gatherer) change(name string, f func(*gathered)) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	f(g.parts[name])
	close(g.changed)
	g.changed = make(chan struct{})
	return nil
}

func (g *gatherer) Frame(_ context.Context, name string, f engine.Frame) error {
	f = append(engine.Frame{}, f...)
	return g.change(name, func(p *gathered) {
		for r, rest, ok := f.Next(); ok; r, rest, ok = rest.Next() {
			if r.Offset != p.next {
				g.t.Errorf("shard %s: offset %d came, want %d", name, r.Offset, p.next)
			}
			p.records, p.next = append(p.records, r), r.Offset+1
		}
	})
}

func (g *gatherer) Ended(name string) error {
	return g.change(name, func(p *gathered) { p.ended = true })
}
func (g *gatherer) Passed(string, engine.Offset) error              { return nil }
func (g *gatherer) Lost(string, engine.Offset, engine.Offset) error { return nil }

// until waits until what it waits for is so.
func (g *gatherer) until(what string, done func() bool) {
	g.t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		g.mu.Lock()
		ok, changed := done(), g.changed
		g.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-g.over:
			if !done() {
				g.t.Fatalf("Read returned %v before %s", g.err, what)
			}
		case <-timeout:
			g.t.Fatalf("%s: it did not happen", what)
		}
	}
}

// has waits for a shard's records, and compares their values.
func (g *gatherer) has(name string, want ...[]byte) {
	g.t.Helper()
	g.until(fmt.Sprintf("%d records of %s", len(want), name), func() bool { return len(g.parts[name].records) >= len(want) })
	g.mu.Lock()
	defer g.mu.Unlock()
	var got [][]byte
	for _, r := range g.parts[name].records {
		got = append(got, r.Value)
	}
	if !slices.EqualFunc(want, got, bytes.Equal) {
		g.t.Errorf("shard %s: -want +got\n%s", name, cmp.Diff(want, got))
	}
}

// returns waits until Read returns with an error that says all of this.
func (g *gatherer) returns(texts ...string) {
	g.t.Helper()
	select {
	case <-g.over:
	case <-time.After(20 * time.Second):
		g.t.Fatal("Read does not return")
	}
	for _, text := range texts {
		if g.err == nil || !strings.Contains(g.err.Error(), text) {
			g.t.Errorf("Read returned %v; want %q", g.err, text)
		}
	}
}

const (
	shard0 = "shardId-000000000000"
	shard1 = "shardId-000000000001"
)

// values are those of records from ≤ number < to.
func values(from, to int) (all [][]byte) {
	for i := from; i < to; i++ {
		all = append(all, fmt.Appendf(nil, `{"n":%d}`, i))
	}
	return all
}

// TestFaults: whatever goes wrong for a while, each record comes once and in order, and a shard that is closed ends.
func TestFaults(t *testing.T) {
	for name, f := range map[string]kinesistest.Fault{
		"throttled":               {Op: "GetRecords", Code: codeThroughput, Times: 2},
		"too many calls":          {Op: "GetShardIterator", Code: codeLimit, Times: 2},
		"key throttled":           {Op: "GetRecords", Code: codeKMSThrottle},
		"expired":                 {Op: "GetRecords", After: 2, Code: codeExpired, Times: 3},
		"refused now and then":    {Op: "GetRecords", After: 1, Code: codeArgument, Times: 2},
		"server error":            {Op: "GetRecords", After: 1, Status: 500, Code: "InternalFailure", Times: 2},
		"server away":             {Op: "GetRecords", After: 1, HangUp: true, Times: 2},
		"iterator lost":           {Op: "GetShardIterator", HangUp: true},
		"records again":           {Op: "GetRecords", After: 1, Back: 7, Times: 10},
		"all records again":       {Op: "GetRecords", After: 2, Back: 1000, Times: 3},
		"records in other order":  {Op: "GetRecords", After: 1, Reverse: true, Times: 3},
		"cut short":               {Op: "GetRecords", After: 1, Mangle: func(b []byte) []byte { return b[:len(b)/2] }, Times: 3},
		"cut to nothing":          {Op: "GetRecords", After: 1, Mangle: func([]byte) []byte { return nil }, Times: 3},
		"an empty object":         {Op: "GetRecords", After: 1, Mangle: func(b []byte) []byte { return empty(b) }, Times: 3},
		"looks like the end":      {Op: "GetRecords", After: 1, Mangle: func(b []byte) []byte { return rename(b, "NextShardIterator", "NoneShardIterator") }, Times: 2},
		"bytes spoilt":            {Op: "GetRecords", After: 1, Mangle: func(b []byte) []byte { return rename(b, "SequenceNumber", "SequenceNumbex") }, Times: 3},
		"no base64":               {Op: "GetRecords", After: 1, Mangle: func(b []byte) []byte { return rename(b, `"Data":"ey`, `"Data":"e-`) }, Times: 3},
		"list away":               {Op: "ListShards", HangUp: true, Times: 2},
		"no iterator":             {Op: "GetShardIterator", Mangle: func([]byte) []byte { return []byte("{}") }},
		"subscription throttled":  {Op: "SubscribeToShard", Code: codeLimit, Times: 2},
		"subscription in use":     {Op: "SubscribeToShard", Code: codeInUse, Times: 2},
		"subscription hung up on": {Op: "SubscribeToShard", HangUp: true},
		"event failed":            {Op: kinesistest.Event, After: 1, Code: "InternalFailureException", Times: 2},
		"event in use":            {Op: kinesistest.Event, Code: codeInUse, Times: 2},
		"event hung up on":        {Op: kinesistest.Event, After: 1, HangUp: true, Times: 2},
		"event again":             {Op: kinesistest.Event, After: 1, Back: 9},
		"event in other order":    {Op: kinesistest.Event, After: 0, Reverse: true, Times: 2},
		"event cut short":         {Op: kinesistest.Event, After: 1, Mangle: func(b []byte) []byte { return b[:len(b)/2] }, Times: 2},
		"event like the end":      {Op: kinesistest.Event, Mangle: func(b []byte) []byte { return rename(b, "ContinuationSequenceNumber", "ContinuationSequenceNumbex") }, Times: 2},
		"consumer not listed":     {Op: "DescribeStreamConsumer", HangUp: true},
		"consumer not registered": {Op: "RegisterStreamConsumer", Code: codeLimit},
	} {
		for mode, change := range map[string]func(*Config){"cbor": func(*Config) {}, "json": func(*Config) {}, "fan-out": func(c *Config) { c.FanOut = "c" }} {
			fanOut := strings.Contains(name, "event") || strings.Contains(name, "subscription") || strings.Contains(name, "consumer")
			if fanOut != (mode == "fan-out") || name == "no base64" && mode != "json" {
				continue
			}
			t.Run(name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				testFault(t, f, mode == "json", change)
			})
		}
	}
}

func testFault(t *testing.T, f kinesistest.Fault, json bool, change func(*Config)) {
	v := serve(t, 1)
	v.NoCBOR = json
	v.Put(stream, shard0, "k", values(0, 700)...)
	s := open(t, v, change, func(c *Config) { c.FetchRecords = 50 })
	from := all(t, s)
	v.Order(f)
	g := gather(t, s, from...)
	g.until("half of the records", func() bool { return len(g.parts[shard0].records) > 350 })
	v.Put(stream, shard0, "k", values(700, 900)...)
	v.Split(stream, shard0)
	g.has(shard0, values(0, 900)...)
	g.returns()
	if g.err != nil || !g.parts[shard0].ended {
		t.Errorf("Read returned %v, ended %v", g.err, g.parts[shard0].ended)
	}
	if n := v.Pending(); n > 0 {
		t.Errorf("%d faults did not happen", n)
	}
}

// empty is an answer of nothing in the encoding of b.
func empty(b []byte) []byte {
	if b[0] == '{' {
		return []byte("{}")
	}
	return []byte{0xa0}
}

func rename(b []byte, old, with string) []byte {
	return bytes.ReplaceAll(bytes.Clone(b), []byte(old), []byte(with))
}

// TestErrors: what does not pass ends the reading, and the error says what to do.
func TestErrors(t *testing.T) {
	for name, c := range map[string]struct {
		fault kinesistest.Fault
		want  string
	}{
		"no rights":      {kinesistest.Fault{Op: "GetRecords", Code: "AccessDeniedException", Message: "User: x is not authorized"}, "access is denied: the credentials need the rights that docs/kinesis.md lists"},
		"key forbidden":  {kinesistest.Fault{Op: "GetRecords", Code: "KMSAccessDeniedException"}, "need kms:Decrypt"},
		"key disabled":   {kinesistest.Fault{Op: "GetRecords", Code: "KMSDisabledException"}, "its key is disabled: enable it"},
		"key in a state": {kinesistest.Fault{Op: "GetRecords", Code: "KMSInvalidStateException"}, "in no state to be used"},
		"key gone":       {kinesistest.Fault{Op: "GetRecords", Code: "KMSNotFoundException"}, "its key is not to be found"},
		"expired":        {kinesistest.Fault{Op: "GetShardIterator", Code: "ExpiredTokenException"}, "the credentials have expired"},
		"key unknown":    {kinesistest.Fault{Op: "GetShardIterator", Code: "UnrecognizedClientException"}, "AWS_ACCESS_KEY_ID"},
		"forbidden":      {kinesistest.Fault{Op: "GetRecords", Status: 403, Code: "Whatever"}, "access is denied"},
		"always damaged": {kinesistest.Fault{Op: "GetRecords", Mangle: func(b []byte) []byte { return b[:1] }, Times: -1}, "the answer is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := serve(t, 1)
			v.Put(stream, shard0, "k", values(0, 3)...)
			s := open(t, v)
			from := all(t, s)
			v.Order(c.fault)
			gather(t, s, from...).returns("stream pins at "+v.URL, shard0, c.want)
		})
	}
}

// TestDeleted: a stream that is gone is an error, and so is one of its name that was made anew.
func TestDeleted(t *testing.T) {
	v := serve(t, 1)
	v.Put(stream, shard0, "k", values(0, 3)...)
	s := open(t, v)
	from := all(t, s)
	list, err := s.Partitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	g := gather(t, s, from...)
	g.has(shard0, values(0, 3)...)
	last := engine.Start{Partition: shard0, From: 3, After: s.Position(shard0, 2)}
	v.DeleteStream(stream)
	g.returns("the stream is gone")
	v.CreateStream("other", 1)
	if _, err := s.Partitions(t.Context()); err == nil || !strings.Contains(err.Error(), "there is no stream pins at "+v.URL+" in region eu-central-1; there is other: ") {
		t.Errorf("the list of a stream that is gone: %v", err)
	}
	v.CreateStream(stream, 1)
	anew, err := s.Partitions(t.Context())
	if err != nil || anew[0].ID == list[0].ID || anew[0].Name != list[0].Name {
		t.Errorf("made anew it is %+v, it was %+v, %v", anew, list, err)
	}
	gather(t, s, last).returns("the stream does not know sequence number", "it was deleted and made anew since")
}

// TestAggregatedRecords: user records are records, and reading goes on in the middle of an aggregated one.
func TestAggregatedRecords(t *testing.T) {
	for mode, change := range map[string]func(*Config){"poll": func(*Config) {}, "fan-out": func(c *Config) { c.FanOut = "c" }} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			testAggregated(t, change)
		})
	}
}

func testAggregated(t *testing.T, change func(*Config)) {
	v := serve(t, 1)
	vs := values(0, 9)
	spoilt := kinesistest.Aggregate(kinesistest.User{Key: "a", Data: []byte("x")})
	spoilt[len(spoilt)-1]++
	v.Put(stream, shard0, "plain", vs[0])
	v.Put(stream, shard0, "a", kinesistest.Aggregate(
		kinesistest.User{Key: "u1", Data: vs[1]}, kinesistest.User{Key: "u2", Hash: "7", Data: vs[2]}, kinesistest.User{Key: "u1", Data: vs[3]}, kinesistest.User{Key: "u3", Data: vs[4]}))
	v.Put(stream, shard0, "plain", vs[5])
	v.Put(stream, shard0, "spoilt", spoilt)
	v.Put(stream, shard0, "a", kinesistest.Aggregate(kinesistest.User{Key: "u4", Data: vs[7]}))
	v.Put(stream, shard0, "plain", vs[8])
	vs[6] = spoilt
	numbers := v.Sequences(stream, shard0)
	positions := []string{numbers[0], numbers[1] + "/0", numbers[1] + "/1", numbers[1] + "/2", numbers[1] + "/3", numbers[2], numbers[3], numbers[4] + "/0", numbers[5]}
	s := open(t, v, change)
	g := gather(t, s, all(t, s)...)
	g.has(shard0, vs...)
	for i, r := range g.parts[shard0].records {
		if got := s.Position(shard0, r.Offset); got != positions[i] {
			t.Errorf("record %d is at %s, want %s", i, got, positions[i])
		}
		number, hash := "", ""
		engine.EachHeader(r.Headers, func(name, value []byte) {
			switch string(name) {
			case numberHeader:
				number = string(value)
			case hashHeader:
				hash = string(value)
			}
		})
		wantHash, wantKey := "", []string{"plain", "u1", "u2", "u1", "u3", "plain", "spoilt", "u4", "plain"}[i]
		if i == 2 {
			wantHash = "7"
		}
		if number != positions[i] || hash != wantHash || string(r.Key) != wantKey {
			t.Errorf("record %d has number %s, hash key %q and key %q; want %s, %q and %q", i, number, hash, r.Key, positions[i], wantHash, wantKey)
		}
		if age := time.Since(r.At.Std()); age < 0 || age > time.Minute {
			t.Errorf("record %d arrived at %v", i, r.At)
		}
	}
	g.end()
	for i := range positions {
		s := open(t, v, change)
		g := gather(t, s, engine.Start{Partition: shard0, From: engine.Offset(i + 1), After: positions[i]})
		if i+1 < len(vs) {
			g.has(shard0, vs[i+1:]...)
		}
		for !s.CaughtUp(shard0) {
			time.Sleep(time.Millisecond)
		}
		for k := i; k < len(positions); k++ {
			if got := s.Position(shard0, engine.Offset(k)); got != positions[k] {
				t.Errorf("begun after record %d: record %d is at %q, want %q", i, k, got, positions[k])
			}
		}
		g.end()
	}
}

// TestAt: reading begins with what arrived at a time or later.
func TestAt(t *testing.T) {
	v := serve(t, 1)
	v.Put(stream, shard0, "k", values(0, 5)...)
	time.Sleep(2 * time.Millisecond) // times have milliseconds
	at := time.Now().Truncate(time.Millisecond)
	v.Put(stream, shard0, "k", values(5, 8)...)
	for mode, change := range map[string]func(*Config){"poll": func(*Config) {}, "fan-out": func(c *Config) { c.FanOut = "c" }} {
		t.Run(mode, func(t *testing.T) {
			s := open(t, v, change, func(c *Config) { c.At = at.UTC().Format(time.RFC3339Nano) })
			v.Order(kinesistest.Fault{Op: "GetRecords", Code: codeExpired})
			gather(t, s, all(t, s)...).has(shard0, values(5, 8)...)
		})
	}
}
