package kinesis

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/kinesis/kinesistest"
)

// Of the benchmarks: records as those of bench pins.
const (
	benchShards  = 4
	benchRecords = 20_000 // a shard
	benchBytes   = 732    // each
	benchUsers   = 60     // of an aggregated record
)

// serveBench is the process of a benchmark's server: its CPU is not the source's.
func serveBench() {
	v, err := kinesistest.New()
	if err != nil {
		panic(err)
	}
	v.NoCBOR = os.Getenv("MILLRACE_BENCH") == "json"
	v.CreateStream("plain", benchShards)
	v.CreateStream("aggregated", benchShards)
	value := append(bytes.Repeat([]byte(`{"title":"a pin of the benchmark"} `), 30)[:benchBytes-1], '}')
	for i := range benchShards {
		shard := fmt.Sprintf("shardId-%012d", i)
		for r := 0; r < benchRecords; r += benchUsers {
			var users []kinesistest.User
			for u := r; u < min(benchRecords, r+benchUsers); u++ {
				v.Put("plain", shard, fmt.Sprint(u), value)
				users = append(users, kinesistest.User{Key: fmt.Sprint(u), Data: value})
			}
			v.Put("aggregated", shard, "a", kinesistest.Aggregate(users...))
		}
	}
	fmt.Println(v.URL)
	_, _ = os.Stdin.Read(make([]byte, 1)) // until who started it is gone
}

// startBench starts the server's process.
func startBench(b *testing.B, protocol string) (url string) {
	b.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "MILLRACE_BENCH="+protocol)
	in, err := c.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close() //nolint:errcheck // it ends the server
		c.Wait()   //nolint:errcheck // the benchmark is over
	})
	s := bufio.NewScanner(out)
	if !s.Scan() {
		b.Fatal("the server does not start")
	}
	return s.Text()
}

// cpu is the time that this process has worked.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// counter is a sink that counts records, and ends the reading when it has them all.
type counter struct {
	left int
	lock chan struct{}
	stop context.CancelFunc
}

func (c *counter) Frame(_ context.Context, _ string, f engine.Frame) error {
	n := 0
	for _, rest, ok := f.Next(); ok; _, rest, ok = rest.Next() {
		n++
	}
	c.lock <- struct{}{}
	if c.left -= n; c.left <= 0 {
		c.stop()
	}
	<-c.lock
	return nil
}
func (c *counter) Passed(string, engine.Offset) error              { return nil }
func (c *counter) Ended(string) error                              { return nil }
func (c *counter) Lost(string, engine.Offset, engine.Offset) error { return nil }

func BenchmarkSource(b *testing.B) {
	for _, protocol := range []string{"cbor", "json"} {
		url := startBench(b, protocol)
		for _, name := range []string{"plain", "aggregated"} {
			b.Run(name+"/"+protocol, func(b *testing.B) { benchSource(b, url, name) })
		}
	}
}

func benchSource(b *testing.B, url, name string) {
	cfg := Defaults()
	cfg.Stream, cfg.Endpoint, cfg.Region, cfg.Unthrottled = name, url, "eu-central-1", true
	s, err := New(cfg, 64<<20, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close() //nolint:errcheck // the benchmark is over
	list, err := s.Partitions(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	var from []engine.Start
	for _, p := range list {
		from = append(from, engine.Start{Partition: p.Name})
	}
	b.ReportAllocs()
	before := cpu()
	for b.Loop() {
		ctx, stop := context.WithCancel(b.Context())
		c := &counter{left: benchShards * benchRecords, lock: make(chan struct{}, 1), stop: stop}
		if err := s.Read(ctx, from, c); ctx.Err() == nil {
			b.Fatal(err)
		}
		stop()
	}
	records := float64(b.N) * benchShards * benchRecords
	b.ReportMetric(float64(cpu()-before)/records, "cpu-ns/record")
	b.ReportMetric(records/b.Elapsed().Seconds(), "records/s")
}
