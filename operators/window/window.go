// Package window is the operator that aggregates rows by spans of event time and by key:
//
//	window:
//	  tumble: 1m
//	  by: [country]
//	  aggregates:
//	    posts: count()
//	    followers: sum(follower_count)
//	  having: posts >= 10
//
// There is one kind of window:
//
//	tumble: 1m                         one behind the other, aligned to 1970-01-01T00:00:00Z
//	hop: {size: 1h, every: 5m}         one begins every 5 minutes: a row is in 12 of them
//	session: {gap: 30m}                of a key: rows less than 30 minutes apart
//	day: {zone: Europe/Berlin}         a unit of the calendar: minute, hour, day, week (from Monday), month,
//	                                   quarter or year, in UTC where no zone is given
//	all:                               everything there is
//
// The rows that leave have the columns of by, window_start and window_end (not with all), and the aggregates. A
// window holds the rows from its start on, and none from its end on. Its result for a key leaves once,
// when the watermark has passed its end; its event time is a microsecond before the end. Where no row came there is
// no result. Rows for which having is not true are left out.
//
// With emit: changes, which is for a table in mode: replace, each commit gives the results of all windows that are held: those that
// are open, and those that closed less than keep ago.
//
// A row of all leaves at the last instant of event time.
//
// A day has 23 or 25 hours where clocks are changed. It begins when the clock first shows its date, be it later than
// midnight; hours and minutes end where the clock jumps.
//
// A row that an aggregate has no value for, as where it divides by zero, goes to quarantine with reason eval and the
// aggregate's column, and counts in no aggregate. So does a result that its column can't hold: the sum of longs that is no long.
//
// State is kept for a key and a pane, the span between two edges of windows: for count and sum about 60 bytes and the key.
// It goes when the last window of the pane has closed. A row costs the same however many windows it is in; a result costs
// the more the more panes its window has.
package window

import (
	"time"

	"github.com/millrace-io/millrace/engine/spec"
)

// A Config says what is aggregated. One of Tumble to All is set.
type Config struct {
	Tumble  time.Duration `yaml:"tumble" doc:"Windows of this size, one behind the other. At least 1 ms."`
	Hop     *Hop          `yaml:"hop" doc:"Windows of one size that overlap."`
	Session *Session      `yaml:"session" doc:"Windows of a key that end where nothing came for a while."`
	Minute  Calendar      `yaml:"minute" doc:"Windows of a minute, {zone: …}."`
	Hour    Calendar      `yaml:"hour" doc:"Windows of an hour, {zone: …}."`
	Day     Calendar      `yaml:"day" doc:"Windows of a day, {zone: Europe/Berlin}."`
	Week    Calendar      `yaml:"week" doc:"Windows of a week from Monday, {zone: …}."`
	Month   Calendar      `yaml:"month" doc:"Windows of a month, {zone: …}."`
	Quarter Calendar      `yaml:"quarter" doc:"Windows of three months, {zone: …}."`
	Year    Calendar      `yaml:"year" doc:"Windows of a year, {zone: …}."`
	All     Everything    `yaml:"all" doc:"One window of all rows. With emit: close its result comes at the end of the input."`

	By         []string         `yaml:"by,scalar" doc:"The columns that make up the key. None: all rows have one key, and one lane does the work."`
	Aggregates spec.Map[string] `yaml:"aggregates,required" doc:"Columns with the aggregates that they get, in SQL: sum(x) filter (where y > 0)."`
	Having     string           `yaml:"having" json:"-" doc:"A SQL condition over the columns that leave: results for which it is not true are left out."`
	Emit       string           `yaml:"emit" enum:"close|changes" doc:"When results leave: close, once a window has ended, or changes, at each commit, for a table in mode: replace."`
	Keep       time.Duration    `yaml:"keep" json:"-" doc:"With emit: changes, how long in event time a window stays among the results after its end."`
}

// A Hop is windows of one size that begin one after the other.
type Hop struct {
	Size  time.Duration `yaml:"size,required" doc:"How long a window is. At least 1 ms."`
	Every time.Duration `yaml:"every,required" doc:"How long after one window the next begins. At least 1 ms and at most size."`
}

// A Session is windows that end by silence.
type Session struct {
	Gap time.Duration `yaml:"gap,required" doc:"Rows of a key that are less apart than this are in one window, which ends this long after its last row. At least 1 ms."`
}

// A Calendar is windows of a unit of the calendar.
type Calendar struct {
	On   bool   // windows are of this unit
	Zone string // a name of the IANA time zone database; "": UTC
}

// UnmarshalNode reads {zone: …} or nothing.
func (c *Calendar) UnmarshalNode(n spec.Node) error {
	c.On = true
	var l calendarLayout
	err := n.Decode(&l)
	c.Zone = l.Zone
	return err
}

// JSONSchema describes what UnmarshalNode takes.
func (Calendar) JSONSchema() map[string]any {
	s := spec.SchemaOf(calendarLayout{})
	s["type"] = []string{"object", "null"}
	return s
}

type calendarLayout struct {
	Zone string `yaml:"zone" doc:"A time zone of the IANA database, such as Europe/Berlin."`
}

// Everything is the window of all rows, where it is true.
type Everything bool

// UnmarshalNode reads nothing, or an empty map.
func (e *Everything) UnmarshalNode(n spec.Node) error {
	*e = true
	var none struct{}
	return n.Decode(&none)
}

// JSONSchema describes what UnmarshalNode takes.
func (Everything) JSONSchema() map[string]any {
	return map[string]any{"type": []string{"object", "null"}, "maxProperties": 0}
}

// New gives a config that holds the defaults.
func New() *Config { return &Config{Emit: atClose} }

// When results leave.
const (
	atClose  = "close"
	atChange = "changes"
)

// Keys implements engine.Keyed.
func (c Config) Keys() []string { return c.By }

// Waits implements engine.Waiting.
func (c Config) Waits() bool { return !bool(c.All) }

// Replaces implements engine.Whole.
func (c Config) Replaces() bool { return c.Emit == atChange }

// Explain implements spec.Explainer.
func (c Config) Explain() string {
	switch {
	case c.Emit == atChange:
		return "gives the results of all windows it holds at each commit"
	case bool(c.All):
		return "gives its results at the end of the input"
	}
	return "gives a window's results when the watermark has passed its end"
}
