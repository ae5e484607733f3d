package kafka

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-io/millrace/engine"
)

// deleteRecords has the broker's retention pass a partition up to an offset.
func deleteRecords(t *testing.T, c *kfake.Cluster, partition int32, upTo int64) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	req := kmsg.NewPtrDeleteRecordsRequest()
	rt := kmsg.NewDeleteRecordsRequestTopic()
	rt.Topic = topic
	rp := kmsg.NewDeleteRecordsRequestTopicPartition()
	rp.Partition, rp.Offset = partition, upTo
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	resp, err := req.RequestWith(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	if err := kerr.ErrorForCode(resp.Topics[0].Partitions[0].ErrorCode); err != nil {
		t.Fatal(err)
	}
}

func TestRetentionPassedUs(t *testing.T) {
	c := startCluster(t, 1)
	produce(t, c, numbered(0, 0, 100))
	deleteRecords(t, c, 0, 40)
	t.Run("continue", func(t *testing.T) {
		got := newCollector(60)
		got.read(t, newSource(t, c), engine.Start{Partition: "0", From: 10})
		got.check(t, 0, 40, 100)
		if len(got.lost) != 1 || got.lost[0] != "0: 10 to 40" {
			t.Errorf("lost %v, want offsets 10 to 40 of partition 0", got.lost)
		}
	})
	t.Run("fail", func(t *testing.T) {
		got := newCollector(1)
		got.refuse = errors.New("not allowed")
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		err := newSource(t, c).Read(ctx, []engine.Start{{Partition: "0", From: 10}}, got)
		if !errors.Is(err, got.refuse) {
			t.Errorf("reading ended with %v, want what Lost gave", err)
		}
	})
}

func TestTopicCutShort(t *testing.T) {
	c := startCluster(t, 1)
	produce(t, c, numbered(0, 0, 10))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := newSource(t, c).Read(ctx, []engine.Start{{Partition: "0", From: 50}}, newCollector(1))
	if err == nil || !strings.Contains(err.Error(), "ends at offset 10") {
		t.Errorf("reading ended with %v, want an error that says where the partition ends", err)
	}
}

// A broker that is restarted in mid-run is waited for: every record comes, in order.
func TestBrokerRestarted(t *testing.T) {
	dir := t.TempDir()
	start := func(port int) *kfake.Cluster {
		return startCluster(t, 1, kfake.Ports(port), kfake.DataDir(dir), kfake.SyncWrites())
	}
	c := start(0)
	_, port, _ := net.SplitHostPort(c.ListenAddrs()[0])
	n, _ := strconv.Atoi(port)
	produce(t, c, numbered(0, 0, 100))

	s, first, all := newSource(t, c), newCollector(100), newCollector(200)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Read(ctx, []engine.Start{{Partition: "0"}}, both{first, all}) }()
	wait(t, first.enough)
	c.Close()
	c = start(n)
	produce(t, c, numbered(0, 100, 200))
	wait(t, all.enough)
	cancel()
	<-ended
	all.check(t, 0, 0, 200)
}

// both gives what comes to two sinks.
type both struct{ a, b *collector }

func (s both) Frame(ctx context.Context, p string, f engine.Frame) error {
	return errors.Join(s.a.Frame(ctx, p, f), s.b.Frame(ctx, p, f))
}

func (s both) Passed(p string, to engine.Offset) error { return s.b.Passed(p, to) }

func (s both) Ended(string) error { return nil }

func (s both) Lost(p string, from, to engine.Offset) error { return s.b.Lost(p, from, to) }

func wait(t *testing.T, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatal("what was waited for did not come")
	}
}

func TestLeaderMoves(t *testing.T) {
	c := startCluster(t, 1, kfake.NumBrokers(3))
	produce(t, c, numbered(0, 0, 100))
	s, first, all := newSource(t, c), newCollector(100), newCollector(200)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Read(ctx, []engine.Start{{Partition: "0"}}, both{first, all}) }()
	wait(t, first.enough)
	for node := range int32(3) {
		if err := c.MoveTopicPartition(topic, 0, node); err != nil {
			t.Fatal(err)
		}
	}
	produce(t, c, numbered(0, 100, 200))
	wait(t, all.enough)
	cancel()
	<-ended
	all.check(t, 0, 0, 200)
}

