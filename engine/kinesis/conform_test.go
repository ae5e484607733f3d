package kinesis

import (
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/enginetest/sourcetest"
	"github.com/millrace-io/millrace/engine/kinesis/kinesistest"
)

func TestConforms(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T, partitions int) sourcetest.Harness { return harness(t, serve(t, partitions)) })
}

// TestConformsJSON: the same of a server that does not know CBOR.
func TestConformsJSON(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T, partitions int) sourcetest.Harness {
		v := serve(t, partitions)
		v.NoCBOR = true
		return harness(t, v)
	})
}

// TestConformsFanOut: the same by subscriptions, which end all the time.
func TestConformsFanOut(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T, partitions int) sourcetest.Harness {
		v := serve(t, partitions)
		v.Subscription = 100 * time.Millisecond
		h := harness(t, v, func(c *Config) { c.FanOut = "millrace" })
		h.Asked = nil // the server pushes, and the kernel holds some megabytes of it
		return h
	})
}

func harness(t *testing.T, v *kinesistest.Server, change ...func(*Config)) sourcetest.Harness {
	v.PageShards = 2
	const noKey = "-" // what a record without a key is put with: Kinesis has none
	put := func(partition string, records ...sourcetest.Record) {
		for _, r := range records {
			v.Put(stream, partition, keyOf(r, noKey), r.Value)
		}
		for now := time.Now().UnixMilli(); time.Now().UnixMilli() == now; { //nolint:revive // what comes later is to have a later time
		}
	}
	list := open(t, v)
	var names []string
	all, err := list.Partitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		names = append(names, p.Name)
	}
	return sourcetest.Harness{
		Partitions: names, Append: put,
		Source: func() engine.Source {
			return open(t, v, func(c *Config) {
				c.FetchRecords = 64
				for _, f := range change {
					f(c)
				}
			})
		},
		Kept: func(r sourcetest.Record) sourcetest.Record {
			return sourcetest.Record{Key: []byte(keyOf(r, noKey)), Value: append([]byte{}, r.Value...)}
		},
		Own:    func(header string) bool { return header == numberHeader },
		Grow:   func() string { return v.Add(stream) },
		Divide: func(partition string) []string { return v.Split(stream, partition) },
		Down:   func() { v.Down(true) }, Up: func() { v.Down(false) }, Outage: 500 * time.Millisecond,
		Asked: func(partition string) engine.Offset { return engine.Offset(v.Asked(stream, partition)) },
		Ahead: 3 << 20,
	}
}

// keyOf is a partition key for a record: text of at least one character.
func keyOf(r sourcetest.Record, none string) string {
	for _, c := range r.Key {
		if c < ' ' || c > '~' {
			return none
		}
	}
	if len(r.Key) == 0 {
		return none
	}
	return string(r.Key)
}
