package main

import (
	"context"
	"log/slog"

	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/maintenance"
	"github.com/millrace-io/millrace/engine/parquet"
	"github.com/millrace-io/millrace/engine/spec"
)

// newKeeper makes what looks after the tables of a pipeline in a lake.
func newKeeper(lake blob.Store, def *spec.Definition, log *slog.Logger) *maintenance.Keeper {
	var tables []maintenance.Table
	for _, p := range def.Plan.Tables {
		t := def.Tables[p.Name]
		table := maintenance.Table{Name: p.Name, Store: blob.Sub(lake, t.Path), TargetFile: int64(t.TargetFile)}
		if c, err := parquet.ParseCompression(t.Compression); err == nil { // else the table itself is refused
			table.Compression = &c
		}
		tables = append(tables, table)
	}
	tables = append(tables, maintenance.Table{Name: def.Plan.Quarantine, Store: blob.Sub(lake, def.QuarantinePath)})
	m := def.Maintenance
	schedule := maintenance.Schedule{Checkpoint: m.Checkpoint, OptimizeEvery: m.Optimize, VacuumEvery: m.Vacuum, Retention: m.Retention}
	return maintenance.NewKeeper(tables, schedule, optimizer(int64(def.TargetFile)), maintenance.Vacuum{Open: beside(def.Lake)}, log)
}

// optimizer is how files are put together.
func optimizer(targetFile int64) maintenance.Optimize {
	opt := parquet.Defaults(parquet.Snappy)
	opt.CreatedBy = "millrace version " + version
	return maintenance.Optimize{TargetFile: targetFile, Files: opt, EngineInfo: "millrace/" + version}
}

// beside opens places that a table names, in the way in which the place of the table was opened: a bucket's
// options are not part of what a table remembers.
func beside(at string) func(url string) (blob.Store, error) {
	return func(url string) (blob.Store, error) {
		p, err := parsePlace(url)
		if err != nil {
			return nil, err
		}
		if from, err := parsePlace(at); err == nil && p.folder == "" && from.folder == "" {
			bucket, prefix := p.bucket.Bucket, p.bucket.Prefix
			p.bucket = from.bucket
			p.bucket.Bucket, p.bucket.Prefix = bucket, prefix
		}
		return p.open()
	}
}

func (p *pipeline) started() bool {
	select {
	case <-p.task.Started():
		return true
	default:
		return false
	}
}

// keep looks after the tables from when the pipeline is this process's until end is called, which waits for
// the checkpoints that are due.
func (p *pipeline) keep(ctx context.Context) (end func()) {
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-p.task.Started():
			p.keeper.Run(ctx, stop)
		case <-stop:
			if p.started() { // it was short: both came
				p.keeper.Run(ctx, stop)
			}
		}
	}()
	return func() { close(stop); <-ended }
}
