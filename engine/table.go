package engine

import (
	"context"
	"encoding/json"
)

// A Table takes rows of one stream and commits them once an epoch. Methods of one Table never overlap,
// but for those of its writers.
type Table interface {
	// Open makes the table if there is none, else checks that it can take the schema's rows. It returns the
	// state that the table's log gives for the incarnation of the pipeline, whose commits all later calls
	// make. It may be called again with another incarnation.
	Open(ctx context.Context, incarnation string) (TableState, error)

	// State reads the log again.
	State(ctx context.Context) (TableState, error)

	// Writer makes a writer for one lane.
	Writer(lane int) TableWriter

	// Prepare is called before the checkpoint that holds p is written: it checks that the table can still
	// take the commit.
	Prepare(ctx context.Context, p Prepared) error

	// Commit makes p's files part of the table, as a compare-and-set on the epoch that the log holds for
	// this pipeline: at p.Prev it commits and returns the new version, at p.Epoch it was done before and
	// returns the version that did it; anything else, or another table id, is ErrForeign.
	Commit(ctx context.Context, p Prepared, info CommitInfo) (version int64, err error)

	// Missing names those of files that are not there with their size.
	Missing(ctx context.Context, files []File) ([]string, error)
}

// A TableState is what a table's log says that concerns a pipeline.
type TableState struct {
	ID      string // the table's own id, made with it
	Version int64
	Epoch   Epoch // the newest epoch that this line of checkpoints committed; NoEpoch: none
	// Others are other incarnations of this pipeline with commits in the table.
	Others []string
}

// NoEpoch stands for "no commit yet".
const NoEpoch Epoch = -1

// A TableWriter writes one lane's share of a table's rows into files nobody sees before the commit. The
// lane owns it; a Sealing runs beside it.
type TableWriter interface {
	// Write adds the batch's selected rows. The batch is lent. Of columns that the table is partitioned by, days and times
	// are in the years 1 to 9999 or null, and texts that are never null are not empty.
	Write(ctx context.Context, b *Batch) error

	// Cut ends the epoch: what was written since the last Cut belongs to the Sealing; the writer goes on with
	// new files. It is cheap: the work is in Seal. nil: nothing was written.
	Cut() Sealing

	// Discard drops what was written since the last Cut and frees the writer.
	Discard()
}

// A Sealing is the files of one writer and epoch on their way to the store.
type Sealing interface {
	// Seal finishes and uploads the files. It is called once, from another goroutine than the lane's.
	Seal(ctx context.Context) ([]File, error)
	// Discard gives the files up instead.
	Discard()
}

// A File is a data file that is uploaded and not yet committed.
type File struct {
	Path string          `json:"path"` // relative to the table, as the store names it
	Size int64           `json:"size"` // bytes
	Rows int64           `json:"rows"`
	Add  json.RawMessage `json:"add"` // the table's own description of the file, for its log
}

// A Prepared is a table's part of an epoch as the checkpoint holds it: all that Commit needs, so that it
// can be repeated by another process.
type Prepared struct {
	Table string `json:"table"` // the table's name in the definition
	ID    string `json:"id"`    // TableState.ID
	Prev  Epoch  `json:"prev"`  // the epoch of our last commit to this table, or NoEpoch
	Epoch Epoch  `json:"epoch"`
	Files []File `json:"files"`
	// Replace says that the files hold all the table's rows from now on: the commit takes the others out.
	Replace bool `json:"replace,omitempty"`
}

// CommitInfo is what a commit says of itself, for people and monitors.
type CommitInfo struct {
	Pipeline string
	Epoch    Epoch
	Ledger   Count // of the table's stream, since the first start
}
