package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/kafka"
)

// A topic is a topic of a broker that trouble comes to, and a pipeline that reads it into one table. Its
// records are numbered.
type topic struct {
	name    string
	brokers string
	client  *kgo.Client
	dir     string
}

const largest = 8 << 20 // bytes of a record

func newTopic(t *testing.T, brokers, name string, partitions int32) *topic {
	t.Helper()
	k := &topic{name: name, brokers: brokers, dir: t.TempDir()}
	var err error
	if k.client, err = kgo.NewClient(k.options()...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.client.Close)
	if err := k.make(t, partitions); err != nil {
		t.Fatalf("make topic %s: %v", name, err)
	}
	return k
}

func (k *topic) make(t *testing.T, partitions int32) error {
	t.Helper()
	req := kmsg.NewPtrCreateTopicsRequest()
	rt := kmsg.NewCreateTopicsRequestTopic()
	rt.Topic, rt.NumPartitions, rt.ReplicationFactor = k.name, partitions, 1
	config := kmsg.NewCreateTopicsRequestTopicConfig()
	config.Name, config.Value = "max.message.bytes", kmsg.StringPtr(strconv.Itoa(2*largest))
	rt.Configs = append(rt.Configs, config)
	req.Topics, req.TimeoutMillis = append(req.Topics, rt), 30_000
	resp, err := req.RequestWith(t.Context(), k.client)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.Topics[0].ErrorCode)
}

