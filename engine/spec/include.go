package spec

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// maxIncludes bounds how deep files include files: links can make a circle that names do not show.
const maxIncludes = 16

// readAll reads a definition and the files it includes, and makes one tree of them under d's root. It is false where
// a file could not be read, which it says: what is in it would be missed everywhere.
func (d *document) readAll(data []byte, readFile func(string) ([]byte, error)) bool {
	if !d.open(data) {
		return false
	}
	name := path.Clean(d.file)
	i := includer{readFile: readFile, opened: map[string]bool{name: true}}
	i.follow(d, []string{name})
	d.convertAll()
	d.gather()
	return !i.failed
}

// An includer opens the files that files include, each once.
type includer struct {
	readFile func(string) ([]byte, error)
	opened   map[string]bool // by name
	failed   bool
}

// follow opens what d includes. way leads from the definition to d.
func (i *includer) follow(d *document, way []string) {
	list, ok := Node{d.root}.Get("include")
	if !ok {
		return
	}
	d.section(list.t)
	var names []string
	read := decoder{}
	read.value(list, reflectOf(&names), field{scalar: true})
	if len(read.errs) > 0 {
		i.failed = true
		d.errs = append(d.errs, read.errs...)
		return
	}
	items := list.Items()
	if list.Kind() == Scalar {
		items = []Node{list}
	}
	for k, at := range items {
		name := names[k]
		if at.t.broken {
			i.failed = true
			continue
		}
		if name == "" {
			i.fail(at, "expected the path of a file, found an empty text")
			continue
		}
		if !path.IsAbs(name) {
			name = path.Join(path.Dir(d.file), name)
		}
		i.include(d, at, path.Clean(name), way)
	}
}

// include opens a file that d names at a place.
func (i *includer) include(d *document, at Node, name string, way []string) {
	if round := slices.Index(way, name); round >= 0 {
		i.fail(at, "files include each other in a circle: "+strings.Join(append(slices.Clone(way[round:]), name), " → "))
		return
	}
	switch {
	case i.opened[name]:
		return
	case len(way) > maxIncludes:
		i.fail(at, fmt.Sprintf("files include files more than %d deep", maxIncludes))
		return
	case i.readFile == nil:
		i.fail(at, fmt.Sprintf("include %s: no other file can be read here", name))
		return
	}
	i.opened[name] = true
	data, err := i.readFile(name)
	if err != nil {
		i.fail(at, whyNot(name, err))
		return
	}
	in := &document{reading: d.reading, file: name}
	if !in.open(data) {
		i.failed = true
		return
	}
	d.included = append(d.included, in)
	i.follow(in, append(slices.Clone(way), name))
}

func (i *includer) fail(at Node, message string) {
	i.failed = true
	doc := at.t.doc
	doc.errs = append(doc.errs, at.errorAt(0, message, ""))
}

func whyNot(name string, err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Sprintf("include %s: there is no such file; the path starts at the folder of the file that includes it", name)
	}
	return fmt.Sprintf("include %s: %v", name, err)
}

// convertAll converts what was left of d and the files it includes.
func (d *document) convertAll() {
	d.rest()
	for _, in := range d.included {
		in.convertAll()
	}
}

// gather puts the sections of the files that d includes under d's root.
func (d *document) gather() {
	own := map[string]bool{}
	for _, p := range get(Node{d.root}, "vars").Pairs() {
		own[p.Key.Text()] = true
	}
	for _, in := range d.included {
		in.gather()
		if in.root.kind != Mapping {
			d.errs = append(d.errs, Node{in.root}.errorAt(0, fmt.Sprintf("expected a map of sections, as in the file that includes this one, found %s", Node{in.root}.describe()), ""))
		}
		for _, p := range in.root.pairs {
			if p.Key.Text() != "include" {
				d.take(p, own)
			}
		}
	}
}

// take puts a section of an included file under d's root: a new one as it is, one that is there key by key. What d
// says itself of variables, own, comes first; nothing else is replaced.
func (d *document) take(p Pair, own map[string]bool) {
	i := slices.IndexFunc(d.root.pairs, func(x Pair) bool { return x.Key.Text() == p.Key.Text() })
	if i < 0 {
		d.root.pairs = append(d.root.pairs, p)
		return
	}
	there := d.root.pairs[i]
	switch {
	case p.Value.Kind() == Null:
	case there.Value.Kind() == Null:
		d.root.pairs[i] = p
	case there.Value.Kind() != Mapping || p.Value.Kind() != Mapping:
		d.twice(there.Key, p.Key)
	default:
		for _, e := range p.Value.Pairs() {
			first := slices.IndexFunc(there.Value.Pairs(), func(x Pair) bool { return x.Key.Text() == e.Key.Text() })
			switch {
			case first < 0:
				there.Value.t.pairs = append(there.Value.t.pairs, e)
			case p.Key.Text() != "vars" || !own[e.Key.Text()]:
				d.twice(there.Value.Pairs()[first].Key, e.Key)
			}
		}
	}
}

// twice reports a key that an included file has as well.
func (d *document) twice(key, other Node) {
	message := fmt.Sprintf("key %q is here and in %s:%d, parts of one definition: only variables may be said again, by the file that includes theirs", key.t.shown(), other.t.doc.file, other.Line())
	d.errs = append(d.errs, key.errorAt(0, message, ""))
}

// where says in a message which line n is on, for who reads of it at a place in the file of from.
func (n Node) where(from Node) string {
	if n.t.doc == from.t.doc {
		return fmt.Sprintf("in line %d", n.Line())
	}
	return fmt.Sprintf("in %s:%d", n.t.doc.file, n.Line())
}
