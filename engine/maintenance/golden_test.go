package maintenance_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/enginetest/corpus"
	"github.com/millrace-io/millrace/engine/maintenance"
	"github.com/millrace-io/millrace/engine/parquet"
)

// TestGoldenTables maintains the tables that Spark wrote for delta-kernel-rs: of each that can be read the rows stay as
// they are when its files are put together, the log has a checkpoint, and old files are gone. The others are refused
// and stay as they are.
func TestGoldenTables(t *testing.T) {
	put := 0
	files, err := filepath.Glob(filepath.Join(corpus.Dir(t), "delta-golden", "*.tar.zst"))
	if err != nil || len(files) < 40 {
		t.Fatalf("%d golden tables: %v", len(files), err)
	}
	for _, file := range files {
		file = strings.TrimSuffix(filepath.Base(file), ".tar.zst")
		store := blob.Sub(corpus.Golden(t, file), "delta")
		before, err := plainRows(store)
		if err != nil {
			continue // its files are not there, or it is refused: package delta has the list
		}
		target := maintenance.Table{Name: file, Store: store}
		done, err := maintenance.Optimize{TargetFile: 128 << 20, Files: parquet.Defaults(parquet.Snappy), EngineInfo: "millrace/test"}.Run(t.Context(), target)
		if err == nil {
			_, err = maintenance.Checkpoint(t.Context(), target)
		}
		if err == nil {
			_, err = maintenance.Vacuum{Retention: time.Nanosecond, Unsafe: true}.Run(t.Context(), target)
		}
		if err != nil && !errors.Is(err, delta.ErrUnsupported) {
			t.Errorf("%s: %v", file, err)
		}
		after, err := plainRows(store)
		if err != nil || !slices.Equal(before, after) {
			t.Errorf("%s: %d rows before, %d after: %v", file, len(before), len(after), err)
		}
		put += int(done.Commits)
	}
	t.Logf("%d commits put files together", put)
	if put < 18 {
		t.Errorf("only %d commits put files together", put)
	}
}
