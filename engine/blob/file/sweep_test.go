package file_test

import (
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/file"
)

// TestSweep: what a writer left that died is deleted when it is old, below the prefix only, and nothing else.
func TestSweep(t *testing.T) {
	store, err := file.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"t/a", "t/d/b", "u/c"} {
		if err := store.Put(t.Context(), name+"-whole", []byte("x")); err != nil {
			t.Fatal(err)
		}
		w, err := store.Create(t.Context(), name) // and is never closed
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	table := blob.Sub(store, "t")
	for _, c := range []struct {
		before time.Time
		want   int
	}{{time.Now().Add(-time.Hour), 0}, {time.Now().Add(time.Hour), 2}, {time.Now().Add(time.Hour), 0}} {
		if n, err := blob.Sweep(t.Context(), table, "", c.before); err != nil || n != c.want {
			t.Errorf("swept %d before %v, want %d: %v", n, c.before, c.want, err)
		}
	}
	if n, err := store.Sweep(t.Context(), "nowhere/", time.Now().Add(time.Hour)); err != nil || n != 0 {
		t.Errorf("of no folder: %d, %v", n, err)
	}
	if n, err := store.Sweep(t.Context(), "", time.Now().Add(time.Hour)); err != nil || n != 1 {
		t.Errorf("of all: %d, %v", n, err)
	}
	n := 0
	for range store.List(t.Context(), "", "") {
		n++
	}
	if n != 3 {
		t.Errorf("%d objects are left", n)
	}
}
