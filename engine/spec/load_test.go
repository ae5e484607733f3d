package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine/column"
)

// TestText runs testdata/*.txt: a definition in, its plan or its errors out. Commands:
//
//	load  [env=(A=x, B=y)] [set=(A=x)]    errors with their lines, or the plan
//	short …                               errors without their lines; "ok" and the warnings if there is none
//	json  …                               the plan's JSON form
//
// What a definition needs and the input leaves out is added below it, unless the argument bare says not to. A line
// "=== FILE" begins another file, which the definition, p.yaml, can include.
//
// `go test ./engine/spec -rewrite` writes what comes out into the files.
func TestText(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if filepath.Ext(path) != ".txt" {
			return
		}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			env := assignments(t, d, "env")
			input, files := split(unescape(d.Input))
			if !d.HasArg("bare") {
				input = complete(input, unescape(d.Input))
			}
			def, err := Load("p.yaml", []byte(input), testKinds(), Options{
				Set: assignments(t, d, "set"), CheckTable: lowerCase, ReadFile: files,
				Getenv: func(k string) (string, bool) { v, ok := env[k]; return v, ok },
			})
			return show(t, d.Cmd, def, err)
		})
	})
}

// split gives the definition and what reads the other files.
func split(input string) (string, func(string) ([]byte, error)) {
	parts := strings.Split("\n"+input, "\n=== ")
	files := map[string]string{}
	for _, p := range parts[1:] {
		name, text, _ := strings.Cut(p, "\n")
		files[name] = text
	}
	return strings.TrimPrefix(parts[0], "\n"), func(name string) ([]byte, error) {
		if text, ok := files[name]; ok {
			return []byte(text), nil
		}
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
}

// complete adds the sections that a definition needs and that no file has.
func complete(input, files string) string {
	input += "\n"
	for _, section := range []string{
		"pipeline: p",
		"lake: ./lake",
		"sources: {pins: {kafka: {brokers: [a:1], topic: t}, format: json, schema: {id: long!, title: string, at: timestamp, tags: array<string>}}}",
		"tables: {t: {from: pins}}",
	} {
		if key, _, _ := strings.Cut(section, ":"); !strings.Contains("\n"+files, "\n"+key+":") {
			input += section + "\n"
		}
	}
	return input
}

func show(t *testing.T, cmd string, def *Definition, err error) string {
	var all Errors
	if err != nil && !errors.As(err, &all) {
		t.Fatalf("Load gave %T, not Errors: %v", err, err)
	}
	switch {
	case err != nil && cmd == "short":
		return all.Error()
	case err != nil:
		return all.String()
	case cmd == "short":
		return strings.TrimRight("ok\n"+def.Warnings.Error(), "\n")
	case cmd == "json":
		out, err := json.MarshalIndent(def.Describe(), "", " ")
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	var b bytes.Buffer
	if err := def.WritePlan(&b); err != nil {
		t.Fatal(err)
	}
	for _, w := range def.Warnings {
		fmt.Fprintf(&b, "\nwarning: %s\n", w)
	}
	return b.String()
}

func assignments(t *testing.T, d *datadriven.TestData, name string) map[string]string {
	all := map[string]string{}
	for _, arg := range d.CmdArgs {
		if arg.Key != name {
			continue
		}
		for _, a := range arg.Vals {
			k, v, ok := strings.Cut(a, "=")
			if !ok {
				t.Fatalf("%s: %s: %q is no assignment", d.Pos, name, a)
			}
			all[k] = v
		}
	}
	return all
}

// unescape lets a test hold characters that an editor would lose.
func unescape(s string) string {
	return strings.NewReplacer("␉", "\t", "␛", "\x1b", "␍", "\r", "␣", " ", "⓪", "\U00100000").Replace(s)
}

// lowerCase stands for the rules of a table format.
func lowerCase(s column.Schema) []error {
	var errs []error
	for _, f := range s {
		if strings.ToLower(f.Name) != f.Name {
			errs = append(errs, fmt.Errorf("column %q is not in lower case", f.Name))
		}
	}
	return errs
}

func load(t testing.TB, yaml string, opts Options) *Definition {
	t.Helper()
	def, err := Load("p.yaml", []byte(yaml), testKinds(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return def
}

func example(t testing.TB) string {
	t.Helper()
	data, err := os.ReadFile("testdata/example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestLoadGivesWhatRuns(t *testing.T) {
	def := load(t, example(t), Options{Lake: "/elsewhere"})
	if def.Lake != "/elsewhere" {
		t.Errorf("lake is %q: Options.Lake comes before the file", def.Lake)
	}
	kafka := def.Sources["pins"].Config.(*fakeKafka)
	if diff := cmp.Diff([]string{"localhost:9092"}, kafka.Brokers); diff != "" {
		t.Errorf("brokers (-want +got):\n%s", diff)
	}
	if def.Plan.Sources[0].NewDecoder() == nil {
		t.Error("the source has no decoder")
	}
	want := "ind: long!, unique_id: string!, title: string, follower_count: long, category: string"
	if got := def.Plan.Streams[0].Schema.String(); got != want {
		t.Errorf("schema of the stream is\n%s, want\n%s", got, want)
	}
	if got := def.Tables["pin_table"].TargetFile; got != 128<<20 {
		t.Errorf("target file is %s", got)
	}
}

func TestUnusedSet(t *testing.T) {
	def := load(t, example(t), Options{Set: map[string]string{"LAKE": "/x", "LAKES": "/y"}})
	if diff := cmp.Diff([]string{"LAKES"}, def.UnusedSet); diff != "" {
		t.Errorf("names that nothing asks for (-want +got):\n%s", diff)
	}
}

func BenchmarkLoad(b *testing.B) {
	data := []byte(example(b))
	for b.Loop() {
		if _, err := Load("p.yaml", data, testKinds(), Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzLoad: no bytes make Load panic, and every error has a place in the file.
func FuzzLoad(f *testing.F) {
	seeds := []string{
		example(f), "", "-", "a: [", "a: {b: ${X:-{}}}", "pipeline: $${x}\nlake: ${", "? a\n: b", "&a [*a]", "!!str x", "a: |\n  x\n b", "a: >-\n\n\n",
		"\"\\", "'", "%YAML 1.2\n---\na: b\n...\n---\n", "a:\n\t- b", "<<: {a: b}", "sources: {a: {kafka: 1, kafka: 2}}",
		"streams: {a: {from: b}, b: {from: a}}", "include: [p.yaml, q.yaml]\nvars: {A: \"${B}\", B: \"${A}\"}", "streams: {a: {from: [a, pins, pins]}}", "tables: {${X}: {from: ${X:-y}}}", "a: \"\\x4", "streams: {s: {from: p, steps: [{filter: \"a\\n b\"}]}}",
	}
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, err := Load("p.yaml", data, testKinds(), Options{Getenv: func(string) (string, bool) { return "value", true }})
		if err == nil {
			return
		}
		var all Errors
		if !errors.As(err, &all) {
			t.Fatalf("Load gave %T: %v", err, err)
		}
		lines := bytes.Count(data, []byte("\n")) + 1
		for _, e := range all {
			if e.File != "p.yaml" || e.Line < 1 || e.Line > lines || e.Column < 1 {
				t.Errorf("an error has no place in the file: %v", e)
			}
			_ = e.String()
		}
	})
}
