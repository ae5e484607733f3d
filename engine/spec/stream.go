package spec

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// streams binds all streams, each after those it reads.
func (l *loader) streams() {
	v := visitor{l: l, entries: map[string]Entry[streamLayout]{}, done: map[string]bool{}}
	for _, e := range l.layout.Streams {
		if l.names[e.Key].kind == "stream" {
			v.entries[e.Key] = e
		}
	}
	for _, e := range l.layout.Streams {
		v.visit(e.Key, nil)
	}
}

// A visitor walks over streams against the flow.
type visitor struct {
	l       *loader
	entries map[string]Entry[streamLayout]
	done    map[string]bool
}

// visit binds a stream that way leads to, after those it reads.
func (v *visitor) visit(name string, way []string) {
	e, ok := v.entries[name]
	if !ok || v.done[name] {
		return
	}
	if i := slices.Index(way, name); i >= 0 {
		v.circle(way[i:])
		return
	}
	for _, from := range e.Value.From {
		v.visit(from.Text(), append(slices.Clone(way), name))
	}
	v.done[name] = true
	v.l.stream(e)
}

// circle reports streams that read each other: each of round reads the next one.
func (v *visitor) circle(round []string) {
	round = slices.Clone(round)
	slices.Reverse(round)
	first := slices.MinFunc(round, func(a, b string) int { return compare(v.entries[a].At, v.entries[b].At) })
	for round[0] != first {
		round = append(round[1:], round[0])
	}
	from := v.entries[first].Value.From
	at := slices.IndexFunc(from, func(n Node) bool { return n.Text() == round[len(round)-1] })
	v.l.errorf(from[at], "streams read each other in a circle: %s", strings.Join(append(round, first), " → "))
}

// compare is the order of places.
func compare(a, b Node) int {
	return cmp.Or(cmp.Compare(a.t.doc.file, b.t.doc.file), cmp.Compare(a.Line(), b.Line()), cmp.Compare(a.t.col, b.t.col))
}

func (l *loader) stream(e Entry[streamLayout]) {
	out := l.meet(e.Value.From)
	plan := engine.StreamPlan{Name: e.Key, From: e.Value.From.names()}
	stream := Stream{Name: e.Key, From: plan.From, Sources: out.sources}
	used := map[string]int{}
	for _, n := range e.Value.Steps {
		operator, config, at, ok := l.step(n)
		if !ok {
			out.schema = nil
			continue
		}
		bound := BoundStep{Name: operator, Operator: operator}
		if used[operator]++; used[operator] > 1 {
			bound.Name = fmt.Sprintf("%s-%d", operator, used[operator])
		}
		l.bind(at, config, out, &bound)
		stream.Steps = append(stream.Steps, bound)
		stream.Waits = stream.Waits || bound.Waits
		plan.Steps = append(plan.Steps, engine.Step{Name: bound.Name, Config: config})
	}
	plan.Schema = out.schema
	l.edges[e.Key] = out
	l.def.Streams = append(l.def.Streams, stream)
	l.def.Plan.Streams = append(l.def.Plan.Streams, plan)
}

// step reads {operator: config}. ok is false where something of it is wrong.
func (l *loader) step(n Node) (operator string, config engine.Config, at Node, ok bool) {
	names := slices.Sorted(maps.Keys(l.kinds.Operators))
	if n.Kind() != Mapping || len(n.Pairs()) != 1 {
		found := n.describe()
		if n.Kind() == Mapping {
			found = fmt.Sprintf("a map of %d", len(n.Pairs()))
		}
		l.errorf(n, "expected a step: a map of one operator and its config, such as dedupe: {…}, found %s", found)
		return "", nil, n, false
	}
	key, at := n.Pairs()[0].Key, n.Pairs()[0].Value
	operator = key.Text()
	open := l.kinds.Operators[operator]
	if open == nil {
		message := fmt.Sprintf("no operator %s: expected %s", key.t.shown(), alternatives(names))
		l.errs = append(l.errs, key.errorAt(0, message, column.Nearest(operator, names)))
		return operator, nil, at, false
	}
	at.t.step = true
	config = open()
	before := len(l.errs)
	l.add(at, at.Decode(config))
	return operator, config, at, len(l.errs) == before && !broken(at)
}

// bind binds a step to what arrives and moves out on to what leaves.
func (l *loader) bind(at Node, config engine.Config, out *edge, bound *BoundStep) {
	if w, ok := config.(engine.Waiting); ok {
		bound.Waits = w.Waits()
	}
	if x, ok := config.(Explainer); ok {
		bound.Note = x.Explain()
	}
	if out.schema == nil {
		return
	}
	in := out.schema
	operator, schema, err := config.Bind(slices.Clone(in))
	if err != nil {
		l.add(at, err)
		out.schema = nil
		return
	}
	l.whole(at, config, operator, out)
	if k, ok := config.(engine.Keyed); ok {
		bound.Keys = k.Keys()
		for _, c := range bound.Keys {
			if in.Index(c) < 0 {
				l.add(at, at.keyError(fmt.Sprintf("no column %q to exchange rows by", c), column.Nearest(c, in.Names())))
			}
		}
		l.exchange(at, k, out)
	} else if out.order != nil {
		// The step may change the columns that rows were exchanged by.
		out.ordered = false
	}
	out.schema, bound.Schema = schema, schema
}

// exchange checks that a step that goes by the order of arrival still finds the order of partitions. That
// is so before any exchange, and after exchanges of steps like it by some of its own columns: they pass
// rows on unchanged, and rows of one key have gone through one lane each time.
func (l *loader) exchange(at Node, k engine.Keyed, out *edge) {
	a, ok := k.(ArrivalOrdered)
	arrival := ok && a.ArrivalOrder()
	if arrival {
		missing := slices.ContainsFunc(out.order, func(c string) bool { return !slices.Contains(k.Keys(), c) })
		switch {
		case !out.ordered && out.order == nil:
			l.add(at, at.keyError("order: arrival is the order of partitions, which rows of several inputs do not have: write order: event_time", ""))
		case !out.ordered || missing:
			l.add(at, at.keyError("order: arrival is the order of partitions, which rows have lost here: they were exchanged before by "+
				strings.Join(out.order, ", ")+"; put this step before those", ""))
		}
	}
	out.ordered = out.ordered && arrival
	out.order = slices.Clone(k.Keys())
}

// whole follows results that come whole in each epoch. A step that keeps something from epoch to epoch would count them
// again each time.
func (l *loader) whole(at Node, config engine.Config, operator engine.Operator, out *edge) {
	_, keyed := config.(engine.Keyed)
	_, stateful := operator.(engine.Stateful)
	if out.whole && (keyed || stateful) {
		l.errs = append(l.errs, at.keyError("the step would take each result again in every epoch: those that come here are whole in each; put it before the step that gives them", ""))
	}
	if r, ok := config.(engine.Whole); ok && r.Replaces() {
		out.whole = true
	}
}
