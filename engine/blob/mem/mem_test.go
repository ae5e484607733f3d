package mem_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/blobtest"
	"github.com/millrace-io/millrace/engine/blob/mem"
)

func TestStore(t *testing.T) {
	blobtest.Run(t, func(*testing.T) blob.Store { return mem.New() })
}

func TestCloneIsApart(t *testing.T) {
	s := mem.New()
	put := func(s *mem.Store, name, data string) {
		t.Helper()
		if err := s.Put(t.Context(), name, []byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	put(s, "a", "1")
	c := s.Clone()
	put(s, "b", "2")
	put(c, "a", "3")
	if diff := cmp.Diff(map[string][]byte{"a": []byte("1"), "b": []byte("2")}, s.Snapshot()); diff != "" {
		t.Errorf("the store: -want +got\n%s", diff)
	}
	if diff := cmp.Diff(map[string][]byte{"a": []byte("3")}, c.Snapshot()); diff != "" {
		t.Errorf("the clone: -want +got\n%s", diff)
	}
}
