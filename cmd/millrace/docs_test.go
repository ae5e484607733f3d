package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"path"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/aggregate"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/expr"
	"github.com/millrace-io/millrace/engine/spec"
)

// TestDocs makes documents of the templates under testdata/docs and the code, and fails where docs/ holds
// others. With UPDATE_DOCS=1 it writes them.
func TestDocs(t *testing.T) {
	t.Chdir("../..")
	parts := template.FuncMap{"code": code, "comment": comment, "keys": keysOf, "examples": examplesOf, "functions": functionTables, "aggregates": aggregateTables,
		"sql": evaluated, "quarantine": engine.QuarantineSchema.String}
	for _, name := range []string{"definition.md", "operators.md", "aggregates.md", "new-operator.md"} {
		var made bytes.Buffer
		fmt.Fprintf(&made, "<!-- Made by TestDocs in cmd/millrace of testdata/docs/%s and the code. Change those, then run it with UPDATE_DOCS=1. -->\n\n", name)
		tmpl := template.Must(template.New(name).Funcs(parts).ParseFiles("cmd/millrace/testdata/docs/" + name))
		if err := tmpl.Execute(&made, nil); err != nil {
			t.Fatal(err)
		}
		if os.Getenv("UPDATE_DOCS") != "" {
			os.WriteFile("docs/"+name, made.Bytes(), 0o644) //nolint:errcheck // the next lines find out
		}
		if diff := cmp.Diff(contents("docs/"+name), made.String()); diff != "" {
			t.Errorf("docs/%s is not what the code says; UPDATE_DOCS=1 go test ./cmd/millrace -run TestDocs writes it (-file +code):\n%s", name, diff)
		}
	}
	for name := range kinds().Operators {
		if !strings.Contains(contents("docs/operators.md"), "\n## "+name+"\n") {
			t.Errorf("docs/operators.md says nothing of operator %s", name)
		}
	}
}

// contents is what is in a file: nothing where it can't be read.
func contents(path string) string {
	b, _ := os.ReadFile(path)
	return string(b)
}

// found is what a regular expression finds in a file.
func found(file, pattern string) (string, error) {
	m := regexp.MustCompile(pattern).FindString(contents(file))
	if m == "" {
		return "", fmt.Errorf("%s has nothing like %s", file, pattern)
	}
	return m, nil
}

// code is the lines of a Go file from the one that begins with first to the next that is last.
func code(file, first, last string) (string, error) {
	lines, err := found(file, `(?ms)^`+regexp.QuoteMeta(first)+`.*?^`+regexp.QuoteMeta(last)+`$`)
	indent := last[:len(last)-len(strings.TrimLeft(last, "\t"))]
	return "```go" + strings.ReplaceAll("\n"+lines, "\n"+indent, "\n") + "\n```", err
}

// comment is what a Go comment says, from its line that begins with first to the end or to the one that begins
// with before. Its form is Markdown's too.
func comment(file, first string, before ...string) (string, error) {
	lines, err := found(file, `(?m)^// ?`+regexp.QuoteMeta(first)+`.*\n(//.*\n)*`)
	for _, b := range before {
		lines, _, _ = strings.Cut(lines, "//\n// "+b)
	}
	return strings.TrimRight(regexp.MustCompile(`(?m)^// ?`).ReplaceAllString(lines, ""), "\n"), err
}

// keysOf is a table of the keys that the struct of a file reads. Defaults stand at a path of the JSON Schema
// of definitions, such as "sources * kafka"; "-": there are none.
func keysOf(file, name, path string) (string, error) {
	fields, err := found(file, `(?ms)^type `+name+` struct \{.*?^\}`)
	takes := map[string]string{
		"string": "text", "[]string": "list of texts", "bool": "true or false", "int": "whole number", "int64": "whole number",
		"time.Duration": "duration", "Bytes": "size", "column.Schema": "map of types", "Node": "name", "[]Node": "list of steps",
		"Map[string]": "map of texts", "Map[*string]": "map of texts", "Parse": "name or map", "onError": "`quarantine` or `null`", "lakeText": "text or map", "inputs": "name, or list of names",
	}
	out := "| key | takes | default | |\n|---|---|---|---|"
	for _, m := range regexp.MustCompile("(?m)^\t\\w+ +(\\S+) +`(.*)`").FindAllStringSubmatch(fields, -1) {
		tag, what := reflect.StructTag(m[2]), takes[strings.TrimPrefix(m[1], "spec.")]
		key, options, _ := strings.Cut(tag.Get("yaml"), ",")
		meaning, standard, _ := strings.Cut(tag.Get("doc"), " Default: ")
		switch enum := tag.Get("enum"); {
		case key == "":
			continue
		case meaning == "":
			return "", fmt.Errorf("%s: %s has no doc", file, key)
		case enum != "":
			what = "`" + strings.ReplaceAll(enum, "|", "` or `") + "`"
		case what == "":
			what = "map"
		case strings.Contains(options, "scalar"):
			what += ", or one text"
		}
		if d := defaultAt(path + " " + key); d != nil {
			standard = fmt.Sprintf("`%v`", d)
		} else if strings.Contains(options, "required") {
			standard = "required"
		}
		out += fmt.Sprintf("\n| `%s` | %s | %s | %s |", key, what, strings.TrimSuffix(standard, "."), escaped(meaning))
	}
	return strings.ReplaceAll(out, "<", `\<`), err
}

