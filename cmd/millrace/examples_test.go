package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/engine/spec"
)

// TestDocsDefinitions: the definitions that documents show are right, and so are parts of one, which get
// what else it takes. Each key in a table is in an example below the same heading.
func TestDocsDefinitions(t *testing.T) {
	t.Chdir("../..")
	blocks, rows := regexp.MustCompile("(?s)```yaml\n(.*?)```"), regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|")
	for _, file := range []string{"README.md", "docs/guide.md", "docs/definition.md"} {
		for section := range strings.SplitSeq(contents(file), "\n## ") {
			shown := ""
			for _, block := range blocks.FindAllStringSubmatch(section, -1) {
				checkDefinition(t, file, block[1])
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

func checkDefinition(t *testing.T, file, definition string) {
	t.Helper()
	for _, section := range []string{
		"pipeline: p",
		"lake: l",
		"sources: {pins: {kafka: {brokers: a:1, topic: t}, format: json, schema: {index: long!, title: string, category: string}}}",
		"tables: {pin_table: {from: pins}}",
	} {
		if key, _, _ := strings.Cut(section, " "); !strings.Contains("\n"+definition, "\n"+key) {
			definition += section + "\n"
		}
	}
	opts := spec.Options{Getenv: func(name string) (string, bool) { return "from outside", name == "KAFKA_PASSWORD" }}
	def, err := spec.Load(file, []byte(definition), kinds(), opts)
	switch {
	case err != nil:
		t.Errorf("%v, in\n%s", err, definition)
	case len(def.Warnings) > 0:
		t.Errorf("%v, in\n%s", def.Warnings, definition)
	}
}
