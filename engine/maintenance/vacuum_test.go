package maintenance_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/fault"
	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/maintenance"
)

func vacuum(places lake) maintenance.Vacuum { return maintenance.Vacuum{Open: places.open} }

const day = 24 * time.Hour

func synctestSleep() { time.Sleep(day) }

// compacted is a table of two epochs that were put together, eight days ago, with the two old files and an
// orphan. It returns the names of these.
func compacted(t *testing.T) (store *mem.Store, places lake, old []string) {
	t.Helper()
	store, places = mem.New(), lake{}
	places.prepares(t, "p")
	w := write(t, store, "p", "id: long!, city: string")
	w.rows(numbered(0, 3)...)
	w.rows(numbered(3, 6)...)
	orphan := w.seal(numbered(90, 92)...)
	old = append(dataFiles(t, store), orphan.Files[0].Path)
	slices.Sort(old)
	old = slices.Compact(old)
	if _, err := optimize().Run(t.Context(), table(store)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(8 * day)
	return store, places, old
}

// TestVacuum: what was removed and what never came in goes when it is old enough, and not before; a dry run
// says the same and deletes nothing.
func TestVacuum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, places, old := compacted(t)
		want := rowsOf(t, store)
		v := vacuum(places)
		v.DryRun = true
		done, err := v.Run(t.Context(), table(store))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(old, done.Files); diff != "" || done.Bytes == 0 {
			t.Errorf("dry run: -want +got\n%s", diff)
		}
		if got := dataFiles(t, store); len(got) != 4 {
			t.Errorf("the dry run deleted: %v are left", got)
		}
		v.DryRun, v.Retention = false, 9*day
		if done, err := v.Run(t.Context(), table(store)); err != nil || len(done.Files) != 0 || done.Kept != 3 {
			t.Errorf("nine days: %+v, %v", done, err)
		}
		v.Retention = 0
		if done, err = v.Run(t.Context(), table(store)); err != nil || !slices.Equal(done.Files, old) {
			t.Errorf("%+v, %v", done, err)
		}
		if diff := cmp.Diff(want, rowsOf(t, store)); diff != "" || len(dataFiles(t, store)) != 1 {
			t.Errorf("left %v, -want +got\n%s", dataFiles(t, store), diff)
		}
	})
}

// TestVacuumKeepsWhatWasRemovedLately: a file may be old and still be needed by readers of a version that is not.
func TestVacuumKeepsWhatWasRemovedLately(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, places := mem.New(), lake{}
		places.prepares(t, "p")
		w := write(t, store, "p", "id: long!, city: string")
		w.rows(numbered(0, 3)...)
		w.rows(numbered(3, 6)...)
		time.Sleep(30 * day)
		if _, err := optimize().Run(t.Context(), table(store)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6 * day)
		if done, err := vacuum(places).Run(t.Context(), table(store)); err != nil || len(done.Files) != 0 || done.Kept != 2 {
			t.Errorf("six days after: %+v, %v", done, err)
		}
		time.Sleep(2 * day)
		if done, err := vacuum(places).Run(t.Context(), table(store)); err != nil || len(done.Files) != 2 {
			t.Errorf("eight days after: %+v, %v", done, err)
		}
	})
}

// TestVacuumKeepsWhatIsOnItsWay: a file that a checkpoint names stays however old it is, for it will be
// committed; a younger one stays that no checkpoint names yet.
func TestVacuumKeepsWhatIsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, places := mem.New(), lake{}
		w := write(t, store, "p", "id: long!, city: string")
		w.rows(numbered(0, 3)...)
		p := w.seal(numbered(3, 6)...)
		places.prepares(t, "p", p)
		time.Sleep(30 * day)
		uploading := w.seal(numbered(6, 9)...)
		if done, err := vacuum(places).Run(t.Context(), table(store)); err != nil || len(done.Files) != 0 || done.Kept != 2 {
			t.Fatalf("%+v, %v", done, err)
		}
		w.commit(p)
		uploading.Prev, uploading.Epoch = w.prev, w.prev+1
		w.commit(uploading)
		if rows := rowsOf(t, store); len(rows) != 9 {
			t.Errorf("%d rows", len(rows))
		}
	})
}

