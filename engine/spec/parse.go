package spec

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxFile bounds a definition, in bytes.
const maxFile = 1 << 20

// A reading is what the files of a definition share while they are read.
type reading struct {
	vars    *variables
	secrets []string // values under keys that hold secrets
	errs    Errors
}

func newReading(set map[string]string, getenv func(string) (string, bool)) *reading {
	return &reading{vars: &variables{set: set, getenv: getenv, presets: map[string]*preset{}, used: map[string]bool{}}}
}

// A document is a file while it is read.
type document struct {
	*reading
	file     string
	lines    []string // as in the file, without line ends
	masked   []string // as the parser saw them
	holes    []hole
	root     *tree
	bodies   map[*tree]ast.Node // of the sections that were not converted yet
	presets  []*preset          // what vars says, in the order written
	included []*document
}

// Parse reads YAML without asking what it says. Only set and getenv (which may be nil) give values to
// variables. It reports all that is wrong as Errors. Load is what a definition is read with; Parse is for
// tests of a config's own decoding.
func Parse(file string, data []byte, set map[string]string, getenv func(string) (string, bool)) (Node, error) {
	d := &document{reading: newReading(set, getenv), file: file}
	if !d.open(data) {
		return Node{}, d.finish(d.errs)
	}
	d.rest()
	return Node{d.root}, d.finish(d.errs)
}

// open reads the text down to the names of the sections. It is false where the text is no YAML, which it says.
func (d *document) open(data []byte) bool {
	text := strings.ReplaceAll(strings.TrimPrefix(string(data), "\ufeff"), "\r\n", "\n")
	d.lines = strings.Split(text, "\n")
	if err := acceptable(text); err != nil {
		d.fail(1, 1, err.Error())
		return false
	}
	masked, holes := mask(text)
	d.holes, d.masked = holes, strings.Split(masked, "\n")
	body := d.syntax(masked)
	if body == nil {
		return false
	}
	d.root = &tree{doc: d, line: 1, col: 1}
	d.head(body)
	return true
}

func acceptable(text string) error {
	switch {
	case len(text) > maxFile:
		return fmt.Errorf("the definition has %d bytes, more than %d", len(text), maxFile)
	case !utf8.ValidString(text):
		return fmt.Errorf("the definition is not UTF-8")
	case !unmaskable(text):
		return fmt.Errorf("the definition holds a private-use character (U+100000 to U+10FFFD)")
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' }):
		return fmt.Errorf("the definition holds control characters")
	}
	return nil
}

// syntax runs the YAML parser. nil: an error is in d.errs.
func (d *document) syntax(masked string) (body ast.Node) {
	defer func() {
		// The parser has been seen to panic on bytes that are far from YAML.
		if r := recover(); r != nil {
			d.fail(1, 1, "this is not YAML")
			body = nil
		}
	}()
	f, err := parser.ParseBytes([]byte(masked), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		d.syntaxError(err)
		return nil
	}
	for _, doc := range f.Docs {
		switch {
		case doc.Body == nil:
		case body == nil:
			body = doc.Body
		default:
			line, col := place(doc.Body)
			d.fail(line, col, "a second document starts here: a definition is one YAML document")
			return nil
		}
	}
	if body == nil {
		d.fail(1, 1, "the definition is empty")
	}
	return body
}

func (d *document) syntaxError(err error) {
	line, col, message := 1, 1, "the parser gives no reason"
	at, ok := err.(interface {
		GetToken() *token.Token
		GetMessage() string
	})
	if ok {
		message = at.GetMessage()
		if t := at.GetToken(); t != nil && t.Position != nil {
			line, col = t.Position.Line, t.Position.Column
		}
	}
	d.fail(line, col, "not YAML: "+d.unmask(message))
	if e := d.errs[len(d.errs)-1]; secretLine.MatchString(e.Source) {
		e.Source = ""
	}
	d.slips(line)
}

// slips reports what is wrong with the ${…} of the lines up to last, but for comments: it is often what
// breaks the syntax.
func (d *document) slips(last int) {
	for i, text := range d.masked[:min(last, len(d.masked))] {
		col := 0
		for at, r := range text {
			col++
			if r == '#' && (at == 0 || blank(rune(text[at-1]))) {
				break
			}
			if k := int(r - maskFirst); k >= 0 && k < len(d.holes) && d.holes[k].fault != "" {
				d.fail(i+1, col, d.holes[k].fault)
			}
		}
	}
}

// unmask gives back what the file says.
func (d *document) unmask(masked string) string {
	var b strings.Builder
	for _, r := range masked {
		switch k := int(r - maskFirst); {
		case r == maskColon:
			b.WriteByte(':')
		case r == maskFill:
		case k >= 0 && k < len(d.holes):
			b.WriteString(d.holes[k].raw)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func (d *document) fail(line, col int, message string) {
	d.errs = append(d.errs, d.newError(line, col, message, ""))
}

func (d *document) newError(line, col int, message, nearest string) *Error {
	line = min(max(line, 1), len(d.lines))
	source := d.lines[line-1]
	col = min(max(col, 1), utf8.RuneCountInString(source)+1)
	return &Error{
		File: d.file, Line: line, Column: col, Message: d.redact(message),
		Nearest: d.redact(nearest), Source: d.showable(source),
	}
}

// finish sorts errs and blanks out the secrets that were found after an error was made.
func (d *document) finish(errs Errors) error {
	for _, e := range errs {
		e.Message, e.Nearest, e.Source = d.redact(e.Message), d.redact(e.Nearest), d.showable(e.Source)
	}
	return errs.orNil()
}
