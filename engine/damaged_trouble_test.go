package engine_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine/enginetest"
)

// What a process left behind and somebody damaged ends the next start with its name, before it has changed
// anything; put back, the pipeline goes on.
func TestDamagedLeftovers(t *testing.T) {
	for _, kind := range []string{"checkpoints/", "state/"} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(enginetest.NewSource(records(10), 1, 5, 0))
				c := numbered()
				r.plan.Streams, r.plan.Tables = c.Streams, c.Tables
				if _, err := r.task(t).Run(t.Context()); err != nil {
					t.Fatal(err)
				}
				var names []string
				for name := range r.store.Snapshot() {
					if strings.HasPrefix(name, kind) {
						names = append(names, name)
					}
				}
				newest := slices.Max(names)
				whole := r.store.Snapshot()[newest]
				if err := r.store.Put(t.Context(), newest, whole[:len(whole)-1]); err != nil {
					t.Fatal(err)
				}
				before := r.store.Snapshot()
				if _, err := r.task(t).Run(t.Context()); err == nil || !strings.Contains(err.Error(), newest) {
					t.Errorf("got error %v, want one that names %s", err, newest)
				}
				if diff := cmp.Diff(before, r.store.Snapshot()); diff != "" {
					t.Errorf("the start changed something (-before +after):\n%s", diff)
				}
				if err := r.store.Put(t.Context(), newest, whole); err != nil {
					t.Fatal(err)
				}
				r.source = enginetest.NewSource(records(20), 1, 5, 0)
				if _, err := r.task(t).Run(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := r.rows(t); got != 20 {
					t.Errorf("%d rows, want 20", got)
				}
			})
		})
	}
}

// A partition that the source has no more ends the start: what it had not delivered would be lost in silence.
func TestPartitionGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(enginetest.NewSource(records(10, 10), 1, 5, 0))
		if _, err := r.task(t).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.source = enginetest.NewSource(records(10), 1, 5, 0)
		before := r.store.Snapshot()
		_, err := r.task(t).Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "partition 1 is in the checkpoint but not in the source any more") {
			t.Errorf("got error %v, want one that names partition 1", err)
		}
		if diff := cmp.Diff(before, r.store.Snapshot()); diff != "" {
			t.Errorf("the start changed something (-before +after):\n%s", diff)
		}
	})
}
