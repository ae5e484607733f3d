package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-io/millrace/pipelines/pinterest/emulator"
)

// A broker is a Kafka broker in this process, for demo and bench.
type broker struct {
	cluster *kfake.Cluster
	address string
	topics  []string
}

// startBroker starts a broker on a free loopback port. With a folder it keeps everything there and goes on
// with it: each write is synced, so that a kill loses nothing a reader may have seen.
func startBroker(dir string, topics []string) (*broker, error) {
	opts := []kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(1, topics...)}
	if dir != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("make the broker's folder: %w", err)
		}
		opts = append(opts, kfake.DataDir(dir), kfake.SyncWrites())
	}
	c, err := kfake.NewCluster(opts...)
	if err != nil {
		return nil, fmt.Errorf("start the embedded broker: %w", err)
	}
	return &broker{cluster: c, address: c.ListenAddrs()[0], topics: topics}, nil
}

func (b *broker) close() { b.cluster.Close() }

func (b *broker) client() (*kgo.Client, error) {
	return kgo.NewClient(kgo.SeedBrokers(b.address), kgo.ProducerLinger(5*time.Millisecond), kgo.MaxBufferedRecords(50_000))
}

// ends is the end offset of each partition, by "topic/partition".
func (b *broker) ends(ctx context.Context) (map[string]int64, error) {
	client, err := b.client()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	req := kmsg.NewPtrListOffsetsRequest()
	for _, topic := range b.topics {
		t := kmsg.NewListOffsetsRequestTopic()
		t.Topic = topic
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Timestamp = -1 // the end
		t.Partitions = append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("ask the broker where its topics end: %w", err)
	}
	ends := map[string]int64{}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			ends[t.Topic+"/"+strconv.Itoa(int(p.Partition))] = p.Offset
		}
	}
	return ends, nil
}

// emulatorState is the emulator's place, kept in the demo's folder.
type emulatorState struct {
	Seed int64 `json:"seed"`
	Next int64 `json:"next"` // number of the next event
}

// demoSeed makes everybody's demo the same.
const demoSeed = 885

// post posts events to the broker: the demo's number, then with keep as many a second as asked until ctx is
// done.
func post(ctx context.Context, o demoOptions, b *broker) error {
	file := filepath.Join(o.dir, "emulator.json")
	state := emulatorState{Seed: demoSeed}
	if data, err := os.ReadFile(file); err == nil {
		if err := json.Unmarshal(data, &state); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	client, err := b.client()
	if err != nil {
		return err
	}
	defer client.Close()
	p := &poster{client: client, file: file, state: state, gen: emulator.New(state.Seed, state.Next)}
	for left := o.events; left > 0; left -= postRun {
		if err := p.post(ctx, min(left, postRun)); err != nil {
			return err
		}
	}
	if !o.keep {
		return nil
	}
	tick := time.NewTicker(time.Second / time.Duration(min(o.rate, postTicks)))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := p.post(ctx, int64(max(1, o.rate/postTicks))); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// postRun is how many events are posted at a time, and at most left out after a kill: their numbers are taken
// before, so that none ever comes twice.
const postRun = 1000

const postTicks = 10 // times a second that keep posts, at rates above that

// A poster sends events and keeps the emulator's place.
type poster struct {
	client *kgo.Client
	file   string
	state  emulatorState
	gen    *emulator.Emulator
}

// post sends n events. Their numbers are taken before: a kill in between leaves a gap, never two events of
// one number.
func (p *poster) post(ctx context.Context, n int64) error {
	p.state.Next += n
	data, err := json.Marshal(p.state)
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.file+".new", data, 0o644); err != nil {
		return fmt.Errorf("keep the emulator's place: %w", err)
	}
	if err := os.Rename(p.file+".new", p.file); err != nil {
		return fmt.Errorf("keep the emulator's place: %w", err)
	}
	var failed error
	for range n {
		for table, r := range p.gen.Next().Records() {
			p.client.Produce(ctx, &kgo.Record{Topic: demoTopic(table), Key: r.Key, Value: r.Value}, func(_ *kgo.Record, err error) {
				if err != nil && failed == nil {
					failed = err
				}
			})
		}
	}
	if err := p.client.Flush(ctx); err != nil {
		return err
	}
	if failed != nil {
		return fmt.Errorf("post to the embedded broker: %w", failed)
	}
	return nil
}

const (
	lockPatience = 3 * time.Second // a demo that was killed may take a moment to be gone
	lockPause    = 20 * time.Millisecond
)

// lockFolder keeps a second demo out of the folder; the lock goes with the process, however it ends.
func lockFolder(dir string) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock the demo's folder: %w", err)
	}
	for began := time.Now(); ; time.Sleep(lockPause) {
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			return func() { f.Close() }, nil
		}
		if time.Since(began) > lockPatience {
			return nil, errors.Join(usagef("another demo runs in %s: stop it, or give this one another folder with --dir", dir), f.Close())
		}
	}
}
