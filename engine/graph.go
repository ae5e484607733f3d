package engine

import (
	"fmt"
	"slices"
)

// A graph is a plan cut into stages. Rows go from stage to stage through an exchange; within a stage one
// goroutine takes them through all steps.
//
//	source ─▶ entry stage, one instance a partition ─▶ lane stage, one instance a lane ─▶ …
//	                                             └──────────▶ quarantine stage, one lane
type graph struct {
	plan       *Plan
	lanes      int
	stages     []*stage // the quarantine stage is last
	quarantine *stage
	meets      map[string]*stage // by stream, and by table as "table NAME": where rows from several stages come together
}

// A stage is a part of the plan that one goroutine runs without handing rows over.
type stage struct {
	index  int
	name   string
	source *SourcePlan // of an entry stage
	schema Schema      // of the rows that arrive
	keyed  bool        // the exchange before the stage is by keys; else by sender
	keys   []string    // their columns; none: all rows have one key
	first  []*vertex   // what the rows go through
	outs   []*stage    // the stages it sends to, without quarantine
	lanes  []*lane     // of a lane stage
}

// A vertex is a place in a stage, before it is made for an instance. Exactly one of step, send, table and
// end says what it is.
type vertex struct {
	stream string // the stream it belongs to; of send and table: whose rows they are
	start  bool   // the rows enter the stream here
	waits  bool   // with start: late rows may not
	whole  bool   // the rows are results that come anew with each epoch, and are not counted: the sum would tell how many epochs there were
	step   *Step
	send   *stage
	table  *TablePlan
	end    bool // the rows have passed the stream's last step
	schema Schema
	next   []*vertex
}

func newGraph(plan *Plan, lanes int) (*graph, error) {
	g := &graph{plan: plan, lanes: lanes, meets: map[string]*stage{}}
	for i := range plan.Sources {
		s := &plan.Sources[i]
		st := g.add(&stage{name: s.Name, source: s, schema: s.Schema})
		var err error
		if st.first, err = g.consumers(s.Name, s.Schema, st, false); err != nil {
			return nil, err
		}
	}
	table := &TablePlan{Name: plan.Quarantine}
	g.quarantine = g.add(&stage{name: plan.Quarantine, schema: QuarantineSchema})
	g.quarantine.first = []*vertex{{table: table, schema: QuarantineSchema}}
	return g, nil
}

func (g *graph) add(s *stage) *stage {
	s.index = len(g.stages)
	g.stages = append(g.stages, s)
	return s
}

// consumers gives what reads the rows of name within st.
func (g *graph) consumers(name string, schema Schema, st *stage, whole bool) ([]*vertex, error) {
	var all []*vertex
	for i := range g.plan.Streams {
		if s := &g.plan.Streams[i]; slices.Contains(s.From, name) {
			v, err := g.stream(s, schema, st, whole)
			if err != nil {
				return nil, err
			}
			all = append(all, v)
		}
	}
	for i := range g.plan.Tables {
		if t := &g.plan.Tables[i]; t.From == name {
			all = append(all, g.table(t, schema, st))
		}
	}
	return all, nil
}

// stream gives the first vertex of s, whose rows come as schema within st. Called again for another stage that sends to s,
// it ends at the first exchange: behind it is what was made before.
func (g *graph) stream(s *StreamPlan, schema Schema, st *stage, whole bool) (*vertex, error) {
	if len(s.From) > 1 {
		schema = g.union(s.From)
	}
	head := &vertex{stream: s.Name, start: true, waits: s.waits(), whole: whole, schema: schema}
	last, crossed := head, false
	for i := range s.Steps {
		step := &s.Steps[i]
		if k, ok := step.Config.(Keyed); ok {
			next := g.meets[s.Name]
			if crossed || next == nil {
				next = g.add(&stage{name: s.Name + "/" + step.Name, schema: schema, keyed: true, keys: k.Keys()})
			}
			last.then(&vertex{stream: s.Name, send: next, schema: schema})
			st.sendsTo(next)
			if !crossed && g.meets[s.Name] != nil {
				return head, nil
			}
			if !crossed {
				g.meets[s.Name], crossed = next, true
			}
			st = next
			last = &vertex{stream: s.Name, schema: schema}
			st.first = []*vertex{last}
		}
		_, out, err := step.Config.Bind(schema)
		if err != nil {
			return nil, fmt.Errorf("stream %s: step %s: %w", s.Name, step.Name, err)
		}
		last = last.then(&vertex{stream: s.Name, step: step, whole: whole, schema: schema})
		if w, ok := step.Config.(Whole); ok && w.Replaces() {
			whole = true
		}
		schema = out
	}
	end := last.then(&vertex{stream: s.Name, end: true, whole: whole, schema: schema})
	var err error
	end.next, err = g.consumers(s.Name, schema, st, whole)
	return head, err
}

