package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const feedText = `{"schema":[{"name":"ind","type":"long"},{"name":"title","type":"string"},{"name":"good","type":"bool"}]}
{"row":{"ind":1,"title":"a mill\nby the water","good":true}}
{"dropped":1500}
{"row":{"ind":1234567,"title":null,"good":null}}
{"row":{"ind":2,"title":"` + "a title that is longer than a cell may be" + `","good":false}}
`

func TestTailPrinter(t *testing.T) {
	for name, c := range map[string]struct {
		json bool
		want string
	}{
		"grid": {false, `ind  title             good
1    a mill by the water  true
1234567
2        a title that is longer than a c…  false
`},
		"json": {true, `{"ind":1,"title":"a mill\nby the water","good":true}
{"ind":1234567,"title":null,"good":null}
{"ind":2,"title":"a title that is longer than a cell may be","good":false}
`},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			dropped, err := newTailPrinter(&b, c.json).all(strings.NewReader(feedText))
			if err != nil || dropped != 1500 {
				t.Errorf("dropped %d, error %v, want 1500 and none", dropped, err)
			}
			if diff := cmp.Diff(c.want, b.String()); diff != "" {
				t.Errorf("printed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTailPrinterRefuses(t *testing.T) {
	for _, text := range []string{"no JSON\n", `{"schema":[{"name":"a","type":"long"}]}` + "\n" + `{"row":[1]}` + "\n"} {
		if _, err := newTailPrinter(&bytes.Buffer{}, false).all(strings.NewReader(text)); err == nil {
			t.Errorf("%q was taken for rows", text)
		}
	}
}

// served answers /tail as a running process would.
func served(t *testing.T) (addr string, asked *http.Request) {
	t.Helper()
	asked = &http.Request{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = *r
		if r.URL.Query().Get("name") == "nosuch" {
			http.Error(w, "no source, stream or table \"nosuch\" is running here", http.StatusNotFound)
			return
		}
		w.Write([]byte(feedText))
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://"), asked
}

func TestTail(t *testing.T) {
	addr, asked := served(t)
	code, stdout, stderr := millrace(t.Context(), "tail", "pins", "--from", addr, "--where", "ind > 0 AND good", "--limit", "7")
	if code != exitDone || strings.Count(stdout, "\n") != 3 {
		t.Errorf("ended with %d and printed\n%s%s", code, stdout, stderr)
	}
	if want := "1,500 rows passed that were not shown: they came faster than they could be printed\n"; stderr != want {
		t.Errorf("stderr is %q, want %q", stderr, want)
	}
	q := asked.URL.Query()
	if asked.URL.Path != "/tail" || q.Get("name") != "pins" || q.Get("where") != "ind > 0 AND good" || q.Get("limit") != "7" {
		t.Errorf("asked for %s", asked.URL)
	}
}

func TestTailRefused(t *testing.T) {
	addr, _ := served(t)
	code, stdout, stderr := millrace(t.Context(), "tail", "nosuch", "--from", addr)
	if want := "millrace: no source, stream or table \"nosuch\" is running here\n"; code != exitUsage || stdout != "" || stderr != want {
		t.Errorf("ended with %d, printed %q and %q, want 2, nothing and %q", code, stdout, stderr, want)
	}
}

// A process leaves its address in the lake, and tail finds it by the definition or, where the lake has one
// pipeline, by the lake.
func TestAddress(t *testing.T) {
	addr, _ := served(t)
	dir := t.TempDir()
	def := definition(t, dir, `
pipeline: visits
lake: `+filepath.Join(dir, "lake")+`
sources: {in: {kafka: {brokers: "localhost:1", topic: t}, format: json, schema: {id: long!}}}
tables: {visit_table: {from: in}}
`)
	ctx := context.Background()
	if code, _, _ := millrace(ctx, "tail", "in", "--from", def); code != exitFailed {
		t.Errorf("without a process tail ended with %d", code)
	}
	lake, err := openLake(filepath.Join(dir, "lake"))
	if err != nil {
		t.Fatal(err)
	}
	if err := writeAddress(ctx, lake, "visits", addr); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := millrace(ctx, "tail", "in", "--from", def)
	if code != exitDone || strings.Count(stdout, "\n") != 3 {
		t.Errorf("ended with %d and printed\n%s%s", code, stdout, stderr)
	}
	folder := filepath.Join(dir, "lake")
	if code, again, stderr := millrace(ctx, "tail", "in", "--from", folder); code != exitDone || again != stdout {
		t.Errorf("by the lake it ended with %d and printed\n%s%s", code, again, stderr)
	}
	if err := writeAddress(ctx, lake, "orders", addr); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := millrace(ctx, "tail", "in", "--from", folder); code != exitUsage || !strings.Contains(stderr, "2 pipelines") {
		t.Errorf("by a lake with two pipelines it ended with %d: %s", code, stderr)
	}
	if code, _, stderr := millrace(ctx, "tail", "in", "--from", t.TempDir()); code != exitFailed || !strings.Contains(stderr, "no pipeline") {
		t.Errorf("by an empty lake it ended with %d: %s", code, stderr)
	}
	if err := os.WriteFile(filepath.Join(dir, "lake", addressName("visits")), []byte("no JSON"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := millrace(ctx, "tail", "in", "--from", def); code != exitFailed || !strings.Contains(stderr, addressName("visits")) {
		t.Errorf("with a spoilt address tail ended with %d: %s", code, stderr)
	}
}

// definition writes a definition into dir and gives its name.
func definition(t *testing.T, dir, text string) string {
	t.Helper()
	name := filepath.Join(dir, "definition.yaml")
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}