// drop deletes the topic and gives the id that it had.
func (k *topic) drop(t *testing.T) (id [16]byte) {
	t.Helper()
	old, err := k.metadata(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	req := kmsg.NewPtrDeleteTopicsRequest()
	rt := kmsg.NewDeleteTopicsRequestTopic()
	rt.Topic = kmsg.StringPtr(k.name)
	req.TopicNames, req.Topics, req.TimeoutMillis = []string{k.name}, append(req.Topics, rt), 30_000
	resp, err := req.RequestWith(t.Context(), k.client)
	if err == nil {
		err = kerr.ErrorForCode(resp.Topics[0].ErrorCode)
	}
	if err != nil {
		t.Fatalf("delete topic %s: %v", k.name, err)
	}
	return old.TopicID
}

// remake makes the topic, which had the id old and was deleted, anew with n partitions, and returns when the broker tells of
// it. Brokers delete a while after they have answered.
func (k *topic) remake(t *testing.T, old [16]byte, n int32) {
	t.Helper()
	err := k.make(t, n)
	deadline := time.Now().Add(30 * time.Second)
	for errors.Is(err, kerr.TopicAlreadyExists) && time.Now().Before(deadline) {
		err = k.make(t, n)
	}
	if err != nil {
		t.Fatalf("make topic %s anew: %v", k.name, err)
	}
	k.await(t, func(told kmsg.MetadataResponseTopic) bool {
		return told.TopicID != old && len(told.Partitions) == int(n)
	})
}

func (k *topic) options(more ...kgo.Opt) []kgo.Opt {
	return append([]kgo.Opt{
		kgo.SeedBrokers(k.brokers), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchMaxBytes(2 * largest), kgo.BrokerMaxWriteBytes(4 * largest),
	}, more...)
}

func (k *topic) numbered(partition int32, from, to int) []*kgo.Record {
	var all []*kgo.Record
	for id := from; id < to; id++ {
		all = append(all, &kgo.Record{Topic: k.name, Partition: partition, Value: fmt.Appendf(nil, `{"id":%d,"text":"record %d"}`, id, id)})
	}
	return all
}

func (k *topic) produce(t *testing.T, records ...*kgo.Record) {
	t.Helper()
	k.produceBy(t, kgo.ClientID("test"), records...)
}

// produceBy produces records with one more option. It takes a client of its own, which knows all partitions
// that there are now.
func (k *topic) produceBy(t *testing.T, option kgo.Opt, records ...*kgo.Record) {
	t.Helper()
	client, err := kgo.NewClient(k.options(option)...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// transact produces records in a transaction.
func (k *topic) transact(t *testing.T, outcome kgo.TransactionEndTry, records ...*kgo.Record) {
	t.Helper()
	client, err := kgo.NewClient(k.options(kgo.TransactionalID(k.name))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	err = errors.Join(client.BeginTransaction(), client.ProduceSync(t.Context(), records...).FirstErr(), client.EndTransaction(t.Context(), outcome))
	if err != nil {
		t.Fatal(err)
	}
}

// grow adds partitions, so that there are n, and returns when the broker tells of all of them: it may answer
// that they are made before its metadata has them.
func (k *topic) grow(t *testing.T, n int32) {
	t.Helper()
	req := kmsg.NewPtrCreatePartitionsRequest()
	rt := kmsg.NewCreatePartitionsRequestTopic()
	rt.Topic, rt.Count = k.name, n
	req.Topics, req.TimeoutMillis = append(req.Topics, rt), 30_000
	resp, err := req.RequestWith(t.Context(), k.client)
	if err == nil {
		err = kerr.ErrorForCode(resp.Topics[0].ErrorCode)
	}
	if err != nil {
		t.Fatalf("add partitions to topic %s: %v", k.name, err)
	}
	k.await(t, func(told kmsg.MetadataResponseTopic) bool { return len(told.Partitions) >= int(n) })
}

// await waits until the broker tells of the topic what done wants to hear.
func (k *topic) await(t *testing.T, done func(kmsg.MetadataResponseTopic) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		told, err := k.metadata(ctx)
		if err != nil {
			t.Fatalf("wait for topic %s, of which %+v is told: %v", k.name, told, err)
		}
		if kerr.ErrorForCode(told.ErrorCode) == nil && done(told) {
			return
		}
	}
}

// metadata is what the broker tells of the topic.
func (k *topic) metadata(ctx context.Context) (kmsg.MetadataResponseTopic, error) {
	req := kmsg.NewPtrMetadataRequest()
	rt := kmsg.NewMetadataRequestTopic()
	rt.Topic = kmsg.StringPtr(k.name)
	req.Topics = append(req.Topics, rt)
	resp, err := req.RequestWith(ctx, k.client)
	if err != nil {
		return kmsg.MetadataResponseTopic{}, err
	}
	return resp.Topics[0], nil
}

// forget has the broker's retention pass partition 0 up to an offset.
func (k *topic) forget(t *testing.T, upTo int64) {
	t.Helper()
	req := kmsg.NewPtrDeleteRecordsRequest()
	rt := kmsg.NewDeleteRecordsRequestTopic()
	rt.Topic = k.name
	rp := kmsg.NewDeleteRecordsRequestTopicPartition()
	rp.Partition, rp.Offset = 0, upTo
	rt.Partitions, req.TimeoutMillis = append(rt.Partitions, rp), 30_000
	req.Topics = append(req.Topics, rt)
	resp, err := req.RequestWith(t.Context(), k.client)
	if err == nil {
		err = kerr.ErrorForCode(resp.Topics[0].Partitions[0].ErrorCode)
	}
	if err != nil {
		t.Fatalf("delete records of topic %s: %v", k.name, err)
	}
}

// definition writes the pipeline's definition, with more in its source.
func (k *topic) definition(t *testing.T, more string) string {
	t.Helper()
	return definition(t, k.dir, fmt.Sprintf(`
pipeline: trouble
lake: %s
sources:
  in:
    kafka: {brokers: ["%s"], topic: %s}
    format: json
    schema: {id: long!, text: string}
    %s
tables: {plain: {from: in}}
memory: {budget: 1MiB}
commit: {every: 100ms}
`, filepath.Join(k.dir, "lake"), k.brokers, k.name, more))
}

// run runs a definition until caught up. It must end with the code given.
func (k *topic) run(t *testing.T, file string, code int) (r report, stderr string) {
	t.Helper()
	got, stdout, stderr := millrace(t.Context(), "run", file, "--until-caught-up", "--http", "", "--json")
	if got != code {
		t.Fatalf("run ended with %d, want %d:\n%s", got, code, stderr)
	}
	if err := json.Unmarshal([]byte(stdout), &r); err != nil {
		t.Fatalf("%s: %v", stdout, err)
	}
	return r, stderr
}

// start runs the pipeline in this process until stop is called.
func (k *topic) start(t *testing.T, opt engine.Options, log *slog.Logger) (f *fleet, stop func()) {
	t.Helper()
	f, ended := k.begin(t, opt, log)
	return f, func() {
		f.stop()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	}
}

// begin runs the pipeline in this process; how that ended is sent.
func (k *topic) begin(t *testing.T, opt engine.Options, log *slog.Logger) (*fleet, <-chan error) {
	t.Helper()
	defs, err := loadAll([]string{k.definition(t, "")}, loadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := newFleet(defs, opt, log)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- f.run(t.Context()) }()
	return f, ended
}

// ids is the numbers in the table, sorted.
func (k *topic) ids(t *testing.T) []int {
	t.Helper()
	var all []int
	readTable(t, filepath.Join(k.dir, "lake", "plain"), func(line []byte) error {
		var row struct{ ID int }
		err := json.Unmarshal(line, &row)
		all = append(all, row.ID)
		return err
	})
	slices.Sort(all)
	return all
}

// has fails unless the table holds the numbers of the spans, each once.
func (k *topic) has(t *testing.T, spans ...[2]int) {
	t.Helper()
	var want []int
	for _, s := range spans {
		for id := s[0]; id < s[1]; id++ {
			want = append(want, id)
		}
	}
	if diff := cmp.Diff(want, k.ids(t)); diff != "" {
		t.Errorf("the table's numbers (-want +got):\n%s", diff)
	}
}

// troubles is what may happen to a topic, on any broker.
var troubles = map[string]func(t *testing.T, brokers string){
	"topic missing": func(t *testing.T, brokers string) {
		k := newTopic(t, brokers, "there", 1)
		k.name = "their"
		_, stderr := k.run(t, k.definition(t, ""), exitFailed)
		if last := lastLine(stderr); !strings.Contains(last, "source in: there is no topic their at ") || !strings.Contains(last, "there") {
			t.Errorf("ended with %q, want the topic and those there are", last)
		}
	},

	"retention passed us": func(t *testing.T, brokers string) {
		k := newTopic(t, brokers, "retention", 1)
		k.produce(t, k.numbered(0, 0, 100)...)
		k.run(t, k.definition(t, ""), exitDone)
		k.produce(t, k.numbered(0, 100, 200)...)
		k.forget(t, 150)
		_, stderr := k.run(t, k.definition(t, ""), exitFailed)
		want := "source in, partition 0: the records from offset 100 to 149 are gone: the broker's retention has passed them before they were read; " +
			"to go on without them set on_data_loss: continue"
		if last := lastLine(stderr); !strings.Contains(last, want) {
			t.Errorf("ended with %q, want %q", last, want)
		}
		r, _ := k.run(t, k.definition(t, "on_data_loss: continue"), exitDone)
		if c := r.Ledger["in"]; c.Lost != 50 || c.In != 50 || c.Out != 50 {
			t.Errorf("the ledger says %+v, want 50 lost, 50 in and out", c)
		}
		k.has(t, [2]int{0, 100}, [2]int{150, 200})
	},

	"topic made anew": func(t *testing.T, brokers string) {
		k := newTopic(t, brokers, "anew", 2)
		lake := filepath.Join(k.dir, "lake")
		k.produce(t, append(k.numbered(0, 0, 100), k.numbered(1, 100, 200)...)...)
		k.run(t, k.definition(t, ""), exitDone)
		k.run(t, k.definition(t, ""), exitDone) // which finds nothing new
		want := regexp.MustCompile(`^millrace: pipeline trouble: source in, partition 0: it was deleted and made anew since, or the definition leads to another one now ` +
			`\(it is topic anew of id [\w-]{22} and was topic anew of id [\w-]{22}\), so the positions of the checkpoint mean nothing there: ` +
			`to read the new one from its beginning give the source another name in the definition, and start once with --drop-source in$`)
		before := files(t, lake)
		for _, n := range []int{150, 50, 0} { // beyond the old position, below it, and nothing at all
			k.remake(t, k.drop(t), 1)
			k.produce(t, k.numbered(0, 200, 200+n)...)
			for _, more := range []string{"", "on_data_loss: continue"} {
				_, stderr := k.run(t, k.definition(t, more), exitFailed)
				if last := lastLine(stderr); !want.MatchString(last) {
					t.Errorf("with %d records and %q it ended with %q, want %v", n, more, last, want)
				}
			}
			if diff := cmp.Diff(before, files(t, lake)); diff != "" {
				t.Errorf("the refused runs changed the lake (-before +after):\n%s", diff)
			}
		}
		k.produce(t, k.numbered(0, 200, 300)...)
		text, err := os.ReadFile(k.definition(t, ""))
		if err != nil {
			t.Fatal(err)
		}
		again := definition(t, k.dir, strings.NewReplacer("  in:", "  anew:", "from: in", "from: anew").Replace(string(text)))
		if code, _, stderr := millrace(t.Context(), "run", again, "--until-caught-up", "--http", "", "--drop-source", "in"); code != exitDone {
			t.Errorf("with the cure it ended with %d:\n%s", code, stderr)
		}
		k.has(t, [2]int{0, 300})
	},

	"topic made anew while read": func(t *testing.T, brokers string) {
		k := newTopic(t, brokers, "renewed", 1)
		k.produce(t, k.numbered(0, 0, 100)...)
		warned := make(lines, 1)
		f, ended := k.begin(t, engine.Options{Discover: time.Hour}, slog.New(slog.NewTextHandler(warned, &slog.HandlerOptions{Level: slog.LevelWarn})))
		f.await(t, 100)
		old := k.drop(t)
		select {
		case line := <-warned:
			if !strings.Contains(line, "reading is interrupted") {
				t.Errorf("logged %s, want that reading is interrupted", line)
			}
		case err := <-ended:
			t.Fatalf("the run ended with the topic: %v", err)
		case <-time.After(time.Minute):
			t.Fatal("nothing was said of the topic that is gone")
		}
		k.remake(t, old, 1)
		k.produce(t, k.numbered(0, 1000, 1150)...)
		want := "source in: topic renewed, partition 0: the topic was deleted and made anew while it was read (its id is "
		select {
		case err := <-ended:
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("the run ended with %v, want %q", err, want)
			}
		case <-time.After(time.Minute):
			t.Fatal("the run goes on with the new topic")
		}
		k.has(t, [2]int{0, 100})
		want = "source in, partition 0: it was deleted and made anew since"
		if _, stderr := k.run(t, k.definition(t, ""), exitFailed); !strings.Contains(lastLine(stderr), want) {
			t.Errorf("the next run ended with %q, want %q", lastLine(stderr), want)
		}
	},

	"partitions added": func(t *testing.T, brokers string) {
		k := newTopic(t, brokers, "grows", 1)
		k.produce(t, k.numbered(0, 0, 100)...)
		f, stop := k.start(t, engine.Options{Discover: 50 * time.Millisecond}, slog.New(slog.DiscardHandler))
		f.await(t, 100)
		k.grow(t, 3)
		k.produce(t, append(k.numbered(1, 100, 200), k.numbered(2, 200, 300)...)...)
		k.produce(t, k.numbered(0, 300, 400)...)
		f.await(t, 400)
		stop()
		joined := 0
		for _, p := range f.pipelines[0].task.Status().Partitions {
			if p.JoinedEpoch > 0 {
				joined++
			}
		}
		if joined != 2 {
			t.Errorf("status shows %d partitions that joined later, want 2", joined)
		}
		k.run(t, k.definition(t, ""), exitDone) // which finds nothing new
		k.has(t, [2]int{0, 400})
	},

	// Not beside transactions: kfake leaves out which were aborted where a batch does not fit any more.
	"records larger than all bounds": func(t *testing.T, brokers string) {
		k := newTopic(t, brokers, "large", 1)
		large := fmt.Sprintf(`{"id":10,"text":%q}`, strings.Repeat("x", largest-1000))
		huge := strings.Repeat("no JSON ", largest/8-1000)
		k.produce(t, k.numbered(0, 0, 10)...)
		k.produce(t, &kgo.Record{Topic: k.name, Value: []byte(large)}, &kgo.Record{Topic: k.name, Value: []byte(huge)})
		k.produce(t, k.numbered(0, 11, 20)...)
		r, _ := k.run(t, k.definition(t, ""), exitDone)
		if c := r.Ledger["in"]; c.In != 21 || c.Out != 20 || c.Quarantined != 1 {
			t.Errorf("the ledger says %+v, want 21 in, 20 out and 1 quarantined", c)
		}
		k.has(t, [2]int{0, 20})
		readTable(t, filepath.Join(k.dir, "lake", "plain"), func(line []byte) error {
			var row struct {
				ID   int
				Text string
			}
			err := json.Unmarshal(line, &row)
			if row.ID == 10 && len(row.Text) != largest-1000 {
				t.Errorf("the large text has %d bytes in the table, want %d", len(row.Text), largest-1000)
			}
			return err
		})
		readTable(t, filepath.Join(k.dir, "lake", "trouble_quarantine"), func(line []byte) error {
			var r refusal
			err := json.Unmarshal(line, &r)
			if r.Reason != "decode" || string(r.Bytes) != huge {
				t.Errorf("quarantined for %s with %d bytes, want decode with %d", r.Reason, len(r.Bytes), len(huge))
			}
			return err
		})
	},

	"compression, transactions, tombstones": func(t *testing.T, brokers string) {
		k := newTopic(t, brokers, "kinds", 1)
		k.produce(t, k.numbered(0, 0, 10)...)
		k.produce(t, &kgo.Record{Topic: k.name, Key: []byte("3")}) // a tombstone
		k.transact(t, kgo.TryAbort, k.numbered(0, 1000, 1010)...)
		next := 10
		for _, codec := range []kgo.CompressionCodec{kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression()} {
			k.produceBy(t, kgo.ProducerBatchCompression(codec), k.numbered(0, next, next+100)...)
			next += 100
		}
		k.transact(t, kgo.TryCommit, k.numbered(0, next, next+10)...)
		k.transact(t, kgo.TryAbort, k.numbered(0, 2000, 2010)...) // no reader is given any more, and the run ends
		next += 10
		r, _ := k.run(t, k.definition(t, ""), exitDone)
		if c, n := r.Ledger["in"], int64(next); c.In != n+1 || c.Out != n || c.Filtered != 1 {
			t.Errorf("the ledger says %+v, want %d in, %d out and 1 filtered", c, n+1, n)
		}
		k.has(t, [2]int{0, next})
	},
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}

// await waits until the fleet's first pipeline has committed n rows.
func (f *fleet) await(t *testing.T, n int64) {
	t.Helper()
	deadline := time.After(time.Minute)
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for f.pipelines[0].task.Status().Ledger["in"].Out < n {
		select {
		case <-look.C:
		case <-deadline:
			t.Fatalf("%d rows did not come: %+v", n, f.pipelines[0].task.Status().Ledger["in"])
		}
	}
}

func TestTroubles(t *testing.T) {
	for name, trouble := range troubles {
		t.Run(name, func(t *testing.T) {
			c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.BrokerConfigs(map[string]string{"message.max.bytes": strconv.Itoa(2 * largest)}))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Close)
			trouble(t, c.ListenAddrs()[0])
		})
	}
}

