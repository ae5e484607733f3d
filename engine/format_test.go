package engine_test

import (
	"testing"
	"testing/synctest"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/checkpoint"
	"github.com/millrace-io/millrace/engine/enginetest"
)

// TestOldCheckpoint: a start goes on from a checkpoint of an earlier format and writes the newest.
func TestOldCheckpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(enginetest.NewSource(records(10), 1, 5, 0))
		ports := r.ports("t", "bad")
		ports.Checkpoints = enginetest.Rewriting{Checkpoints: ports.Checkpoints, Change: func(c *engine.Checkpoint) { c.Format = 1 }}
		task, err := engine.NewTask(&r.plan, ports, r.opt)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := task.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := r.task(t).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if c, err := checkpoint.New(r.store).Newest(t.Context()); err != nil || c.Format != engine.CheckpointFormat || r.rows(t) != 10 {
			t.Errorf("the newest checkpoint is %+v, %v, and the table holds %d rows", c, err, r.rows(t))
		}
	})
}