func escaped(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func defaultAt(path string) any {
	var s map[string]any
	if err := json.Unmarshal(spec.JSONSchema(kinds()), &s); err != nil || path[0] == '-' {
		return nil
	}
	for key := range strings.FieldsSeq(path) {
		in, ok := map[string]string{"*": "additionalProperties", "[]": "items"}[key]
		if !ok {
			s, in = s["properties"].(map[string]any), key
		}
		s = s[in].(map[string]any)
	}
	return s["default"]
}

// examplesOf shows the Examples of an operator: its step, or the Go code, and what comes of some rows.
func examplesOf(dir, step string) (string, error) {
	file, fset := dir+"/"+path.Base(dir)+"_test.go", token.NewFileSet()
	f, err := parser.ParseFile(fset, file, contents(file), parser.ParseComments)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for _, e := range doc.Examples(f) {
		src, _, _ := strings.Cut(contents(file)[fset.Position(e.Code.Pos()).Offset+1:], "\t// Output:")
		if !strings.Contains(src, "optest.Decode(") {
			fmt.Fprintf(&out, "%sIn Go\n\n```go%s```\n\nshows\n\n```\n%s```\n\n", e.Doc, strings.ReplaceAll(src, "\n\t", "\n"), e.Output)
			continue
		}
		texts := regexp.MustCompile("`[^`]*`|\"[^\"]*\"").FindAllString(src, -1) // the definition, the columns, the rows
		for i, t := range texts {
			texts[i] = t[1 : len(t)-1]
		}
		config := strings.ReplaceAll(step+": "+strings.ReplaceAll(texts[0], "\n", "\n  "), ": \n", ":\n")
		if _, err := spec.Parse(file, []byte(config), nil, nil); err != nil {
			return "", err
		}
		fmt.Fprintf(&out, "%s```yaml\n%s\n```\n\nRows of `%s`\n\n```\n%s\n```\n\nbecome\n\n```\n%s```\n\n",
			e.Doc, config, texts[1], strings.Join(texts[2:], "\n"), e.Output)
	}
	return strings.TrimSpace(out.String()), nil
}

// functionTables is a table of each group of SQL functions.
func functionTables() (string, error) {
	var out, group string
	for _, f := range expr.Functions() {
		if f.Group != group {
			group = f.Group
			out += "\n### " + group + "\n\n| function | | for example | gives |\n|---|---|---|---|\n"
		}
		names := "`" + strings.Join(f.Signatures, "`<br>`") + "`"
		if f.Aliases != nil {
			names += "<br>also `" + strings.Join(f.Aliases, "`, `") + "`"
		}
		example, err := evaluated(f.Example)
		if err != nil || !strings.HasSuffix(example, " | `"+f.Result+"`") {
			return "", fmt.Errorf("example of %s: %s, expected %s: %w", f.Name, example, f.Result, err)
		}
		out += fmt.Sprintf("| %s | %s | %s |\n", names, escaped(f.Doc), example)
	}
	return strings.TrimSpace(out), nil
}

// aggregateTables is a table of each group of aggregates. That the examples give what it says, a test in aggregate knows.
func aggregateTables() string {
	var out, group string
	for _, f := range aggregate.Functions() {
		if f.Group != group {
			group = f.Group
			out += "\n### " + group + "\n\n| aggregate | | nulls | keeps for a group | for example | gives |\n|---|---|---|---|---|---|\n"
		}
		names := "`" + strings.Join(f.Signatures, "`<br>`") + "`"
		if f.Aliases != nil {
			names += "<br>also `" + strings.Join(f.Aliases, "`, `") + "`"
		}
		out += fmt.Sprintf("| %s | %s | %s | %s | `%s` | `%s` |\n", names, f.Doc, f.Nulls, f.State, f.Example, f.Result)
	}
	return strings.TrimSpace(out)
}

// evaluated is two cells of a table: an expression of constants and what it gives.
func evaluated(src string) (string, error) {
	p, err := expr.Compile(src, nil)
	if err != nil {
		return "", err
	}
	out, bad := p.Eval(nil, nil, 1, column.NewArena())
	result := fmt.Sprintf("`%s`", column.AppendJSON(nil, out, 0))
	if len(bad) > 0 {
		result = "no value: " + bad[0].Detail
	}
	return "`" + escaped(src) + "` | " + escaped(result), nil
}
