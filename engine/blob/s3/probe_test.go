package s3

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

// TestProbe: a server that does what the engine needs passes, and nothing is left behind.
func TestProbe(t *testing.T) {
	store := newServer(t).store(t, "lake")
	if err := store.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	for info := range store.List(t.Context(), "", "") {
		t.Errorf("left behind: %s", info.Name)
	}
}

// TestProbeRefuses: each server that can't hold a lake is refused with the reason.
func TestProbeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(s *server) func(int, http.ResponseWriter, *http.Request) bool
		want  string
	}{
		"ignores the condition": {func(s *server) func(int, http.ResponseWriter, *http.Request) bool {
			return func(_ int, _ http.ResponseWriter, r *http.Request) bool {
				r.Header.Del("If-None-Match")
				return false
			}
		}, "the server ignores If-None-Match: * on a put"},
		"read only": {func(*server) func(int, http.ResponseWriter, *http.Request) bool {
			return func(_ int, w http.ResponseWriter, r *http.Request) bool {
				return isPut(r) && refuse(w, 403, "AccessDenied")
			}
		}, "write an object: access is denied: the credentials need the rights"},
		"no bucket": {func(*server) func(int, http.ResponseWriter, *http.Request) bool {
			return func(_ int, w http.ResponseWriter, _ *http.Request) bool { return refuse(w, 404, "NoSuchBucket") }
		}, "write an object: there is no such bucket: make it"},
		"no conditional writes": {func(*server) func(int, http.ResponseWriter, *http.Request) bool {
			return func(_ int, w http.ResponseWriter, r *http.Request) bool {
				return r.Header.Get("If-None-Match") != "" && refuse(w, 501, "NotImplemented")
			}
		}, "the server does not know this request"},
		"lists that lag": {func(*server) func(int, http.ResponseWriter, *http.Request) bool {
			return func(_ int, w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Query().Get("list-type") != "2" {
					return false
				}
				w.Write([]byte(`<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>`)) //nolint:errcheck // the client tells
				return true
			}
		}, "a list does not show what was just written"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.spoil = c.spoil(s)
			err := s.store(t, "lake").Probe(t.Context())
			if err == nil || !strings.Contains(err.Error(), "s3://bucket/lake can't be used as a lake: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v", err)
			}
			if name == "ignores the condition" != errors.Is(err, ErrNoCondition) {
				t.Errorf("got %v", err)
			}
		})
	}
}
