// Package millrace_test holds the rules of the house that a compiler does not know.
package millrace_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/millrace-io/millrace/"

// A source is one parsed file that is not a test.
type source struct {
	dir  string // relative to the module: "engine/column"
	path string
	file *ast.File
	fset *token.FileSet
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); path != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "millrace-demo") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		all = append(all, source{filepath.ToSlash(filepath.Dir(path)), path, file, fset})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestImportsPointOneWay: cmd → bench, pipelines → operators → engine's parts → engine → column.
func TestImportsPointOneWay(t *testing.T) {
	for _, s := range sources(t) {
		for _, spec := range s.file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			dep, ours := strings.CutPrefix(path, module)
			if !ours {
				if err := outside(s.dir, path); err != "" {
					t.Errorf("%s: imports %s: %s", s.path, path, err)
				}
				continue
			}
			if !mayImport(s.dir, dep) {
				t.Errorf("%s: imports %s, which is not below it", s.path, dep)
			}
		}
	}
}

// mayImport says whether code in dir may import dep, both relative to the module.
func mayImport(dir, dep string) bool {
	if testing := strings.HasPrefix(dir, "engine/enginetest") || strings.HasPrefix(dir, "scripts/"); testing {
		return true
	}
	if dir == "engine" {
		return dep == "engine/column"
	}
	if dir == "engine/column" || dir == "engine/expr" {
		return dep == "engine/column"
	}
	layer := func(path string) int {
		return slices.Index([]string{"engine", "operators", "pipelines", "bench", "cmd"}, strings.SplitN(path, "/", 2)[0])
	}
	return layer(dep) <= layer(dir)
}

// outside says why a package may not import a foreign one, or "".
func outside(dir, path string) string {
	std := !strings.Contains(strings.SplitN(path, "/", 2)[0], ".")
	switch {
	case dir == "engine" && !std:
		return "the engine imports column and the standard library only"
	case strings.Contains(path, "ThreeDotsLabs/watermill") && dir != "engine/router" && dir != "engine/kafka" && dir != "engine/kinesis":
		return "Watermill stays in the router and the connectors"
	case strings.Contains(path, "IBM/sarama") && dir != "engine/kafka":
		return "sarama stays in kafka"
	case strings.Contains(path, "aws/aws-sdk-go-v2") && dir != "engine/amazon" && dir != "engine/blob/s3" && dir != "engine/kinesis":
		return "AWS's types stay in amazon, blob/s3 and kinesis"
	case strings.Contains(path, "parquet-go/parquet-go") && dir != "engine/parquet" && dir != "engine/delta":
		return "parquet-go stays in parquet and delta"
	}
	return ""
}

// TestNoHiddenState: no init, no package variable that anybody may change.
func TestNoHiddenState(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					t.Errorf("%s: has an init function", s.path)
				}
			case *ast.GenDecl:
				if d.Tok == token.VAR {
					checkVars(t, s, d)
				}
			}
		}
	}
}

// checkVars allows what nobody changes: errors, embedded files, assertions that a type has a method set,
// and tables. That a table stays as it is cannot be seen here; that it is meant to, its literal shows.
func checkVars(t *testing.T, s source, d *ast.GenDecl) {
	embed := d.Doc != nil && strings.Contains(d.Doc.List[len(d.Doc.List)-1].Text, "go:embed")
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		if v.Names[0].Name == "_" || embed {
			continue
		}
		if len(v.Values) == 0 {
			t.Errorf("%s: package variable %s has no value: it is there to be changed", s.fset.Position(v.Pos()), v.Names[0].Name)
			continue
		}
		switch v.Values[0].(type) {
		case *ast.CallExpr, *ast.CompositeLit:
		default:
			t.Errorf("%s: package variable %s", s.fset.Position(v.Pos()), v.Names[0].Name)
		}
	}
}

// TestPackageDocs: every package says what it is.
func TestPackageDocs(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		documented[s.dir] = documented[s.dir] || s.file.Doc != nil
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s: no package comment", dir)
		}
	}
}

// TestSizes: no function over 80 lines, no file over 600.
func TestSizes(t *testing.T) {
	const longestFunc, longestFile = 80, 600
	for _, s := range sources(t) {
		if lines := s.fset.Position(s.file.End()).Line; lines > longestFile {
			t.Errorf("%s: %d lines", s.path, lines)
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if lines := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line; lines > longestFunc {
				t.Errorf("%s: %s has %d lines", s.fset.Position(f.Pos()), f.Name.Name, lines)
			}
		}
	}
}

// TestExportedDocs: at least 85 of 100 exported names of the declarations have a comment; ours aim at all.
func TestExportedDocs(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
					t.Errorf("%s: %s has no comment", s.fset.Position(d.Pos()), d.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if ts, ok := spec.(*ast.TypeSpec); ok && ts.Name.IsExported() && d.Doc == nil && ts.Doc == nil && ts.Comment == nil {
						t.Errorf("%s: %s has no comment", s.fset.Position(ts.Pos()), ts.Name.Name)
					}
				}
			}
		}
	}
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	x := d.Recv.List[0].Type
	if star, ok := x.(*ast.StarExpr); ok {
		x = star.X
	}
	if index, ok := x.(*ast.IndexExpr); ok {
		x = index.X
	}
	id, ok := x.(*ast.Ident)
	return ok && id.IsExported()
}
