// Package fault is a blob.Store that fails on demand. It stands before another Store, counts the calls,
// and asks a hook what shall happen at each: so a test can fail, crash or delay at the n-th call for every
// n, and has then been everywhere the engine can fail.
//
// A call that fails after it landed has done its work; only its answer is lost, as when a network drops
// the reply to a put; an answer may also come late, when others have gone on. A stale list shows what there
// was before. A crash is for good: the call and every later one give ErrCrashed, as if the
// process had died; recovery is then tried on the Store behind, with a new Store before it.
package fault

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/millrace-io/millrace/engine/blob"
)

// The errors a faulty call gives; it wraps them.
var (
	// ErrInjected is what a call fails with unless its Fault names another error.
	ErrInjected = errors.New("injected fault")
	// ErrCrashed is what the call that crashes and all calls after it fail with.
	ErrCrashed = errors.New("crashed")
)

// A Call is one call of the Store or of a Writer it made.
type Call struct {
	N    int    // the number of the call, from 1
	Op   string // the method: "Get", "PutIfAbsent"; of a Writer "Writer.Write", "Writer.Close", "Writer.Abort"
	Name string // the object; the prefix of a List
}

// String is "12 PutIfAbsent _delta_log/00000000000000000003.json".
func (c Call) String() string { return fmt.Sprintf("%d %s %s", c.N, c.Op, c.Name) }

// A Kind is what happens at a call.
type Kind uint8

// The kinds of fault.
const (
	None        Kind = iota // the call is made
	FailBefore              // the call is not made and fails
	FailAfter               // the call is made and fails: it landed but is reported failed
	CrashBefore             // the call is not made; it and all later ones fail with ErrCrashed
	CrashAfter              // the call is made; it and all later ones fail with ErrCrashed
)

// A Fault is what a hook says of a call. The zero Fault lets it pass.
type Fault struct {
	Kind  Kind
	Err   error         // what FailBefore and FailAfter give; nil: ErrInjected
	Delay time.Duration // waited before the call, or until its context is done
	Late  time.Duration // waited after the call: it landed, and its answer comes late
	Stale blob.Store    // a List is answered from here, an earlier copy of the store; nil: as it is
}

// A Hook decides what happens at a call. It may be called from several goroutines, one at a time.
type Hook func(Call) Fault

// At is the hook that gives f at call n and lets all others pass.
func At(n int, f Fault) Hook {
	return func(c Call) Fault {
		if c.N == n {
			return f
		}
		return Fault{}
	}
}

// A Store is a blob.Store that fails as its hook says.
type Store struct {
	inner blob.Store
	hook  Hook

	mu      sync.Mutex
	calls   []Call
	crashed bool
}

var _ blob.Store = (*Store)(nil)

// New stands before inner. A nil hook lets every call pass: the calls are counted.
func New(inner blob.Store, hook Hook) *Store { return &Store{inner: inner, hook: hook} }

// Calls lists the calls made so far, in order; those after a crash are not among them.
func (s *Store) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Call(nil), s.calls...)
}

// Crashed says whether a crash has happened.
func (s *Store) Crashed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.crashed
}

// Crash makes every later call fail, as a fault of kind CrashBefore does.
func (s *Store) Crash() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.crashed = true
}

// call counts a call, and makes it by do unless the hook says otherwise.
func (s *Store) call(ctx context.Context, op, name string, do func() error) error {
	return s.callAs(ctx, op, name, func(Fault) error { return do() })
}

// callAs is call for a do that looks at what the hook said.
func (s *Store) callAs(ctx context.Context, op, name string, do func(Fault) error) error {
	fault, before := s.begin(op, name)
	if err := wait(ctx, fault.Delay); err != nil && before == nil {
		before = err
	}
	if before != nil {
		return fmt.Errorf("%s %s: %w", op, name, before)
	}
	err := do(fault)
	if late := wait(ctx, fault.Late); late != nil {
		err = fmt.Errorf("%s %s: %w", op, name, late)
	}
	switch {
	case fault.Kind == FailAfter:
		err = fmt.Errorf("%s %s: %w", op, name, fault.err())
	case fault.Kind == CrashAfter || s.Crashed(): // a crash elsewhere meanwhile loses this answer too
		s.Crash()
		err = fmt.Errorf("%s %s: %w", op, name, ErrCrashed)
	}
	return err
}

// begin counts a call and gives the error that keeps it from being made.
func (s *Store) begin(op, name string) (Fault, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.crashed {
		return Fault{}, ErrCrashed
	}
	c := Call{N: len(s.calls) + 1, Op: op, Name: name}
	s.calls = append(s.calls, c)
	if s.hook == nil {
		return Fault{}, nil
	}
	f := s.hook(c)
	switch f.Kind {
	case FailBefore:
		return f, f.err()
	case CrashBefore:
		s.crashed = true
		return f, ErrCrashed
	default:
		return f, nil
	}
}

func (f Fault) err() error {
	if f.Err != nil {
		return f.Err
	}
	return ErrInjected
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// URL is that of the Store behind.
func (s *Store) URL() string { return s.inner.URL() }

// List counts as one call. A fault after the call gives the objects first and then the error.
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[blob.Info, error] {
	return func(yield func(blob.Info, error) bool) {
		stopped := false
		err := s.callAs(ctx, "List", prefix, func(f Fault) error {
			from := s.inner
			if f.Stale != nil {
				from = f.Stale
			}
			for info, err := range from.List(ctx, prefix, after) {
				if stopped = !yield(info, err); stopped || err != nil {
					stopped = true
					break
				}
			}
			return nil
		})
		if err != nil && !stopped {
			yield(blob.Info{}, err)
		}
	}
}
