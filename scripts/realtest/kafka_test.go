//go:build real

package realtest_test

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-io/millrace/bench/pins"
	"github.com/millrace-io/millrace/scripts/realtest"
)

// What is produced comes back, in the order of its partition, also from a broker that was killed in between.
func TestKafka(t *testing.T) {
	const topic, partitions, n = "pins", 4, 4000
	k := realtest.StartKafka(t)
	k.CreateTopic(t, topic, partitions)
	send(t, k, topic, n)
	check(t, k.Consume(t, topic, n), n)

	k.Kill(t)
	k.Start(t)
	check(t, k.Consume(t, topic, n), n)
}

func send(t *testing.T, k *realtest.Kafka, topic string, n int64) {
	t.Helper()
	var records []*kgo.Record
	for _, r := range pins.All(pins.Config{Records: n}) {
		records = append(records, &kgo.Record{Topic: topic, Partition: int32(r.Partition), Key: r.Key, Value: r.Value})
	}
	k.Produce(t, records...)
}

func check(t *testing.T, got []*kgo.Record, n int64) {
	t.Helper()
	byPartition := map[string][]byte{}
	for _, r := range got {
		byPartition[fmt.Sprintf("%d@%d", r.Partition, r.Offset)] = r.Value
	}
	next := map[int]int{}
	for i, r := range pins.All(pins.Config{Records: n}) {
		place := fmt.Sprintf("%d@%d", r.Partition, next[r.Partition])
		next[r.Partition]++
		if string(byPartition[place]) != string(r.Value) {
			t.Fatalf("record %d, sent to %s: got %q, want %q", i, place, byPartition[place], r.Value)
		}
	}
	if int64(len(got)) != n || int64(len(byPartition)) != n {
		t.Fatalf("%d records at %d places, want %d", len(got), len(byPartition), n)
	}
}
