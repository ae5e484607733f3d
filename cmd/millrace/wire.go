package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/checkpoint"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/kafka"
	"github.com/millrace-io/millrace/engine/kinesis"
	"github.com/millrace-io/millrace/engine/maintenance"
	"github.com/millrace-io/millrace/engine/parquet"
	"github.com/millrace-io/millrace/engine/spec"
)

// A pipeline is a definition with everything its task reaches the world through.
type pipeline struct {
	def  *spec.Definition
	task *engine.Task
	lake blob.Store
	srcs []engine.Source

	keeper *maintenance.Keeper // of its tables
}

// wire makes the pipeline's parts. Nothing is opened yet: the task does that when it runs.
func wire(def *spec.Definition, opt engine.Options, log *slog.Logger) (*pipeline, error) {
	lake, err := openLake(def.Lake)
	if err != nil {
		return nil, err
	}
	if opt.Task == "" {
		opt.Task = defaultTask
	}
	opt.Logger, opt.Memory, opt.StateMemory = log, int64(def.MemoryBudget), int64(def.StateMemory)
	home := stateHome(def.Plan.Pipeline, opt.Task)
	p := &pipeline{def: def, lake: lake, keeper: newKeeper(lake, def, log)}
	ports := engine.Ports{Sources: map[string]engine.Source{}, Tables: map[string]engine.Table{}, Checkpoints: checkpoint.New(blob.Sub(lake, home))}
	checkpoints := lake.URL() + "/" + home
	for name, s := range def.Sources {
		src, err := newSource(name, s, def, log)
		if err != nil {
			return nil, err
		}
		ports.Sources[name] = src
		p.srcs = append(p.srcs, src)
	}
	for name, t := range def.Tables {
		if ports.Tables[name], err = newDeltaTable(lake, def, name, t, checkpoints, p.keeper); err != nil {
			return nil, err
		}
	}
	q := def.Plan.Quarantine
	if ports.Tables[q], err = newDeltaTable(lake, def, q, quarantineTable(def), checkpoints, p.keeper); err != nil {
		return nil, err
	}
	if p.task, err = engine.NewTask(&def.Plan, ports, opt); err != nil {
		return nil, usageError{err}
	}
	return p, nil
}

// quarantineTable is the quarantine as a table of the definition.
func quarantineTable(def *spec.Definition) spec.Table {
	return spec.Table{Path: def.QuarantinePath, Schema: engine.QuarantineSchema, Compression: "snappy", TargetFile: def.TargetFile}
}

// close frees what the sources hold, after the task has run.
func (p *pipeline) close() error {
	var errs []error
	for _, s := range p.srcs {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// defaultTask is the task of a pipeline that is not spread over processes.
const defaultTask = "all"

// stateHome is where a task keeps its checkpoints and state, under the lake.
func stateHome(pipeline, task string) string { return "_millrace/" + pipeline + "/" + task }

func newSource(name string, s spec.Source, def *spec.Definition, log *slog.Logger) (engine.Source, error) {
	switch c := s.Config.(type) {
	case *kafka.Config:
		cfg := *c
		cfg.Group = cmp.Or(cfg.Group, "millrace-"+def.Plan.Pipeline+"-"+name)
		return kafka.New(cfg, int64(def.MemoryBudget), log.With("source", name))
	case *kinesis.Config:
		return kinesis.New(*c, int64(def.MemoryBudget), log.With("source", name))
	default:
		return nil, fmt.Errorf("source %s: no such kind of source: %s", name, s.Kind)
	}
}

// newDeltaTable makes a table of the definition, which keeper looks after; nil: nobody does.
func newDeltaTable(lake blob.Store, def *spec.Definition, name string, t spec.Table, checkpoints string, keeper *maintenance.Keeper) (*delta.Table, error) {
	store := blob.Sub(lake, t.Path)
	newWriter, err := dataFiles(store, t)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", name, err)
	}
	c := delta.Config{
		Name: name, Pipeline: def.Plan.Pipeline, Store: store, Schema: t.Schema, PartitionBy: t.PartitionBy, Evolve: t.Evolve, Dedupe: dedupeOf(def, t),
		CheckpointsURL: checkpoints, EngineInfo: "millrace/" + version, NewWriter: newWriter,
	}
	if keeper != nil {
		c.CheckpointDue = func(version int64) { keeper.Due(name, version) }
		c.Committed = func(files int) { keeper.Committed(name, files) }
	}
	return delta.NewTable(c)
}

// dataFiles gives what makes the writers of a table's data files. One is made at once, which shows whether
// any can be.
func dataFiles(store blob.Store, t spec.Table) (func(lane int, which delta.Indexing) engine.TableWriter, error) {
	compression, err := parquet.ParseCompression(t.Compression)
	if err != nil {
		return nil, err
	}
	opt := parquet.Defaults(compression)
	opt.TargetFile = int64(t.TargetFile)
	opt.CreatedBy = "millrace version " + version
	newWriter := func(which delta.Indexing) (*parquet.Writer, error) {
		opt := opt
		opt.Indexed = which
		return parquet.NewWriter(store, t.Schema, t.PartitionBy, opt, time.Now)
	}
	if _, err := newWriter(delta.Indexing{}); err != nil {
		return nil, err
	}
	return func(_ int, which delta.Indexing) engine.TableWriter {
		w, err := newWriter(which)
		if err != nil {
			panic(fmt.Sprintf("a writer of a table that had one before: %v", err))
		}
		return w
	}, nil
}
