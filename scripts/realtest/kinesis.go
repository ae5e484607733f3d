//go:build real

package realtest

import "testing"

// A Kinesis is a server of the Kinesis protocol, of its own process.
type Kinesis struct {
	Endpoint string
	env      []string // of the script
}

// StartKinesis starts a server without streams that nobody else uses, and stops it when the test ends.
func StartKinesis(t testing.TB) *Kinesis {
	t.Helper()
	port := freePort(t)
	k := &Kinesis{Endpoint: "http://127.0.0.1:" + port, env: []string{"KINESIS_HOME=" + t.TempDir(), "KINESIS_PORT=" + port, "KINESIS_TLS_PORT=" + freePort(t)}}
	t.Cleanup(func() { k.run(t, "kill") })
	k.run(t, "start")
	return k
}

func (k *Kinesis) run(t testing.TB, command string) {
	t.Helper()
	if out, failed := script(t, k.env, "kinesis.sh", command); failed {
		t.Fatalf("kinesis.sh %s: %s", command, out)
	}
}
