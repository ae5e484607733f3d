package maintenance_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/fault"
	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/maintenance"
)

// keep runs a Keeper of a table until the returned function is called.
func keep(t *testing.T, store blob.Store, places lake, s maintenance.Schedule) (k *maintenance.Keeper, log *bytes.Buffer, end func()) {
	t.Helper()
	log = &bytes.Buffer{}
	k = maintenance.NewKeeper([]maintenance.Table{table(store)}, s, optimize(), vacuum(places), slog.New(slog.NewTextHandler(log, nil)))
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		k.Run(t.Context(), stop)
	}()
	return k, log, func() { close(stop); <-ended }
}

func hasCheckpoint(t *testing.T, store blob.Store, version int64) bool {
	t.Helper()
	_, err := store.Stat(t.Context(), fmt.Sprintf("_delta_log/%020d.checkpoint.parquet", version))
	if err != nil && !errors.Is(err, blob.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

// TestKeeperWritesCheckpoints: those that are due, also those that came due just before the end; one that fails
// is a warning, and the next one makes up for it.
func TestKeeperWritesCheckpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner, down := mem.New(), false
		store := fault.New(inner, func(c fault.Call) fault.Fault {
			if down && c.Op == "PutIfAbsent" && strings.Contains(c.Name, ".checkpoint.") {
				return fault.Fault{Kind: fault.FailBefore}
			}
			return fault.Fault{}
		})
		w := write(t, inner, "p", "id: long!, city: string")
		k, log, end := keep(t, store, lake{}, maintenance.Schedule{Checkpoint: true})
		w.rows(numbered(0, 1)...)
		k.Due("t", 1)
		synctest.Wait()
		if !hasCheckpoint(t, inner, 1) {
			t.Error("version 1 has no checkpoint")
		}
		down = true
		w.rows(numbered(1, 2)...)
		k.Due("t", 2)
		synctest.Wait()
		if hasCheckpoint(t, inner, 2) || !strings.Contains(log.String(), "level=WARN") || len(k.Pending()) != 0 {
			t.Errorf("pending %v, log %s", k.Pending(), log)
		}
		if c := k.Status()[0].Checkpoint; c.At.IsZero() || c.Failures != 1 || c.Error == "" {
			t.Errorf("after one of two failed the status is %+v", c)
		}
		down = false
		w.rows(numbered(2, 3)...)
		k.Due("t", 3)
		end()
		if !hasCheckpoint(t, inner, 3) {
			t.Error("version 3 has no checkpoint: it was due when the end came")
		}
		if s := k.Status()[0]; s.CheckpointVersion != 3 || s.Checkpoint.Failures != 1 || s.Checkpoint.Error != "" {
			t.Errorf("in the end the status is %+v", s)
		}
	})
}

// TestSmallFiles: a pipeline that commits every second for ten minutes, in two lanes, has at any time at most
// twice the files that its bytes would fill, and twenty; what was put together is deleted when it is old.
func TestSmallFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, places := mem.New(), lake{}
		places.prepares(t, "p")
		w := write(t, store, "p", "id: long!, city: string")
		k, log, end := keep(t, store, places, maintenance.Schedule{Checkpoint: true, OptimizeEvery: 5 * time.Second})
		n := 0
		for second := range 600 {
			p := w.seal(numbered(n, n+5)...)
			more := w.seal(numbered(n+5, n+10)...) // of another lane
			p.Files = append(p.Files, more.Files...)
			w.commit(p)
			k.Committed("t", len(p.Files))
			n += 10
			if v := load(t, store).Version(); v%10 == 0 {
				k.Due("t", v)
			}
			time.Sleep(time.Second)
			var size int64
			files := load(t, store).Files()
			for _, a := range files {
				size += a.Size
			}
			if most := 2*size/target + 20; int64(len(files)) > most {
				t.Fatalf("%d files after %d s, want at most %d", len(files), second, most)
			}
		}
		end()
		if s := k.Status()[0]; s.FilesPacked < 1000 || s.Optimize.At.IsZero() || s.Optimize.Failures != 0 || s.CheckpointVersion < 600 {
			t.Errorf("the status is %+v", s)
		}
		time.Sleep(9 * day)
		if _, err := vacuum(places).Run(t.Context(), table(store)); err != nil {
			t.Error(err)
		}
		if rows := rowsOf(t, store); len(rows) != n {
			t.Errorf("%d rows, want %d", len(rows), n)
		}
		if files, live := len(dataFiles(t, store)), len(load(t, store).Files()); files != live {
			t.Errorf("%d files are there, the table has %d", files, live)
		}
		if strings.Contains(log.String(), "level=WARN") {
			t.Errorf("%s", log)
		}
	})
}

// TestAppendsNeverLose: a pipeline commits every 500 ms while optimize and vacuum run in a loop beside it: no
// epoch fails and no row is lost. Two minutes of it with MILLRACE_LONG=1, in real time.
func TestAppendsNeverLose(t *testing.T) {
	long, every := 3*time.Second, 30*time.Millisecond
	if os.Getenv("MILLRACE_LONG") != "" {
		long, every = 2*time.Minute, 500*time.Millisecond
	}
	store, places := mem.New(), lake{}
	places.prepares(t, "p")
	ctx, stop := context.WithCancel(t.Context())
	var beside sync.WaitGroup
	var rounds, rewritten, deleted int64
	w := write(t, store, "p", "id: long!, city: string")
	beside.Go(func() {
		for ; ctx.Err() == nil; rounds++ {
			done, err := optimize().Run(ctx, table(store))
			v := vacuum(places)
			v.Retention, v.Unsafe = 10*every, true // what is younger may be on its way
			swept, vErr := v.Run(ctx, table(store))
			if err := errors.Join(err, vErr); err != nil && ctx.Err() == nil {
				t.Error(err)
				return
			}
			rewritten += done.FilesRemoved
			deleted += int64(len(swept.Files))
		}
	})
	n := 0
	tick := time.NewTicker(every)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < long; <-tick.C {
		w.rows(numbered(n, n+7)...) // fails the test where it fails
		n += 7
	}
	stop()
	beside.Wait()
	if rows := rowsOf(t, store); len(rows) != n {
		t.Errorf("%d rows, want %d", len(rows), n)
	}
	if rounds == 0 || rewritten == 0 || deleted == 0 {
		t.Errorf("%d rounds put %d files together and deleted %d", rounds, rewritten, deleted)
	}
	t.Logf("%d epochs, 0 failed, %d rows beside %d rounds that put %d files together and deleted %d", w.prev+1, n, rounds, rewritten, deleted)
}

// TestCheckpoint: it is written once, and the log is cleaned as the table asks.
func TestCheckpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := mem.New()
		w := write(t, store, "p", "id: long!, city: string")
		for i := range 3 {
			w.rows(numbered(i, i+1)...)
		}
		done, err := maintenance.Checkpoint(t.Context(), table(store))
		if err != nil || done.Version != 3 || done.Files != 3 || done.Cleaned != 0 {
			t.Errorf("%+v, %v", done, err)
		}
		time.Sleep(40 * day)
		if done, err = maintenance.Checkpoint(t.Context(), table(store)); err != nil || done.Cleaned != 3 {
			t.Errorf("40 days later: %+v, %v", done, err)
		}
		if _, err := delta.Load(t.Context(), store, 2); err == nil {
			t.Error("version 2 can be read still")
		}
		if rows := rowsOf(t, store); len(rows) != 3 {
			t.Errorf("%d rows", len(rows))
		}
	})
}
