package main

import (
	"encoding/json"
	"slices"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/spec"
	"github.com/millrace-io/millrace/operators/clean"
	"github.com/millrace-io/millrace/operators/dedupe"
	"github.com/millrace-io/millrace/operators/derive"
	"github.com/millrace-io/millrace/operators/filter"
	selects "github.com/millrace-io/millrace/operators/pick"
)

// dedupeOf is what delta.Config.Dedupe says of a table: by the last dedupe on the way of its rows, if the columns of
// its key come to the table as they are. "": none does.
func dedupeOf(def *spec.Definition, t spec.Table) string {
	steps, source := wayOf(def, t.From)
	last := -1
	for i, s := range steps {
		if _, ok := s.Config.(*dedupe.Config); ok {
			last = i
		}
	}
	if last < 0 {
		return ""
	}
	config := steps[last].Config.(*dedupe.Config)
	d := delta.Dedupe{Micros: config.Within.Microseconds()}
	for _, name := range config.By {
		name, ok := follow(steps[last+1:], name, true)
		if !ok {
			return ""
		}
		d.By = append(d.By, name)
	}
	if source.Time.Column != "" && source.Time.Read == nil {
		d.At, _ = follow(steps, source.Time.Column, false)
	}
	text, err := json.Marshal(d)
	if err != nil {
		return "" // it is of texts and a number
	}
	return string(text)
}

// wayOf is the steps from a source to a stream, and the source.
func wayOf(def *spec.Definition, from string) (steps []engine.Step, source engine.SourcePlan) {
	for {
		i := slices.IndexFunc(def.Plan.Streams, func(s engine.StreamPlan) bool { return s.Name == from })
		if i < 0 {
			break
		}
		if len(def.Plan.Streams[i].From) > 1 {
			return nil, source // several ways, from several sources
		}
		steps = append(slices.Clone(def.Plan.Streams[i].Steps), steps...)
		from = def.Plan.Streams[i].From[0]
	}
	if i := slices.IndexFunc(def.Plan.Sources, func(s engine.SourcePlan) bool { return s.Name == from }); i >= 0 {
		source = def.Plan.Sources[i]
	}
	return steps, source
}

// follow is the name that a column has behind steps; ok says that it gets there, and as it was. text: it may be one,
// which rules for every column of text change.
func follow(steps []engine.Step, name string, text bool) (_ string, ok bool) {
	for _, s := range steps {
		if name, ok = behind(s.Config, name, text); !ok {
			return "", false
		}
	}
	return name, true
}

func behind(c engine.Config, name string, text bool) (_ string, ok bool) {
	switch c := c.(type) {
	case *dedupe.Config, *filter.Config:
		return name, true
	case *clean.Config:
		return name, !slices.ContainsFunc(c.Columns, func(x clean.Column) bool { return x.Name == name || text && x.Name == "*" })
	case *derive.Config:
		return name, !slices.ContainsFunc(c.Columns, func(x derive.Column) bool { return x.Name == name })
	case *selects.Config:
		for _, x := range c.Columns {
			if x.From == name || x.From == "" && x.Name == name {
				return x.Name, true
			}
		}
	}
	return "", false
}
