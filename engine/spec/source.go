package spec

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

func reflectOf(pointer any) reflect.Value { return reflect.ValueOf(pointer).Elem() }

// source reads one source. Its rows' schema is known even where something else of it is wrong.
func (l *loader) source(name string, n Node) {
	kinds := slices.Sorted(maps.Keys(l.kinds.Sources))
	f := newSourceLayout()
	l.structure(n, reflectOf(&f), kinds)
	kind, config := l.sourceKind(n, kinds)
	plan := engine.SourcePlan{
		Name: name, Schema: f.Schema, Time: l.eventTime(n, f),
		Latest: f.Start == "latest", AllowLoss: f.OnDataLoss == "continue",
	}
	var format string
	format, plan.NewDecoder = l.format(f)
	l.edges[name] = &edge{schema: f.Schema, sources: []string{name}, ordered: true}
	l.def.Sources[name] = Source{Kind: kind, Config: config, Format: format, TimeFormat: f.EventTime.Format}
	l.def.Plan.Sources = append(l.def.Plan.Sources, plan)
}

// sourceKind reads the one key of a source that says where its records come from.
func (l *loader) sourceKind(n Node, kinds []string) (string, SourceConfig) {
	var kind string
	var config SourceConfig
	for _, p := range n.Pairs() {
		name := p.Key.Text()
		if !slices.Contains(kinds, name) {
			continue
		}
		if kind != "" {
			l.errorf(p.Key, "a source has one kind: this one is %s already", kind)
			continue
		}
		kind, config = name, l.kinds.Sources[name]()
		before := len(l.errs)
		l.add(p.Value, p.Value.Decode(config))
		if len(l.errs) == before && !broken(p.Value) {
			l.add(p.Value, config.Validate())
		}
	}
	if kind == "" && n.Kind() == Mapping {
		l.errs = append(l.errs, n.keyError(fmt.Sprintf("the source does not say where its records come from: expected %s", alternatives(kinds)), ""))
	}
	return kind, config
}

// broken says whether a variable without a value lies in n.
func broken(n Node) bool {
	if n.t == nil {
		return false
	}
	return n.t.broken || slices.ContainsFunc(n.Items(), broken) ||
		slices.ContainsFunc(n.Pairs(), func(p Pair) bool { return broken(p.Value) })
}

// format reads "json" or {json: {options}}.
func (l *loader) format(f sourceLayout) (string, func() engine.Decoder) {
	names := slices.Sorted(maps.Keys(l.kinds.Formats))
	var key, options Node
	switch n := f.Format; {
	case n.t == nil:
		return "", nil
	case n.Kind() == Scalar:
		key, options = n, Node{&tree{doc: n.t.doc, parent: n.t.parent, key: n.t.key, name: n.t, line: n.t.line, col: n.t.col}}
	case n.Kind() == Mapping && len(n.Pairs()) == 1:
		key, options = n.Pairs()[0].Key, n.Pairs()[0].Value
	default:
		l.errorf(n, "expected a format or a map of one format and its options, such as {json: {…}}, found %s", n.describe())
		return "", nil
	}
	open, ok := l.kinds.Formats[key.Text()]
	switch {
	case key.t.broken:
		return "", nil
	case !ok:
		message := fmt.Sprintf("no format %s: expected %s", key.t.shown(), alternatives(names))
		l.errs = append(l.errs, key.errorAt(0, message, column.Nearest(key.Text(), names)))
		return "", nil
	case f.Schema == nil:
		return key.Text(), nil
	}
	options.t.step = true
	decoder, err := open(f.Schema, options)
	l.add(options, err)
	return key.Text(), decoder
}
