package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/blobtest"
)

// A server is an S3 server in this process whose answers a test may spoil.
type server struct {
	url   string
	inner http.Handler

	// spoil is asked of each request, by its number from 1, and may answer it itself: then it gives true.
	spoil func(n int, w http.ResponseWriter, r *http.Request) bool
	n     atomic.Int64
}

func newServer(t testing.TB) *server {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_CONFIG_FILE", "/nowhere")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
	return startServer(t)
}

func startServer(t testing.TB) *server {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	s := &server{inner: gofakes3.New(backend).Server()}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	s.url = h.URL
	return s
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := int(s.n.Add(1))
	if s.spoil != nil && s.spoil(n, w, r) {
		return
	}
	s.inner.ServeHTTP(w, r)
}

// store opens the bucket. Pauses between attempts are counted and not waited for.
func (s *server) store(t testing.TB, prefix string) *Store {
	t.Helper()
	store, err := New(t.Context(), Config{Bucket: "bucket", Prefix: prefix, Endpoint: s.url, PathStyle: true})
	if err != nil {
		t.Fatal(err)
	}
	store.sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	return store
}

func TestConforms(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	for _, prefix := range []string{"", "lakes/one"} {
		t.Run("prefix="+prefix, func(t *testing.T) {
			blobtest.Run(t, func(t *testing.T) blob.Store { return startServer(t).store(t, prefix) })
		})
	}
}

