// Package optest runs operators on a few rows written as JSON and shows what comes of them as text: for
// the Examples that are the operators' manuals, and for their tests.
//
// A row is a JSON object; a column that it leaves out is null. "@at" and "@mark" give the row's event time
// and the watermark before it, as "2024-05-01T00:00:00Z"; without them row n of a batch is at second n and
// the watermark has not begun.
//
// What comes of the rows is a line each:
//
//	row {"id":1}
//	drop duplicate 1
//	quarantine parse follower_count: expected a magnitude …, found "12x" {"id":2,"follower_count":"12x"}
//
// Nothing here returns an error: what is wrong with a test panics.
package optest

import (
	"context"
	"fmt"
	"strings"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/spec"
)

// Schema reads what column.Schema's String writes: "id: long!, title: string".
func Schema(text string) engine.Schema {
	t, err := column.ParseType("struct<" + text + ">")
	if err != nil {
		panic(fmt.Sprintf("optest: %v", err))
	}
	return t.Fields()
}

// Decode fills config, a pointer, from YAML as a definition would, and gives it back.
func Decode[C engine.Config](config C, yaml string) C {
	node, err := spec.Parse("example.yaml", []byte(yaml), nil, nil)
	if err == nil {
		err = node.Decode(config)
	}
	if err != nil {
		panic(err)
	}
	return config
}

// Print binds config to the columns of schema and shows the columns that leave and what comes of the rows.
// What Bind finds wrong is shown a line a fault.
func Print(config engine.Config, schema string, rows ...string) {
	in := Schema(schema)
	_, out, err := config.Bind(in)
	if err != nil {
		fmt.Println(strings.Join(FaultsOf(err), "\n"))
		return
	}
	fmt.Println("columns", out)
	for _, line := range Run(config, Batch(in, rows...)) {
		fmt.Println(line)
	}
}

// FaultsOf shows each fault in err as "path: message"; an offset within a value stands behind the path.
func FaultsOf(err error) []string {
	faults, ok := err.(engine.Faults)
	if !ok {
		return []string{err.Error()}
	}
	var lines []string
	for _, f := range faults {
		place := strings.Join(f.Path, ".")
		if f.Column > 0 {
			place += fmt.Sprintf("+%d", f.Column)
		}
		f.Path = nil
		lines = append(lines, strings.TrimPrefix(place+": ", ": ")+engine.Faults{f}.Error())
	}
	return lines
}

// Run binds config to the batches' columns and gives the lines of what comes of them.
func Run(config engine.Config, batches ...*engine.Batch) []string {
	op, out, err := config.Bind(batches[0].Schema)
	if err != nil {
		panic(fmt.Sprintf("optest: bind: %v", err))
	}
	var sink Sink
	for _, b := range batches {
		Apply(op, b, out, &sink)
	}
	return sink.Lines
}

// Apply runs one batch through op, whose rows leave as out, and checks what the engine relies on: that at
// least one batch comes of it, that Upto and Barrier are passed on, and that the batch is left alone.
func Apply(op engine.Operator, b *engine.Batch, out engine.Schema, sink *Sink) {
	before := lines(b)
	sink.expect, sink.batches = out, nil
	if err := op.Apply(context.Background(), b, sink); err != nil {
		panic(fmt.Sprintf("optest: apply: %v", err))
	}
	if len(sink.batches) == 0 {
		panic("optest: no batch was emitted: nothing passes Upto and Barrier on")
	}
	if last := sink.batches[len(sink.batches)-1]; last.Upto != b.Upto || last.Barrier != b.Barrier {
		panic(fmt.Sprintf("optest: the last batch has Upto %d and Barrier %d, expected %d and %d", last.Upto, last.Barrier, b.Upto, b.Barrier))
	}
	if after := lines(b); strings.Join(before, "\n") != strings.Join(after, "\n") {
		panic(fmt.Sprintf("optest: the operator changed the rows it was lent:\n%s\nwere\n%s", strings.Join(after, "\n"), strings.Join(before, "\n")))
	}
}

// lines is every row of b, selected or not.
func lines(b *engine.Batch) []string {
	all := make([]string, b.Rows)
	for row := range all {
		all[row] = string(column.AppendRowJSON(nil, b.Schema, b.Columns, row))
	}
	return all
}
