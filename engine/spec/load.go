package spec

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// Load reads a definition, binds its streams and checks it. file is for messages, and what includes are relative to;
// only Options.ReadFile opens anything. The error, if any, is Errors: all that is wrong.
func Load(file string, data []byte, kinds Kinds, opts Options) (*Definition, error) {
	doc := &document{reading: newReading(opts.Set, opts.Getenv), file: file}
	if !doc.readAll(data, opts.ReadFile) {
		return nil, doc.finish(doc.errs)
	}
	l := &loader{
		root: Node{doc.root}, kinds: kinds, opts: opts, layout: newLayout(), names: map[string]named{}, edges: map[string]*edge{},
		def: &Definition{File: file, Sources: map[string]Source{}, Tables: map[string]Table{}},
	}
	l.errs = doc.errs
	l.load()
	if err := doc.finish(l.errs); err != nil {
		return nil, err
	}
	l.warnUnused()
	l.def.Warnings, _ = doc.finish(l.warnings).(Errors)
	return l.def, nil
}

// A loader makes a Definition of a tree.
type loader struct {
	decoder  // gathers what is wrong
	root     Node
	kinds    Kinds
	opts     Options
	layout   layout
	def      *Definition
	names    map[string]named
	edges    map[string]*edge
	warnings Errors
}

// A named is a source, stream or table: they share one namespace, because tail and the ledger call all of
// them by name.
type named struct {
	kind string // "source", "stream" or "table"
	key  Node
}

// An edge is what leaves a source or stream.
type edge struct {
	schema  column.Schema // nil: something before it is wrong, and what depends on it is not checked
	sources []string      // whose rows they are
	order   []string      // rows were last exchanged by these columns; nil: not yet
	ordered bool          // rows of a key (order, or any) are still in the order of their partition
	whole   bool          // the rows of an epoch are all results there are, and take the place of those before
	readers int
}

func (l *loader) load() {
	l.structure(l.root, reflectOf(&l.layout), nil)
	if l.root.Kind() != Mapping {
		return
	}
	l.head()
	l.filled("sources", len(l.layout.Sources))
	l.filled("tables", len(l.layout.Tables))
	declare(l, "source", l.layout.Sources)
	declare(l, "stream", l.layout.Streams)
	declare(l, "table", l.layout.Tables)
	for _, e := range l.layout.Sources {
		l.source(e.Key, e.At)
	}
	l.streams()
	for _, e := range l.layout.Tables {
		l.table(e)
	}
	l.quarantine()
	l.paths()
}

// filled asks a section that is there to hold something.
func (l *loader) filled(section string, entries int) {
	if n, ok := l.root.Get(section); ok && entries == 0 && (n.Kind() == Mapping || n.Kind() == Null) {
		l.errs = append(l.errs, n.keyError(section+" is empty: a pipeline needs at least one", ""))
	}
}

