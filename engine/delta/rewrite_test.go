package delta

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob/fault"
	"github.com/millrace-io/millrace/engine/blob/mem"
)

func rewriteOf(s *Snapshot, name string) Rewrite {
	return Rewrite{
		Operation: "OPTIMIZE", EngineInfo: "millrace/test", Removes: s.Files(),
		Adds: []*Add{{Path: name, PartitionValues: map[string]*string{"city": nil}, Size: 5, DataChange: true}},
	}
}

// TestRewriteGoesBehindAppends: what others append meanwhile stays; both sides say that no rows changed.
func TestRewriteGoesBehindAppends(t *testing.T) {
	store := mem.New()
	logOf(t, store, []action{added("1")}, []action{added("2")})
	s := loaded(t, store, Latest)
	put(t, store, entryName(3), string(line(added("3"))))
	r := rewriteOf(s, "big")
	version, err := r.Commit(t.Context(), store, s)
	if err != nil || version != 4 {
		t.Fatalf("version %d: %v", version, err)
	}
	if got := names(loaded(t, store, Latest)); got != "3big" {
		t.Errorf("files %s", got)
	}
	changes := 0
	for _, l := range linesOf(t, store, 4) {
		err := eachAction([]byte(l), true, func(a action) error {
			if a.Add != nil && a.Add.DataChange || a.Remove != nil && (a.Remove.DataChange || !a.Remove.Extended) {
				changes++
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if changes > 0 {
		t.Errorf("the entry says that rows changed: %v", linesOf(t, store, 4))
	}
}

// TestRewriteConflicts: a file that another took out can't be taken out again, and nothing is written.
func TestRewriteConflicts(t *testing.T) {
	store := mem.New()
	logOf(t, store, []action{added("1")}, []action{added("2")})
	s := loaded(t, store, Latest)
	put(t, store, entryName(3), string(line(action{Remove: &Remove{Path: "2"}})))
	r := rewriteOf(s, "big")
	if version, err := r.Commit(t.Context(), store, s); !errors.Is(err, ErrConflict) {
		t.Errorf("version %d: %v", version, err)
	}
	if got := names(loaded(t, store, Latest)); got != "1" {
		t.Errorf("files %s", got)
	}
}

// TestRewriteWhoseAnswerIsLost is in the log once, also when it is committed again.
func TestRewriteWhoseAnswerIsLost(t *testing.T) {
	store := mem.New()
	logOf(t, store, []action{added("1")}, []action{added("2")})
	s := loaded(t, store, Latest)
	r := rewriteOf(s, "big")
	lossy := fault.New(store, func(c fault.Call) fault.Fault {
		if c.Op == "PutIfAbsent" {
			return fault.Fault{Kind: fault.CrashAfter}
		}
		return fault.Fault{}
	})
	if _, err := r.Commit(t.Context(), lossy, s); !errors.Is(err, fault.ErrCrashed) {
		t.Fatal(err)
	}
	if version, err := r.Commit(t.Context(), store, s); err != nil || version != 3 {
		t.Errorf("again: version %d, %v", version, err)
	}
	if got := names(loaded(t, store, Latest)); got != "big" {
		t.Errorf("files %s", got)
	}
}

// TestAppendsBesideRewrites: pipelines that append while others compact all the time never fail, and no file
// is lost or there twice.
func TestAppendsBesideRewrites(t *testing.T) {
	store := mem.New()
	var appending, compacting sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	for i := range 4 {
		appending.Go(func() {
			if err := commitEpochs(ctx, tableOn(t, store, fmt.Sprintf("p%d", i)), i); err != nil {
				t.Error(err)
			}
		})
	}
	compactions := 0
	compacting.Go(func() {
		for ; ctx.Err() == nil; compactions++ {
			if err := compactOnce(ctx, store, compactions); err != nil && ctx.Err() == nil {
				t.Error(err)
			}
		}
	})
	appending.Wait()
	stop()
	compacting.Wait()
	rows := 0
	for _, a := range loaded(t, store, Latest).Files() {
		n, _ := a.Rows()
		rows += int(n)
	}
	if rows != 4*epochs || compactions == 0 {
		t.Errorf("%d rows after %d compactions, want %d", rows, compactions, 4*epochs)
	}
}

// compactOnce makes one file of all that are there.
func compactOnce(ctx context.Context, store *mem.Store, n int) error {
	s, err := Load(ctx, store, Latest)
	if errors.Is(err, ErrNotTable) {
		return nil
	}
	if err != nil || len(s.Files()) < 2 {
		return err
	}
	r := rewriteOf(s, fmt.Sprintf("big-%d", n))
	rows := int64(0)
	for _, a := range r.Removes {
		n, _ := a.Rows()
		rows += n
	}
	r.Adds[0].Stats, r.Adds[0].PartitionValues = fmt.Sprintf(`{"numRecords":%d}`, rows), nil
	_, err = r.Commit(ctx, store, s)
	return err
}

// TestCheckpointDue: the table's interval decides which commits ask for a checkpoint; one that was done
// before asks for none, and a version that another writer has made is made up for by the next commit.
func TestCheckpointDue(t *testing.T) {
	store := mem.New()
	logOf(t, store, []action{{Metadata: &Metadata{ID: "t", SchemaString: tableSchema, Configuration: map[string]string{"delta.checkpointInterval": "3"}}}})
	table, other := tableOn(t, store, "p"), tableOn(t, store, "q")
	var due []int64
	table.config.CheckpointDue = func(version int64) { due = append(due, version) }
	commit := func(table *Table, e engine.Epoch) {
		t.Helper()
		p := engine.Prepared{ID: "t", Prev: e - 1, Epoch: e, Files: []engine.File{newFile(fmt.Sprint(table.config.Pipeline, e))}}
		for range 2 {
			if _, err := table.Commit(t.Context(), p, engine.CommitInfo{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, x := range []*Table{table, other} {
		if _, err := x.Open(t.Context(), "L"); err != nil {
			t.Fatal(err)
		}
	}
	for e := range engine.Epoch(10) { // versions 2 to 11
		commit(table, e)
	}
	commit(other, 0) // 12
	for e := range engine.Epoch(3) {
		commit(table, 10+e) // 13 to 15
	}
	if fmt.Sprint(due) != "[3 6 9 13 15]" {
		t.Errorf("due at %v", due)
	}
	reopened := tableOn(t, store, "p") // nobody has written the checkpoints that were due
	reopened.config.CheckpointDue = table.config.CheckpointDue
	if _, err := reopened.Open(t.Context(), "L"); err != nil {
		t.Fatal(err)
	}
	commit(reopened, 13) // 16
	if fmt.Sprint(due[5:]) != "[16]" {
		t.Errorf("after a start without a checkpoint due at %v", due[5:])
	}
}
