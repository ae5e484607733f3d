package engine_test

import (
	"context"
	"io"
	"testing"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/enginetest"
)

// mutantRuns is how many runs a mutant may survive before the law is called too weak.
const mutantRuns = 300

// Each of these breaks the engine in one place, from outside, at a seam the engine has anyway. The law must
// notice. Those of dedupe are beside dedupe.

func TestCatchesStateNotRestored(t *testing.T) {
	enginetest.Catches(t, numbered(), mutantRuns, func(r *enginetest.Rig) {
		r.Ports.Checkpoints = forgetful{r.Ports.Checkpoints}
	})
}

type forgetful struct{ engine.Checkpoints }

func (forgetful) OpenState(context.Context, engine.StateRef) (engine.State, error) {
	return nothing{}, nil
}

type nothing struct{}

func (nothing) Sections() []engine.Section { return nil }

func (nothing) Read(context.Context, []int, func(int, io.Reader) error) error { return nil }

func TestCatchesPositionOffByOne(t *testing.T) {
	for name, by := range map[string]engine.Offset{"early": -1, "late": 1} {
		t.Run(name, func(t *testing.T) {
			enginetest.Catches(t, stateless(), mutantRuns, func(r *enginetest.Rig) {
				r.Ports.Checkpoints = enginetest.Rewriting{Checkpoints: r.Ports.Checkpoints, Change: func(c *engine.Checkpoint) {
					for i := range c.Partitions {
						if p := &c.Partitions[i]; p.Next > 0 {
							p.Next += by
						}
					}
				}}
			})
		})
	}
}

func TestCatchesPositionBeforeLanes(t *testing.T) {
	enginetest.Catches(t, stateless(), mutantRuns, func(r *enginetest.Rig) {
		r.Ports.Checkpoints = enginetest.Rewriting{Checkpoints: r.Ports.Checkpoints, Change: func(c *engine.Checkpoint) {
			for i := range c.Partitions {
				if next, ok := r.Source.Handed(c.Partitions[i].Partition); ok {
					c.Partitions[i].Next = max(next, c.Partitions[i].Next)
				}
			}
		}}
	})
}

func TestCatchesQuarantineLeftOutOfLedger(t *testing.T) {
	enginetest.Catches(t, stateless(), mutantRuns, func(r *enginetest.Rig) {
		r.Ports.Checkpoints = enginetest.Rewriting{Checkpoints: r.Ports.Checkpoints, Change: func(c *engine.Checkpoint) {
			for name, count := range c.Ledger {
				count.Quarantined = 0
				c.Ledger[name] = count
			}
		}}
	})
}

func TestCatchesCommitBeforeCheckpoint(t *testing.T) {
	enginetest.Catches(t, stateless(), mutantRuns, func(r *enginetest.Rig) {
		r.Ports.Checkpoints = hasty{r.Ports.Checkpoints, r.Ports.Tables}
	})
}

type hasty struct {
	engine.Checkpoints
	tables map[string]engine.Table
}

func (h hasty) Write(ctx context.Context, c *engine.Checkpoint) error {
	for _, p := range c.Tables {
		if _, err := h.tables[p.Table].Commit(ctx, p, engine.CommitInfo{}); err != nil {
			return err
		}
	}
	return h.Checkpoints.Write(ctx, c)
}

func TestCatchesPrevNotCompared(t *testing.T) {
	enginetest.Catches(t, stateless(), mutantRuns, func(r *enginetest.Rig) {
		for name, table := range r.Ports.Tables {
			r.Ports.Tables[name] = blind{table.(*enginetest.Table)}
		}
	})
}

// blind commits whatever the table's epoch is: a repeated commit doubles its rows.
type blind struct{ *enginetest.Table }

func (b blind) Commit(ctx context.Context, p engine.Prepared, info engine.CommitInfo) (int64, error) {
	s, err := b.State(ctx)
	if err != nil {
		return 0, err
	}
	if s.Epoch == p.Epoch {
		p.Epoch++ // so that it is neither done nor out of order
		defer func() { p.Epoch-- }()
	}
	p.Prev = s.Epoch
	return b.Table.Commit(ctx, p, info)
}