// A group that may not be written to is the lag monitors' loss alone, and it is said.
func TestGroupIsRefused(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.ControlKey(int16(kmsg.FindCoordinator), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := req.ResponseKind().(*kmsg.FindCoordinatorResponse)
		resp.ErrorCode = kerr.GroupAuthorizationFailed.Code
		return resp, nil, true
	})
	k := newTopic(t, c.ListenAddrs()[0], "grouped", 1)
	k.produce(t, k.numbered(0, 0, 100)...)
	warned := make(lines, 1)
	f, stop := k.start(t, engine.Options{}, slog.New(slog.NewTextHandler(warned, &slog.HandlerOptions{Level: slog.LevelWarn})))
	f.await(t, 100)
	select {
	case line := <-warned:
		if !strings.Contains(line, "could not mark what is committed: lag monitors will show too much") || !strings.Contains(line, "grouped") && !strings.Contains(line, "group millrace-trouble-in") {
			t.Errorf("logged %s, want what is wrong with which group", line)
		}
	case <-time.After(time.Minute):
		t.Error("nothing was said of the group")
	}
	stop()
	k.has(t, [2]int{0, 100})
}

// lines is what is logged, as far as it has room.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	select {
	case l <- string(line):
	default: // nobody looks
	}
	return len(line), nil
}

