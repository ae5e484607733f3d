//go:build real

package main

import (
	"testing"

	"github.com/millrace-io/millrace/scripts/realtest"
)

func TestRealTroubles(t *testing.T) {
	k := realtest.StartKafka(t)
	for name, trouble := range troubles {
		t.Run(name, func(t *testing.T) { trouble(t, k.Brokers) })
	}
}

func TestRealBrokerKilled(t *testing.T) {
	k := realtest.StartKafka(t)
	k.CreateTopic(t, "kill", 4)
	(&killing{brokers: k.Brokers, topic: "kill", records: 200_000, rate: 20_000}).outlive(t,
		func(t *testing.T) { k.Kill(t) }, func(t *testing.T) { k.Start(t) })
}
