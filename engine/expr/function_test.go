package expr

import (
	"strings"
	"testing"

	"github.com/millrace-io/millrace/engine/column"
)

// TestFunctionDocs: what people read about a function is so: its example gives the result, its name is the one
// in its signatures, and no two functions share one.
func TestFunctionDocs(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Functions() {
		for _, name := range append(f.Aliases, f.Name) {
			if seen[name] {
				t.Errorf("%s is there twice", name)
			}
			seen[name] = true
		}
		for _, s := range f.Signatures {
			if !strings.HasPrefix(s, f.Name+"(") {
				t.Errorf("%s: a signature of another: %s", f.Name, s)
			}
		}
		if !strings.HasSuffix(f.Doc, ".") {
			t.Errorf("%s: no sentence: %q", f.Name, f.Doc)
		}
		p, err := Compile(f.Example, nil)
		if err != nil {
			t.Errorf("%s: %s: %v", f.Name, f.Example, err)
			continue
		}
		out, bad := p.Eval(nil, nil, 1, column.NewArena())
		if got := show(out, 0, bad); got != f.Result {
			t.Errorf("%s: %s gives %s, want %s", f.Name, f.Example, got, f.Result)
		}
	}
}