// keepBroker DIR PORT TOPIC is a broker in a process of its own that keeps what it has in a folder. It
// prints its address and ends with its stdin.
func keepBroker() {
	port, err := strconv.Atoi(os.Args[2])
	if err == nil {
		var c *kfake.Cluster
		c, err = kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(4, os.Args[3]), kfake.DataDir(os.Args[1]), kfake.SyncWrites(), kfake.Ports(port))
		if err == nil {
			fmt.Println(c.ListenAddrs()[0])
			_, err = io.Copy(io.Discard, os.Stdin)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A keptBroker is the process of keepBroker.
type keptBroker struct {
	dir     string
	address string // of the first start, kept from then on
	cmd     *exec.Cmd
}

func (b *keptBroker) start(t *testing.T) {
	t.Helper()
	port := "0"
	if _, p, ok := strings.Cut(b.address, ":"); ok {
		port = p
	}
	b.cmd = exec.Command("keepbroker", b.dir, port, "kill")
	b.cmd.Stderr = os.Stderr
	if _, err := b.cmd.StdinPipe(); err != nil { // which ends with this process, however it ends
		t.Fatal(err)
	}
	stdout, err := b.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the broker did not start: %v", err)
	}
	b.address = strings.TrimSpace(line)
}

func (b *keptBroker) kill(t *testing.T) {
	t.Helper()
	if err := b.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	b.cmd.Wait() //nolint:errcheck // it was killed
}

// outlive has the binary run while records keep coming and the broker is killed and started again twice.
// The process waits, says so, goes on, and the tables have every record once.
func (k *killing) outlive(t *testing.T, kill, start func(t *testing.T)) {
	k.prepare(t)
	k.hurry = make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	produced := make(chan error, 1)
	go func() { produced <- k.produce(ctx) }()
	cmd := k.start(t)
	for range 2 {
		k.await(t, k.version(ctx)+1)
		kill(t)
		start(t)
	}
	k.await(t, k.version(ctx)+1)
	close(k.hurry)
	if err := <-produced; err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("the process: %v\n%s", err, cmd.Stderr)
	}
	if said := fmt.Sprint(cmd.Stderr); !strings.Contains(said, "reading is interrupted; it goes on when a broker answers") {
		t.Errorf("the process does not say that the broker was away:\n%s", said)
	}
	last := k.start(t, "--until-caught-up")
	if err := last.Wait(); err != nil {
		t.Fatalf("the last run: %v\n%s", err, last.Stderr)
	}
	want := k.inTopic(t)
	for table, most := range map[string]int{"plain": math.MaxInt, "deduped": 1} {
		got := make([]int, k.records)
		readTable(t, filepath.Join(k.dir, "lake", table), func(line []byte) error {
			var row struct{ ID int }
			err := json.Unmarshal(line, &row)
			got[row.ID]++
			return err
		})
		lost, doubled := 0, 0
		for id, n := range got {
			lost += max(0, min(want[id], most)-n)
			doubled += max(0, n-min(want[id], most))
		}
		if lost > 0 || doubled > 0 {
			t.Errorf("table %s: %d lost, %d doubled of %d", table, lost, doubled, k.records)
		}
	}
}

