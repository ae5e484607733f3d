package spec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// The operators, sources and formats of the tests. They bind and check as real ones do, and process nothing.

func testKinds() Kinds {
	return Kinds{
		Operators: map[string]func() engine.Config{
			"clean":  func() engine.Config { return &fakeClean{} },
			"select": func() engine.Config { return &fakeSelect{} },
			"dedupe": func() engine.Config { return &fakeDedupe{Order: "arrival"} },
			"filter": func() engine.Config { return &fakeFilter{} },
			"window": func() engine.Config { return &fakeWindow{} },
			"number": func() engine.Config { return &fakeNumber{} },
		},
		Sources: map[string]func() SourceConfig{
			"kafka": func() SourceConfig { return &fakeKafka{} },
			"files": func() SourceConfig { return &fakeFiles{} },
		},
		Formats: map[string]func(column.Schema, Node) (func() engine.Decoder, error){"json": fakeJSON, "strict": strictFormat},
	}
}

type fakeOperator struct{}

func (fakeOperator) Apply(context.Context, *engine.Batch, engine.Emit) error { return nil }

// A fakeKeeper is an operator with state.
type fakeKeeper struct{ fakeOperator }

func (fakeKeeper) Save(int, io.Writer) (bool, error) { return false, nil }
func (fakeKeeper) Load(int, io.Reader) error         { return nil }

func noColumn(name string, in column.Schema, path ...string) engine.Fault {
	return engine.Fault{Path: path, Message: fmt.Sprintf("no column %q", name), Nearest: column.Nearest(name, in.Names())}
}

func faultsOrNil(f engine.Faults) error {
	if len(f) == 0 {
		return nil
	}
	return f
}

type fakeClean struct{ Columns Map[fakeRules] }

type fakeRules struct {
	NullIf  []string `yaml:"null_if,scalar" doc:"Texts that stand for nothing."`
	Trim    bool     `yaml:"trim"`
	Parse   string   `yaml:"parse" enum:"int|long|double|magnitude|timestamp"`
	OnError string   `yaml:"on_error" enum:"quarantine|null"`
}

func (c *fakeClean) UnmarshalNode(n Node) error { return n.Decode(&c.Columns) }

func (c *fakeClean) JSONSchema() map[string]any { return SchemaOf(c.Columns) }

func (c *fakeClean) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) {
	var faults engine.Faults
	out := slices.Clone(in)
	for _, e := range c.Columns {
		i := in.Index(e.Key)
		if i < 0 {
			f := noColumn(e.Key, in, e.Key)
			f.Key = true
			faults = append(faults, f)
			continue
		}
		if e.Value.Parse == "magnitude" {
			out[i].Type = column.Of(column.Long)
		}
	}
	return fakeOperator{}, out, faultsOrNil(faults)
}

type fakeSelect struct{ Columns Map[string] }

func (c *fakeSelect) UnmarshalNode(n Node) error { return n.Decode(&c.Columns) }

func (c *fakeSelect) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) {
	var out column.Schema
	var faults engine.Faults
	for _, e := range c.Columns {
		from := e.Value
		if from == "" {
			from = e.Key
		}
		i := in.Index(from)
		if i < 0 {
			faults = append(faults, noColumn(from, in, e.Key))
			continue
		}
		f := in[i]
		f.Name = e.Key
		out = append(out, f)
	}
	return fakeOperator{}, out, faultsOrNil(faults)
}

type fakeDedupe struct {
	By     []string      `yaml:"by,required" doc:"Columns that make a row the same as another."`
	Within time.Duration `yaml:"within,required" doc:"How far apart in event time two such rows may be."`
	Order  string        `yaml:"order" enum:"arrival|event_time"`
}

func (c *fakeDedupe) Keys() []string     { return c.By }
func (c *fakeDedupe) Waits() bool        { return c.Order == "event_time" }
func (c *fakeDedupe) ArrivalOrder() bool { return c.Order == "arrival" }
func (c *fakeDedupe) Explain() string {
	if c.Waits() {
		return "the law holds for any input"
	}
	return "the law holds when the rows of one key come from one partition"
}

