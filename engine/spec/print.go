package spec

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/millrace-io/millrace/engine"
)

// planWidth is how wide the plan's lines of columns are, in characters.
const planWidth = 110

// WritePlan prints the typed schema of every edge, for people, without the warnings.
func (d *Definition) WritePlan(w io.Writer) error {
	p := printer{}
	p.plan(d.Describe(), d.MemoryBudget, d.StateMemory)
	_, err := io.WriteString(w, p.text.String())
	return err
}

// A printer gathers a plan's text.
type printer struct {
	text  strings.Builder
	label int // width of the labels of the part being printed
}

func (p *printer) line(format string, args ...any) { fmt.Fprintf(&p.text, format+"\n", args...) }

func (p *printer) plan(d Description, rows, state Bytes) {
	p.line("pipeline %s, lake %s", d.Pipeline, d.Lake)
	p.line("commits %s; memory for rows in flight %s, for what operators keep %s", commitText(d.Commit), rows, state)
	p.line("maintenance: %s", d.Maintenance.text())
	for _, s := range d.Sources {
		p.line("\nsource %s  %s, %s, from the %s record; event time %s", s.Name, s.Kind, s.Format, s.Start, s.timeText())
		p.label = 0
		if s.Note != "" {
			p.item("", s.Note)
		}
		if s.IdleAfter != "" {
			p.item("", "idle_after: time passes without a partition that had no record for "+s.IdleAfter+": what the tables hold depends on when records came")
		}
		p.columns("", s.Columns)
	}
	schemas := map[string][]ColumnDescription{}
	for _, s := range d.Sources {
		schemas[s.Name] = s.Columns
	}
	for _, s := range d.Streams {
		p.line("\nstream %s  from %s%s", s.Name, strings.Join(s.From, ", "), waitText(s, d.Sources))
		p.stream(s, together(schemas, s.From))
		schemas[s.Name] = s.Columns
	}
	p.label = 0
	for _, t := range d.Tables {
		p.table(t)
	}
	p.line("\nquarantine %s  at %s", d.Quarantine.Name, d.Quarantine.Path)
	p.columns("", d.Quarantine.Columns)
}

// timeText is what the event time is.
func (s SourceDescription) timeText() string {
	text := s.EventTime
	if len(s.TimeFormat) > 0 {
		text += " (" + strings.Join(s.TimeFormat, " or ") + ")"
	}
	text += ", at most " + s.MaxDelay + " late"
	if s.MaxAhead != FormatDuration(engine.DefaultMaxAhead) {
		text += ", at most " + s.MaxAhead + " ahead"
	}
	return text
}

func commitText(c CommitDescription) string {
	var parts []string
	if c.Every != "" {
		parts = append(parts, "every "+c.Every)
	}
	if c.Rows > 0 {
		parts = append(parts, fmt.Sprintf("after %d records", c.Rows))
	}
	if c.Bytes > 0 {
		parts = append(parts, fmt.Sprintf("after %s", Bytes(c.Bytes)))
	}
	return strings.Join(parts, ", ")
}

// together is the columns that come to a stream: those of all it reads are the same but for what is never null.
func together(schemas map[string][]ColumnDescription, names []string) []ColumnDescription {
	all := slices.Clone(schemas[names[0]])
	for _, name := range names[1:] {
		for i, c := range schemas[name] {
			all[i].Required = all[i].Required && c.Required
		}
	}
	return all
}

// waitText says what happens to late rows where the stream waits for event time.
func waitText(s StreamDescription, sources []SourceDescription) string {
	if !s.Waits {
		return ""
	}
	var dropped []string
	for _, source := range sources {
		if source.Late == "drop" && slices.Contains(s.Sources, source.Name) {
			dropped = append(dropped, source.Name)
		}
	}
	text := "  waits for event time: late rows "
	switch len(dropped) {
	case 0:
		return text + "go to quarantine"
	case len(s.Sources):
		return text + "are dropped"
	}
	return text + "go to quarantine, those of " + strings.Join(dropped, ", ") + " are dropped"
}

func (p *printer) stream(s StreamDescription, in []ColumnDescription) {
	p.label = 0
	for _, x := range s.Steps {
		p.label = max(p.label, utf8.RuneCountInString(x.Name)+2)
	}
	if len(s.Steps) == 0 {
		p.columns("", in)
	}
	for _, x := range s.Steps {
		if slices.Equal(x.Columns, in) {
			p.item(x.Name, "the same columns")
		} else {
			p.columns(x.Name, x.Columns)
		}
		if len(x.Keys) > 0 {
			p.item("", "rows exchanged by "+strings.Join(x.Keys, ", "))
		}
		if x.Waits {
			p.item("", "waits for event time")
		}
		if x.Note != "" {
			p.item("", x.Note)
		}
		in = x.Columns
	}
}

func (p *printer) table(t TableDescription) {
	by := ""
	if len(t.PartitionBy) > 0 {
		by = ", partitioned by " + strings.Join(t.PartitionBy, ", ")
	}
	more := ""
	if t.Mode == "replace" {
		more = ", each commit replaces its rows"
	}
	if t.Evolve == "add" {
		more += ", gets columns that it lacks"
	}
	p.line("\ntable %s  from %s, at %s%s, %s, files of %s%s", t.Name, t.From, t.Path, by, t.Compression, Bytes(t.TargetFile), more)
	p.columns("", t.Columns)
}

func (p *printer) item(label, text string) { p.line("  %-*s%s", p.label, label, text) }

// columns prints "name type" pairs in rows that are aligned with each other.
func (p *printer) columns(label string, columns []ColumnDescription) {
	cells := make([]string, len(columns))
	width := 0
	for i, c := range columns {
		cells[i] = c.Name + " " + c.Type
		if c.Required {
			cells[i] += "!"
		}
		width = max(width, utf8.RuneCountInString(cells[i])+2)
	}
	each := max(1, (planWidth-2-p.label)/max(width, 1))
	for row := range slices.Chunk(cells, each) {
		var b strings.Builder
		for _, c := range row {
			fmt.Fprintf(&b, "%-*s", width, c)
		}
		p.item(label, strings.TrimRight(b.String(), " "))
		label = ""
	}
}
