package enginetest

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
)

// Fails runs check and says whether it failed, which does not fail t: what it reported is logged there. So a
// suite is tested with implementations that are wrong on purpose.
func Fails(t testing.TB, check func(t testing.TB)) bool {
	p := &probe{TB: t}
	done := make(chan struct{})
	go func() { // FailNow ends its goroutine
		defer close(done)
		check(p)
	}()
	<-done
	return p.failed.Load()
}

// A probe is a testing.TB whose failures are its own.
type probe struct {
	testing.TB
	failed atomic.Bool
}

// Fail implements testing.TB.
func (p *probe) Fail() { p.failed.Store(true) }

// Failed implements testing.TB.
func (p *probe) Failed() bool { return p.failed.Load() }

// FailNow implements testing.TB.
func (p *probe) FailNow() {
	p.Fail()
	runtime.Goexit()
}

// Error implements testing.TB.
func (p *probe) Error(args ...any) {
	p.Log(fmt.Sprint(args...))
	p.Fail()
}

// Errorf implements testing.TB.
func (p *probe) Errorf(format string, args ...any) {
	p.Logf(format, args...)
	p.Fail()
}

// Fatal implements testing.TB.
func (p *probe) Fatal(args ...any) {
	p.Error(args...)
	p.FailNow()
}

// Fatalf implements testing.TB.
func (p *probe) Fatalf(format string, args ...any) {
	p.Errorf(format, args...)
	p.FailNow()
}