// head takes what stands at the top of the file.
func (l *loader) head() {
	f := &l.layout
	l.def.Plan.Pipeline = f.Pipeline
	if n, ok := l.root.Get("pipeline"); ok && n.Kind() == Scalar {
		l.name(n, "pipeline")
	}
	if l.def.Lake = l.opts.Lake; l.def.Lake == "" {
		l.def.Lake = string(f.Lake)
	}
	if l.def.Lake == "" {
		n, ok := l.root.Get("lake")
		if !ok {
			n = l.root
		}
		if n.Kind() == Scalar || !ok {
			l.errorf(n, "lake is missing: the folder or URL that holds the tables")
		}
	}
	for _, p := range l.section("vars").Pairs() {
		if !variableName.MatchString(p.Key.Text()) {
			l.errorf(p.Key, "a variable's name is letters, digits and _, and does not begin with a digit")
		} else if !l.root.t.doc.vars.used[p.Key.Text()] {
			l.warn(p.Key, "variable %s is never used", p.Key.Text())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(l.opts.Set)) {
		if !l.root.t.doc.vars.used[name] {
			l.def.UnusedSet = append(l.def.UnusedSet, name)
		}
	}
	l.commit()
	l.maintenance()
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (l *loader) commit() {
	c := l.layout.Commit
	l.def.Plan.Commit = engine.CommitPolicy{Every: c.Every, Rows: c.Rows, Bytes: int64(c.Bytes)}
	l.def.TargetFile, l.def.MemoryBudget = c.TargetFile, l.layout.Memory.Budget
	l.def.StateMemory = l.layout.State.Memory
	n := l.section("commit")
	if c.Rows < 0 {
		l.errorf(get(n, "rows"), "expected a number of records, found %d", c.Rows)
	}
	if c.Every == 0 && c.Rows == 0 && c.Bytes == 0 {
		l.errs = append(l.errs, n.keyError("nothing says when to commit: set every, rows or bytes", ""))
	}
	if c.TargetFile == 0 {
		l.errorf(get(n, "target_file"), "a file of 0 bytes holds no rows")
	}
	if l.def.MemoryBudget == 0 {
		l.errorf(get(l.section("memory"), "budget"), "a budget of 0 bytes holds no rows")
	}
	if l.def.StateMemory == 0 {
		l.errorf(get(l.section("state"), "memory"), "a budget of 0 bytes holds no state")
	}
}

func (l *loader) section(key string) Node { return get(l.root, key) }

func get(n Node, key string) Node {
	v, _ := n.Get(key)
	return v
}

func (l *loader) warn(n Node, format string, args ...any) {
	l.warnings = append(l.warnings, n.errorAt(0, fmt.Sprintf(format, args...), ""))
}

var legalName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$`)

// name checks a name that paths, metrics and commits are made of.
func (l *loader) name(n Node, what string) bool {
	if legalName.MatchString(n.Text()) || n.t.broken {
		return true
	}
	l.errorf(n, "%s name %s: expected at most 100 of the letters a to z and A to Z, digits, _ and -, a letter or digit first", what, n.describe())
	return false
}

// declare enters the names of a section.
func declare[V any](l *loader, kind string, section Map[V]) {
	for _, e := range section {
		key := e.At.key()
		if !l.name(key, kind) {
			continue
		}
		if other, ok := l.names[e.Key]; ok {
			hint := ""
			if kind == "table" {
				hint = fmt.Sprintf("; give the table another name and keep its folder with path: %s", key.t.shown())
			}
			l.errorf(key, "%s %s has the name of the %s %s%s", kind, key.t.shown(), other.kind, other.key.where(key), hint)
			continue
		}
		l.names[e.Key] = named{kind, key}
	}
}

// key is the node of the key that n is the value of.
func (n Node) key() Node { return Node{n.t.name} }

// upstream finds what a stream or table reads. nil: it can't be read, and that was said.
func (l *loader) upstream(from Node) *edge {
	if from.Kind() != Scalar {
		if from.t != nil {
			l.errorf(from, "expected the name of a source or stream, found %s", from.describe())
		}
		return nil
	}
	if e := l.edges[from.Text()]; e != nil {
		e.readers++
		return e
	}
	if n, ok := l.names[from.Text()]; ok {
		if n.kind == "table" {
			l.errorf(from, "%s is a table; sources and streams can be read: write what the table reads", from.t.shown())
		}
		return nil
	}
	if !from.t.broken {
		names := l.readable()
		message := fmt.Sprintf("no source or stream %s: there is %s", from.t.shown(), alternatives(names))
		l.errs = append(l.errs, from.errorAt(0, message, column.Nearest(from.Text(), names)))
	}
	return nil
}

// readable lists the sources and streams in the order written.
func (l *loader) readable() []string {
	names := slices.Concat(l.layout.Sources.Keys(), l.layout.Streams.Keys())
	if len(names) == 0 {
		return []string{"none"}
	}
	return names
}

func (l *loader) warnUnused() {
	for _, name := range l.readable() {
		if e := l.edges[name]; e != nil && e.readers == 0 {
			n := l.names[name]
			l.warn(n.key, "no table and no stream reads the %s %s", n.kind, name)
		}
	}
}

// quarantine settles the quarantine table's path, and its name: the last part of the path.
func (l *loader) quarantine() {
	n, p := l.section("quarantine"), l.layout.Quarantine
	switch {
	case n.t == nil:
		n, p = l.section("pipeline"), l.layout.Pipeline+"_quarantine"
	case n.Kind() != Scalar || !l.path(n, p):
		return
	}
	p = path.Clean(p)
	l.def.QuarantinePath, l.def.Plan.Quarantine = p, path.Base(p)
	if other, ok := l.names[path.Base(p)]; ok {
		l.errorf(n, "the quarantine table has the name of the %s %s: its name is the last part of its path", other.kind, other.key.where(n))
	}
}

// path checks a table's path under the lake.
func (l *loader) path(n Node, p string) bool {
	for part := range strings.SplitSeq(p, "/") {
		if !legalPart.MatchString(part) && !n.t.broken {
			l.errorf(n, "path %s: expected names with / between them, of letters, digits, and any of _ - . = inside, found %q", n.describe(), part)
			return false
		}
	}
	return true
}

// legalPart leaves out names that begin with _ or ., which readers of a lake pass over.
var legalPart = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.=-]{0,199}$`)

// paths checks that no table lies in another.
func (l *loader) paths() {
	type place struct{ path, table string }
	taken := []place{{l.def.QuarantinePath, "the quarantine table"}}
	for _, e := range l.layout.Tables {
		p := l.def.Tables[e.Key].Path
		if p == "" {
			continue
		}
		at, ok := e.At.Get("path")
		if !ok {
			at = e.At.key()
		}
		for _, other := range taken {
			if other.path != "" && within(p, other.path) {
				l.errorf(at, "path %s: %s lies at %s; a table needs a folder of its own", p, other.table, other.path)
			}
		}
		taken = append(taken, place{p, "table " + e.Key})
	}
}

// within says whether two paths are one or one lies in the other.
func within(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/")
}
