package fault_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/blobtest"
	"github.com/millrace-io/millrace/engine/blob/fault"
	"github.com/millrace-io/millrace/engine/blob/mem"
)

func TestStoreWithoutFaults(t *testing.T) {
	blobtest.Run(t, func(*testing.T) blob.Store { return fault.New(mem.New(), nil) })
}

// script makes every kind of call and joins their errors.
func script(ctx context.Context, s blob.Store) []error {
	var errs []error
	do := func(err error) { errs = append(errs, err) }
	do(s.Put(ctx, "a", []byte("a")))
	do(s.PutIfAbsent(ctx, "b", []byte("b")))
	_, err := s.Get(ctx, "a")
	do(err)
	_, err = s.Range(ctx, "a", 0, 1)
	do(err)
	_, err = s.Stat(ctx, "a")
	do(err)
	err = nil
	for _, e := range s.List(ctx, "", "") {
		err = e
	}
	do(err)
	w, err := s.Create(ctx, "c")
	do(err)
	if err == nil {
		_, err = w.Write([]byte("c"))
		do(err)
		do(w.Close())
	}
	do(s.Delete(ctx, "a"))
	return errs
}

func TestCallsAreCounted(t *testing.T) {
	s := fault.New(mem.New(), nil)
	for _, err := range script(t.Context(), s) {
		if err != nil {
			t.Error(err)
		}
	}
	got := ""
	for _, c := range s.Calls() {
		got += c.String() + "\n"
	}
	want := `1 Put a
2 PutIfAbsent b
3 Get a
4 Range a
5 Stat a
6 List 
7 Create c
8 Writer.Write c
9 Writer.Close c
10 Delete a
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestCrashAtEachCall: the call fails, it has or has not landed, and nothing lands after it.
func TestCrashAtEachCall(t *testing.T) {
	landed := []string{"", "a", "ab", "ab", "ab", "ab", "ab", "ab", "ab", "abc", "bc"} // by calls made
	for n := 1; n <= 10; n++ {
		for kind, made := range map[fault.Kind]int{fault.CrashBefore: n - 1, fault.CrashAfter: n} {
			inner := mem.New()
			s := fault.New(inner, fault.At(n, fault.Fault{Kind: kind}))
			for i, err := range script(t.Context(), s) {
				if crashed := i >= n-1; errors.Is(err, fault.ErrCrashed) != crashed {
					t.Errorf("crash %d at call %d: call %d gives %v", kind, n, i+1, err)
				}
			}
			got := ""
			for info, err := range inner.List(t.Context(), "", "") {
				if err != nil {
					t.Fatal(err)
				}
				got += info.Name
			}
			if got != landed[made] {
				t.Errorf("crash %d at call %d: %q landed, want %q", kind, n, got, landed[made])
			}
		}
	}
}

func TestFailOnce(t *testing.T) {
	timeout := errors.New("timeout")
	inner := mem.New()
	s := fault.New(inner, fault.At(1, fault.Fault{Kind: fault.FailAfter, Err: timeout}))
	if err := s.PutIfAbsent(t.Context(), "a", nil); !errors.Is(err, timeout) {
		t.Errorf("first put: %v, want a timeout", err)
	}
	if err := s.PutIfAbsent(t.Context(), "a", nil); !errors.Is(err, blob.ErrExists) {
		t.Errorf("second put: %v, want that the first landed", err)
	}
}

func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fault.New(mem.New(), fault.At(1, fault.Fault{Delay: time.Minute}))
		start := time.Now()
		if err := s.Put(t.Context(), "a", nil); err != nil || time.Since(start) != time.Minute {
			t.Errorf("Put took %v: %v", time.Since(start), err)
		}
	})
}

// TestStaleList: one list shows an earlier copy of the store, the next one what there is.
func TestStaleList(t *testing.T) {
	behind := mem.New()
	earlier := behind.Clone()
	s := fault.New(behind, fault.At(2, fault.Fault{Stale: earlier}))
	if err := s.Put(t.Context(), "a", nil); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{0, 1} {
		n := 0
		for _, err := range s.List(t.Context(), "", "") {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != want {
			t.Errorf("the list shows %d objects, want %d", n, want)
		}
	}
}

// TestLateAnswer: a late call has landed long before its caller hears of it; one that is given up has, too.
func TestLateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		behind := mem.New()
		s := fault.New(behind, func(fault.Call) fault.Fault { return fault.Fault{Late: time.Minute} })
		start := time.Now()
		if err := s.Put(t.Context(), "a", nil); err != nil || time.Since(start) != time.Minute {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := s.Put(ctx, "b", nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("given up: %v", err)
		}
		if _, err := behind.Stat(t.Context(), "b"); err != nil {
			t.Errorf("the call did not land: %v", err)
		}
	})
}