// TestVacuumWhileAPipelineComesBack: one that stood still for weeks commits what it had prepared, and goes on, just
// while vacuum looks.
func TestVacuumWhileAPipelineComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, places := mem.New(), lake{}
		w := write(t, store, "p", "id: long!, city: string")
		w.rows(numbered(0, 3)...)
		p := w.seal(numbered(3, 6)...)
		places.prepares(t, "p", p)
		time.Sleep(30 * day)
		v := vacuum(places)
		v.Open = func(url string) (blob.Store, error) {
			w.commit(p)
			places.prepares(t, "p") // the next checkpoint, which has nothing to commit
			return places.open(url)
		}
		if done, err := v.Run(t.Context(), table(store)); err != nil || len(done.Files) != 0 {
			t.Errorf("%+v, %v", done, err)
		}
		if rows := rowsOf(t, store); len(rows) != 6 {
			t.Errorf("%d rows", len(rows))
		}
	})
}

// TestVacuumTouchesNothingElse: neither the log nor what is hidden nor a table below, nor, of data only, other files.
func TestVacuumTouchesNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, places := mem.New(), lake{}
		places.prepares(t, "p")
		w := write(t, store, "p", "id: long!, _part: string", "_part")
		w.rows(`{"id":1,"_part":"x"}`)
		for _, name := range []string{"_delta_log/old.tmp", "_millrace/x", ".hidden/x.parquet", "_delta_index/a", "_part=x/orphan.parquet", "a/orphan.parquet", "a/_b/c", "notes.txt",
			"_x=1/other.parquet", "inner/0.parquet", "inner/part-1.parquet", "inner/_delta_log/00000000000000000000.json", "inner/z=1/x.parquet"} {
			if err := store.Put(t.Context(), name, []byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(8 * day)
		v := vacuum(places)
		v.DataOnly = true
		done, err := v.Run(t.Context(), table(store))
		if diff := cmp.Diff([]string{"_part=x/orphan.parquet", "a/orphan.parquet"}, done.Files); err != nil || diff != "" {
			t.Errorf("%v, -want +got\n%s", err, diff)
		}
		v.DataOnly = false
		done, err = v.Run(t.Context(), table(store))
		if diff := cmp.Diff([]string{"notes.txt"}, done.Files); err != nil || diff != "" {
			t.Errorf("%v, -want +got\n%s", err, diff)
		}
	})
}

// TestVacuumRefuses: what could delete a file that is needed is asked about.
func TestVacuumRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, places, old := compacted(t)
		for name, c := range map[string]struct {
			change func(v *maintenance.Vacuum)
			want   string
		}{
			"a short retention":         {func(v *maintenance.Vacuum) { v.Retention = time.Hour }, "a retention of 1h0m0s is less than 168h0m0s: readers of older versions would fail"},
			"checkpoints that are gone": {func(v *maintenance.Vacuum) { v.Open = lake{"mem:p": mem.New()}.open }, "the checkpoints of pipeline p at mem:p can't be read, so files that it is about to commit can't be told: bring them back"},
			"a place that is gone":      {func(v *maintenance.Vacuum) { v.Open = lake{}.open }, "no place mem:p"},
		} {
			v := vacuum(places)
			c.change(&v)
			if done, err := v.Run(t.Context(), table(store)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %+v, %v", name, done, err)
			}
			if len(dataFiles(t, store)) != 4 {
				t.Errorf("%s: it deleted", name)
			}
			v.Unsafe = true
			v.DryRun = true
			if done, err := v.Run(t.Context(), table(store)); err != nil || !slices.Equal(done.Files, old) {
				t.Errorf("%s, unsafe: %+v, %v", name, done, err)
			}
		}
	})
}

// TestVacuumFaultAtEachCall: a vacuum that ends anywhere has deleted nothing that is needed, and another
// finishes.
func TestVacuumFaultAtEachCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base, places, _ := compacted(t)
		want := rowsOf(t, base)
		calm := fault.New(base.Clone(), nil)
		if _, err := vacuum(places).Run(t.Context(), table(calm)); err != nil {
			t.Fatal(err)
		}
		for n := 1; n <= len(calm.Calls()); n++ {
			for _, kind := range []fault.Kind{fault.CrashBefore, fault.CrashAfter, fault.FailBefore, fault.FailAfter} {
				store := base.Clone()
				_, err := vacuum(places).Run(t.Context(), table(fault.New(store, fault.At(n, fault.Fault{Kind: kind}))))
				if !errors.Is(err, fault.ErrCrashed) && !errors.Is(err, fault.ErrInjected) {
					t.Errorf("call %v: %v", calm.Calls()[n-1], err)
				}
				if diff := cmp.Diff(want, rowsOf(t, store)); diff != "" {
					t.Errorf("-want +got\n%s", diff)
				}
				if _, err := vacuum(places).Run(t.Context(), table(store)); err != nil || len(dataFiles(t, store)) != 1 {
					t.Errorf("again: %v, left %v", err, dataFiles(t, store))
				}
			}
		}
	})
}