// Partitions that were added are read by a second call of Read beside the first.
func TestPartitionsAdded(t *testing.T) {
	c := startCluster(t, 1)
	produce(t, c, numbered(0, 0, 10))
	s, got := newSource(t, c), newCollector(20)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	go func() { ended <- s.Read(ctx, []engine.Start{{Partition: "0"}}, got) }()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	req := kmsg.NewPtrCreatePartitionsRequest()
	rt := kmsg.NewCreatePartitionsRequestTopic()
	rt.Topic, rt.Count = topic, 2
	req.Topics = append(req.Topics, rt)
	req.TimeoutMillis = 10_000
	if _, err := req.RequestWith(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	produce(t, c, numbered(1, 0, 10))
	parts, err := s.Partitions(t.Context())
	if err != nil || len(parts) != 2 {
		t.Fatalf("%d partitions, %v; want 2", len(parts), err)
	}
	go func() { ended <- s.Read(ctx, []engine.Start{{Partition: "1"}}, got) }()
	wait(t, got.enough)
	cancel()
	<-ended
	<-ended
	got.check(t, 0, 0, 10)
	got.check(t, 1, 0, 10)
}

func TestLogsIn(t *testing.T) {
	t.Parallel()
	for _, mechanism := range mechanisms() {
		t.Run(mechanism, func(t *testing.T) {
			t.Parallel()
			c := startCluster(t, 1, kfake.EnableSASL(), kfake.Superuser(mechanism, "u", "secret"))
			s := newSource(t, c, func(c *Config) { c.SASL = SASL{Mechanism: mechanism, User: "u", Password: "secret"} })
			if parts, err := s.Partitions(t.Context()); err != nil || len(parts) != 1 {
				t.Fatalf("%d partitions, %v; want 1", len(parts), err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			wrong := newSource(t, c, func(c *Config) { c.SASL = SASL{Mechanism: mechanism, User: "u", Password: "wrong-password"} })
			if _, err := wrong.Partitions(ctx); err == nil || strings.Contains(err.Error(), "wrong-password") {
				t.Errorf("got %v, want an error without the password in it", err)
			}
		})
	}
}

func TestTLS(t *testing.T) {
	pair, ca := certificate(t)
	c := startCluster(t, 1, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{pair}}))
	s := newSource(t, c, func(c *Config) { c.TLS = TLS{Enabled: true, CAFile: ca} })
	if parts, err := s.Partitions(t.Context()); err != nil || len(parts) != 1 {
		t.Fatalf("%d partitions, %v; want 1", len(parts), err)
	}
}

// certificate makes one that signs itself, for loopback.
func certificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

func TestValidate(t *testing.T) {
	good := Config{Brokers: []string{"a:1, b:2"}, Topic: "t", Version: "2.1.0"}
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"good":                  {func(*Config) {}, ""},
		"no broker":             {func(c *Config) { c.Brokers = []string{" "} }, "no broker"},
		"no port":               {func(c *Config) { c.Brokers = []string{"a"} }, "host:port"},
		"no topic":              {func(c *Config) { c.Topic = "" }, "topic is empty"},
		"too old":               {func(c *Config) { c.Version = "1.0.0" }, "2.1.0"},
		"no version":            {func(c *Config) { c.Version = "new" }, "2.1.0"},
		"unknown mechanism":     {func(c *Config) { c.SASL = SASL{Mechanism: "X", User: "u"} }, "SCRAM-SHA-256"},
		"user without one":      {func(c *Config) { c.SASL = SASL{User: "u"} }, "mechanism"},
		"no password":           {func(c *Config) { c.SASL = SASL{Mechanism: "PLAIN", User: "u"} }, "password"},
		"fetches too large":     {func(c *Config) { c.FetchBytes = mostFetch + 1 }, "8MiB"},
		"certificate, no key":   {func(c *Config) { c.TLS.CertFile = "x" }, "key_file"},
		"fetches below nothing": {func(c *Config) { c.FetchBytes = -1 }, "-1"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := good
			c.change(&cfg)
			err := cfg.Validate()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	c := Config{Brokers: []string{"a:1"}, Topic: "t", SASL: SASL{Mechanism: "PLAIN", User: "u", Password: "hush"}}
	if s := c.String() + c.LogValue().String(); strings.Contains(s, "hush") {
		t.Errorf("the password is shown: %s", s)
	}
}

// A new leader is being elected when reading begins (as for a partition that was just added): engine.Source
// says that errors that may pass are retried inside Read.
func TestReadWhileLeaderIsElected(t *testing.T) {
	c := startCluster(t, 1)
	produce(t, c, numbered(0, 0, 10))
	s := newSource(t, c)
	if _, err := s.Partitions(t.Context()); err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(c.ListenAddrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	c.ControlKey(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		in := req.(*kmsg.MetadataRequest)
		if len(in.Topics) == 0 || asked.Add(1) > 3 {
			return nil, nil, false
		}
		resp := in.ResponseKind().(*kmsg.MetadataResponse)
		broker := kmsg.NewMetadataResponseBroker()
		broker.Host, broker.Port = host, int32(number)
		resp.Brokers = append(resp.Brokers, broker)
		mt := kmsg.NewMetadataResponseTopic()
		mt.Topic = in.Topics[0].Topic
		mp := kmsg.NewMetadataResponseTopicPartition()
		mp.ErrorCode, mp.Leader = kerr.LeaderNotAvailable.Code, -1
		mt.Partitions = append(mt.Partitions, mp)
		resp.Topics = append(resp.Topics, mt)
		return resp, nil, true
	})
	got := newCollector(10)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.Read(ctx, []engine.Start{{Partition: "0"}}, got) }()
	select {
	case <-got.enough:
		cancel()
		<-ended
	case err := <-ended:
		t.Errorf("reading ended instead of waiting for a leader: %v", err)
	case <-time.After(patience):
		t.Error("nothing came")
	}
	if n := asked.Load(); n < 4 {
		t.Errorf("the leader was asked for %d times, want more than the 3 without an answer", n)
	}
}
