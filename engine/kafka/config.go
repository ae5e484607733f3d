// Package kafka reads Kafka topics as an engine.Source: through the stock watermill-kafka Subscriber, without
// a consumer group, from fetches of its own.
//
// The task assigns its partitions itself, because its positions live in its own checkpoints. Through the
// subscriber's hooks (SaramaTracer) it decides which partitions are consumed and from where, and puts its
// own partition consumers in the place of sarama's. A message of theirs is a frame, so that one Watermill
// message carries many records:
//
//	broker ─▶ fetcher ─▶ framer ─▶ watermill-kafka ─▶ router ─▶ engine
//	          one a       one a partition:
//	          broker      chunk ─ cutter ─▶ frame
//
// A fetcher asks its broker for all partitions that have room, over one connection. What it gets of one is a
// chunk: record batches as they are stored. The cutter copies the records from there into frames; a record
// becomes no object of its own on the way, which is why sarama does not consume (docs/decisions/0008).
//
// sarama answers all other questions: which partitions there are, where they begin and end. Offsets are also
// marked in a consumer group after each commit, for lag monitors; they are never read.
package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/IBM/sarama"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/spec"
)

// A Config says which topic to read and how the brokers are reached. It is what stands under kafka: in a
// definition.
type Config struct {
	Brokers    []string   `yaml:"brokers,required,scalar" doc:"Addresses of some brokers, host:port; several may stand in one text, with commas."`
	Topic      string     `yaml:"topic,required" doc:"Topic to read, all of its partitions."`
	Group      string     `yaml:"group" doc:"Consumer group in which committed offsets are marked, for lag monitors. Default: millrace-<pipeline>-<source>."`
	Version    string     `yaml:"version" doc:"Protocol version of the oldest broker; at least 2.1.0."`
	TLS        TLS        `yaml:"tls" doc:"Encryption of the connections."`
	SASL       SASL       `yaml:"sasl" doc:"How to log in."`
	FetchBytes spec.Bytes `yaml:"fetch_bytes" doc:"Size of one fetch of a partition, at most 8MiB. Default: as the memory budget allows, at most 4MiB."`
}

// TLS says how connections are encrypted.
type TLS struct {
	Enabled    bool   `yaml:"enabled" doc:"Use TLS."`
	CAFile     string `yaml:"ca_file" doc:"File of the authorities to trust, PEM. Default: the system's."`
	CertFile   string `yaml:"cert_file" doc:"File of the client's certificate, PEM."`
	KeyFile    string `yaml:"key_file" doc:"File of the client's key, PEM."`
	ServerName string `yaml:"server_name" doc:"Name to expect in the brokers' certificates. Default: the broker's host."`
}

// SASL says how to log in.
type SASL struct {
	Mechanism string `yaml:"mechanism" enum:"PLAIN|SCRAM-SHA-256|SCRAM-SHA-512" doc:"How the password is proved."`
	User      string `yaml:"user" doc:"User name."`
	Password  string `yaml:"password" secret:"true" doc:"Password; best as a variable of the environment."`
}

// Defaults are the settings of a topic about which nothing is said.
func Defaults() Config { return Config{Version: "2.1.0"} }

// LogValue implements slog.LogValuer: nothing secret is logged.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(slog.Any("brokers", c.Brokers), slog.String("topic", c.Topic), slog.Bool("tls", c.TLS.Enabled), slog.String("sasl", c.SASL.Mechanism))
}

// String shows the config without its secrets.
func (c Config) String() string {
	return fmt.Sprintf("topic %s at %s", c.Topic, strings.Join(c.Brokers, ","))
}

// mechanisms are the ways to log in.
func mechanisms() []string { return []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} }