// refuse answers with an error of S3's.
func refuse(w http.ResponseWriter, code int, name string) bool {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(code)
	fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>spoiled</Message></Error>`, name)
	return true
}

// drop carries a request out and drops its answer.
func (s *server) drop(w http.ResponseWriter, r *http.Request) bool {
	s.inner.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

func isPut(r *http.Request) bool { return r.Method == http.MethodPut }

// first spoils the first n requests that are of a kind.
func first(n int, is func(*http.Request) bool, spoil func(w http.ResponseWriter, r *http.Request) bool) func(int, http.ResponseWriter, *http.Request) bool {
	var seen atomic.Int64
	return func(_ int, w http.ResponseWriter, r *http.Request) bool {
		return is(r) && int(seen.Add(1)) <= n && spoil(w, r)
	}
}

// TestPutIfAbsentUnderFaults: whatever becomes of the answers, the one who wrote learns that it wrote, and who
// came second that it did not.
func TestPutIfAbsentUnderFaults(t *testing.T) {
	for name, spoil := range map[string]func(s *server, w http.ResponseWriter, r *http.Request) bool{
		"answer dropped after it landed": (*server).drop,
		"500 after it landed": func(s *server, w http.ResponseWriter, r *http.Request) bool {
			s.inner.ServeHTTP(httptest.NewRecorder(), r)
			return refuse(w, 500, "InternalError")
		},
		"500 before":    func(_ *server, w http.ResponseWriter, _ *http.Request) bool { return refuse(w, 500, "InternalError") },
		"503 slow down": func(_ *server, w http.ResponseWriter, _ *http.Request) bool { return refuse(w, 503, "SlowDown") },
		"503 after it landed": func(s *server, w http.ResponseWriter, r *http.Request) bool {
			s.inner.ServeHTTP(httptest.NewRecorder(), r)
			return refuse(w, 503, "SlowDown")
		},
		"409 conflict": func(_ *server, w http.ResponseWriter, _ *http.Request) bool {
			return refuse(w, 409, "ConditionalRequestConflict")
		},
		"connection reset": func(*server, http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			store := s.store(t, "lake")
			s.spoil = first(2, isPut, func(w http.ResponseWriter, r *http.Request) bool { return spoil(s, w, r) })
			if err := store.PutIfAbsent(t.Context(), "log/1", []byte("mine")); err != nil {
				t.Errorf("the first: %v", err)
			}
			s.spoil = first(2, isPut, func(w http.ResponseWriter, r *http.Request) bool { return spoil(s, w, r) })
			if err := store.PutIfAbsent(t.Context(), "log/1", []byte("another's")); !errors.Is(err, blob.ErrExists) {
				t.Errorf("the second: %v", err)
			}
			if got, err := store.Get(t.Context(), "log/1"); err != nil || string(got) != "mine" {
				t.Errorf("it holds %q, %v", got, err)
			}
		})
	}
}

// TestPutIfAbsentThatCanNotLook: where neither the put nor the look at what is there is answered, the outcome
// is open and said to be: no ErrExists.
func TestPutIfAbsentThatCanNotLook(t *testing.T) {
	s := newServer(t)
	store := s.store(t, "")
	s.spoil = func(_ int, w http.ResponseWriter, _ *http.Request) bool { return refuse(w, 500, "InternalError") }
	err := store.PutIfAbsent(t.Context(), "a", []byte("x"))
	if err == nil || errors.Is(err, blob.ErrExists) || !strings.Contains(err.Error(), "look whether it was written") {
		t.Errorf("got %v", err)
	}
}

// TestRetries: what passes is borne by every request, and a throttled one has more patience than one that
// fails.
func TestRetries(t *testing.T) {
	requests := map[string]func(t *testing.T, s *Store) error{
		"get": func(t *testing.T, s *Store) error {
			data, err := s.Get(t.Context(), "there")
			if err == nil && string(data) != "there" {
				t.Errorf("got %q", data)
			}
			return err
		},
		"range": func(t *testing.T, s *Store) error {
			data, err := s.Range(t.Context(), "there", -3, 2)
			if err == nil && string(data) != "er" {
				t.Errorf("got %q", data)
			}
			return err
		},
		"stat":   func(t *testing.T, s *Store) error { _, err := s.Stat(t.Context(), "there"); return err },
		"put":    func(t *testing.T, s *Store) error { return s.Put(t.Context(), "new", []byte("new")) },
		"delete": func(t *testing.T, s *Store) error { return s.Delete(t.Context(), "there") },
		"list": func(t *testing.T, s *Store) error {
			n := 0
			for _, err := range s.List(t.Context(), "", "") {
				if err != nil {
					return err
				}
				n++
			}
			if n != 1 {
				t.Errorf("%d objects", n)
			}
			return nil
		},
		"upload": func(t *testing.T, s *Store) error { return uploadOf(t, s, "big", 3*partSize+5) },
	}
	for name, request := range requests {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			store := s.store(t, "lake")
			if err := store.Put(t.Context(), "there", []byte("there")); err != nil {
				t.Fatal(err)
			}
			s.n.Store(0)
			s.spoil = func(n int, w http.ResponseWriter, r *http.Request) bool { // each third request gets through
				switch n % 3 {
				case 1:
					return refuse(w, 503, "SlowDown")
				case 2:
					panic(http.ErrAbortHandler)
				}
				return false
			}
			if err := request(t, store); err != nil {
				t.Errorf("bears faults: %v", err)
			}
			s.spoil = func(_ int, w http.ResponseWriter, _ *http.Request) bool { return refuse(w, 500, "InternalError") }
			s.n.Store(0)
			if err := request(t, store); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%d attempts failed", tries)) {
				t.Errorf("a server that is down: %v", err)
			}
		})
	}
}

// TestThrottled: a server that asks to slow down forty times is obeyed; one that does so for ever is an error
// that says what to do.
func TestThrottled(t *testing.T) {
	s := newServer(t)
	store := s.store(t, "")
	var longest time.Duration
	store.sleep = func(ctx context.Context, d time.Duration) error {
		longest = max(longest, d)
		return ctx.Err()
	}
	s.spoil = first(40, isPut, func(w http.ResponseWriter, _ *http.Request) bool { return refuse(w, 503, "SlowDown") })
	if err := store.Put(t.Context(), "a", []byte("x")); err != nil {
		t.Error(err)
	}
	if longest < longestWait/2 || longest > longestWait {
		t.Errorf("it waited %v at most", longest)
	}
	if got := store.Requests()["PutObject"]; got != 41 {
		t.Errorf("%d requests were counted", got)
	}
}

// TestBodyCutShort: an answer that ends early is asked for again.
func TestBodyCutShort(t *testing.T) {
	s := newServer(t)
	store := s.store(t, "")
	if err := store.Put(t.Context(), "a", []byte("0123456789")); err != nil {
		t.Fatal(err)
	}
	isGet := func(r *http.Request) bool { return r.Method == http.MethodGet }
	s.spoil = first(2, isGet, func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Length", "10")
		w.Write([]byte("01234")) //nolint:errcheck // the answer is to be broken
		panic(http.ErrAbortHandler)
	})
	if got, err := store.Get(t.Context(), "a"); err != nil || string(got) != "0123456789" {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestListPages: a list goes on behind each page, from where it was asked to begin.
func TestListPages(t *testing.T) {
	store := newServer(t).store(t, "lake")
	var want []string
	for i := range 2500 {
		name := fmt.Sprintf("d/%05d", i)
		want = append(want, name)
		if err := store.Put(t.Context(), name, nil); err != nil {
			t.Fatal(err)
		}
	}
	before := store.Requests()["ListObjectsV2"]
	var got []string
	for info, err := range store.List(t.Context(), "d/", "d/00099") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, info.Name)
	}
	if len(got) != 2400 || got[0] != want[100] || got[2399] != want[2499] {
		t.Errorf("%d names from %s to %s", len(got), got[0], got[len(got)-1])
	}
	if n := store.Requests()["ListObjectsV2"] - before; n != 3 {
		t.Errorf("%d requests, want 3", n)
	}
}

// TestErrorsSayWhatToDo: what a person has to mend is said.
func TestErrorsSayWhatToDo(t *testing.T) {
	for code, c := range map[string]struct {
		status int
		want   string
	}{
		"NoSuchBucket": {404, "there is no such bucket: make it, or mend the lake's URL"}, "AccessDenied": {403, "access is denied: the credentials need the rights"},
		"InvalidAccessKeyId": {403, "the server does not know the access key"}, "ExpiredToken": {400, "the credentials have expired"},
		"RequestTimeTooSkewed": {403, "this machine's clock is wrong"}, "PermanentRedirect": {301, "the bucket is in another region"},
	} {
		t.Run(code, func(t *testing.T) {
			s := newServer(t)
			s.spoil = func(_ int, w http.ResponseWriter, _ *http.Request) bool { return refuse(w, c.status, code) }
			err := s.store(t, "lake").Put(t.Context(), "a", nil)
			if err == nil || !strings.Contains(err.Error(), "put s3://bucket/lake/a: "+c.want) || s.n.Load() != 1 {
				t.Errorf("after %d requests: %v", s.n.Load(), err)
			}
		})
	}
}

func TestNoCredentials(t *testing.T) {
	s := newServer(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	_, err := s.store(t, "").Get(t.Context(), "a")
	if err == nil || !strings.Contains(err.Error(), "no credentials were found: set AWS_ACCESS_KEY_ID") {
		t.Errorf("got %v", err)
	}
	if strings.Contains(fmt.Sprint(err), "secret") {
		t.Errorf("a secret is shown: %v", err)
	}
}

func TestConfigRefused(t *testing.T) {
	c := Config{Bucket: "a/b", Prefix: "../x", Endpoint: "localhost:7070", Role: "writer"}
	err := c.Validate()
	for _, want := range []string{`bucket "a/b": no bucket has such a name`, `prefix: name "../x"`, `endpoint "localhost:7070": expected http://`, `role "writer": expected the ARN`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
	if _, err := New(t.Context(), Config{Bucket: "b", CA: "/no/such/file"}); err == nil || !strings.Contains(err.Error(), "ca: open /no/such/file") {
		t.Errorf("got %v", err)
	}
}

// TestDeleteAll: two and a half thousand objects go in three requests, and one that is not there is no error.
func TestDeleteAll(t *testing.T) {
	store := newServer(t).store(t, "lake")
	names := []string{"never was"}
	for i := range 2499 {
		names = append(names, fmt.Sprintf("t/%d", i))
		if err := store.Put(t.Context(), names[i+1], nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Put(t.Context(), "t/kept", nil); err != nil {
		t.Fatal(err)
	}
	if err := blob.DeleteAll(t.Context(), store, names); err != nil {
		t.Fatal(err)
	}
	left := ""
	for info := range store.List(t.Context(), "", "") {
		left += info.Name
	}
	if n := store.Requests()["DeleteObjects"]; left != "t/kept" || n != 3 {
		t.Errorf("left %q after %d requests", left, n)
	}
	if err := blob.DeleteAll(t.Context(), blob.Sub(store, "t"), []string{"kept"}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Get(t.Context(), "t/kept"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("it is there: %v", err)
	}
}
