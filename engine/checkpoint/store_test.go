package checkpoint

import (
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob/fault"
	"github.com/millrace-io/millrace/engine/blob/mem"
)

func checkpointOf(epoch engine.Epoch, attempt string) *engine.Checkpoint {
	return &engine.Checkpoint{
		Format: engine.CheckpointFormat, Pipeline: "p", Task: "all", Incarnation: "line", Epoch: epoch, Attempt: attempt, Owner: attempt,
		Slots: 256, Operators: map[string]string{}, State: []engine.StateRef{}, Prev: map[string]engine.Epoch{}, IDs: map[string]string{}, Ledger: engine.Ledger{},
	}
}

// TestCheckpointOfFormat1 reads a checkpoint as format 1 wrote it.
func TestCheckpointOfFormat1(t *testing.T) {
	data, err := os.ReadFile("testdata/checkpoint-1.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	want := checkpointOf(7, "a7")
	want.Format = 1
	want.Process, want.Owner, want.Seed = "p1", "host, pid 1", 42
	want.Partitions = []engine.PartitionState{{Source: "pins", Partition: "0", Next: 121, Watermark: 1_700_000_000_000_000}, {Source: "pins", Partition: "1", Next: 40, Watermark: engine.MinTime, Joined: 3}}
	want.Operators = map[string]string{"clean_pins/dedupe": "0011223344556677"}
	want.State = []engine.StateRef{{Name: "state/00000000000000000007-x.state", Size: 5}}
	want.Tables = []engine.Prepared{{Table: "t", ID: "id", Prev: 5, Epoch: 7, Files: []engine.File{{Path: "part-0.parquet", Size: 9, Rows: 2, Add: []byte(`{"add":{}}`)}}}}
	want.Prev, want.IDs = map[string]engine.Epoch{"t": 7}, map[string]string{"t": "id"}
	want.Ledger = engine.Ledger{"pins": {In: 161, Out: 160, Quarantined: 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, c := range map[string]struct{ json, want string }{
		"no JSON":         {`{`, "unexpected end"},
		"a newer format":  {`{"format": 3}`, "format 3, this program reads 1 to 2"},
		"no names":        {`{"format": 1, "epoch": 1}`, "is missing"},
		"two places":      {`{"format": 1, "pipeline": "p", "incarnation": "i", "attempt": "a", "partitions": [{"source": "s", "partition": "0"}, {"source": "s", "partition": "0"}]}`, "stands twice"},
		"a wrong epoch":   {`{"format": 1, "pipeline": "p", "incarnation": "i", "attempt": "a", "epoch": 3, "tables": [{"table": "t", "epoch": 2, "prev": 1}]}`, "table t commits epoch 2"},
		"an offset below": {`{"format": 1, "pipeline": "p", "incarnation": "i", "attempt": "a", "partitions": [{"source": "s", "partition": "0", "next": -1}]}`, "negative offset"},
	} {
		if _, err := Decode([]byte(c.json)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want one with %q", name, err, c.want)
		}
	}
}

// TestOneOwner: of two that write a checkpoint of one epoch one is fenced, whatever its own last answer was; and
// so is who writes below a newer one.
func TestOneOwner(t *testing.T) {
	store := mem.New()
	ours, theirs := New(store), New(store)
	if err := ours.Write(t.Context(), checkpointOf(1, "ours")); err != nil {
		t.Fatal(err)
	}
	if err := theirs.Write(t.Context(), checkpointOf(1, "theirs")); !errors.Is(err, engine.ErrFenced) || !strings.Contains(err.Error(), "ours") {
		t.Errorf("got %v, want that ours was first", err)
	}
	if err := theirs.Write(t.Context(), checkpointOf(3, "theirs")); err != nil {
		t.Fatal(err)
	}
	if err := ours.Write(t.Context(), checkpointOf(2, "ours")); !errors.Is(err, engine.ErrFenced) {
		t.Errorf("got %v below a newer checkpoint, want that it is fenced", err)
	}
	if c, err := ours.Newest(t.Context()); err != nil || c.Epoch != 3 {
		t.Errorf("the newest is %v, %v; want epoch 3", c, err)
	}
}

// TestLostAnswers: a write that landed and was reported failed is done; one that failed is tried again.
func TestLostAnswers(t *testing.T) {
	for name, kind := range map[string]fault.Kind{"landed": fault.FailAfter, "failed": fault.FailBefore} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := New(fault.New(mem.New(), fault.At(1, fault.Fault{Kind: kind})))
				if err := s.Write(t.Context(), checkpointOf(1, "ours")); err != nil {
					t.Fatal(err)
				}
				if c, err := s.Newest(t.Context()); err != nil || c.Attempt != "ours" {
					t.Errorf("the newest is %v, %v", c, err)
				}
			})
		})
	}
}

