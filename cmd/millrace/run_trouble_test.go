package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// What lies in the lake may not be what a run can go on with: it ends with 1 and an error that says what is
// where, and has changed nothing. Put right, it goes on.
func TestLakeInTrouble(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for name, trouble := range map[string]struct {
		object string // what is spoilt, of the newest of its kind
		spoil  func(path string) error
		want   []string // in the error, which may have several lines
	}{
		"the table's columns were changed": {
			"plain/_delta_log/*.json", func(path string) error {
				return os.WriteFile(after(path), []byte(`{"metaData":{"id":"ID","format":{"provider":"parquet","options":{}},"schemaString":`+
					`"{\"type\":\"struct\",\"fields\":[{\"name\":\"id\",\"type\":\"string\",\"nullable\":false,\"metadata\":{}}]}","partitionColumns":[],"configuration":{}}}`), 0o644)
			},
			[]string{"table plain: open table plain: the rows do not fit the table:", "id       long!    string!   <- types differ"},
		},
		"the table asks for a newer writer": {
			"plain/_delta_log/*.json", func(path string) error {
				return os.WriteFile(after(path), []byte(`{"protocol":{"minReaderVersion":1,"minWriterVersion":7,"writerFeatures":["rowTracking"]}}`), 0o644)
			},
			[]string{"table plain: open table plain: the table asks for writer version 7 (rowTracking), millrace has version 2: not supported"},
		},
		"a log entry is gone": {
			"plain/_delta_log/*1.json", os.Remove,
			[]string{"table plain: open table plain: ", "version 1 is missing from the log"},
		},
		"the newest checkpoint is damaged": {
			"_millrace/trouble/all/checkpoints/*.json", func(path string) error { return os.Truncate(path, 100) },
			[]string{"read the newest checkpoint: checkpoints/0", ".json: checkpoint: unexpected end of JSON input"},
		},
		"the checkpoints are gone": {
			"_millrace/trouble/all/checkpoints", os.RemoveAll,
			[]string{"table plain: it holds commits of pipeline trouble", "and there is no checkpoint of that line", "say --new-line"},
		},
		"a file stands where a folder was": {
			"plain", func(path string) error { return errors.Join(os.RemoveAll(path), os.WriteFile(path, nil, 0o644)) },
			[]string{"table plain: open table plain: ", "plain/_delta_log/00000000000000000000.json: not a directory"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := newTopic(t, c.ListenAddrs()[0], strings.ReplaceAll(strings.ReplaceAll(name, " ", "-"), "'", ""), 1)
			def, lake := k.definition(t, ""), filepath.Join(k.dir, "lake")
			for first := range 2 { // two commits, so that the log has a middle
				k.produce(t, k.numbered(0, 100*first, 100*first+100)...)
				k.run(t, def, exitDone)
			}
			k.produce(t, k.numbered(0, 200, 300)...)
			kept := filepath.Join(t.TempDir(), "kept")
			if err := os.CopyFS(kept, os.DirFS(lake)); err != nil {
				t.Fatal(err)
			}
			paths, err := filepath.Glob(filepath.Join(lake, trouble.object))
			if err != nil || len(paths) == 0 {
				t.Fatalf("%s: %v", trouble.object, err)
			}
			if err := trouble.spoil(slices.Max(paths)); err != nil {
				t.Fatal(err)
			}
			before := files(t, lake)
			_, stderr := k.run(t, def, exitFailed)
			for _, want := range trouble.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("%q is not said:\n%s", want, stderr)
				}
			}
			if after := files(t, lake); !slices.Equal(before, after) {
				t.Errorf("the run changed the lake from\n%q to\n%q", before, after)
			}
			if err := errors.Join(os.RemoveAll(lake), os.CopyFS(lake, os.DirFS(kept))); err != nil {
				t.Fatal(err)
			}
			k.run(t, def, exitDone)
			k.has(t, [2]int{0, 300})
		})
	}
}

// after is the log entry that follows one.
func after(path string) string {
	return strings.Replace(path, "2.json", "3.json", 1)
}

// files is what lies below a folder, with sizes.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			var data []byte
			data, err = os.ReadFile(path)
			all = append(all, path+": "+string(data[:min(40, len(data))]))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Where nobody can listen is a mistake in the command line.
func TestNoSuchAddress(t *testing.T) {
	dir := t.TempDir()
	def := definition(t, dir, `
pipeline: p
lake: `+filepath.Join(dir, "lake")+`
sources: {in: {kafka: {brokers: "127.0.0.1:1", topic: t}, format: json, schema: {id: long!}}}
tables: {rows: {from: in}}
`)
	code, _, stderr := millrace(t.Context(), "run", def, "--http", "192.0.2.1:8089")
	if code != exitUsage || !strings.Contains(stderr, "millrace: --http 192.0.2.1:8089: ") {
		t.Errorf("ended with %d, want %d and the address:\n%s", code, exitUsage, stderr)
	}
}
