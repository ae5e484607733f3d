package spec

import (
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// The structs of this file are the format: definitions are decoded into them, and the JSON Schema is made
// from them.

type layout struct {
	Include     []string          `yaml:"include,scalar" doc:"Files whose sections are part of this definition. A path starts at the folder of this file."`
	Pipeline    string            `yaml:"pipeline,required" doc:"Name of the pipeline. State, commits and metrics go by it."`
	Lake        lakeText          `yaml:"lake" doc:"Where the tables are: a folder, as a path or a file:// URL, or a bucket, as s3://bucket/prefix or as a map of url and options."`
	Vars        Map[string]       `yaml:"vars" doc:"Defaults of variables that are used as ${NAME}. --set and the environment come first."`
	Sources     Map[Node]         `yaml:"sources,required" doc:"Where records come from, by name."`
	Streams     Map[streamLayout] `yaml:"streams" doc:"Steps over the rows of a source or of another stream, by name."`
	Tables      Map[tableLayout]  `yaml:"tables,required" doc:"Delta tables that the pipeline writes, by name."`
	Quarantine  string            `yaml:"quarantine" doc:"Path of the table of rows that were refused, under the lake. Default: the pipeline's name and _quarantine."`
	Commit      commitLayout      `yaml:"commit" doc:"When rows are committed to the tables: whatever comes first."`
	Memory      memoryLayout      `yaml:"memory" doc:"Bounds of memory."`
	State       stateLayout       `yaml:"state" doc:"Bounds of what operators keep."`
	Maintenance maintenanceLayout `yaml:"maintenance" doc:"What is done for the tables while the pipeline runs."`
}

func newLayout() layout {
	return layout{
		Commit: commitLayout{Every: 10 * time.Second, TargetFile: 128 << 20},
		Memory: memoryLayout{Budget: 64 << 20},
		State:  stateLayout{Memory: engine.DefaultStateMemory},
		Maintenance: maintenanceLayout{
			Checkpoint: true, Optimize: optimizeLayout{Every: 5 * time.Second}, Vacuum: vacuumLayout{Every: 24 * time.Hour},
		},
	}
}

// A sourceLayout is a source without the key that names its kind.
type sourceLayout struct {
	Format     Node            `yaml:"format,required" doc:"Format of the records: its name, or its name with options."`
	Schema     column.Schema   `yaml:"schema,required" doc:"Columns of the source's rows: names and types, with ! for one that is never null."`
	EventTime  eventTimeLayout `yaml:"event_time" doc:"What the event time of a row is. Default: the record's own timestamp."`
	Start      string          `yaml:"start" enum:"earliest|latest" doc:"Where a first start begins."`
	OnDataLoss string          `yaml:"on_data_loss" enum:"fail|continue" doc:"What to do when records are gone before they were read."`
}

func newSourceLayout() sourceLayout {
	return sourceLayout{EventTime: eventTimeLayout{Column: recordTimestamp, MaxAhead: engine.DefaultMaxAhead, Late: "quarantine"}, Start: "earliest", OnDataLoss: "fail"}
}

// recordTimestamp stands for the timestamp that the source gives each record.
const recordTimestamp = "record.timestamp"

type eventTimeLayout struct {
	Column    string        `yaml:"column" doc:"A column that holds a time, or record.timestamp for the record's own."`
	Format    []string      `yaml:"format,scalar" doc:"How a string shows the time: formats that are tried in order, iso by default; or of a whole number its unit: epoch_s, epoch_ms or epoch_us."`
	MaxDelay  time.Duration `yaml:"max_delay" doc:"How much earlier than the latest row seen a row may be before it is late."`
	MaxAhead  time.Duration `yaml:"max_ahead" doc:"How much later than the record's own timestamp the column may be; a row that is later still is refused."`
	Late      string        `yaml:"late" enum:"quarantine|drop" doc:"Where late rows go. drop: they are only counted."`
	IdleAfter time.Duration `yaml:"idle_after" doc:"Time passes without a partition that had no record for so long. 0s: never. With it what the tables hold depends on when records came."`
}

type streamLayout struct {
	From  inputs `yaml:"from,required" doc:"A source or another stream, or a list of some that have the same columns: the stream has the rows of all."`
	Steps []Node `yaml:"steps" doc:"Operators in the order they apply, each a map of one: the operator's name and its config."`
}

type tableLayout struct {
	From        Node     `yaml:"from,required" doc:"The source or stream whose rows the table takes."`
	Path        string   `yaml:"path" doc:"Path under the lake. Default: the table's name."`
	PartitionBy []string `yaml:"partition_by" doc:"Columns whose values make the table's folders."`
	Compression string   `yaml:"compression" enum:"snappy|zstd|none" doc:"Compression of the data files. Default: snappy."`
	TargetFile  Bytes    `yaml:"target_file" doc:"Size at which a data file is full. Default: that of commit."`
	Mode        string   `yaml:"mode" enum:"append|replace" doc:"How a commit changes the table. append: it adds rows. replace: its rows take the place of all that were there. Default: append."`
	Evolve      string   `yaml:"evolve" enum:"none|add" doc:"What happens when the rows have columns that the table lacks. none: it is an error. add: the table gets them behind its own, with the next commit; older rows have null there. Default: none."`
}

type commitLayout struct {
	Every      time.Duration `yaml:"every" doc:"Time since the last commit, if rows came since. 0s: never for that reason. Beside these, an epoch ends every 5 s, or after this time if that is longer."`
	Rows       int64         `yaml:"rows" doc:"Records taken in. 0: never for that reason."`
	Bytes      Bytes         `yaml:"bytes" doc:"Bytes taken in. 0B: never for that reason."`
	TargetFile Bytes         `yaml:"target_file" doc:"Size at which a data file is full."`
}

type maintenanceLayout struct {
	Checkpoint bool           `yaml:"checkpoint" doc:"Whether the tables' logs get the checkpoints that their delta.checkpointInterval asks for, and are cleaned up as their retention says."`
	Optimize   optimizeLayout `yaml:"optimize" doc:"When small files are put together."`
	Vacuum     vacuumLayout   `yaml:"vacuum" doc:"When files are deleted that are needed no more."`
}

type optimizeLayout struct {
	Every time.Duration `yaml:"every" doc:"How often to look whether a table has got so many files that it is worth it. 0s: never."`
}

type vacuumLayout struct {
	Every     time.Duration `yaml:"every" doc:"Time from the end of one to the next; the first comes after a quarter of it. 0s: never."`
	Retention time.Duration `yaml:"retention" doc:"How long a file is kept that was removed from the table. At least 168h. Default: the table's delta.deletedFileRetentionDuration, a week unless it says otherwise."`
}

type memoryLayout struct {
	Budget Bytes `yaml:"budget" doc:"Memory for all rows in flight."`
}

type stateLayout struct {
	Memory Bytes `yaml:"memory" doc:"Memory for the state of all operators of the pipeline. When it is used up the pipeline stops after a commit."`
}
