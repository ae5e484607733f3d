package kinesis

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestNoServerAnswers: a start asks for half a minute, says so now and then, and gives up with the reason.
func TestNoServerAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := &Source{log: slog.New(slog.NewTextHandler(&log, nil))}
		began, refused := time.Now(), errors.New("connection refused")
		if err := s.patiently(t.Context(), func() error { return refused }); !errors.Is(err, refused) {
			t.Errorf("it gave up with %v, want %v", err, refused)
		}
		if took := time.Since(began); took < startPatience || took > startPatience+mostPauses*firstPause {
			t.Errorf("it gave up after %v, want %v and a pause at most", took, startPatience)
		}
		if n := strings.Count(log.String(), `msg="the server does not answer as it should; trying again" error="connection refused"`); n < 3 || n > 7 {
			t.Errorf("%d warnings, want one each %v:\n%s", n, tellEvery, &log)
		}
	})
}

// TestServerComesLate: a start goes on as soon as the server answers.
func TestServerComesLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Source{log: quiet()}
		tries := 0
		err := s.patiently(t.Context(), func() error {
			if tries++; tries < 5 {
				return errors.New("connection refused")
			}
			return nil
		})
		if err != nil || tries != 5 {
			t.Errorf("%v after %d tries, want none after 5", err, tries)
		}
	})
}

// TestFuture: reading can't begin in the future, which servers refuse, or take for the past.
func TestFuture(t *testing.T) {
	for _, at := range []string{"2999-01-01T00:00:00Z", time.Now().Add(time.Hour).Format(time.RFC3339)} {
		_, err := open(t, serve(t, 1), func(c *Config) { c.At = at }).Partitions(t.Context())
		if err == nil || !strings.Contains(err.Error(), "at "+at+" is in the future") {
			t.Errorf("%v", err)
		}
	}
}

// TestPlainServer: TLS that the server does not speak is told at once.
func TestPlainServer(t *testing.T) {
	v := serve(t, 1)
	s := open(t, v, func(c *Config) { c.Endpoint = strings.Replace(v.URL, "http:", "https:", 1) })
	began := time.Now()
	_, err := s.Partitions(t.Context())
	if want := "the server does not speak TLS: its endpoint begins with http://: "; err == nil || !strings.Contains(err.Error(), want) || time.Since(began) > startPatience/2 {
		t.Errorf("after %v %v, want %q at once", time.Since(began), err, want)
	}
}
