package delta

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/fault"
	"github.com/millrace-io/millrace/engine/blob/file"
	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/column"
)

func tableOn(t *testing.T, store blob.Store, pipeline string) *Table {
	t.Helper()
	table, err := NewTable(Config{
		Name: "t", Pipeline: pipeline, Store: store, Schema: column.Schema{{Name: "id", Type: column.Of(column.Long)}},
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// process is what a pipeline does with a table, as far as the table sees it: three epochs of which the second
// has no rows. done is what its checkpoints hold, which outlives a crash.
type process struct {
	id      string // of the table
	prev    engine.Epoch
	pending *engine.Prepared
}

func (p *process) run(ctx context.Context, table *Table) error {
	state, err := table.Open(ctx, "L")
	if err != nil {
		return err
	}
	p.id = state.ID
	if p.pending != nil {
		if err := p.commit(ctx, table); err != nil {
			return err
		}
	}
	for epoch := p.prev + 1; epoch <= 3; epoch++ {
		if epoch == 0 || epoch == 2 {
			continue
		}
		next := engine.Prepared{Table: "t", ID: p.id, Prev: p.prev, Epoch: epoch, Files: []engine.File{
			newFile(fmt.Sprintf("e%d-a", epoch)), newFile(fmt.Sprintf("e%d-b", epoch)),
		}}
		if err := table.Prepare(ctx, next); err != nil {
			return err
		}
		p.pending = &next
		if err := p.commit(ctx, table); err != nil {
			return err
		}
	}
	return nil
}

func (p *process) commit(ctx context.Context, table *Table) error {
	if _, err := table.Commit(ctx, *p.pending, engine.CommitInfo{Pipeline: "p", Epoch: p.pending.Epoch}); err != nil {
		return err
	}
	p.prev, p.pending = p.pending.Epoch, nil
	return nil
}

func newFile(name string) engine.File {
	return engine.File{Path: name, Size: 1, Rows: 1, Add: AddAction(name, nil, 1, 1, `{"numRecords":1}`)}
}

// committed lists the files that the log's entries add, in order, each time they are added.
func committed(t *testing.T, store blob.Store) []string {
	t.Helper()
	var names []string
	s := newState(false)
	if err := s.advance(t.Context(), store, Latest); err != nil {
		t.Fatal(err)
	}
	for v := range s.version + 1 {
		data, err := readEntry(t.Context(), store, v)
		if err != nil {
			t.Fatal(err)
		}
		err = eachAction(data, true, func(a action) error {
			if a.Add != nil {
				names = append(names, a.Add.Path)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// TestFaultAtEachCall: whatever happens at any one call of the store, after recovery each epoch is in the
// log exactly once.
func TestFaultAtEachCall(t *testing.T) {
	calm := fault.New(mem.New(), nil)
	if err := new(process{prev: engine.NoEpoch}).run(t.Context(), tableOn(t, calm, "p")); err != nil {
		t.Fatal(err)
	}
	calls := len(calm.Calls())
	for n := 1; n <= calls; n++ {
		for _, kind := range []fault.Kind{fault.CrashBefore, fault.CrashAfter, fault.FailBefore, fault.FailAfter} {
			store := mem.New()
			p := &process{prev: engine.NoEpoch}
			err := p.run(t.Context(), tableOn(t, fault.New(store, fault.At(n, fault.Fault{Kind: kind})), "p"))
			if crash := kind == fault.CrashBefore || kind == fault.CrashAfter; crash && !errors.Is(err, fault.ErrCrashed) {
				t.Errorf("crash at call %d: %v", n, err)
			}
			if err := p.run(t.Context(), tableOn(t, store, "p")); err != nil {
				t.Errorf("recovery from %d at call %v: %v", kind, calm.Calls()[n-1], err)
			}
			if diff := cmp.Diff([]string{"e1-a", "e1-b", "e3-a", "e3-b"}, committed(t, store)); diff != "" {
				t.Errorf("%d at call %v: -want +got\n%s", kind, calm.Calls()[n-1], diff)
			}
		}
	}
}

// TestCommitTakesOneCall: in peace an epoch costs a list to prepare and a put to commit.
func TestCommitTakesOneCall(t *testing.T) {
	store := fault.New(mem.New(), nil)
	table := tableOn(t, store, "p")
	state, err := table.Open(t.Context(), "L")
	if err != nil {
		t.Fatal(err)
	}
	before := len(store.Calls())
	p := engine.Prepared{ID: state.ID, Prev: engine.NoEpoch, Epoch: 1, Files: []engine.File{newFile("a")}}
	if err := errors.Join(table.Prepare(t.Context(), p), second(table.Commit(t.Context(), p, engine.CommitInfo{}))); err != nil {
		t.Fatal(err)
	}
	want := []string{"List", "PutIfAbsent"}
	var got []string
	for _, c := range store.Calls()[before:] {
		got = append(got, c.Op)
	}
	if !slices.Equal(got, want) {
		t.Errorf("calls %v, want %v", got, want)
	}
}

func second[T any](_ T, err error) error { return err }

const (
	committers = 16
	epochs     = 50
)

// TestPutKnowsItsOwn: an entry that landed though its answer was lost is known by its id, without another
// look at the log.
func TestPutKnowsItsOwn(t *testing.T) {
	store := mem.New()
	p := &draft{}
	entry, id := p.entry(-1)
	c := committer{store: fault.New(store, fault.At(1, fault.Fault{Kind: fault.FailAfter})), sleep: sleep}
	if won, err := c.put(t.Context(), 0, entry, id); !won || err != nil {
		t.Errorf("our own entry: %t, %v", won, err)
	}
	other, otherID := p.entry(-1)
	if won, err := c.put(t.Context(), 0, other, otherID); won || err != nil {
		t.Errorf("another's entry: %t, %v", won, err)
	}
	if got, err := store.Get(t.Context(), entryName(0)); err != nil || string(got) != string(entry) {
		t.Errorf("the log holds %s: %v", got, err)
	}
}

// TestConcurrentCommitters: of many pipelines that commit to one table at once, each gets every epoch in,
// once and in its order.
func TestConcurrentCommitters(t *testing.T) {
	for name, store := range map[string]blob.Store{"mem": mem.New(), "file": fileStore(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			errs := make(chan error, committers)
			for i := range committers {
				go func() { errs <- commitEpochs(t.Context(), tableOn(t, store, fmt.Sprintf("p%d", i)), i) }()
			}
			for range committers {
				if err := <-errs; err != nil {
					t.Error(err)
				}
			}
			checkConcurrent(t, store)
		})
	}
}

func fileStore(t *testing.T) blob.Store {
	s, err := file.New(filepath.Join(t.TempDir(), "lake"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func commitEpochs(ctx context.Context, table *Table, i int) error {
	state, err := table.Open(ctx, "L")
	if err != nil {
		return err
	}
	for e := range engine.Epoch(epochs) {
		p := engine.Prepared{ID: state.ID, Prev: e - 1, Epoch: e, Files: []engine.File{newFile(fmt.Sprintf("p%d-%03d", i, e))}}
		if _, err := table.Commit(ctx, p, engine.CommitInfo{}); err != nil {
			return err
		}
	}
	return nil
}

func checkConcurrent(t *testing.T, store blob.Store) {
	all := committed(t, store)
	if len(all) != committers*epochs {
		t.Fatalf("%d files are committed, want %d", len(all), committers*epochs)
	}
	for i := range committers {
		var got, want []string
		for _, name := range all {
			if prefix := fmt.Sprintf("p%d-", i); name[:min(len(name), len(prefix))] == prefix {
				got = append(got, name)
			}
		}
		for e := range epochs {
			want = append(want, fmt.Sprintf("p%d-%03d", i, e))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pipeline %d: -want +got\n%s", i, diff)
		}
	}
	s, err := Load(t.Context(), store, Latest)
	if err != nil {
		t.Fatal(err)
	}
	if s.Version() != committers*epochs || len(s.Files()) != committers*epochs || len(s.Txns()) != committers {
		t.Errorf("version %d, %d files, %d txns", s.Version(), len(s.Files()), len(s.Txns()))
	}
}

// TestTwoProcessesOfOneLine: two that commit the same epochs at once, as a standby and one that was stopped
// and goes on, leave each epoch in the log once.
func TestTwoProcessesOfOneLine(t *testing.T) {
	store := mem.New()
	errs := make(chan error, 4)
	for range 4 {
		go func() { errs <- new(process{prev: engine.NoEpoch}).run(t.Context(), tableOn(t, store, "p")) }()
	}
	for range 4 {
		if err := <-errs; err != nil && !errors.Is(err, engine.ErrForeign) { // one was outrun: the log is past its epoch
			t.Error(err)
		}
	}
	if diff := cmp.Diff([]string{"e1-a", "e1-b", "e3-a", "e3-b"}, committed(t, store)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestPauses: a store that refuses every put is given up after five tries and less than a second, longer
// each time; a cancelled context ends the wait.
func TestPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := fault.New(mem.New(), func(c fault.Call) fault.Fault {
			if c.Op == "PutIfAbsent" {
				return fault.Fault{Kind: fault.FailBefore}
			}
			return fault.Fault{}
		})
		table := tableOn(t, down, "p")
		table.committer.sleep = sleep
		start := time.Now()
		_, err := table.Open(t.Context(), "L")
		if took := time.Since(start); !errors.Is(err, fault.ErrInjected) || took < 375*time.Millisecond || took > 750*time.Millisecond {
			t.Errorf("given up after %v: %v", took, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
		defer cancel()
		start = time.Now()
		if _, err := table.Open(ctx, "L"); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 60*time.Millisecond {
			t.Errorf("with a deadline: %v after %v", err, time.Since(start))
		}
	})
}

func TestMissing(t *testing.T) {
	store := mem.New()
	put(t, store, "there", "12345")
	put(t, store, "short", "123")
	table := tableOn(t, store, "p")
	got, err := table.Missing(t.Context(), []engine.File{{Path: "there", Size: 5}, {Path: "short", Size: 5}, {Path: "d/gone", Size: 1}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"short (it has 3 bytes, 5 were written)", "d/gone"}, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	broken := tableOn(t, fault.New(store, fault.At(1, fault.Fault{Kind: fault.FailBefore})), "p")
	if _, err := broken.Missing(t.Context(), []engine.File{{Path: "there", Size: 5}}); !errors.Is(err, fault.ErrInjected) {
		t.Errorf("a store that is down: %v", err)
	}
}

// TestPreparedFromOutside: a checkpoint's bytes are checked before they reach the log.
func TestPreparedFromOutside(t *testing.T) {
	table := tableOn(t, mem.New(), "p")
	state, err := table.Open(t.Context(), "L")
	if err != nil {
		t.Fatal(err)
	}
	for name, files := range map[string][]engine.File{
		"another file":    {{Path: "a", Size: 1, Add: AddAction("b", nil, 1, 1, "")}},
		"another size":    {{Path: "a", Size: 1, Add: AddAction("a", nil, 2, 1, "")}},
		"another action":  {{Path: "a", Size: 1, Add: []byte(`{"remove":{"path":"a"}}`)}},
		"no JSON":         {{Path: "a", Size: 1, Add: []byte(`{"add":`)}},
		"an absolute one": {{Path: "/a", Size: 1, Add: []byte(`{"add":{"path":"/a","size":1}}`)}},
		"a partition":     {{Path: "a", Size: 1, Add: AddAction("a", map[string]*string{"x": nil}, 1, 1, "")}},
		"twice":           {newFile("a"), newFile("a")},
	} {
		p := engine.Prepared{ID: state.ID, Prev: engine.NoEpoch, Epoch: 1, Files: files}
		if err := table.Prepare(t.Context(), p); err == nil {
			t.Errorf("%s: prepared", name)
		}
		if _, err := table.Commit(t.Context(), p, engine.CommitInfo{}); err == nil {
			t.Errorf("%s: committed", name)
		}
	}
}

func TestMethodsBeforeOpen(t *testing.T) {
	table := tableOn(t, mem.New(), "p")
	_, stateErr := table.State(t.Context())
	_, commitErr := table.Commit(t.Context(), engine.Prepared{}, engine.CommitInfo{})
	for op, err := range map[string]error{"State": stateErr, "Prepare": table.Prepare(t.Context(), engine.Prepared{}), "Commit": commitErr} {
		if !errors.Is(err, errNotOpen) {
			t.Errorf("%s: %v", op, err)
		}
	}
}
