package checkpoint_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/checkpoint"
)

const second = "checkpoints/00000000000000000002.json"

// sound gives a store with checkpoints 1 and 2, and the bytes of the second.
func sound(t *testing.T) (*mem.Store, string) {
	t.Helper()
	blobs := mem.New()
	for epoch := engine.Epoch(1); epoch <= 2; epoch++ {
		c := &engine.Checkpoint{
			Format: engine.CheckpointFormat, Epoch: epoch, Pipeline: "p", Task: "all", Incarnation: "line", Attempt: "try",
			Partitions: []engine.PartitionState{{Source: "in", Partition: "0", Next: 7}, {Source: "in", Partition: "1", Next: 8}},
			Tables:     []engine.Prepared{{Table: "t", Prev: epoch - 1, Epoch: epoch}},
		}
		if err := checkpoint.New(blobs).Write(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	data, err := blobs.Get(t.Context(), second)
	if err != nil {
		t.Fatal(err)
	}
	return blobs, string(data)
}

// A newest checkpoint that can't be trusted is an error with its name. The one before it is no way out: what
// came after it is in the tables.
func TestDamagedCheckpoint(t *testing.T) {
	_, whole := sound(t)
	swap := func(old, new string) string {
		if !strings.Contains(whole, old) {
			t.Fatalf("no %s in %s", old, whole)
		}
		return strings.Replace(whole, old, new, 1)
	}
	first, _ := sound(t)
	earlier, err := first.Get(t.Context(), "checkpoints/00000000000000000001.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ data, want string }{
		"empty":                   {"", "unexpected end of JSON input"},
		"cut short":               {whole[:len(whole)/2], "unexpected end of JSON input"},
		"overwritten":             {"\x00\x00" + whole[2:], "invalid character"},
		"of a newer program":      {swap(`"format": 2`, `"format": 3`), "format 3, this program reads 1 to 2"},
		"a field of another type": {swap(`"next": 7`, `"next": "7"`), "cannot unmarshal string"},
		"without its pipeline":    {swap(`"pipeline": "p"`, `"pipeline": ""`), "epoch, pipeline, incarnation or attempt is missing"},
		"a partition twice":       {swap(`"partition": "1"`, `"partition": "0"`), "partition in/0 stands twice"},
		"a negative offset":       {swap(`"next": 7`, `"next": -7`), "negative offset"},
		"a commit of no time":     {swap(`"prev": 1`, `"prev": 2`), "table t commits epoch 2 after 2"},
		"another one's copy":      {string(earlier), "it is that of epoch 1"},
	} {
		t.Run(name, func(t *testing.T) {
			blobs, _ := sound(t)
			if err := blobs.Put(t.Context(), second, []byte(c.data)); err != nil {
				t.Fatal(err)
			}
			got, err := checkpoint.New(blobs).Newest(t.Context())
			if err == nil || !strings.Contains(err.Error(), second) || !strings.Contains(err.Error(), c.want) || got != nil {
				t.Errorf("got %v, %v; want an error with %q and %q", got, err, second, c.want)
			}
		})
	}
}

// State with any bit turned, cut short anywhere or gone is an error with the object's name.
func TestDamagedState(t *testing.T) {
	store := mem.New()
	c := checkpoint.New(store)
	sections := []engine.Section{{Operator: "s/dedupe", Slot: 3, Whole: true, Data: []byte("keys")}, {Operator: "s/dedupe", Slot: 255, Data: []byte("more")}}
	ref, err := c.WriteState(t.Context(), 2, sections)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := store.Get(t.Context(), ref.Name)
	if err != nil {
		t.Fatal(err)
	}
	read := func(data []byte) error {
		if err := store.Put(t.Context(), ref.Name, data); err != nil {
			t.Fatal(err)
		}
		o, err := c.OpenState(t.Context(), ref)
		if err == nil {
			err = o.Read(t.Context(), numbers(o), func(int, io.Reader) error { return nil })
		}
		return err
	}
	if err := read(whole); err != nil {
		t.Fatal(err)
	}
	other, err := c.WriteState(t.Context(), 2, sections[:1])
	if err != nil {
		t.Fatal(err)
	}
	if data, _ := store.Get(t.Context(), other.Name); read(data) == nil {
		t.Error("another state object in its place was taken for it")
	}
	for i := range whole {
		turned := append([]byte{}, whole...)
		turned[i] ^= 1 << (i % 8)
		if err := read(turned); err == nil || !strings.Contains(err.Error(), ref.Name) {
			t.Errorf("byte %d turned: got %v, want an error with %s", i, err, ref.Name)
		}
		if err := read(whole[:i]); err == nil || !strings.Contains(err.Error(), ref.Name) {
			t.Errorf("cut after %d bytes: got %v, want an error with %s", i, err, ref.Name)
		}
	}
	if err := store.Delete(t.Context(), ref.Name); err != nil {
		t.Fatal(err)
	}
	if _, err := c.OpenState(t.Context(), ref); !errors.Is(err, blob.ErrNotFound) || !strings.Contains(err.Error(), ref.Name) || !strings.Contains(err.Error(), "--drop-state") {
		t.Errorf("gone: got %v, want not found with %s and what to do", err, ref.Name)
	}
}

func numbers(o engine.State) []int {
	var all []int
	for n := range o.Sections() {
		all = append(all, n)
	}
	return all
}

// State that is changed, cut short or taken away after it was opened is an error with its name, what it is of and
// what to do.
func TestStateDamagedMeanwhile(t *testing.T) {
	store := mem.New()
	c := checkpoint.New(store)
	long := bytes.Repeat([]byte("key"), 1<<20)
	ref, err := c.WriteState(t.Context(), 2, []engine.Section{{Operator: "s/dedupe", Slot: 3, Whole: true, Data: long}, {Operator: "s/dedupe", Slot: 4, Whole: true, Data: long}})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := store.Get(t.Context(), ref.Name)
	if err != nil {
		t.Fatal(err)
	}
	o, err := c.OpenState(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	turned := bytes.Clone(whole)
	turned[len(whole)-2000] ^= 1
	for name, x := range map[string]struct {
		data []byte
		want string
	}{
		"turned":    {turned, "operator s/dedupe, slot 4: the checksum does not fit"},
		"cut short": {whole[:1<<20], "operator s/dedupe, slot 3: it was cut short"},
		"gone":      {nil, "not found"},
	} {
		if err := store.Put(t.Context(), ref.Name, x.data); err != nil {
			t.Fatal(err)
		}
		if x.data == nil {
			if err := store.Delete(t.Context(), ref.Name); err != nil {
				t.Fatal(err)
			}
		}
		err := o.Read(t.Context(), numbers(o), func(int, io.Reader) error { return errors.New("the operator's own") })
		if name == "turned" {
			err = o.Read(t.Context(), numbers(o)[1:], func(int, io.Reader) error { return errors.New("the operator's own") })
		}
		if err == nil || !strings.Contains(err.Error(), ref.Name) || !strings.Contains(err.Error(), x.want) || !strings.Contains(err.Error(), "--drop-state") {
			t.Errorf("%s: got %v, want %q with %s and what to do", name, err, x.want, ref.Name)
		}
	}
}
