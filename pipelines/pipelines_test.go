package pipelines_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine/spec"
	"github.com/millrace-io/millrace/pipelines"
)

// Every definition of this folder is embedded, under the name that it gives itself. What has no name is a part.
func TestAllAreEmbedded(t *testing.T) {
	files, err := filepath.Glob("*/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("files: %v, %v", files, err)
	}
	names := map[string]string{} // of definitions, by file
	for _, file := range files {
		if name, ok := parse(t, file).Get("pipeline"); ok {
			names["pipelines/"+filepath.ToSlash(file)] = name.Text()
		}
	}
	all := pipelines.All()
	if len(all) != len(names) {
		t.Errorf("embedded: %d definitions, in the folder: %v", len(all), names)
	}
	for _, d := range all {
		if name := names[d.File]; name != d.Name {
			t.Errorf("%s: %s calls itself %q", d.Name, d.File, name)
		}
	}
}

func parse(t *testing.T, file string) spec.Node {
	t.Helper()
	text, err := pipelines.Read("pipelines/" + filepath.ToSlash(file))
	if err != nil {
		t.Fatal(err)
	}
	root, err := spec.Parse(file, text, nil, func(name string) (string, bool) { return name, true })
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// The events have the same columns from Kafka and from Kinesis, and nothing is done with them but what both include.
func TestBatchAndStreamDoNotDrift(t *testing.T) {
	batch, stream := parse(t, "pinterest/pinterest.yaml"), parse(t, "pinterest/streaming.yaml")
	for _, section := range []string{"streams", "tables", "quarantine"} {
		for _, root := range []spec.Node{batch, stream} {
			if n, ok := root.Get(section); ok {
				t.Errorf("line %d has %s of its own", n.Line(), section)
			}
		}
	}
	a, b := schemas(batch), schemas(stream)
	if diff := cmp.Diff(a, b); diff != "" || len(a) == 0 {
		t.Errorf("schemas of the sources (-batch +stream):\n%s", diff)
	}
}

// schemas is the columns of each source, as written.
func schemas(root spec.Node) map[string][]string {
	all := map[string][]string{}
	sources, _ := root.Get("sources")
	for _, s := range sources.Pairs() {
		columns, _ := s.Value.Get("schema")
		for _, c := range columns.Pairs() {
			all[s.Key.Text()] = append(all[s.Key.Text()], c.Key.Text()+": "+c.Value.Text())
		}
	}
	return all
}

func TestRead(t *testing.T) {
	for _, name := range []string{"pipelines/pinterest/none.yaml", "pinterest/cleaning.yaml", "/etc/passwd", "pipelines/../go.mod", "pipelines/"} {
		if text, err := pipelines.Read(name); err == nil {
			t.Errorf("%s: %d bytes", name, len(text))
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
