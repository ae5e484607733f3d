package kafka

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-io/millrace/engine"
)

// lines is what a source logs.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	select {
	case l <- string(line):
	default: // a test looks at the first ones
	}
	return len(line), nil
}

// listen has the source log into the lines it gives.
func listen(s *Source) lines {
	l := make(lines, 1000)
	s.log = slog.New(slog.NewTextHandler(l, nil))
	return l
}

// await gives the first line with text in it.
func (l lines) await(t *testing.T, text string) string {
	t.Helper()
	for {
		select {
		case line := <-l:
			if strings.Contains(line, text) {
				return line
			}
		case <-time.After(patience):
			t.Fatalf("nothing was logged with %q in it", text)
		}
	}
}

// restarting starts a cluster that keeps its records; restart starts it again at the same address after it
// was closed.
func restarting(t *testing.T, opts ...kfake.Opt) (c *kfake.Cluster, restart func() *kfake.Cluster) {
	t.Helper()
	opts = append(opts, kfake.DataDir(t.TempDir()), kfake.SyncWrites())
	c = startCluster(t, 1, opts...)
	_, port, _ := net.SplitHostPort(c.ListenAddrs()[0])
	n, _ := strconv.Atoi(port)
	return c, func() *kfake.Cluster { return startCluster(t, 1, append(opts, kfake.Ports(n))...) }
}

// bubble runs f with a clock that does not wait. sarama starts one goroutine that never ends with the first
// connection of the process, which must not be in the bubble.
func bubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	if _, err := newSource(t, startCluster(t, 1)).Partitions(t.Context()); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, f)
}

func TestNoBrokerAnswers(t *testing.T) {
	c := startCluster(t, 1)
	s := newSource(t, c)
	c.Close()
	bubble(t, func(t *testing.T) {
		log, began := listen(s), time.Now()
		_, err := s.Partitions(t.Context())
		if took := time.Since(began); took < startPatience || took > 2*startPatience {
			t.Errorf("gave up after %v, want about %v", took, startPatience)
		}
		if err == nil || !strings.Contains(err.Error(), s.cfg.Brokers[0]) || !strings.Contains(err.Error(), "refused") {
			t.Errorf("got %v, want an error that names the broker and says why", err)
		}
		if line := log.await(t, "no broker answers"); !strings.Contains(line, "refused") {
			t.Errorf("logged %s, want why", line)
		}
	})
}

// A broker that is started after us is waited for.
func TestBrokerComesLate(t *testing.T) {
	t.Parallel()
	c, restart := restarting(t)
	s := newSource(t, c)
	c.Close()
	log := listen(s)
	answered := make(chan error, 1)
	go func() {
		_, err := s.Partitions(t.Context())
		answered <- err
	}()
	log.await(t, "no broker answers")
	restart()
	select {
	case err := <-answered:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Error("no answer though the broker is there")
	}
}

// An outage while reading is waited out, as TestBrokerRestarted shows, but not in silence.
func TestOutageIsLogged(t *testing.T) {
	c := startCluster(t, 1)
	produce(t, c, numbered(0, 0, 10))
	s, got := newSource(t, c), newCollector(10)
	log := listen(s)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Read(ctx, []engine.Start{{Partition: "0"}}, got) }()
	wait(t, got.enough)
	c.Close()
	if line := log.await(t, "reading is interrupted"); !strings.Contains(line, "partition=0") || !strings.Contains(line, "error=") {
		t.Errorf("logged %s, want the partition and why", line)
	}
	cancel()
	<-ended
}

// The ends of partitions are asked again when the broker was restarted or another has become the leader
// meanwhile.
func TestPartitionsAsksAgain(t *testing.T) {
	for name, trouble := range map[string]func(t *testing.T) (*kfake.Cluster, func()){
		"restarted": func(t *testing.T) (*kfake.Cluster, func()) {
			c, restart := restarting(t)
			return c, func() { c.Close(); restart() }
		},
		"leader moved": func(t *testing.T) (*kfake.Cluster, func()) {
			c := startCluster(t, 1, kfake.NumBrokers(3))
			return c, func() {
				if err := c.MoveTopicPartition(topic, 0, (c.LeaderFor(topic, 0)+1)%3); err != nil {
					t.Fatal(err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, happen := trouble(t)
			produce(t, c, numbered(0, 0, 10))
			s := newSource(t, c)
			for _, before := range []bool{true, false} {
				if got, err := s.Partitions(t.Context()); err != nil || got[0].End != 10 {
					t.Errorf("partitions are %v, %v; want one that ends at 10", got, err)
				}
				if before {
					happen()
				}
			}
		})
	}
}

// What a broker refuses is said at once where trying again can't help, else after half a minute.
func TestRefused(t *testing.T) {
	t.Parallel()
	pair, ca := certificate(t)
	_, other := certificate(t)
	secure := startCluster(t, 1, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{pair}}))
	login := startCluster(t, 1, kfake.EnableSASL(), kfake.Superuser("PLAIN", "u", "secret"))
	denying := startCluster(t, 1, kfake.EnableSASL(), kfake.Superuser("PLAIN", "u", "secret"))
	denying.ControlKey(int16(kmsg.SASLAuthenticate), func(req kmsg.Request) (kmsg.Response, error, bool) {
		denying.KeepControl()
		resp := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		resp.ErrorCode = kerr.SaslAuthenticationFailed.Code // as Kafka answers; kfake itself hangs up
		return resp, nil, true
	})
	for name, c := range map[string]struct {
		cluster *kfake.Cluster
		change  func(*Config)
		atOnce  bool
		want    string
	}{
		"wrong password":          {denying, func(c *Config) { c.SASL = SASL{Mechanism: "PLAIN", User: "u", Password: "hush"} }, true, "SASL Authentication failed"},
		"untrusted certificate":   {secure, func(c *Config) { c.TLS = TLS{Enabled: true, CAFile: other} }, true, "unknown authority"},
		"certificate of another":  {secure, func(c *Config) { c.TLS = TLS{Enabled: true, CAFile: ca, ServerName: "kafka.example"} }, true, "not kafka.example"},
		"TLS not spoken to":       {secure, func(*Config) {}, false, "a broker hung up, as one does that expects TLS or a login"},
		"login not spoken to":     {login, func(*Config) {}, false, "a broker hung up, as one does that expects TLS or a login"},
		"wrong password, hung up": {login, func(c *Config) { c.SASL = SASL{Mechanism: "PLAIN", User: "u", Password: "hush"} }, false, "does not take this one"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSource(t, c.cluster, c.change)
			run := bubble
			if c.atOnce {
				run = func(t *testing.T, f func(*testing.T)) { f(t) } // certificates are valid by the real clock
			}
			run(t, func(t *testing.T) {
				log, began := listen(s), time.Now()
				_, err := s.Partitions(t.Context())
				if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hush") {
					t.Errorf("got %v, want %q in it and no password", err, c.want)
				}
				if atOnce := time.Since(began) < startPatience; atOnce != c.atOnce {
					t.Errorf("it took %v, want it to be tried once: %v", time.Since(began), c.atOnce)
				}
				if !c.atOnce {
					if line := log.await(t, "trying again"); !strings.Contains(line, c.want) {
						t.Errorf("logged %s, want %q in it", line, c.want)
					}
				}
			})
		})
	}
}
