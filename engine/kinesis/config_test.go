package kinesis

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/kinesis/kinesistest"
)

func TestValidate(t *testing.T) {
	for path, c := range map[string]func(*Config){
		"":                 func(c *Config) { c.Stream = "" },
		"stream":           func(c *Config) { c.Stream = "arn:aws:kinesis:eu-central-1:123456789012:stream/pins" },
		"arn":              func(c *Config) { c.ARN = "arn:aws:kinesis:eu-central-1:123456789012:stream/pins" }, // and stream
		"at":               func(c *Config) { c.At = "yesterday" },
		"enhanced_fan_out": func(c *Config) { c.FanOut = "a b" },
		"poll":             func(c *Config) { c.Poll = time.Millisecond },
		"compression":      func(c *Config) { c.Compression = "snappy" },
		"endpoint":         func(c *Config) { c.Endpoint = "localhost:4568" },
		"role":             func(c *Config) { c.Role = "reader" },
	} {
		good := Defaults()
		good.Stream = "pins"
		if err := good.Validate(); err != nil {
			t.Fatal(err)
		}
		c(&good)
		var faults engine.Faults
		if err := good.Validate(); !errors.As(err, &faults) || len(faults) != 1 || strings.Join(faults[0].Path, ".") != path {
			t.Errorf("%s: %v", path, err)
		}
	}
	bad := Config{ARN: "pins", At: "x", Compression: "x"}
	var faults engine.Faults
	if err := bad.Validate(); !errors.As(err, &faults) || len(faults) != 4 {
		t.Errorf("not all that is wrong is named: %v", err)
	}
}

// TestARN: a stream of another account is named by its ARN in every request, which says the region too.
func TestARN(t *testing.T) {
	v := serve(t, 3)
	v.PageShards = 2
	v.Put(stream, shard0, "k", values(0, 3)...)
	const arn = "arn:aws:kinesis:eu-west-3:123456789012:stream/" + stream
	for mode, change := range map[string]func(*Config){"cbor": func(*Config) {}, "fan-out": func(c *Config) { c.FanOut = "c" }} {
		t.Run(mode, func(t *testing.T) {
			s := open(t, v, change, func(c *Config) { c.Stream, c.ARN, c.Region = "", arn, "" })
			if got := s.client.Options().Region; got != "eu-west-3" {
				t.Errorf("the region is %s", got)
			}
			from := all(t, s)
			if len(from) != 3 {
				t.Fatalf("%d shards", len(from))
			}
			gather(t, s, from...).has(shard0, values(0, 3)...)
		})
	}
}

// TestParents: a list of shards says what they were split and merged from, over all pages of it.
func TestParents(t *testing.T) {
	v := serve(t, 3)
	v.PageShards = 2
	s := open(t, v)
	v.Split(stream, shard0)
	v.Merge(stream, shard1, "shardId-000000000002")
	list, err := s.Partitions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"", "", "", shard0, shard0, shard1 + " shardId-000000000002"}
	if len(list) != len(want) {
		t.Fatalf("%d shards, want %d", len(list), len(want))
	}
	for i, p := range list {
		if got := strings.Join(p.Parents, " "); got != want[i] || p.ID != list[0].ID || p.ID == "" || p.End != engine.NoOffset || p.First != 0 {
			t.Errorf("%+v, want parents %s", p, want[i])
		}
	}
}

// TestLimits: a server that has a real stream's limits does not refuse a lone reader. Where other work delays requests,
// six may arrive within a second that were sent in more, so it is tried three times.
func TestLimits(t *testing.T) {
	var refused []int
	for range 3 {
		n := refusals(t)
		if n == 0 {
			return
		}
		refused = append(refused, n)
	}
	t.Errorf("in three tries %d reads were refused", refused)
}

// refusals is how many reads of a lone reader are refused.
func refusals(t *testing.T) int {
	t.Helper()
	v := serve(t, 1)
	v.Limits = true
	big, want := make([]byte, 512<<10), [][]byte{}
	for range 10 {
		v.Put(stream, shard0, "k", big)
		want = append(want, big)
	}
	s := open(t, v, func(c *Config) { c.Unthrottled, c.Poll = false, 300*time.Millisecond })
	g := gather(t, s, all(t, s)...)
	g.has(shard0, want...)
	v.Put(stream, shard0, "k", values(0, 1)...)
	g.has(shard0, append(want, values(0, 1)...)...)
	return v.Refused()
}

// TestRole: the role is taken on, and its keys sign the requests; one that is refused is called so.
func TestRole(t *testing.T) {
	v := serve(t, 1)
	refused := false
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if refused {
			w.WriteHeader(http.StatusForbidden)
		}
		w.Header().Set("Content-Type", "text/xml")
		_, _ = w.Write([]byte(`<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ofrole</AccessKeyId>` +
			`<SecretAccessKey>x</SecretAccessKey><SessionToken>y</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`))
	}))
	t.Cleanup(tokens.Close)
	t.Setenv("AWS_ENDPOINT_URL_STS", tokens.URL)
	role := func(c *Config) { c.Role = "arn:aws:iam::123456789012:role/reader" }
	if all(t, open(t, v, role)); v.Key() != "ofrole" {
		t.Errorf("requests were signed with %q", v.Key())
	}
	refused = true
	if _, err := open(t, v, role).Partitions(t.Context()); err == nil || !strings.Contains(err.Error(), "the role could not be taken on") {
		t.Errorf("a role that is refused: %v", err)
	}
}

// TestNoRegion: who named no region is told.
func TestNoRegion(t *testing.T) {
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	if _, err := New(Config{Stream: "pins", Poll: time.Second, Compression: "none"}, 1, quiet()); err == nil || !strings.Contains(err.Error(), "no region is set") {
		t.Errorf("%v", err)
	}
}

// TestNoChildren: some servers do not say what came in a closed shard's place, and it ends all the same.
func TestNoChildren(t *testing.T) {
	v := serve(t, 1)
	v.Put(stream, shard0, "k", values(0, 3)...)
	v.Split(stream, shard0)
	v.Order(kinesistest.Fault{Op: "GetRecords", Times: -1, Mangle: func(b []byte) []byte { return rename(b, "ChildShards", "ChildShardz") }})
	s := open(t, v)
	g := gather(t, s, all(t, s)[0])
	g.has(shard0, values(0, 3)...)
	if g.returns(); g.err != nil || !g.parts[shard0].ended {
		t.Errorf("Read returned %v, ended %v", g.err, g.parts[shard0].ended)
	}
}
