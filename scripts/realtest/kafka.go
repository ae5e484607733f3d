//go:build real

package realtest

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A Kafka is a real Apache Kafka broker of one test.
type Kafka struct {
	Brokers string // "127.0.0.1:" and a port of its own
	home    string
	env     []string
}

// patience bounds everything that is asked of a broker.
const patience = time.Minute

// StartKafka starts a broker without topics that nobody else uses, and stops it when the test ends. It
// takes some 10 seconds and a gibibyte of memory.
func StartKafka(t testing.TB) *Kafka {
	t.Helper()
	k := &Kafka{home: t.TempDir()}
	t.Cleanup(func() { k.Stop(t) })
	const attempts = 3 // a free port may be taken before the broker has it
	for range attempts {
		port, controller := freePort(t), freePort(t)
		k.Brokers = net.JoinHostPort("127.0.0.1", port)
		k.env = []string{"KAFKA_HOME=" + k.home, "KAFKA_PORT=" + port, "KAFKA_CONTROLLER_PORT=" + controller}
		out, err := runScript(t, k.env, "kafka.sh", "start")
		if err == nil {
			t.Logf("kafka: %s", out)
			return k
		}
		t.Logf("kafka: %v: %s%s", err, out, stderr(err))
		k.run(t, "clean") // the data know the ports
	}
	t.Fatal("the broker does not start")
	return nil
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// Start starts the broker again after Stop or Kill: same port, same data.
func (k *Kafka) Start(t testing.TB) { k.run(t, "start") }

// Stop shuts the broker down in good order. It may be stopped already.
func (k *Kafka) Stop(t testing.TB) { k.run(t, "stop") }

// Kill ends the broker with SIGKILL.
func (k *Kafka) Kill(t testing.TB) { k.run(t, "kill") }

func (k *Kafka) run(t testing.TB, command string) {
	t.Helper()
	if out, failed := script(t, k.env, "kafka.sh", command); failed {
		t.Fatalf("kafka.sh %s: %s", command, out)
	}
}

// Client makes a client of the broker. It is closed when the test ends.
func (k *Kafka) Client(t testing.TB, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(k.Brokers)}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// CreateTopic makes a topic. configs are pairs of a name and a value: "cleanup.policy", "compact".
func (k *Kafka) CreateTopic(t testing.TB, name string, partitions int32, configs ...string) {
	t.Helper()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, partitions, 1
	for i := 0; i+1 < len(configs); i += 2 {
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		c.Name, c.Value = configs[i], &configs[i+1]
		topic.Configs = append(topic.Configs, c)
	}
	request := kmsg.NewPtrCreateTopicsRequest()
	request.Topics = append(request.Topics, topic)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	response, err := request.RequestWith(ctx, k.Client(t))
	if err == nil {
		err = kerr.ErrorForCode(response.Topics[0].ErrorCode)
	}
	if err != nil {
		t.Fatalf("create topic %s: %v", name, err)
	}
}

// Produce sends records to their topics and partitions and waits until the broker has them.
func (k *Kafka) Produce(t testing.TB, records ...*kgo.Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client := k.Client(t, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatalf("produce: %v", err)
	}
}

// Consume reads a topic from the start until it has n records. They are in the order of their partitions.
func (k *Kafka) Consume(t testing.TB, topic string, n int) []*kgo.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	client := k.Client(t, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	var records []*kgo.Record
	for len(records) < n {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("%v", fmt.Errorf("consume %s: %d of %d records: %w", topic, len(records), n, err))
		}
		records = append(records, fetches.Records()...)
	}
	return records
}