// table gives the vertex that writes t, in st if st has lanes and the rows lie right, else in a stage of
// its own: partitioned tables take rows exchanged by partition value, so that an epoch makes one file a
// value and not one a value and lane.
func (g *graph) table(t *TablePlan, schema Schema, st *stage) *vertex {
	write := &vertex{stream: t.From, table: t, schema: schema}
	if st.source == nil && len(t.PartitionBy) == 0 && !g.spread(t.From) {
		return write
	}
	name := "table " + t.Name
	next := g.meets[name]
	if next == nil {
		next = g.add(&stage{name: name, schema: schema, keyed: len(t.PartitionBy) > 0, keys: t.PartitionBy, first: []*vertex{write}})
		g.meets[name] = next
	}
	st.sendsTo(next)
	return &vertex{stream: t.From, send: next, schema: schema}
}

// spread says whether the rows of a stream leave from several stages.
func (g *graph) spread(name string) bool {
	for i := range g.plan.Streams {
		s := &g.plan.Streams[i]
		if s.Name != name {
			continue
		}
		keyed := slices.ContainsFunc(s.Steps, func(step Step) bool { _, ok := step.Config.(Keyed); return ok })
		return !keyed && (len(s.From) > 1 || g.spread(s.From[0]))
	}
	return false
}

func (v *vertex) then(next *vertex) *vertex {
	v.next = append(v.next, next)
	return next
}

func (s *stage) sendsTo(next *stage) {
	if !slices.Contains(s.outs, next) {
		s.outs = append(s.outs, next)
	}
}

// union is the columns of the rows of several sources or streams, which differ at most in what is never null.
func (g *graph) union(names []string) Schema {
	var all Schema
	for _, name := range names {
		schema := g.plan.schema(name)
		if all == nil {
			all = slices.Clone(schema)
			continue
		}
		for i := range all {
			all[i].Required = all[i].Required && schema[i].Required
		}
	}
	return all
}

// width is the number of lanes of a stage.
func (g *graph) width(s *stage) int {
	switch {
	case s.source != nil:
		return 0
	case s == g.quarantine:
		return 1
	default:
		return g.lanes
	}
}

// stateful lists the ids and fingerprints of the operators with state.
func (g *graph) stateful() (map[string]string, error) {
	prints := map[string]string{}
	var walk func(v *vertex) error
	walk = func(v *vertex) error {
		if v.step != nil {
			op, _, err := v.step.Config.Bind(v.schema)
			if err != nil {
				return err
			}
			if _, ok := op.(Stateful); ok {
				if prints[operatorID(v)], err = fingerprint(v.step.Config, v.schema); err != nil {
					return err
				}
			}
		}
		for _, n := range v.next {
			if err := walk(n); err != nil {
				return err
			}
		}
		return nil
	}
	for _, s := range g.stages {
		for _, v := range s.first {
			if err := walk(v); err != nil {
				return nil, err
			}
		}
	}
	return prints, nil
}

// operatorID names an operator for good: state is found by it.
func operatorID(v *vertex) string { return stepID(v.stream, v.step.Name) }

func stepID(stream, step string) string { return stream + "/" + step }

// tables lists the tables of the plan and the quarantine table.
func (g *graph) tables() []string {
	names := make([]string, 0, len(g.plan.Tables)+1)
	for _, t := range g.plan.Tables {
		names = append(names, t.Name)
	}
	names = append(names, g.plan.Quarantine)
	slices.Sort(names)
	return names
}