// TestCollect: what a checkpoint that is kept names stays, and so does state that is newer than any.
func TestCollect(t *testing.T) {
	store := mem.New()
	s := New(store)
	write := func(epoch engine.Epoch) engine.StateRef {
		ref, err := s.WriteState(t.Context(), epoch, someSections())
		if err != nil {
			t.Fatal(err)
		}
		return ref
	}
	old, orphan, kept, newer := write(1), write(2), write(2), write(4)
	for i, ref := range []engine.StateRef{old, kept, kept} {
		c := checkpointOf(engine.Epoch(i+1), "ours")
		c.State = []engine.StateRef{ref}
		if err := s.Write(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Collect(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	for ref, want := range map[engine.StateRef]bool{old: false, orphan: false, kept: true, newer: true} {
		if _, err := s.OpenState(t.Context(), ref); (err == nil) != want {
			t.Errorf("%s: %v, want it there: %v", ref.Name, err, want)
		}
	}
	if _, err := s.Read(t.Context(), 1); err == nil {
		t.Error("checkpoint 1 is still there")
	}
}

// TestCollectLooksOnce: the folder is listed by the first collection only; later ones know what this process
// wrote, and a failed one is made up for by the next.
func TestCollectLooksOnce(t *testing.T) {
	inner := mem.New()
	down := false
	store := fault.New(inner, func(c fault.Call) fault.Fault {
		if down && c.Op == "Delete" {
			return fault.Fault{Kind: fault.FailBefore}
		}
		return fault.Fault{}
	})
	s := New(store)
	for epoch := range engine.Epoch(6) {
		ref, err := s.WriteState(t.Context(), epoch, someSections())
		if err != nil {
			t.Fatal(err)
		}
		c := checkpointOf(epoch, "ours")
		c.State = []engine.StateRef{ref}
		if err := s.Write(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		before := len(store.Calls())
		down = epoch == 4
		if err := s.Collect(t.Context(), epoch-1); (err != nil) != down {
			t.Errorf("epoch %d: %v", epoch, err)
		}
		for _, call := range store.Calls()[before:] {
			if epoch > 0 && call.Op != "Delete" {
				t.Errorf("epoch %d: %v", epoch, call)
			}
		}
	}
	if n := len(inner.Snapshot()); n != 4 {
		t.Errorf("%d objects are left, want two checkpoints and their state", n)
	}
}

// TestWriteDoesNotWaitForCollect: a store that is slow to delete holds up neither a checkpoint nor a second collection.
func TestWriteDoesNotWaitForCollect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := mem.New()
		s := New(fault.New(inner, func(c fault.Call) fault.Fault {
			if c.Op == "Delete" {
				return fault.Fault{Delay: time.Hour}
			}
			return fault.Fault{}
		}))
		write := func(epoch engine.Epoch) {
			ref, err := s.WriteState(t.Context(), epoch, someSections())
			if err != nil {
				t.Fatal(err)
			}
			c := checkpointOf(epoch, "ours")
			c.State = []engine.StateRef{ref}
			if err := s.Write(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		write(1)
		write(2)
		began, collected := time.Now(), make(chan error)
		go func() { collected <- s.Collect(t.Context(), 2) }()
		synctest.Wait()
		write(3)
		if err := s.Collect(t.Context(), 3); err != nil {
			t.Error(err)
		}
		if waited := time.Since(began); waited > 0 {
			t.Errorf("a checkpoint waited %v for a collection", waited)
		}
		if err := <-collected; err != nil {
			t.Error(err)
		}
		if err := s.Collect(t.Context(), 3); err != nil {
			t.Error(err)
		}
		if n := len(inner.Snapshot()); n != 2 {
			t.Errorf("%d objects are left, want checkpoint 3 and its state", n)
		}
	})
}

// TestNewestIsCollected: between the list and the read the owner has gone on and collected what was the newest.
func TestNewestIsCollected(t *testing.T) {
	inner := mem.New()
	owner := New(inner)
	write := func(epoch engine.Epoch) {
		if err := owner.Write(t.Context(), checkpointOf(epoch, "ours")); err != nil {
			t.Error(err)
		}
	}
	write(1)
	late := New(fault.New(inner, func(c fault.Call) fault.Fault {
		if c.N == 2 { // the first read
			write(2)
			write(3)
			if err := owner.Collect(t.Context(), 2); err != nil {
				t.Error(err)
			}
		}
		return fault.Fault{}
	}))
	if c, err := late.Newest(t.Context()); err != nil || c.Epoch != 3 {
		t.Errorf("%+v: %v", c, err)
	}
}