// inTopic counts how often each record is in the topic: once, unless a broker that was killed has forgotten
// what its producer had sent and takes a retry for something new.
func (k *killing) inTopic(t *testing.T) []int {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(k.brokers), kgo.ConsumeTopics(k.topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	left := int64(0)
	for _, p := range k.partitions(t) {
		left += int64(p.End - p.First)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	count := make([]int, k.records)
	for left > 0 {
		fetched := client.PollFetches(ctx)
		if err := fetched.Err(); err != nil {
			t.Fatalf("%d records are left: %v", left, err)
		}
		for _, r := range fetched.Records() {
			var row struct{ ID int }
			if err := json.Unmarshal(r.Value, &row); err != nil {
				t.Fatal(err)
			}
			count[row.ID]++
			left--
		}
	}
	return count
}

// partitions is those of the topic, with their ends.
func (k *killing) partitions(t *testing.T) []engine.Partition {
	t.Helper()
	c := kafka.Defaults()
	c.Brokers, c.Topic = []string{k.brokers}, k.topic
	source, err := kafka.New(c, 1<<20, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	all, err := source.Partitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestBrokerKilled(t *testing.T) {
	b := &keptBroker{dir: t.TempDir()}
	b.start(t)
	defer func() { b.kill(t) }()
	// A killed kfake has forgotten its producers, so an idempotent one may give up; retries are counted in the topic.
	k := &killing{brokers: b.address, topic: "kill", records: 40_000, rate: 1000}
	k.producer = []kgo.Opt{kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(1)}
	k.outlive(t, b.kill, b.start)
}
