package pipelines_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/engine/spec"
	"github.com/millrace-io/millrace/pipelines"
)

// Every definition of this folder is embedded, under the name that it gives itself.
func TestAllAreEmbedded(t *testing.T) {
	files, err := filepath.Glob("*/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("files: %v, %v", files, err)
	}
	all := pipelines.All()
	if len(all) != len(files) {
		t.Errorf("embedded: %d definitions, in the folder: %v", len(all), files)
	}
	for _, d := range all {
		file, _ := strings.CutPrefix(d.File, "pipelines/")
		if !slices.Contains(files, filepath.FromSlash(file)) {
			t.Errorf("%s: no file %s", d.Name, d.File)
		}
		root, err := spec.Parse(d.File, d.YAML, nil, func(name string) (string, bool) { return name, true })
		if err != nil {
			t.Errorf("%s: %v", d.Name, err)
			continue
		}
		if name, _ := root.Get("pipeline"); name.Text() != d.Name {
			t.Errorf("%s calls itself %s", d.Name, name.Text())
		}
	}
}

func TestLookup(t *testing.T) {
	d, ok := pipelines.Lookup("pinterest")
	if want, _ := os.ReadFile("pinterest/pinterest.yaml"); !ok || string(d.YAML) != string(want) {
		t.Errorf("pinterest: found %v, %d bytes", ok, len(d.YAML))
	}
	if d, ok := pipelines.Lookup("pinterests"); ok {
		t.Errorf("pinterests: found %s", d.Name)
	}
	d.YAML[0] = 'x'
	if again, _ := pipelines.Lookup("pinterest"); again.YAML[0] == 'x' {
		t.Error("a caller changed the embedded definition")
	}
}
