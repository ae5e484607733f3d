package main

import (
	"os"
	"syscall"
	"testing"
	"time"
)

// TestSignals: what comes at once with the first signal is the first one still; one that comes later is the
// second.
func TestSignals(t *testing.T) {
	first, second := make(chan struct{}), make(chan struct{})
	defer onSignals(func() { close(first) }, func() { close(second) })()
	send := func() {
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	send()
	<-first
	send()
	select {
	case <-second:
		t.Fatal("a signal that came at once was taken for the second")
	case <-time.After(2 * sameSignal):
	}
	send()
	select {
	case <-second:
	case <-time.After(time.Minute):
		t.Error("the second signal was not heard")
	}
}
