package spec

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// streams binds all streams, each after the one it reads.
func (l *loader) streams() {
	entries := map[string]Entry[streamLayout]{}
	for _, e := range l.layout.Streams {
		if l.names[e.Key].kind == "stream" {
			entries[e.Key] = e
		}
	}
	done := map[string]bool{}
	for _, e := range l.layout.Streams {
		var way []string
		for at, ok := entries[e.Key]; ok && !done[at.Key]; at, ok = entries[at.Value.From.Text()] {
			done[at.Key] = true
			way = append(way, at.Key)
		}
		if len(way) == 0 {
			continue
		}
		l.circle(entries, way)
		for _, name := range slices.Backward(way) {
			l.stream(entries[name])
		}
	}
}

// circle reports streams that read each other. way leads from a stream against the flow, and each stream
// is on one way only.
func (l *loader) circle(entries map[string]Entry[streamLayout], way []string) {
	last := entries[way[len(way)-1]]
	i := slices.Index(way, last.Value.From.Text())
	if i < 0 {
		return
	}
	round := slices.Clone(way[i:])
	slices.Reverse(round)
	first := slices.MinFunc(round, func(a, b string) int { return entries[a].At.Line() - entries[b].At.Line() })
	for round[0] != first {
		round = append(round[1:], round[0])
	}
	l.errorf(entries[first].Value.From, "streams read each other in a circle: %s", strings.Join(append(round, first), " → "))
}

func (l *loader) stream(e Entry[streamLayout]) {
	out := &edge{}
	if up := l.upstream(e.Value.From); up != nil {
		out.schema, out.order, out.ordered = up.schema, up.order, up.ordered
	}
	plan := engine.StreamPlan{Name: e.Key, From: []string{e.Value.From.Text()}}
	stream := Stream{Name: e.Key, From: e.Value.From.Text()}
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
	_, schema, err := config.Bind(slices.Clone(in))
	if err != nil {
		l.add(at, err)
		out.schema = nil
		return
	}
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
		if !out.ordered || missing {
			l.add(at, at.keyError("order: arrival is the order of partitions, which rows have lost here: they were exchanged before by "+
				strings.Join(out.order, ", ")+"; put this step before those", ""))
		}
	}
	out.ordered = out.ordered && arrival
	out.order = slices.Clone(k.Keys())
}
