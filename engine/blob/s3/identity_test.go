package s3

import (
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// keyOf is the access key that a request was signed with.
func keyOf(r *http.Request) string {
	_, after, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	key, _, _ := strings.Cut(after, "/")
	return key
}

// write puts a file into a folder of the test.
func write(t *testing.T, name, text string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestProfile: a profile's keys sign the requests, and its region counts where none is given.
func TestProfile(t *testing.T) {
	s := newServer(t)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", write(t, "credentials", "[default]\naws_access_key_id = other\naws_secret_access_key = x\n"+
		"[lake]\naws_access_key_id = ofprofile\naws_secret_access_key = x\n"))
	t.Setenv("AWS_CONFIG_FILE", write(t, "config", "[profile lake]\nregion = eu-north-1\n"))
	t.Setenv("AWS_REGION", "")
	var signed, region string
	s.spoil = func(_ int, _ http.ResponseWriter, r *http.Request) bool {
		signed = keyOf(r)
		region = strings.Split(r.Header.Get("Authorization"), "/")[2]
		return false
	}
	store, err := New(t.Context(), Config{Bucket: "bucket", Endpoint: s.url, PathStyle: true, Profile: "lake"})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Put(t.Context(), "a", []byte("x")); err != nil || signed != "ofprofile" || region != "eu-north-1" {
		t.Errorf("signed with %q for %q: %v", signed, region, err)
	}
	if _, err := New(t.Context(), Config{Bucket: "bucket", Endpoint: s.url, Profile: "nobody"}); err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("a profile that is not there: %v", err)
	}
}

// TestRole: the role is taken on once, with the keys that were found, and its own sign the requests. No secret of either
// is in an error.
func TestRole(t *testing.T) {
	s := newServer(t)
	const arn = "arn:aws:iam::123456789012:role/writer"
	asked := 0
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if err := r.ParseForm(); err != nil || r.Form.Get("Action") != "AssumeRole" || r.Form.Get("RoleArn") != arn || keyOf(r) != "test" {
			t.Errorf("asked for %v with key %q: %v", r.Form, keyOf(r), err)
		}
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprint(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ofrole</AccessKeyId>`+
			`<SecretAccessKey>rolesecret</SecretAccessKey><SessionToken>roletoken</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`)
	}))
	t.Cleanup(tokens.Close)
	t.Setenv("AWS_ENDPOINT_URL_STS", tokens.URL)
	var signed string
	s.spoil = func(n int, w http.ResponseWriter, r *http.Request) bool {
		signed = keyOf(r)
		return n == 3 && refuse(w, http.StatusForbidden, "AccessDenied")
	}
	store, err := New(t.Context(), Config{Bucket: "bucket", Endpoint: s.url, PathStyle: true, Region: "eu-central-1", Role: arn})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := store.Put(t.Context(), "a", []byte("x")); err != nil || signed != "ofrole" {
			t.Errorf("signed with %q: %v", signed, err)
		}
	}
	if asked != 1 {
		t.Errorf("the role was taken on %d times", asked)
	}
	err = store.Put(t.Context(), "b", []byte("x"))
	if err == nil {
		t.Fatal("a refused put is no error")
	}
	tokens.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusForbidden, "AccessDenied") })
	again, newErr := New(t.Context(), Config{Bucket: "bucket", Endpoint: s.url, PathStyle: true, Region: "eu-central-1", Role: arn})
	if newErr != nil {
		t.Fatal(newErr)
	}
	if refused := again.Put(t.Context(), "a", nil); refused == nil || !strings.Contains(refused.Error(), "the role could not be taken on") {
		t.Errorf("a role that is refused: %v", refused)
	} else {
		err = errors.Join(err, refused)
	}
	for _, secret := range []string{"secret", "rolesecret", "roletoken"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q is shown: %v", secret, err)
		}
	}
}

// TestCA: a server whose certificate nobody knows is refused, with what to do, and taken where ca names who signed it.
func TestCA(t *testing.T) {
	s := newServer(t)
	h := httptest.NewTLSServer(s)
	t.Cleanup(h.Close)
	ca := write(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw})))
	s.url = h.URL
	if err := s.store(t, "").Put(t.Context(), "a", []byte("x")); err == nil || !strings.Contains(err.Error(), "say ca in the lake's definition") || s.n.Load() != 0 {
		t.Errorf("without ca: %v", err)
	}
	store, err := New(t.Context(), Config{Bucket: "bucket", Endpoint: s.url, PathStyle: true, CA: ca})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Put(t.Context(), "a", []byte("x")); err != nil {
		t.Errorf("with ca: %v", err)
	}
	if _, err := New(t.Context(), Config{Bucket: "bucket", Endpoint: s.url, CA: write(t, "none.pem", "no certificate")}); err == nil {
		t.Error("a file without certificates is taken")
	}
}
