package enginetest_test

import (
	"context"
	"slices"
	"testing"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/checkpoint"
	"github.com/millrace-io/millrace/engine/enginetest"
)

// Each of these breaks one promise about partitions that are split and merged.

// caughtResharding is caught by pipelines whose partitions are: by those named, or by all.
func caughtResharding(t *testing.T, plant func(*enginetest.Rig), names ...string) {
	t.Helper()
	cases := slices.DeleteFunc(resharded(), func(c enginetest.Case) bool { return len(names) > 0 && !slices.Contains(names, c.Name) })
	caught(t, enginetest.Simulation{Cases: cases, Plant: plant})
}

// shards is a source whose partitions are split and merged.
type shards interface {
	engine.Source
	engine.Positioned
	engine.Chasing
}

// listing puts a mutant about what the source says of its partitions.
func listing(change func([]engine.Partition) []engine.Partition) func(*enginetest.Rig) {
	return func(r *enginetest.Rig) {
		r.Ports.Sources[enginetest.SourceName] = listed{r.Ports.Sources[enginetest.SourceName].(shards), change}
	}
}

type listed struct {
	shards
	change func([]engine.Partition) []engine.Partition
}

func (l listed) Partitions(ctx context.Context) ([]engine.Partition, error) {
	all, err := l.shards.Partitions(ctx)
	return l.change(all), err
}

// TestCatchesChildrenBeforeParents: children are read though their parents have not ended.
func TestCatchesChildrenBeforeParents(t *testing.T) {
	caughtResharding(t, listing(func(all []engine.Partition) []engine.Partition {
		for i := range all {
			all[i].Parents = nil
		}
		return all
	}))
}

// TestCatchesOneParentForAll: the child of a merge begins when one of its parents has ended.
func TestCatchesOneParentForAll(t *testing.T) {
	caughtResharding(t, listing(func(all []engine.Partition) []engine.Partition {
		for i := range all {
			all[i].Parents = all[i].Parents[:min(1, len(all[i].Parents))]
		}
		return all
	}), "windowed, resharded")
}

// TestCatchesChildrenForgotten: after a crash between the end of a parent and the beginning of its children nobody looks for
// these.
func TestCatchesChildrenForgotten(t *testing.T) {
	caughtResharding(t, func(r *enginetest.Rig) {
		c, err := checkpoint.New(blob.Sub(r.Blobs, enginetest.CheckpointHome)).Newest(context.Background())
		if err != nil || c == nil {
			return
		}
		done := map[string]bool{} // of those that have begun: whether they have ended
		for _, p := range c.Partitions {
			done[p.Partition] = p.Ended
		}
		listing(func(all []engine.Partition) []engine.Partition {
			return slices.DeleteFunc(all, func(p engine.Partition) bool {
				_, begun := done[p.Name]
				return !begun && slices.ContainsFunc(p.Parents, func(parent string) bool { return done[parent] })
			})
		})(r)
	})
}

// TestCatchesParentReadAgain: a checkpoint does not keep that a partition was read to its end, and it is read again.
func TestCatchesParentReadAgain(t *testing.T) {
	caughtResharding(t, partitions(func(p *engine.PartitionState, _ []engine.PartitionState) {
		if p.Ended {
			p.Ended, p.Next, p.After = false, 0, "-1"
		}
	}))
}

// TestCatchesChildAtParentsOffset: a child begins at the offset at which its parent ended.
func TestCatchesChildAtParentsOffset(t *testing.T) {
	caughtResharding(t, partitions(func(p *engine.PartitionState, all []engine.PartitionState) {
		for _, parent := range all {
			if parent.Ended && p.Next == 0 {
				p.Next, p.After = parent.Next, parent.After
			}
		}
	}))
}

// TestCatchesWatermarkOfParentsLost: event time of a child begins anew.
func TestCatchesWatermarkOfParentsLost(t *testing.T) {
	caughtResharding(t, partitions(func(p *engine.PartitionState, _ []engine.PartitionState) {
		if p.Next == 0 {
			p.Watermark = engine.MinTime
		}
	}), "windowed, resharded")
}

// partitions has checkpoints say other things of partitions.
func partitions(change func(p *engine.PartitionState, all []engine.PartitionState)) func(*enginetest.Rig) {
	return func(r *enginetest.Rig) {
		r.Ports.Checkpoints = enginetest.Rewriting{Checkpoints: r.Ports.Checkpoints, Change: func(c *engine.Checkpoint) {
			for i := range c.Partitions {
				change(&c.Partitions[i], c.Partitions)
			}
		}}
	}
}
