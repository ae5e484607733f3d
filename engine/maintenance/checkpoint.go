package maintenance

import (
	"context"

	"github.com/millrace-io/millrace/engine/delta"
)

// A Checkpointed is what Checkpoint did.
type Checkpointed struct {
	Version int64 `json:"version"` // that has a checkpoint now
	Files   int   `json:"files"`   // of the version
	Cleaned int   `json:"cleaned"` // objects of the log that were deleted, as the table's retention asks
}

// Checkpoint writes the checkpoint of a table's newest version, if there is none yet, and deletes what the log
// need not keep.
func Checkpoint(ctx context.Context, t Table) (done Checkpointed, err error) {
	s, err := delta.Load(ctx, t.Store, delta.Latest)
	if err != nil {
		return done, err
	}
	if err := s.WriteCheckpoint(ctx); err != nil {
		return done, err
	}
	done.Version, done.Files = s.Version(), len(s.Files())
	done.Cleaned, err = s.CleanLog(ctx)
	return done, err
}
