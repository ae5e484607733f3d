//go:build real

package realtest_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/parquet"
	"github.com/millrace-io/millrace/scripts/realtest"
)

// largeMost is the memory that a file on its way to a bucket may take, however large it becomes.
const largeMost = 64 << 20

// TestLargeFile: a process writes one data file of a GiB (a tenth of it without MILLRACE_LONG) to a bucket, in parts while
// its row groups are written. Its peak RSS grows by at most largeMost, and the rows are there.
func TestLargeFile(t *testing.T) {
	server := realtest.StartS3(t)
	for _, e := range server.Env {
		k, v, _ := strings.Cut(e, "=")
		t.Setenv(k, v)
	}
	size := int64(100 << 20)
	if os.Getenv("MILLRACE_LONG") != "" {
		size = 1 << 30
	}
	place := server.URL("large")
	cmd := exec.Command(os.Args[0], "-test.run=^TestLargeFileProcess$", "-test.v")
	cmd.Env = append(os.Environ(), "MILLRACE_LARGE_TO="+place, fmt.Sprint("MILLRACE_LARGE_BYTES=", size))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var rows, grew int64
	if _, err := fmt.Sscanf(string(out[bytes.Index(out, []byte("rows ")):]), "rows %d grew %d", &rows, &grew); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	store := openPlace(t, place)
	info, err := store.Stat(t.Context(), largeName(t, place))
	if err != nil {
		t.Fatal(err)
	}
	f, err := parquet.Open(t.Context(), store, info.Name, largeSchema())
	if err != nil {
		t.Fatal(err)
	}
	if f.Rows() != rows || info.Size < size {
		t.Errorf("the file has %d rows and %d bytes, written were %d rows, to %d bytes", f.Rows(), info.Size, rows, size)
	}
	t.Logf("a file of %d MiB in %d row groups: the peak RSS grew by %d MiB", info.Size>>20, f.RowGroups(), grew>>20)
	if grew > largeMost {
		t.Errorf("the peak RSS grew by %d bytes, at most %d were expected", grew, largeMost)
	}
}

// largeName is the one data file at a place.
func largeName(t *testing.T, place string) (name string) {
	t.Helper()
	for info, err := range openPlace(t, place).List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		if name != "" {
			t.Fatalf("two files: %s and %s", name, info.Name)
		}
		name = info.Name
	}
	return name
}

func largeSchema() engine.Schema {
	return engine.Schema{{Name: "id", Type: column.Of(column.Long), Required: true}, {Name: "text", Type: column.Of(column.String)}}
}

// TestLargeFileProcess is the process of TestLargeFile.
func TestLargeFileProcess(t *testing.T) {
	place := os.Getenv("MILLRACE_LARGE_TO")
	if place == "" {
		return // it is started by TestLargeFile
	}
	size, err := strconv.ParseInt(os.Getenv("MILLRACE_LARGE_BYTES"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	opt := parquet.Defaults(parquet.Snappy)
	opt.TargetFile = 4 * size // the file ends by the cut alone
	w, err := parquet.NewWriter(openPlace(t, place), largeSchema(), nil, opt, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	b := &engine.Batch{Schema: largeSchema(), Arena: column.NewArena()}
	for _, f := range b.Schema {
		b.Columns = append(b.Columns, column.New(f.Type))
	}
	random := rand.NewChaCha8([32]byte{})
	var raw [500]byte
	var text [2 * len(raw)]byte // of letters that repeat nothing: Snappy makes none of them less
	debug.FreeOSMemory()
	before := resetPeak(t)
	rows := int64(0)
	for written := int64(0); written < size; {
		ids, texts := b.Columns[0].(*column.Longs), b.Columns[1].(*column.Texts)
		ids.Reset()
		texts.Reset()
		for b.Rows = 0; b.Rows < 1000; b.Rows++ {
			random.Read(raw[:]) //nolint:errcheck // it never fails
			ids.Append(rows)
			hex.Encode(text[:], raw[:])
			texts.Append(text[:])
			rows++
			written += int64(len(text))
		}
		if err := w.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	files, err := w.Cut().Seal(t.Context())
	if err != nil || len(files) != 1 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	fmt.Printf("rows %d grew %d\n", rows, peak(t)-before)
}

// resetPeak begins to measure the peak RSS anew, and gives the RSS.
func resetPeak(t *testing.T) int64 {
	t.Helper()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		t.Fatal(err)
	}
	return peak(t)
}

// peak is the peak RSS in bytes.
func peak(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	var kb int64
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscan(after, &kb); err != nil {
		t.Fatal(err)
	}
	return kb << 10
}
