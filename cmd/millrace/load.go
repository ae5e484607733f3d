package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/codec/json"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/kafka"
	"github.com/millrace-io/millrace/engine/kinesis"
	"github.com/millrace-io/millrace/engine/spec"
	"github.com/millrace-io/millrace/operators"
	"github.com/millrace-io/millrace/pipelines"
)

// kinds is everything a definition can name.
func kinds() spec.Kinds {
	return spec.Kinds{
		Operators: operators.Kinds(),
		Sources: map[string]func() spec.SourceConfig{
			"kafka":   func() spec.SourceConfig { c := kafka.Defaults(); return &c },
			"kinesis": func() spec.SourceConfig { c := kinesis.Defaults(); return &c },
		},
		Formats: map[string]func(column.Schema, spec.Node) (func() engine.Decoder, error){"json": jsonFormat},
	}
}

// jsonOptions are what a definition may say below format: {json: …}.
type jsonOptions struct {
	Root     string           `yaml:"root" doc:"Path of the object that holds the row, where records wrap it, such as value or payload.after."`
	Paths    spec.Map[string] `yaml:"paths" doc:"Where below root a column is, if not under its own name, such as a.b.c."`
	Encoding string           `yaml:"encoding" enum:"plain|base64" doc:"How the record's value stands for its JSON. Default: plain."`
}

func jsonFormat(schema column.Schema, node spec.Node) (func() engine.Decoder, error) {
	var o jsonOptions
	if node.Kind() != spec.Null {
		if err := node.Decode(&o); err != nil {
			return nil, err
		}
	}
	opts := json.Options{Root: o.Root, Paths: map[string]string{}}
	for _, p := range o.Paths {
		opts.Paths[p.Key] = p.Value
	}
	if o.Encoding == "base64" {
		opts.Encoding = json.Base64
	}
	if _, err := json.New(schema, opts); err != nil {
		return nil, err
	}
	return func() engine.Decoder {
		d, err := json.New(schema, opts)
		if err != nil {
			panic(fmt.Sprintf("a decoder that was made before: %v", err))
		}
		return d
	}, nil
}

// loadOptions are what the command line says of a definition.
type loadOptions struct {
	set  []string // K=V
	lake string
}

func (o *loadOptions) add(f *pflag.FlagSet) {
	f.StringArrayVar(&o.set, "set", nil, "give a variable of the definition a value: `NAME=VALUE`; may be repeated")
	f.StringVar(&o.lake, "lake", "", "`folder` of the tables, instead of the definition's")
}

func (o loadOptions) spec() (spec.Options, error) {
	opts := spec.Options{Set: map[string]string{}, Lake: o.lake, Getenv: os.LookupEnv, CheckTable: delta.CheckColumns, ReadFile: os.ReadFile}
	for _, s := range o.set {
		k, v, ok := strings.Cut(s, "=")
		if !ok || k == "" {
			return opts, usagef("--set %s: expected NAME=VALUE", s)
		}
		opts.Set[k] = v
	}
	return opts, nil
}

// load reads a definition: a file, or the name of one that ships with the binary.
func load(file string, opts spec.Options) (*spec.Definition, error) {
	data, err := os.ReadFile(file)
	if err == nil {
		return spec.Load(file, data, kinds(), opts)
	}
	if shipped, ok := pipelines.Lookup(file); ok {
		opts.ReadFile = pipelines.Read
		return spec.Load(shipped.File, shipped.YAML, kinds(), opts)
	}
	if errors.Is(err, fs.ErrNotExist) {
		var names []string
		for _, d := range pipelines.All() {
			names = append(names, d.Name)
		}
		return nil, usagef("no file %s, and no pipeline of that name ships with millrace: there is %s%s", file, strings.Join(names, ", "), meant(file, names))
	}
	return nil, usageError{err}
}

// loadAll reads all definitions; what is wrong in any is told at once.
func loadAll(files []string, o loadOptions) ([]*spec.Definition, error) {
	opts, err := o.spec()
	if err != nil {
		return nil, err
	}
	var defs []*spec.Definition
	var errs []error
	for _, f := range files {
		def, err := load(f, opts)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		defs = append(defs, def)
	}
	errs = append(errs, checkLakes(defs)...)
	errs = append(errs, shareTables(defs))
	if len(defs) == len(files) { // what a file that can't be read would use is not known
		errs = append(errs, checkSet(defs))
	}
	return defs, errors.Join(errs...)
}

// checkLakes refuses places that no table can be in, and a pipeline that is named twice in one lake: its
// checkpoints would be another's.
func checkLakes(defs []*spec.Definition) []error {
	var errs []error
	files := map[[2]string]string{}
	for _, d := range defs {
		lake, err := parsePlace(d.Lake)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: lake %w", d.File, err))
			continue
		}
		key := [2]string{lake.id(), d.Plan.Pipeline}
		if other, ok := files[key]; ok {
			errs = append(errs, usagef("%s and %s are both pipeline %s in the lake %s", other, d.File, d.Plan.Pipeline, d.Lake))
		}
		files[key] = d.File
	}
	return errs
}

// checkSet refuses a --set that none of the definitions uses.
func checkSet(defs []*spec.Definition) error {
	for _, name := range defs[0].UnusedSet {
		uses := func(d *spec.Definition) bool { return !slices.Contains(d.UnusedSet, name) }
		if !slices.ContainsFunc(defs, uses) {
			return usagef("--set %s: no definition here uses a variable of that name", name)
		}
	}
	return nil
}