func (c *fakeDedupe) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) {
	var faults engine.Faults
	for i, name := range c.By {
		if in.Index(name) < 0 {
			faults = append(faults, noColumn(name, in, "by", fmt.Sprint(i)))
		}
	}
	return fakeKeeper{}, in, faultsOrNil(faults)
}

// A fakeFilter is an expression in which every word is a column.
type fakeFilter struct{ Expr string }

func (c *fakeFilter) UnmarshalNode(n Node) error { return n.Decode(&c.Expr) }

func (c *fakeFilter) JSONSchema() map[string]any { return map[string]any{"type": "string"} }

func (c *fakeFilter) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) {
	var faults engine.Faults
	at := 0
	for _, word := range strings.FieldsFunc(c.Expr, func(r rune) bool { return strings.ContainsRune(" \n\t'><=", r) }) {
		at += strings.Index(c.Expr[at:], word)
		if in.Index(word) < 0 && word != "AND" && (word[0] < '0' || word[0] > '9') {
			f := noColumn(word, in)
			f.Column = at
			faults = append(faults, f)
		}
		at += len(word)
	}
	return fakeOperator{}, in, faultsOrNil(faults)
}

type fakeWindow struct {
	By   []string      `yaml:"by"`
	Size time.Duration `yaml:"size,required"`
	Emit string        `yaml:"emit" enum:"close|changes"`
}

func (c *fakeWindow) Keys() []string { return c.By }
func (c *fakeWindow) Waits() bool    { return c.Emit != "changes" }
func (c *fakeWindow) Replaces() bool { return c.Emit == "changes" }
func (c *fakeWindow) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) {
	return fakeKeeper{}, in, nil
}

// A fakeNumber has state and no key.
type fakeNumber struct{}

func (*fakeNumber) UnmarshalNode(Node) error { return nil }
func (*fakeNumber) Bind(in engine.Schema) (engine.Operator, engine.Schema, error) {
	return fakeKeeper{}, in, nil
}

type fakeKafka struct {
	Brokers  []string  `yaml:"brokers,required,scalar" doc:"Addresses to begin with."`
	Topic    string    `yaml:"topic,required"`
	SASL     *fakeSASL `yaml:"sasl"`
	Ratio    float64   `yaml:"ratio"`
	Retries  int8      `yaml:"retries"`
	MinBytes uint16    `yaml:"min_bytes"`
}

type fakeSASL struct {
	User     string `yaml:"user,required"`
	Password string `yaml:"password,required"`
}

func (c *fakeKafka) Validate() error {
	var faults engine.Faults
	for i, b := range c.Brokers {
		if !strings.Contains(b, ":") {
			faults = append(faults, engine.Fault{Path: []string{"brokers", fmt.Sprint(i)}, Message: fmt.Sprintf("expected host:port, found %q", b)})
		}
	}
	if c.SASL != nil && len(c.SASL.Password) < 8 {
		faults = append(faults, engine.Fault{Path: []string{"sasl", "password"}, Message: fmt.Sprintf("password %q is short", c.SASL.Password)})
	}
	return faultsOrNil(faults)
}

type fakeFiles struct {
	Path string `yaml:"path,required"`
}

func (c *fakeFiles) Explain() string { return "files of " + c.Path }

func (c *fakeFiles) Validate() error {
	if !strings.HasPrefix(c.Path, "/") {
		return errors.New("files: a relative path")
	}
	return nil
}

type fakeDecoder struct{}

func (fakeDecoder) Decode(engine.Frame, *engine.Rows) error { return nil }

func fakeJSON(schema column.Schema, n Node) (func() engine.Decoder, error) {
	var options struct {
		Root  string      `yaml:"root"`
		Paths Map[string] `yaml:"paths"`
	}
	if err := n.Decode(&options); err != nil {
		return nil, err
	}
	var faults engine.Faults
	for _, e := range options.Paths {
		if schema.Index(e.Key) < 0 {
			f := noColumn(e.Key, schema, "paths", e.Key)
			f.Key = true
			faults = append(faults, f)
		}
	}
	return func() engine.Decoder { return fakeDecoder{} }, faultsOrNil(faults)
}

func strictFormat(_ column.Schema, n Node) (func() engine.Decoder, error) {
	var options struct {
		Dialect string `yaml:"dialect,required"`
	}
	return func() engine.Decoder { return fakeDecoder{} }, n.Decode(&options)
}
