package engine_test

import (
	"testing"

	"github.com/millrace-io/millrace/engine/blob/fault"
	"github.com/millrace-io/millrace/engine/enginetest"
)

// TestCrashAtEveryStoreCall runs one input of each case again and again: the n-th time the n-th call to the
// store is the last one of the process, and then a new process goes on.
func TestCrashAtEveryStoreCall(t *testing.T) {
	kinds := map[string]fault.Kind{
		"crash before": fault.CrashBefore, "crash after it landed": fault.CrashAfter,
		"fails": fault.FailBefore, "landed but reported failed": fault.FailAfter,
	}
	for _, c := range []enginetest.Case{stateless(), numbered(), twoStages()} {
		for name, kind := range kinds {
			t.Run(c.Name+"/"+name, func(t *testing.T) {
				t.Parallel()
				for seed := range uint64(3) {
					calls, err := c.CrashAtEveryCall(t, seed, kind)
					if err != nil {
						t.Fatalf("seed %d: %v", seed, err)
					}
					t.Logf("seed %d: %d calls", seed, calls)
				}
			})
		}
	}
}
