package delta

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/column"
)

// CheckpointsKey begins the entries of a table's configuration, one for each pipeline that writes to it and
// named after it, that say where the pipeline's checkpoints are: whoever cleans the table up finds there which
// files are still to be committed.
const CheckpointsKey = "millrace.checkpoints."

// DedupeKey is the entry of a table's configuration that says which of its rows do not agree with each other: a
// Dedupe as JSON.
const DedupeKey = "millrace.dedupe"

// A Dedupe says that no two rows that agree in By are within Micros of each other in At.
type Dedupe struct {
	By     []string `json:"by"`
	At     string   `json:"at,omitempty"` // a column of time; "": the rows' event time is not in the table
	Micros int64    `json:"within_us"`
}

// A Config says which table a pipeline writes, and what into it.
type Config struct {
	Name        string        // in the definition
	Pipeline    string        // the name of the pipeline
	Store       blob.Store    // its root is the table's
	Schema      column.Schema // of the rows
	PartitionBy []string      // names of columns; folders and values in this order

	// Evolve lets the table get the columns of the schema that it lacks, behind its own, with the first commit.
	Evolve bool

	CheckpointsURL string // what the entry CheckpointsKey of this pipeline says; "": there is none
	// Dedupe is what the entry DedupeKey says, as long as no other pipeline writes to the table; "": there is none.
	Dedupe     string
	EngineInfo string // "millrace/<version>", for commitInfo; "": "millrace"

	// NewWriter makes the writer of one lane's data files, with statistics of the columns that the table asks for.
	NewWriter func(lane int, which Indexing) engine.TableWriter

	// CheckpointDue is told of a version that the table's checkpoint interval asks a checkpoint of the log for.
	// It is called by Commit and must not wait. nil: nobody writes one.
	CheckpointDue func(version int64)

	// Committed is told after each commit how many files it has added. It must not wait. nil: nobody asks.
	Committed func(files int)

	// Sleep waits between attempts of a commit; nil: by the clock.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Validate reports everything that keeps a table from being made of the config.
func (c *Config) Validate() error {
	errs := CheckColumns(c.Schema)
	for i, name := range c.PartitionBy {
		at := c.Schema.Index(name)
		if at < 0 {
			errs = append(errs, fmt.Errorf("partition_by: there is no column %q", name))
			continue
		}
		if slices.Contains(c.PartitionBy[:i], name) {
			errs = append(errs, fmt.Errorf("partition_by: column %s is named twice", name))
		}
		if err := CheckPartition(c.Schema[at].Type); err != nil {
			errs = append(errs, fmt.Errorf("partition_by: column %s: %w", name, err))
		}
	}
	if len(c.PartitionBy) > 0 && len(c.PartitionBy) >= len(c.Schema) {
		errs = append(errs, errors.New("partition_by: a column must remain that the table is not partitioned by"))
	}
	return errors.Join(errs...)
}

// A Table is a Delta table that a pipeline appends to: an engine.Table.
type Table struct {
	config      Config
	committer   committer
	incarnation string
	state       *state // nil before Open
	checkpoint  int64  // the newest known to be there, or that was asked for; -1: none
}

var _ engine.Table = (*Table)(nil)

// NewTable makes a Table of a valid config. It touches nothing: Open does.
func NewTable(c Config) (*Table, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("table %s: %w", c.Name, err)
	}
	c.EngineInfo = cmp.Or(c.EngineInfo, "millrace")
	if c.Sleep == nil {
		c.Sleep = sleep
	}
	return &Table{config: c, committer: committer{c.Store, c.Sleep}}, nil
}

// Open makes the table if there is none, else checks that it can take the rows.
func (t *Table) Open(ctx context.Context, incarnation string) (engine.TableState, error) {
	s := newState(false)
	err := s.advance(ctx, t.config.Store, Latest)
	if errors.Is(err, ErrNotTable) {
		err = t.create(ctx, s)
	}
	if err == nil {
		err = t.usable(s)
	}
	if err != nil {
		return engine.TableState{}, fmt.Errorf("open table %s: %w", t.config.Name, err)
	}
	t.incarnation, t.state, t.checkpoint = incarnation, s, s.base
	return t.tableState(), nil
}

// errThere ends the making of a table that another has made meanwhile.
var errThere = errors.New("the table is there")

// create makes the table and moves s, which is before its first version, on to it.
func (t *Table) create(ctx context.Context, s *state) error {
	schema, err := SchemaString(t.config.Schema)
	if err != nil {
		return err
	}
	first := t.creation(schema)
	err = t.committer.commit(ctx, s, proposal{build: func(s *state) (draft, error) {
		if s.version >= 0 {
			return draft{}, errThere
		}
		return first, nil
	}})
	if !errors.Is(err, errThere) {
		return err
	}
	return nil
}

// creation is the table's first entry.
func (t *Table) creation(schema string) draft {
	m := &Metadata{
		ID: uuid.NewString(), Name: t.config.Name, Format: Format{Provider: "parquet", Options: map[string]string{}}, SchemaString: schema,
		PartitionBy: append([]string{}, t.config.PartitionBy...), Configuration: map[string]string{}, CreatedMillis: time.Now().UnixMilli(),
	}
	t.mark(m.Configuration, nil)
	lines := append(line(action{Protocol: protocolOf(t.config.Schema)}), '\n')
	return draft{
		info: CommitInfo{
			Operation: "CREATE TABLE", EngineInfo: t.config.EngineInfo, IsolationLevel: "WriteSerializable", BlindAppend: new(true),
			Parameters: texts(map[string]string{"partitionBy": string(jsonOf(m.PartitionBy)), "properties": string(jsonOf(m.Configuration))}),
		},
		lines: append(append(lines, line(action{Metadata: m})...), '\n'),
	}
}

