package operators_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/mem"
	"github.com/millrace-io/millrace/engine/checkpoint"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/enginetest"
	"github.com/millrace-io/millrace/engine/parquet"
	"github.com/millrace-io/millrace/operators"
	"github.com/millrace-io/millrace/operators/dedupe"
)

// What the step of our own takes of a row, and what it puts there: fields are columns.
type (
	fahrenheit struct {
		V int64 `col:"v"`
	}
	celsius struct {
		Celsius float64 `col:"celsius"`
	}
)

func toCelsius(f fahrenheit) (celsius, error) {
	if f.V < -460 {
		return celsius{}, fmt.Errorf("%d degrees Fahrenheit is below absolute zero", f.V) // to quarantine, with this text
	}
	return celsius{float64(f.V-32) / 1.8}, nil
}

// A pipeline built in Go, as cmd/millrace builds one of a definition: a Plan says what runs, Ports are what it
// reaches the world through, a Task runs it.
func Example_pipeline() {
	// The source: two partitions of records. kafka.New makes one that reads a topic.
	source := enginetest.NewSource(enginetest.Input{
		{enginetest.Row("oslo", 0, 41), enginetest.Row("oslo", 60e6, 41), enginetest.Row("bergen", 0, -500)},
		{enginetest.Row("rome", 0, 95), []byte("no reading")},
	}, 1, 100, 0)

	plan := &engine.Plan{
		Pipeline: "weather",
		Sources: []engine.SourcePlan{{
			Name: "readings", Schema: enginetest.InputSchema, // id: string!, at: timestamp, v: long
			Time:       engine.EventTime{Column: "at", MaxDelay: time.Minute},
			NewDecoder: func() engine.Decoder { return enginetest.Decoder{} }, // codec/json has one for JSON
		}},
		Streams: []engine.StreamPlan{{
			Name: "celsius", From: []string{"readings"},
			Steps: []engine.Step{ // an operator of its Config, under a name that its state is saved by
				{Name: "convert", Config: operators.Func(toCelsius)},
				{Name: "dedupe", Config: dedupe.Config{By: []string{"id"}, Within: time.Hour}},
			},
		}},
		Tables:     []engine.TablePlan{{Name: "weather", From: "celsius"}},
		Quarantine: "quarantine", // the table of rows that are wrong
		Commit:     engine.CommitPolicy{Every: time.Second},
	}

	lake := mem.New() // file.New gives a folder
	schema := append(slices.Clone(enginetest.InputSchema), column.Field{Name: "celsius", Type: column.Of(column.Double), Required: true})
	task, err := engine.NewTask(plan, engine.Ports{
		Sources: map[string]engine.Source{"readings": source},
		Tables: map[string]engine.Table{
			"weather":    table(lake, "weather", schema),
			"quarantine": table(lake, "quarantine", engine.QuarantineSchema),
		},
		Checkpoints: checkpoint.New(blob.Sub(lake, "_millrace/weather/all")), // where a next run goes on from
	}, engine.Options{UntilCaughtUp: true}) // without it Run goes on until task.Stop
	must(err)
	result, err := task.Run(context.Background())
	must(err)

	// The ledger says what became of every record of the source and every row of the stream.
	for _, name := range []string{"readings", "celsius"} {
		c := result.Ledger[name]
		fmt.Printf("%s: %d in, %d out, %d duplicate, %d quarantined\n", name, c.In, c.Out, c.Duplicate, c.Quarantined)
	}
	show(lake, "weather", schema)
	show(lake, "quarantine", engine.QuarantineSchema[5:8]) // some of its columns: reason, column, detail
	// Output:
	// readings: 5 in, 4 out, 0 duplicate, 1 quarantined
	// celsius: 4 in, 2 out, 1 duplicate, 1 quarantined
	// weather {"id":"oslo","at":"1970-01-01T00:00:00.000000Z","v":41,"celsius":5}
	// weather {"id":"rome","at":"1970-01-01T00:00:00.000000Z","v":95,"celsius":35}
	// quarantine {"reason":"custom","column":null,"detail":"-500 degrees Fahrenheit is below absolute zero"}
	// quarantine {"reason":"decode","column":null,"detail":"not a row"}
}

// table makes a Delta table of Parquet files in a folder of the lake.
func table(lake blob.Store, name string, schema engine.Schema) engine.Table {
	folder := blob.Sub(lake, name)
	t, err := delta.NewTable(delta.Config{
		Name: name, Pipeline: "weather", Store: folder, Schema: schema,
		NewWriter: func(int, delta.Indexing) engine.TableWriter {
			w, err := parquet.NewWriter(folder, schema, nil, parquet.Defaults(parquet.Snappy), time.Now)
			must(err)
			return w
		},
	})
	must(err)
	return t
}

// show reads a table back: its log names the files.
func show(lake blob.Store, name string, schema engine.Schema) {
	ctx, folder := context.Background(), blob.Sub(lake, name)
	snapshot, err := delta.Load(ctx, folder, delta.Latest)
	must(err)
	var rows []string
	for _, add := range snapshot.Files() {
		path, err := add.Name()
		must(err)
		f, err := parquet.Open(ctx, folder, path, schema)
		must(err)
		for group := range f.RowGroups() {
			columns, err := f.ReadRowGroup(ctx, group, nil)
			must(err)
			for row := range f.RowGroupRows(group) {
				rows = append(rows, string(column.AppendRowJSON(nil, schema, columns, row)))
			}
		}
	}
	slices.Sort(rows) // lanes write files of their own, in no order
	for _, row := range rows {
		fmt.Println(name, row)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
