package s3

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine/blob"
)

// uploadOf writes an object of n bytes in pieces and reads it back.
func uploadOf(t *testing.T, s *Store, name string, n int) error {
	t.Helper()
	w, err := s.Create(t.Context(), name)
	if err != nil {
		return err
	}
	want := make([]byte, n)
	for i := range want {
		want[i] = byte(i >> 10)
	}
	for part := want; len(part) > 0; {
		k := min(len(part), 1_000_003)
		if _, err := w.Write(part[:k]); err != nil {
			return errors.Join(err, w.Abort())
		}
		part = part[k:]
	}
	if err := w.Close(); err != nil {
		return err
	}
	got, err := s.Get(t.Context(), name)
	if err == nil && !bytes.Equal(got, want) {
		t.Errorf("%d bytes come back as %d others", n, len(got))
	}
	return err
}

// TestUploadRequests: an object below a part is one request, a larger one two and its parts.
func TestUploadRequests(t *testing.T) {
	for n, want := range map[int]map[string]int64{
		0:                {"PutObject": 1},
		partSize - 1:     {"PutObject": 1},
		partSize:         {"CreateMultipartUpload": 1, "UploadPart": 1, "CompleteMultipartUpload": 1},
		2*partSize + 100: {"CreateMultipartUpload": 1, "UploadPart": 3, "CompleteMultipartUpload": 1},
	} {
		store := newServer(t).store(t, "lake")
		if err := uploadOf(t, store, "a", n); err != nil {
			t.Fatal(err)
		}
		got := store.Requests()
		for _, op := range []string{"PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"} {
			if got[op] != want[op] {
				t.Errorf("%d bytes: %d requests %s, want %d", n, got[op], op, want[op])
			}
		}
	}
}

// uploads counts the unfinished uploads that the server knows.
func uploads(t *testing.T, s *Store) int {
	t.Helper()
	n, err := s.Sweep(t.Context(), "", time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestAbortedUploadLeavesNothing: neither an object nor parts that are paid for, also when what ended the
// writer's life is its context.
func TestAbortedUploadLeavesNothing(t *testing.T) {
	store := newServer(t).store(t, "lake")
	ctx, cancel := context.WithCancel(t.Context())
	w, err := store.Create(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 3*partSize)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := w.Write(make([]byte, 3*partSize)); !errors.Is(err, context.Canceled) {
		t.Errorf("write: %v", err)
	}
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
	if n := uploads(t, store); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
	if _, err := store.Get(t.Context(), "a"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("get: %v", err)
	}
}

// TestFailedUploadIsGivenUp: a part that can't be uploaded fails the writer and leaves no parts.
func TestFailedUploadIsGivenUp(t *testing.T) {
	s := newServer(t)
	store := s.store(t, "")
	s.spoil = func(_ int, w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Get("partNumber") != "2" {
			return false
		}
		discard(r) // a client that is still sending would see the connection end
		return refuse(w, 403, "AccessDenied")
	}
	if err := uploadOf(t, store, "a", 4*partSize); err == nil || !strings.Contains(err.Error(), "access is denied") {
		t.Errorf("got %v", err)
	}
	if n := uploads(t, store); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
}

// TestSweep: uploads of writers that died are given up when they are old, and only below the prefix.
func TestSweep(t *testing.T) {
	store := newServer(t).store(t, "lake")
	for _, name := range []string{"t/a", "t/b", "u/c"} {
		w, err := store.Create(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, partSize+1)); err != nil {
			t.Fatal(err)
		}
		if err := w.(*writer).land(); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		prefix string
		before time.Time
		want   int
	}{{"", time.Now().Add(-time.Hour), 0}, {"", time.Now().Add(time.Hour), 2}} {
		if n, err := blob.Sweep(t.Context(), blob.Sub(store, "t"), c.prefix, c.before); err != nil || n != c.want {
			t.Errorf("swept %d before %v, want %d: %v", n, c.before, c.want, err)
		}
	}
	if n := uploads(t, store); n != 1 {
		t.Errorf("%d uploads are left, want that of u/c", n)
	}
}

// TestCompleteWhoseAnswerIsLost: the object is there, and so the upload succeeded.
func TestCompleteWhoseAnswerIsLost(t *testing.T) {
	s := newServer(t)
	store := s.store(t, "")
	isComplete := func(r *http.Request) bool { return r.Method == http.MethodPost && r.URL.Query().Has("uploadId") }
	s.spoil = first(1, isComplete, s.drop)
	if err := uploadOf(t, store, "a", 2*partSize); err != nil {
		t.Error(err)
	}
}

// TestUploadMemory: a writer of a GiB holds two parts.
func TestUploadMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	s := newServer(t)
	s.spoil = func(_ int, w http.ResponseWriter, r *http.Request) bool { // a server that keeps nothing
		if r.URL.Query().Has("partNumber") {
			discard(r)
			w.Header().Set("ETag", `"x"`)
			return true
		}
		if r.Method == http.MethodPost && r.URL.Query().Has("uploadId") {
			w.Write([]byte(`<CompleteMultipartUploadResult><ETag>"x"</ETag></CompleteMultipartUploadResult>`)) //nolint:errcheck // the client tells
			return true
		}
		return false
	}
	store := s.store(t, "")
	w, err := store.Create(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	piece, peak := make([]byte, 1<<20), uint64(0)
	for i := range 1024 {
		if _, err := w.Write(piece); err != nil {
			t.Fatal(err)
		}
		if i%64 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapInuse-min(before.HeapInuse, now.HeapInuse))
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if peak > 64<<20 {
		t.Errorf("it held %d MiB", peak>>20)
	}
	t.Logf("held %d MiB at most", peak>>20)
}

func discard(r *http.Request) {
	buf := make([]byte, 64<<10)
	for {
		if _, err := r.Body.Read(buf); err != nil {
			return
		}
	}
}
