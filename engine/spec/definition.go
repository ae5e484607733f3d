package spec

import (
	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// Kinds is what definitions can name. The constructors give configs that hold their defaults; Load fills
// them by Node.Decode.
type Kinds struct {
	Operators map[string]func() engine.Config
	Sources   map[string]func() SourceConfig
	// Formats make what makes decoders. node holds the options: a map, or Null where only the format's name
	// was given. Errors are placed as those of Bind, with paths from node.
	Formats map[string]func(schema column.Schema, node Node) (func() engine.Decoder, error)
}

// A SourceConfig is what a definition says of where records come from.
type SourceConfig interface {
	// Validate reports everything that is wrong; engine.Faults are placed by their paths. It does no I/O.
	Validate() error
}

// Options are what is said outside of the file.
type Options struct {
	Set    map[string]string                // values of variables, before all others
	Lake   string                           // replaces the definition's lake unless ""
	Getenv func(name string) (string, bool) // the environment; nil: none
	// ReadFile reads a file that another one includes. name is the path of that one's folder, as it was given to Load,
	// and the one written, "/" between their parts; or an absolute path as written. nil: nothing can be included.
	ReadFile func(name string) ([]byte, error)
	// CheckTable says why a table can't have these columns. nil: any can.
	CheckTable func(schema column.Schema) []error
}

// A Definition is a pipeline that was read, bound and found right.
type Definition struct {
	File           string
	Lake           string // a folder or a URL, as written; never ""
	Plan           engine.Plan
	Sources        map[string]Source
	Streams        []Stream // in the order of Plan.Streams
	Tables         map[string]Table
	QuarantinePath string // of the quarantine table, under the lake
	TargetFile     Bytes  // size at which a data file is full, unless the table says otherwise; above 0
	MemoryBudget   Bytes  // for all rows in flight; above 0
	StateMemory    Bytes  // for the state of all operators; above 0
	Maintenance    Maintenance
	Warnings       Errors   // what is not wrong but was hardly meant
	UnusedSet      []string // names of Options.Set that no ${…} of the file asked for, sorted
}

// A Source is a source of a Definition; engine.Plan has what the engine needs of it.
type Source struct {
	Kind   string // the name under Kinds.Sources
	Config SourceConfig
	Format string // the name under Kinds.Formats

	TimeFormat []string // of the event time's column; nil: it has none, or its default
}

// A Stream is a stream of a Definition with what is known of each of its steps.
type Stream struct {
	Name    string
	From    []string
	Sources []string // whose rows come to it
	Waits   bool     // rows that come later than the watermark do not reach it: a step of it waits for event time
	Steps   []BoundStep
}

// A BoundStep is a step after Bind.
type BoundStep struct {
	Name     string        // as in engine.Step
	Operator string        // the name under Kinds.Operators
	Schema   column.Schema // what leaves
	Keys     []string      // rows are exchanged by these columns before the step; none: not
	Waits    bool          // see engine.Waiting
	Note     string        // what the operator says of itself, or ""
}

// A Table is a table of a Definition.
type Table struct {
	From        string
	Path        string // under the lake, "/" between its parts
	PartitionBy []string
	Compression string // snappy, zstd or none
	TargetFile  Bytes
	Evolve      bool // the table gets the columns that it lacks
	Replace     bool // each commit's rows take the place of all that were there
	Schema      column.Schema

	at Node
}

// Error is an error about the table, at its place in the definition.
func (t Table) Error(message string) *Error { return t.at.keyError(message, "") }

// An Explainer is the config of an operator or source that has something to say in a printed plan, such as where a law
// holds; "" where it has nothing.
type Explainer interface{ Explain() string }

// An ArrivalOrdered config may take the first row that arrives for the first there is. That is so only
// as long as rows of a key are in the order of their partition.
type ArrivalOrdered interface {
	engine.Keyed
	// ArrivalOrder says whether this config does.
	ArrivalOrder() bool
}