// mark writes into a table's configuration what it must say of this pipeline. s is the table's state; nil: it is
// being made.
func (t *Table) mark(configuration map[string]string, s *state) {
	if t.config.CheckpointsURL != "" {
		configuration[CheckpointsKey+t.config.Pipeline] = t.config.CheckpointsURL
	}
	if s != nil && t.shared(s) {
		return
	}
	dedupe := t.config.Dedupe
	if before, ok := configuration[DedupeKey]; ok || s != nil && len(s.txns) > 0 {
		dedupe = bothDedupe(before, dedupe) // of the rows that are there, and those to come
	}
	if dedupe == "" {
		delete(configuration, DedupeKey)
	} else {
		configuration[DedupeKey] = dedupe
	}
}

// bothDedupe is what holds of rows of which some keep a and the others b: the shorter span, if they are of the
// same columns, else nothing.
func bothDedupe(a, b string) string {
	var x, y Dedupe
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil || !slices.Equal(x.By, y.By) || x.At != y.At {
		return ""
	}
	if x.Micros < y.Micros {
		return a
	}
	return b
}

// shared says whether another application has written to the table.
func (t *Table) shared(s *state) bool {
	for id := range s.txns {
		if !strings.HasPrefix(id, "millrace/"+t.config.Pipeline+"/") {
			return true
		}
	}
	return false
}

// texts makes JSON strings of the values, as other readers of commitInfo expect them.
func texts(m map[string]string) map[string]json.RawMessage {
	raw := make(map[string]json.RawMessage, len(m))
	for k, v := range m {
		raw[k] = jsonOf(v)
	}
	return raw
}

// jsonOf is the JSON of strings and what is made of them, which always have one.
func jsonOf(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("delta: %v", err))
	}
	return b
}

// usable says why the rows can't be appended behind s.
func (t *Table) usable(s *state) error {
	if err := s.writable(); err != nil {
		return err
	}
	if _, err := s.properties(); err != nil {
		return err
	}
	_, err := t.evolved(s)
	return err
}

// A Checked is what a table that is there says of rows that are to go into it.
type Checked struct {
	Adds   []string // columns that it would get
	Others []string // other pipelines that have written to it, sorted
}

// Check says whether the table that is there now can take the rows. It makes none: ErrNotTable says that there is none
// yet. It may be called without Open.
func (t *Table) Check(ctx context.Context) (Checked, error) {
	s := newState(false)
	err := s.advance(ctx, t.config.Store, Latest)
	if err == nil {
		err = t.usable(s)
	}
	if err != nil {
		return Checked{}, fmt.Errorf("table %s: %w", t.config.Name, err)
	}
	return Checked{Adds: lacking(t.config.Schema, s.schema).Names(), Others: t.pipelines(s)}, nil
}

// pipelines are those that wrote to the table, but ours.
func (t *Table) pipelines(s *state) []string {
	found := map[string]bool{}
	for id := range s.txns {
		rest, written := strings.CutPrefix(id, "millrace/")
		pipeline, _, whole := strings.Cut(rest, "/")
		if written && whole && pipeline != t.config.Pipeline {
			found[pipeline] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// State reads the log again.
func (t *Table) State(ctx context.Context) (engine.TableState, error) {
	if err := t.refresh(ctx); err != nil {
		return engine.TableState{}, fmt.Errorf("table %s: %w", t.config.Name, err)
	}
	return t.tableState(), nil
}

var errNotOpen = errors.New("it was not opened")

// refresh moves the state on to the log's newest version; a log that was made anew is read from the start.
func (t *Table) refresh(ctx context.Context) error {
	if t.state == nil {
		return errNotOpen
	}
	return t.state.follow(ctx, t.config.Store)
}

func (t *Table) tableState() engine.TableState {
	return engine.TableState{ID: t.state.metadata.ID, Version: t.state.version, Epoch: t.epoch(t.state), Others: t.others()}
}

// appID is what the table's log knows our line of commits by.
func (t *Table) appID() string {
	return "millrace/" + t.config.Pipeline + "/" + t.incarnation + "/" + t.config.Name
}

// epoch is the last that our line committed.
func (t *Table) epoch(s *state) engine.Epoch {
	if txn, ok := s.txns[t.appID()]; ok {
		return engine.Epoch(txn.Version)
	}
	return engine.NoEpoch
}

// others are the pipeline's other incarnations that have committed to the table.
func (t *Table) others() []string { return t.othersIn(t.state) }

func (t *Table) othersIn(s *state) []string {
	found := map[string]bool{}
	for id := range s.txns {
		rest, ours := strings.CutPrefix(id, "millrace/"+t.config.Pipeline+"/")
		incarnation, _, whole := strings.Cut(rest, "/")
		if ours && whole && incarnation != t.incarnation {
			found[incarnation] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// Writer makes a writer for one lane.
func (t *Table) Writer(lane int) engine.TableWriter {
	which := Indexing{}
	if t.state != nil {
		if p, err := t.state.properties(); err == nil { // else the table was refused when it was opened
			which = p.Indexed()
		}
	}
	return t.config.NewWriter(lane, which)
}

// Missing names the files that are not there with their size.
func (t *Table) Missing(ctx context.Context, files []engine.File) ([]string, error) {
	var missing []string
	for _, f := range files {
		switch info, err := t.config.Store.Stat(ctx, f.Path); {
		case errors.Is(err, blob.ErrNotFound):
			missing = append(missing, f.Path)
		case err != nil:
			return nil, fmt.Errorf("table %s: %w", t.config.Name, err)
		case info.Size != f.Size:
			missing = append(missing, fmt.Sprintf("%s (it has %d bytes, %d were written)", f.Path, info.Size, f.Size))
		}
	}
	return missing, nil
}
