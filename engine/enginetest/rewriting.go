package enginetest

import (
	"context"
	"maps"
	"slices"

	"github.com/millrace-io/millrace/engine"
)

// Rewriting writes other checkpoints than the engine means to: for planted bugs.
type Rewriting struct {
	engine.Checkpoints
	Change func(*engine.Checkpoint) // of a copy, whose Partitions and Ledger are its own
}

// Write implements engine.Checkpoints.
func (w Rewriting) Write(ctx context.Context, c *engine.Checkpoint) error {
	other := *c
	other.Partitions = slices.Clone(c.Partitions)
	other.Ledger = maps.Clone(c.Ledger)
	w.Change(&other)
	return w.Checkpoints.Write(ctx, &other)
}
