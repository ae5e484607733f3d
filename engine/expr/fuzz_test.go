package expr

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine/column"
)

// scripted is the expressions of the scripts under testdata.
func scripted(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d scripts, %v", len(files), err)
	}
	var all []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, strings.Split(string(text), "\n")...)
	}
	return all
}

// FuzzParse: no text makes the parser or the checker panic; all they say has its place in the text; a tree
// that was parsed, printed and parsed again is the same; and what compiles can be computed, before and after.
func FuzzParse(f *testing.F) {
	for _, src := range scripted(f) {
		f.Add(src)
	}
	g := newGenerator(1)
	for range 200 {
		f.Add(g.item(pick(g.Rand, resultTypes()...), 3).src)
	}
	cols := g.samples(3)
	f.Fuzz(func(t *testing.T, src string) {
		root, err := parse(src)
		if err != nil {
			var one *Error
			if !errors.As(err, &one) {
				t.Fatalf("%q: the error is a %T", src, err)
			}
			checkPlaces(t, src, Errors{one})
			return
		}
		checkTree(t, src, root)
		printed := source(root)
		again := reparsed(t, printed)
		if diff := cmp.Diff(root, again, withoutPlaces()); diff != "" {
			t.Fatalf("%q is %s, which is read as another tree: %s", src, printed, diff)
		}
		p, err := Compile(src, sampleSchema())
		var all Errors
		switch {
		case errors.As(err, &all):
			checkPlaces(t, src, all)
		case err != nil:
			t.Fatalf("%q: the error is a %T", src, err)
		default:
			p.Eval(cols, nil, cols[0].Len(), column.NewArena())
		}
	})
}

// reparsed parses what was printed, which may be nested more deeply than what people write may be.
func reparsed(t *testing.T, src string) tree {
	tokens, err := scan(src)
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	p := parser{tokens: tokens, depth: -len(tokens)}
	root, err := p.expression(0)
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	if p.peek().kind != endToken {
		t.Fatalf("%s: %v is left", src, p.peek())
	}
	return root
}

// withoutPlaces compares all of a tree but where its parts stand.
func withoutPlaces() cmp.Options {
	return cmp.Options{
		cmp.Exporter(func(reflect.Type) bool { return true }),
		cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".at" || p.Last().String() == ".quoted" }, cmp.Ignore()),
	}
}

// checkPlaces checks that errors have a message, and their places in src, in order.
func checkPlaces(t *testing.T, src string, errs Errors) {
	last := 0
	for _, e := range errs {
		if e.Offset < last || e.Offset > len(src) || e.Message == "" {
			t.Fatalf("%q: an error at %d, behind one at %d, in a text of %d bytes: %v", src, e.Offset, last, len(src), errs)
		}
		last = e.Offset
	}
	if len(errs) == 0 {
		t.Fatalf("%q: an error without errors", src)
	}
}

// checkTree checks that each part begins in src, and not before what it is a part of.
func checkTree(t *testing.T, src string, root tree) {
	rebuild(root, func(part tree) tree {
		if part.place() < root.place() || part.place() >= len(src) {
			t.Fatalf("%q, %d bytes: %s is placed at %d, a part of what begins at %d", src, len(src), source(part), part.place(), root.place())
		}
		checkTree(t, src, part)
		return part
	})
}

// TestParseIsBounded: what is nested without end or as long as can be is an error or done in time, and no stack
// overflow.
func TestParseIsBounded(t *testing.T) {
	for name, c := range map[string]struct{ src, want string }{
		"parentheses":   {strings.Repeat("(", 1000) + "1" + strings.Repeat(")", 1000), "at 200: nested more than 200 deep"},
		"signs":         {strings.Repeat("- ", 1000) + "i", "at 400: nested more than 200 deep"},
		"negations":     {strings.Repeat("NOT ", 1000) + "b", "at 800: nested more than 200 deep"},
		"calls":         {strings.Repeat("abs(", 1000) + "i", "at 800: nested more than 200 deep"},
		"cases":         {strings.Repeat("CASE WHEN ", 1000) + "b", "at 2000: nested more than 200 deep"},
		"a long source": {strings.Repeat("i + ", 20_000) + "i", "at 65536: an expression has at most 65536 bytes, this one 80001"},
		"a long sum":    {strings.Repeat("i + ", 16_000) + "i", ""},
		"long logic":    {strings.Repeat("b OR ", 10_000) + "c", ""},
		"a long list":   {"i IN (" + strings.Repeat("j,", 10_000) + "1)", ""},
		"much to join":  {"concat(s" + strings.Repeat(",s", 10_000) + ")", ""},
		"much to try":   {"coalesce(i" + strings.Repeat(",i", 30_000) + ")", ""},
	} {
		g := newGenerator(1)
		cols := g.samples(2)
		p, err := Compile(c.src, sampleSchema())
		if got := shownError(err); got != c.want {
			t.Errorf("%s: %s, want %q", name, got, c.want)
		}
		if err == nil {
			p.Eval(cols, nil, 2, column.NewArena())
		}
	}
}

func shownError(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
