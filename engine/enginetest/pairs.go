package enginetest

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob/fault"
)

// zombie is two processes: the first sleeps at a call for much longer than the second, which stands by, waits. When it
// wakes, the second has ended, in good order or not.
func (l *lives) zombie(ctx context.Context, m Mishap) error {
	const wait = 2 * engine.Heartbeat
	sleep := fault.Fault{Delay: 100 * wait}
	if m.Kind == ZombieLate {
		sleep = fault.Fault{Late: 100 * wait}
	}
	var slept, died atomic.Bool
	first, err := l.task(at(m.N, sleep, &slept), engine.Options{}, nil)
	if err != nil {
		return err
	}
	var hook fault.Hook
	if m.Kind == HeirDies {
		hook = at(m.N, fault.Fault{Kind: fault.CrashAfter}, &died)
	}
	second, err := l.task(hook, engine.Options{Standby: true, Takeover: wait}, nil)
	if err != nil {
		return err
	}
	return l.both(ctx, m.Kind, first, second, 0, slept.Load)
}

// rival is two processes of which the second starts in the middle of the first.
func (l *lives) rival(ctx context.Context, m Mishap) error {
	first, err := l.task(nil, engine.Options{}, nil)
	if err != nil {
		return err
	}
	var hook fault.Hook
	var died atomic.Bool
	if m.Kind == RivalDies {
		hook = at(m.N, fault.Fault{Kind: fault.CrashAfter}, &died)
	}
	second, err := l.task(hook, engine.Options{}, nil)
	if err != nil {
		return err
	}
	return l.both(ctx, m.Kind, first, second, m.T, nil)
}

// at is fault.At that says when it has come to pass.
func at(n int, f fault.Fault, hit *atomic.Bool) fault.Hook {
	is := nth(n)
	return func(c fault.Call) fault.Fault {
		if !is(c) {
			return fault.Fault{}
		}
		hit.Store(true)
		return f
	}
}

// both runs two processes to their ends, the second from a moment on. Each may have died of its own fault or be fenced,
// but not both fenced. happened says whether there was a mishap to bear; nil: if the first had not ended when the second
// came.
func (l *lives) both(ctx context.Context, k Kind, first, second *engine.Task, from time.Duration, happened func() bool) error {
	ended := make(chan error, 1)
	go func() { ended <- toEnd(ctx, first) }()
	time.Sleep(from)
	if together := len(ended) == 0; happened == nil {
		happened = func() bool { return together }
	}
	errs := []error{toEnd(ctx, second)}
	errs = append(errs, <-ended)
	for _, err := range errs {
		if err != nil && !errors.Is(err, engine.ErrFenced) && !errors.Is(err, fault.ErrCrashed) {
			return err
		}
	}
	if errors.Is(errs[0], engine.ErrFenced) && errors.Is(errs[1], engine.ErrFenced) {
		return fmt.Errorf("both processes stopped: %w", errors.Join(errs...))
	}
	switch crashes := len(errs) - count(errs, nil); {
	case crashes > 0:
		l.toll.Crashes[k] += crashes
	case happened():
		l.toll.Borne[k]++
	}
	return nil
}

func count[T comparable](all []T, one T) (n int) {
	for _, x := range all {
		if x == one {
			n++
		}
	}
	return n
}
