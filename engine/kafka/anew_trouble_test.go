package kafka

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/millrace-io/millrace/engine"
)

// drop deletes the topic; remake makes it anew, with one partition.
func drop(t *testing.T, c *kfake.Cluster) {
	t.Helper()
	req := kmsg.NewPtrDeleteTopicsRequest()
	rt := kmsg.NewDeleteTopicsRequestTopic()
	rt.Topic = kmsg.StringPtr(topic)
	req.TopicNames, req.Topics, req.TimeoutMillis = []string{topic}, append(req.Topics, rt), 10_000
	resp, err := req.RequestWith(t.Context(), newClient(t, c))
	if err == nil {
		err = kerr.ErrorForCode(resp.Topics[0].ErrorCode)
	}
	if err != nil {
		t.Fatalf("delete the topic: %v", err)
	}
}

func remake(t *testing.T, c *kfake.Cluster) {
	t.Helper()
	req := kmsg.NewPtrCreateTopicsRequest()
	rt := kmsg.NewCreateTopicsRequestTopic()
	rt.Topic, rt.NumPartitions, rt.ReplicationFactor = topic, 1, 1
	req.Topics, req.TimeoutMillis = append(req.Topics, rt), 10_000
	resp, err := req.RequestWith(t.Context(), newClient(t, c))
	if err == nil {
		err = kerr.ErrorForCode(resp.Topics[0].ErrorCode)
	}
	if err != nil {
		t.Fatalf("make the topic: %v", err)
	}
}

func newClient(t *testing.T, c *kfake.Cluster) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// one gives the topic's only partition.
func one(t *testing.T, s *Source) engine.Partition {
	t.Helper()
	all, err := s.Partitions(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("partitions are %v, %v; want one", all, err)
	}
	return all[0]
}

// A topic that was made anew has another id, whatever version the definition gives; older brokers don't tell.
func TestTopicMadeAnew(t *testing.T) {
	for name, c := range map[string]struct {
		brokers *kversion.Versions
		version string
		told    bool
	}{
		"2.1":                 {kversion.V2_1_0(), "2.1.0", false},
		"2.7":                 {kversion.V2_7_0(), "2.7.0", false},
		"2.8":                 {kversion.V2_8_0(), "2.1.0", true},
		"new":                 {kversion.Stable(), "2.1.0", true},
		"new, and said to be": {kversion.Stable(), "3.6.0", true},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := startCluster(t, 1, kfake.MaxVersions(c.brokers))
			s := newSource(t, cluster, func(cfg *Config) { cfg.Version = c.version })
			first := one(t, s)
			if told := strings.HasPrefix(first.ID, "topic t of id "); told != c.told || !told && first.ID != "" {
				t.Errorf("the partition's id is %q, want one: %v", first.ID, c.told)
			}
			produce(t, cluster, numbered(0, 0, 10))
			if again := one(t, newSource(t, cluster)); again.ID != first.ID {
				t.Errorf("the id of the same topic is %q and was %q", again.ID, first.ID)
			}
			drop(t, cluster)
			remake(t, cluster)
			if anew := one(t, s); (anew.ID == first.ID) == c.told {
				t.Errorf("made anew its id is %q and was %q, want another: %v", anew.ID, first.ID, c.told)
			}
			got := newCollector(-1)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			err := s.Read(ctx, []engine.Start{{Partition: "0", From: 5}}, got)
			if err == nil || !strings.Contains(err.Error(), "ends at offset 0") {
				t.Errorf("reading on at an offset that is not there ended with %v", err)
			}
		})
	}
}

// A topic that is made anew while it is read ends the reading before a record of the new one came, even if there are more
// than were read of the old one. Deleted and not yet made anew it is waited for.
func TestTopicMadeAnewWhileRead(t *testing.T) {
	c := startCluster(t, 1)
	produce(t, c, numbered(0, 0, 10))
	s, first, all := newSource(t, c), newCollector(10), newCollector(-1)
	log, ended := listen(s), make(chan error, 1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	go func() { ended <- s.Read(ctx, []engine.Start{{Partition: "0"}}, both{first, all}) }()
	wait(t, first.enough)
	drop(t, c)
	log.await(t, "reading is interrupted")
	remake(t, c)
	produce(t, c, numbered(0, 10, 30))
	err := <-ended
	if want := "topic t, partition 0: the topic was deleted and made anew while it was read (its id is "; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("reading ended with %v, want %q", err, want)
	}
	if !errors.As(err, new(fatal)) {
		t.Errorf("%v is tried again", err)
	}
	all.check(t, 0, 0, 10)
}

func TestAfterTags(t *testing.T) {
	for name, c := range map[string]struct {
		body, rest []byte
		ok         bool
	}{
		"none":             {[]byte{0, 7, 8}, []byte{7, 8}, true},
		"two":              {[]byte{2, 0, 1, 9, 1, 2, 9, 9, 7}, []byte{7}, true},
		"nothing":          {nil, nil, false},
		"one too few":      {[]byte{2, 0, 0}, nil, false},
		"cut short":        {[]byte{1, 0, 3, 9, 9}, nil, false},
		"no end of a size": {[]byte{1, 0, 0x80}, nil, false},
		"a huge number":    {[]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1}, nil, false},
	} {
		if rest, ok := afterTags(c.body); ok != c.ok || ok && !bytes.Equal(rest, c.rest) {
			t.Errorf("%s: %v, %v; want %v, %v", name, rest, ok, c.rest, c.ok)
		}
	}
}
