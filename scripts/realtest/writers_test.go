//go:build real

package realtest_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/file"
	"github.com/millrace-io/millrace/engine/blob/s3"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/scripts/realtest"
)

const (
	writers   = 16
	commits   = 200 // each
	processes = 4
)

// TestWritersAtOnce: of sixteen pipelines that commit to one table at once, in one process and in four, in a folder
// and in a bucket, each gets each of its two hundred epochs in, once and in order.
func TestWritersAtOnce(t *testing.T) {
	server := realtest.StartS3(t)
	for _, e := range server.Env {
		k, v, _ := strings.Cut(e, "=")
		t.Setenv(k, v)
	}
	for name, url := range map[string]string{"folder": t.TempDir(), "bucket": server.URL("writers")} {
		for _, n := range []int{1, processes} {
			t.Run(fmt.Sprintf("%s, %d processes", name, n), func(t *testing.T) {
				place := placed(url, fmt.Sprintf("of%d", n))
				began := time.Now()
				if n == 1 {
					writeAll(t.Context(), t, place, 0, writers)
				} else {
					startWriters(t, place, n)
				}
				t.Logf("%d commits in %v", writers*commits, time.Since(began).Round(time.Millisecond))
				checkCommits(t, openPlace(t, place))
			})
		}
	}
}

// placed is a place below another.
func placed(url, name string) string {
	if at, options, ok := strings.Cut(url, "?"); ok {
		return at + "/" + name + "?" + options
	}
	return url + "/" + name
}

func openPlace(t testing.TB, place string) blob.Store {
	t.Helper()
	if !strings.HasPrefix(place, "s3://") {
		store, err := file.New(place)
		if err != nil {
			t.Fatal(err)
		}
		return store
	}
	c, err := s3.ParseURL(place)
	if err != nil {
		t.Fatal(err)
	}
	store, err := s3.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// startWriters runs the writers in processes of their own.
func startWriters(t *testing.T, place string, n int) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run=^TestWriterProcess$", "-test.v")
			cmd.Env = append(os.Environ(), "MILLRACE_WRITE_TO="+place, "MILLRACE_WRITE_AS="+strconv.Itoa(i*writers/n))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("process %d: %v\n%s", i, err, out)
			}
		})
	}
	all.Wait()
}

// TestWriterProcess is one of the processes of TestWritersAtOnce.
func TestWriterProcess(t *testing.T) {
	place := os.Getenv("MILLRACE_WRITE_TO")
	if place == "" {
		return // it is started by TestWritersAtOnce
	}
	first, err := strconv.Atoi(os.Getenv("MILLRACE_WRITE_AS"))
	if err != nil {
		t.Fatal(err)
	}
	writeAll(t.Context(), t, place, first, writers/processes)
}

// writeAll runs n writers, from a first one on, until all have committed.
func writeAll(ctx context.Context, t *testing.T, place string, first, n int) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if err := writeEpochs(ctx, openPlace(t, place), fmt.Sprintf("p%02d", first+i)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func writeEpochs(ctx context.Context, store blob.Store, pipeline string) error {
	table, err := delta.NewTable(delta.Config{Name: "t", Pipeline: pipeline, Store: store, Schema: column.Schema{{Name: "id", Type: column.Of(column.Long)}}})
	if err != nil {
		return err
	}
	state, err := table.Open(ctx, "line")
	if err != nil {
		return err
	}
	for e := range engine.Epoch(commits) {
		name := fmt.Sprintf("%s-%03d", pipeline, e)
		f := engine.File{Path: name, Size: 1, Rows: 1, Add: delta.AddAction(name, nil, 1, 1, `{"numRecords":1}`)}
		if _, err := table.Commit(ctx, engine.Prepared{ID: state.ID, Prev: e - 1, Epoch: e, Files: []engine.File{f}}, engine.CommitInfo{}); err != nil {
			return err
		}
	}
	return nil
}

// checkCommits looks whether the log has each epoch of each writer once, and in its order.
func checkCommits(t *testing.T, store blob.Store) {
	t.Helper()
	next, total := map[string]int64{}, 0
	for e, err := range delta.Entries(t.Context(), store) {
		if err != nil {
			t.Fatal(err)
		}
		for _, txn := range e.Txns {
			if txn.Version != next[txn.AppID] || len(e.Adds) != 1 || len(e.Txns) != 1 {
				t.Fatalf("version %d: %d files and epoch %d of %s, want epoch %d", e.Version, len(e.Adds), txn.Version, txn.AppID, next[txn.AppID])
			}
			next[txn.AppID]++
			total++
		}
	}
	if len(next) != writers || total != writers*commits {
		t.Errorf("%d commits of %d writers", total, len(next))
	}
}
