//go:build real

package realtest

import (
	"strings"
	"testing"
)

// A Kinesis is a server of the Kinesis protocol, of its own process and without streams at first.
type Kinesis struct {
	Endpoint string // "http://127.0.0.1:" and a port of its own
	script   string
	env      []string // of the script
}

// StartKinesis starts kinesis-local, which behaves as Amazon's, and ends it with the test.
func StartKinesis(t testing.TB) *Kinesis { return startKinesis(t, "kinesis.sh") }

// StartKinesalite starts kinesalite, which is for load, and ends it with the test.
func StartKinesalite(t testing.TB) *Kinesis { return startKinesis(t, "kinesalite.sh") }

func startKinesis(t testing.TB, script string) *Kinesis {
	t.Helper()
	port, name := freePort(t), strings.ToUpper(strings.TrimSuffix(script, ".sh"))
	k := &Kinesis{Endpoint: "http://127.0.0.1:" + port, script: script}
	k.env = []string{name + "_HOME=" + t.TempDir(), name + "_PORT=" + port, name + "_TLS_PORT=" + freePort(t)}
	t.Cleanup(func() { k.run(t, "kill") })
	k.run(t, "start")
	return k
}

// Env is what a program needs to reach the server.
func (k *Kinesis) Env() []string {
	return []string{
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_REGION=us-east-1", "AWS_ENDPOINT_URL_KINESIS=" + k.Endpoint,
		"AWS_CONFIG_FILE=/nowhere", "AWS_SHARED_CREDENTIALS_FILE=/nowhere",
	}
}

func (k *Kinesis) run(t testing.TB, command string) {
	t.Helper()
	if out, failed := script(t, k.env, k.script, command); failed {
		t.Fatalf("%s %s: %s", k.script, command, out)
	}
}
