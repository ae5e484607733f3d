//go:build real

package realtest

import (
	"testing"
)

// An S3 is a real S3 server of one test, with one bucket.
type S3 struct {
	Endpoint string // "http://127.0.0.1:" and a port of its own
	Bucket   string
	// Env is what a program needs to reach the server: credentials, region, endpoint.
	Env []string
	env []string // of the script
}

// StartS3 starts a server with an empty bucket that nobody else uses, and stops it when the test ends.
func StartS3(t testing.TB) *S3 {
	t.Helper()
	port := freePort(t)
	s := &S3{Endpoint: "http://127.0.0.1:" + port, Bucket: "lake", env: []string{"S3_HOME=" + t.TempDir(), "S3_PORT=" + port}}
	s.Env = []string{
		"AWS_ACCESS_KEY_ID=millrace", "AWS_SECRET_ACCESS_KEY=millrace-secret", "AWS_REGION=us-east-1", "AWS_ENDPOINT_URL_S3=" + s.Endpoint,
		"AWS_CONFIG_FILE=/nowhere", "AWS_SHARED_CREDENTIALS_FILE=/nowhere",
	}
	t.Cleanup(func() { s.run(t, "kill") })
	s.run(t, "start")
	return s
}

// Start starts the server again after Kill: same port, same data.
func (s *S3) Start(t testing.TB) { s.run(t, "start") }

// Kill ends the server with SIGKILL.
func (s *S3) Kill(t testing.TB) { s.run(t, "kill") }

// URL names a lake in the bucket, with all that is needed to reach it but credentials.
func (s *S3) URL(prefix string) string {
	return "s3://" + s.Bucket + "/" + prefix + "?path_style=true&region=us-east-1&endpoint=" + s.Endpoint
}

func (s *S3) run(t testing.TB, command string) {
	t.Helper()
	if out, failed := script(t, s.env, "s3.sh", command); failed {
		t.Fatalf("s3.sh %s: %s", command, out)
	}
}
