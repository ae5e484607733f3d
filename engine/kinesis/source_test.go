package kinesis

import (
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine/kinesis/kinesistest"
)

const stream = "pins"

func TestMain(m *testing.M) {
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_CONFIG_FILE": "/nowhere", "AWS_SHARED_CREDENTIALS_FILE": "/nowhere"} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// serve starts a server with one stream.
func serve(t testing.TB, shards int) *kinesistest.Server {
	t.Helper()
	v, err := kinesistest.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() }) //nolint:errcheck // the test is over
	v.CreateStream(stream, shards)
	return v
}

// configOf is that of a source of the server's stream which asks as often as it can.
func configOf(v *kinesistest.Server, change ...func(*Config)) Config {
	c := Defaults()
	c.Stream, c.Endpoint, c.Region, c.Poll, c.Unthrottled = stream, v.URL, "eu-central-1", 5*time.Millisecond, true
	for _, f := range change {
		f(&c)
	}
	return c
}

func open(t testing.TB, v *kinesistest.Server, change ...func(*Config)) *Source {
	t.Helper()
	s, err := New(configOf(v, change...), 1<<26, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() }) //nolint:errcheck // the test is over
	return s
}
