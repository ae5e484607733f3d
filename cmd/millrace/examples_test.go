package main

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/engine/spec"
)

// TestDocsDefinitions: the definitions that documents show are right, and so are parts of one, which get
// what else it takes. One that begins with "# NAME.yaml" can be included by those below the same heading. Each key in
// a table is in an example below the same heading.
func TestDocsDefinitions(t *testing.T) {
	t.Chdir("../..")
	blocks, rows := regexp.MustCompile("(?s)```yaml\n(.*?)```"), regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|")
	for _, file := range []string{"README.md", "docs/guide.md", "docs/definition.md", "docs/time-and-windows.md", "docs/kinesis.md"} {
		for section := range strings.SplitSeq(contents(file), "\n## ") {
			shown, files := "", map[string]string{}
			for _, block := range blocks.FindAllStringSubmatch(section, -1) {
				if first, _, _ := strings.Cut(block[1], "\n"); strings.HasPrefix(first, "# ") && strings.HasSuffix(first, ".yaml") {
					files["docs/"+first[2:]] = block[1]
				}
			}
			for _, block := range blocks.FindAllStringSubmatch(section, -1) {
				checkDefinition(t, file, block[1], files)
				shown += block[1]
			}
			for _, row := range rows.FindAllStringSubmatch(section, -1) {
				if heading, _, _ := strings.Cut(section, "\n"); !strings.Contains(shown, row[1]+":") {
					t.Errorf("%s: no example below %q has %s", file, heading, row[1])
				}
			}
		}
	}
}

func checkDefinition(t *testing.T, file, definition string, files map[string]string) {
	t.Helper()
	all := "\n" + definition
	if strings.HasPrefix(definition, "include:") {
		for _, text := range files {
			all += "\n" + text
		}
	}
	for _, section := range []string{
		"pipeline: p",
		"lake: l",
		"sources: {pins: {kafka: {brokers: a:1, topic: t}, format: json, schema: {index: long!, title: string, category: string}}}",
		"tables: {pin_table: {from: pins}}",
	} {
		if key, _, _ := strings.Cut(section, " "); !strings.Contains(all, "\n"+key) {
			definition += section + "\n"
		}
	}
	opts := spec.Options{
		Getenv: func(name string) (string, bool) { return "from outside", name == "KAFKA_PASSWORD" },
		ReadFile: func(name string) ([]byte, error) {
			if text, ok := files[name]; ok {
				return []byte(text), nil
			}
			return nil, fs.ErrNotExist
		},
	}
	def, err := spec.Load(file, []byte(definition), kinds(), opts)
	switch {
	case err != nil:
		t.Errorf("%v, in\n%s", err, definition)
	case len(def.Warnings) > 0:
		t.Errorf("%v, in\n%s", def.Warnings, definition)
	}
}
