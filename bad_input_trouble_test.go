package millrace_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestBadInputNamesTests: each line of docs/bad-input.md names a test, and there is one of that name in the
// file it names.
func TestBadInputNamesTests(t *testing.T) {
	doc, err := os.ReadFile("docs/bad-input.md")
	if err != nil {
		t.Fatal(err)
	}
	row, quoted := regexp.MustCompile(`(?m)^\| .* \| (.*) \|$`), regexp.MustCompile("`([^`]+)`")
	shown := 0
	for _, line := range row.FindAllStringSubmatch(string(doc), -1) {
		if line[1] == "test" {
			continue
		}
		shown++
		names := quoted.FindAllStringSubmatch(line[1], -1)
		if len(names) == 0 {
			t.Errorf("no test: %s", line[0])
		}
		for _, name := range names {
			file, tests, _ := strings.Cut(name[1], ": ")
			text, err := os.ReadFile(file)
			if err != nil {
				t.Errorf("%v: %s", err, line[0])
				continue
			}
			for test := range strings.SplitSeq(tests, ", ") {
				if test != "" && !strings.Contains(string(text), "func "+test+"(") {
					t.Errorf("%s has no %s: %s", file, test, line[0])
				}
			}
		}
	}
	if shown < 50 {
		t.Errorf("%d lines, expected all kinds", shown)
	}
}
