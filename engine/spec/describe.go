package spec

import (
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// A Description is a plan for people and programs: the typed schema of every edge. Its JSON form is what
// `check --json` prints: names of fields are not changed lightly.
type Description struct {
	File        string                 `json:"file"`
	Pipeline    string                 `json:"pipeline"`
	Lake        string                 `json:"lake"`
	Commit      CommitDescription      `json:"commit"`
	Maintenance MaintenanceDescription `json:"maintenance"`
	Sources     []SourceDescription    `json:"sources"`
	Streams     []StreamDescription    `json:"streams"`
	Tables      []TableDescription     `json:"tables"`
	Quarantine  TableDescription       `json:"quarantine"`
	Warnings    []*Error               `json:"warnings"`
}

// A CommitDescription says when an epoch ends. Zero or empty: never for that reason.
type CommitDescription struct {
	Every string `json:"every"`
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"`
}

// A ColumnDescription is a column of an edge.
type ColumnDescription struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Required bool   `json:"required"`
}

// A SourceDescription is a source and the columns its records give.
type SourceDescription struct {
	Name       string              `json:"name"`
	Kind       string              `json:"kind"`
	Format     string              `json:"format"`
	EventTime  string              `json:"event_time"` // a column or record.timestamp
	TimeFormat []string            `json:"event_time_format,omitempty"`
	MaxDelay   string              `json:"max_delay"`
	MaxAhead   string              `json:"max_ahead"`
	Late       string              `json:"late"`                 // quarantine or drop
	IdleAfter  string              `json:"idle_after,omitempty"` // "": time never passes without a partition
	Start      string              `json:"start"`
	OnDataLoss string              `json:"on_data_loss"`
	Note       string              `json:"note,omitempty"`
	Columns    []ColumnDescription `json:"columns"`
}

// A StreamDescription is a stream; the columns of its last step, or of what it reads, leave it.
type StreamDescription struct {
	Name    string              `json:"name"`
	From    Names               `json:"from"`
	Sources []string            `json:"sources"` // whose rows come to it
	Waits   bool                `json:"waits"`   // rows later than the watermark do not reach it
	Steps   []StepDescription   `json:"steps"`
	Columns []ColumnDescription `json:"columns"`
}

// A StepDescription is a step and the columns that leave it.
type StepDescription struct {
	Name     string              `json:"name"`
	Operator string              `json:"operator"`
	Keys     []string            `json:"keys,omitempty"` // rows are exchanged by these columns before it
	Waits    bool                `json:"waits"`          // it waits for event time to pass
	Note     string              `json:"note,omitempty"`
	Columns  []ColumnDescription `json:"columns"`
}

// A TableDescription is a table and the columns it takes.
type TableDescription struct {
	Name        string              `json:"name"`
	From        string              `json:"from,omitempty"`
	Path        string              `json:"path"`
	PartitionBy []string            `json:"partition_by,omitempty"`
	Compression string              `json:"compression,omitempty"`
	TargetFile  int64               `json:"target_file,omitempty"` // bytes
	Mode        string              `json:"mode,omitempty"`        // append or replace
	Evolve      string              `json:"evolve,omitempty"`      // none or add
	Columns     []ColumnDescription `json:"columns"`
}

// Describe gives the plan's description. Values of secrets are not in it.
func (d *Definition) Describe() Description {
	c := d.Plan.Commit
	out := Description{
		File: d.File, Pipeline: d.Plan.Pipeline, Lake: d.Lake, Warnings: append([]*Error{}, d.Warnings...),
		Commit:      CommitDescription{Rows: c.Rows, Bytes: c.Bytes, Every: duration(c.Every)},
		Maintenance: d.Maintenance.describe(),
		Streams:     []StreamDescription{},
		Quarantine:  TableDescription{Name: d.Plan.Quarantine, Path: d.QuarantinePath, Columns: columns(engine.QuarantineSchema)},
	}
	for _, s := range d.Plan.Sources {
		out.Sources = append(out.Sources, d.describeSource(s))
	}
	for i, s := range d.Streams {
		out.Streams = append(out.Streams, describeStream(s, d.Plan.Streams[i].Schema))
	}
	for _, p := range d.Plan.Tables {
		t := d.Tables[p.Name]
		out.Tables = append(out.Tables, TableDescription{
			Name: p.Name, From: t.From, Path: t.Path, PartitionBy: t.PartitionBy, Compression: t.Compression,
			TargetFile: int64(t.TargetFile), Mode: mode(t), Evolve: evolution(t), Columns: columns(t.Schema),
		})
	}
	return out
}

func evolution(t Table) string {
	if t.Evolve {
		return "add"
	}
	return "none"
}

func mode(t Table) string {
	if t.Replace {
		return "replace"
	}
	return "append"
}

// duration is "" for never.
func duration(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return FormatDuration(d)
}

func (d *Definition) describeSource(s engine.SourcePlan) SourceDescription {
	out := SourceDescription{
		Name: s.Name, Kind: d.Sources[s.Name].Kind, Format: d.Sources[s.Name].Format, EventTime: s.Time.Column,
		TimeFormat: d.Sources[s.Name].TimeFormat, MaxDelay: FormatDuration(s.Time.MaxDelay), MaxAhead: FormatDuration(s.Time.MaxAhead),
		Late: "quarantine", IdleAfter: duration(s.Time.IdleAfter), Start: "earliest", OnDataLoss: "fail", Columns: columns(s.Schema),
	}
	if out.EventTime == "" {
		out.EventTime = recordTimestamp
	}
	if s.Time.DropLate {
		out.Late = "drop"
	}
	if x, ok := d.Sources[s.Name].Config.(Explainer); ok {
		out.Note = x.Explain()
	}
	if s.Latest {
		out.Start = "latest"
	}
	if s.AllowLoss {
		out.OnDataLoss = "continue"
	}
	return out
}

func describeStream(s Stream, schema column.Schema) StreamDescription {
	out := StreamDescription{Name: s.Name, From: s.From, Sources: s.Sources, Waits: s.Waits, Steps: []StepDescription{}, Columns: columns(schema)}
	for _, b := range s.Steps {
		out.Steps = append(out.Steps, StepDescription{
			Name: b.Name, Operator: b.Operator, Keys: b.Keys, Waits: b.Waits, Note: b.Note, Columns: columns(b.Schema),
		})
	}
	return out
}

func columns(s column.Schema) []ColumnDescription {
	all := make([]ColumnDescription, len(s))
	for i, f := range s {
		all[i] = ColumnDescription{f.Name, f.Type.String(), f.Required}
	}
	return all
}