// Validate reports everything that is wrong; it opens no file and no connection.
func (c *Config) Validate() error {
	var faults engine.Faults
	fault := func(path []string, format string, args ...any) {
		faults = append(faults, engine.Fault{Path: path, Message: fmt.Sprintf(format, args...)})
	}
	if len(c.addresses()) == 0 {
		fault([]string{"brokers"}, "no broker is named")
	}
	for _, a := range c.addresses() {
		if i := strings.LastIndexByte(a, ':'); i <= 0 || i == len(a)-1 {
			fault([]string{"brokers"}, "broker %q: expected host:port", a)
		}
	}
	if c.Topic == "" {
		fault([]string{"topic"}, "the topic is empty")
	}
	if v, err := sarama.ParseKafkaVersion(c.Version); err != nil || !v.IsAtLeast(sarama.V2_1_0_0) {
		fault([]string{"version"}, "version %q: expected a version of Kafka from 2.1.0 on", c.Version)
	}
	if c.FetchBytes < 0 || c.FetchBytes > mostFetch {
		fault([]string{"fetch_bytes"}, "expected a size up to %v, found %v", spec.Bytes(mostFetch), c.FetchBytes)
	}
	if (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
		fault([]string{"tls"}, "a certificate needs its key: give both cert_file and key_file")
	}
	if m := c.SASL.Mechanism; m != "" && !slices.Contains(mechanisms(), m) {
		fault([]string{"sasl", "mechanism"}, "no mechanism %q: there are %s", m, strings.Join(mechanisms(), ", "))
	}
	if login := c.SASL.Mechanism != ""; login != (c.SASL.User != "") || login != (c.SASL.Password != "") {
		fault([]string{"sasl"}, "logging in needs a mechanism, a user and a password")
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}

// addresses is the brokers, one each.
func (c *Config) addresses() []string {
	var all []string
	for _, b := range c.Brokers {
		for _, a := range strings.Split(b, ",") {
			if a = strings.TrimSpace(a); a != "" {
				all = append(all, a)
			}
		}
	}
	return all
}

// The bounds of one fetch of a partition, in bytes.
const (
	mostFetch  = 8 << 20
	goodFetch  = 4 << 20 // the most that nobody has to ask for: larger ones cost as much a record, and memory
	leastFetch = 64 << 10
)

// fetchSize is the bytes of one fetch, at most. budget is the memory for all that is in flight; two fetches
// of each partition may be there at once, and all of them may take a quarter of it.
func (c *Config) fetchSize(budget int64, partitions int) int {
	if c.FetchBytes > 0 {
		return int(c.FetchBytes)
	}
	return int(min(goodFetch, max(leastFetch, budget/int64(8*max(1, partitions)))))
}

// sarama makes the settings of the client for all but fetching.
func (c *Config) sarama() (*sarama.Config, error) {
	s := sarama.NewConfig()
	var err error
	if s.Version, err = sarama.ParseKafkaVersion(c.Version); err != nil {
		return nil, err
	}
	s.ClientID = "millrace"
	s.Consumer.Offsets.AutoCommit.Enable = false
	s.Metadata.Retry.Max = 3
	s.Metadata.AllowAutoTopicCreation = false
	c.sasl(s)
	if c.TLS.Enabled {
		s.Net.TLS.Enable = true
		if s.Net.TLS.Config, err = c.TLS.config(); err != nil {
			return nil, err
		}
	}
	return s, s.Validate()
}

func (c *Config) sasl(s *sarama.Config) {
	if c.SASL.Mechanism == "" {
		return
	}
	s.Net.SASL.Enable = true
	s.Net.SASL.Mechanism = sarama.SASLMechanism(c.SASL.Mechanism)
	s.Net.SASL.User, s.Net.SASL.Password = c.SASL.User, c.SASL.Password
	if c.SASL.Mechanism != "PLAIN" {
		mechanism := c.SASL.Mechanism
		s.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &scramClient{mechanism: mechanism} }
	}
}

func (t TLS) config() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("tls: read ca_file: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("tls: ca_file " + t.CAFile + " holds no certificate")
		}
	}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("tls: read cert_file and key_file: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
