package engine

import (
	"errors"
	"slices"
	"time"
)

// The errors a caller acts on.
var (
	// ErrFenced: another process has taken this task over. Stop at once, write nothing more; exit code 3.
	ErrFenced = errors.New("another process has taken over this task")
	// ErrForeign: the table's log and the checkpoint do not belong together. Nothing was changed; a person
	// must decide.
	ErrForeign = errors.New("table and checkpoint do not belong together")
)

// A Plan is a checked definition: what runs, without how its parts are reached.
type Plan struct {
	Pipeline   string
	Sources    []SourcePlan
	Streams    []StreamPlan // each after those it reads
	Tables     []TablePlan  // the quarantine table is not among them
	Quarantine string       // name of the quarantine table
	Commit     CommitPolicy
}

// A SourcePlan is a source of a Plan.
type SourcePlan struct {
	Name       string
	Schema     Schema
	Time       EventTime
	Latest     bool // a first start begins at the end, not at the oldest record
	AllowLoss  bool // go on when records are gone, and count them as lost
	NewDecoder func() Decoder
}

// A StreamPlan is a stream of a Plan: steps over the rows of a source or another stream.
type StreamPlan struct {
	Name   string
	From   []string // sources and streams whose columns have the same names and types, in the same order
	Steps  []Step
	Schema Schema // what leaves
}

// waits says whether a step of the stream waits for event time to pass: late rows never enter such a stream.
func (s *StreamPlan) waits() bool {
	return slices.ContainsFunc(s.Steps, func(step Step) bool {
		w, ok := step.Config.(Waiting)
		return ok && w.Waits()
	})
}

// A Step is one operator of a stream.
type Step struct {
	Name   string // the operator's name, unique within the stream: "dedupe", "clean-2"
	Config Config
}

// A TablePlan is a table of a Plan.
type TablePlan struct {
	Name        string
	From        string // a source or a stream
	PartitionBy []string
	Replace     bool // each epoch's rows replace those of the one before
}

// A CommitPolicy says when an epoch ends: whatever comes first. Zero: never for that reason.
type CommitPolicy struct {
	Every time.Duration // since the last cut, if any row came
	Rows  int64         // records taken in
	Bytes int64         // bytes taken in
}

// source is the source of a name; nil: there is none.
func (p *Plan) source(name string) *SourcePlan {
	for i := range p.Sources {
		if p.Sources[i].Name == name {
			return &p.Sources[i]
		}
	}
	return nil
}

// schema is the columns of the rows that leave a source or stream.
func (p *Plan) schema(name string) Schema {
	if s := p.source(name); s != nil {
		return s.Schema
	}
	for i := range p.Streams {
		if p.Streams[i].Name == name {
			return p.Streams[i].Schema
		}
	}
	return nil
}

// replaces says whether each epoch's rows replace those of the table.
func (p *Plan) replaces(table string) bool {
	return slices.ContainsFunc(p.Tables, func(t TablePlan) bool { return t.Name == table && t.Replace })
}
