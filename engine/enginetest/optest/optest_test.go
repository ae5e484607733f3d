package optest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
)

// faulty is an operator that breaks one rule.
type faulty string

func (f faulty) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) { return f, in, nil }

func (f faulty) Apply(_ context.Context, in *engine.Batch, emit engine.Emit) error {
	out := *in
	switch f {
	case "emits nothing":
		return nil
	case "forgets the barrier":
		out.Barrier++
	case "forgets the time":
		out.Upto = 5
	case "changes what it was lent":
		in.Columns[0].(*column.Longs).Values[0]++
	case "selects what is not there":
		out.Sel = column.Selection{int32(in.Rows)}
	case "leaves a column short":
		out.Columns = []column.Column{in.Arena.Column(in.Schema[0].Type)}
	case "gives another schema":
		out.Schema = optest.Schema("b: long!")
	case "makes a null":
		c := in.Arena.Column(in.Schema[0].Type)
		for range in.Rows {
			c.AppendNull()
		}
		out.Columns = []column.Column{c}
	}
	return emit.Rows(&out)
}

func TestFindsFaults(t *testing.T) {
	for name, want := range map[faulty]string{
		"none":                      "",
		"emits nothing":             "no batch was emitted",
		"forgets the barrier":       "Barrier 1, expected",
		"forgets the time":          "Upto 5",
		"changes what it was lent":  "changed the rows it was lent",
		"selects what is not there": "row 1 is selected after row -1, of 1",
		"leaves a column short":     "column a: long! of a batch of 1 rows holds 0",
		"gives another schema":      "rows leave as b: long!",
		"makes a null":              "column a: long! is null in row 0",
	} {
		t.Run(string(name), func(t *testing.T) {
			got := complaint(func() { optest.Run(name, optest.Batch(optest.Schema("a: long!"), `{"a": 1}`)) })
			if !strings.Contains(got, want) || want == "" && got != "" {
				t.Errorf("got %q, expected %q", got, want)
			}
		})
	}
}

func complaint(f func()) (message string) {
	defer func() {
		if p := recover(); p != nil {
			message = fmt.Sprint(p)
		}
	}()
	f()
	return ""
}

// perBatch is an operator whose rows depend on how they are cut: it keeps the first of each batch.
type perBatch struct{}

func (p perBatch) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) { return p, in, nil }

func (perBatch) Apply(_ context.Context, in *engine.Batch, emit engine.Emit) error {
	sel := in.Arena.Selection(1)
	for row := range in.Sel.All(in.Rows) {
		sel = append(sel, int32(row))
		break
	}
	emit.Drop(engine.Filtered, in.Count()-len(sel))
	return emit.Rows(in.Select(sel))
}

// recorder is a testing.TB that notes whether the test failed.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Helper()               {}
func (r *recorder) Fatalf(string, ...any) { r.failed = true; panic(r) }

func TestConformFindsPerBatch(t *testing.T) {
	r := &recorder{}
	complaint(func() { optest.Conform(r, perBatch{}, "a: long", `{"a": 1}`, `{"a": 2}`, `{}`) })
	if !r.failed {
		t.Error("an operator that goes by batches was found right")
	}
}

// TestReadsWhatItWrites: every type goes in and comes out as it was.
func TestReadsWhatItWrites(t *testing.T) {
	rows := []string{
		`{"a":true,"b":-1,"c":9007199254740993,"d":0.5,"e":-0.25,"f":"é\"","g":"AAE=","h":"1969-12-31","i":"2024-05-01T10:00:00.000001Z","j":[1,null],"k":[]}`,
		`{"a":null,"b":null,"c":null,"d":null,"e":null,"f":null,"g":null,"h":null,"i":null,"j":null,"k":null}`,
	}
	schema := "a: bool, b: int, c: long, d: float, e: double, f: string, g: binary, h: date, i: timestamp, j: array<int>, k: array<string>"
	want := []string{"row " + rows[0], "row " + rows[1]}
	if diff := cmp.Diff(want, optest.Run(faulty("none"), optest.Batch(optest.Schema(schema), rows...))); diff != "" {
		t.Error(diff)
	}
	if got := optest.Schema(schema).String(); got != schema {
		t.Errorf("schema is %s, expected %s", got, schema)
	}
}
