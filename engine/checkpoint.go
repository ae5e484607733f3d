package engine

import (
	"context"
	"io"
	"time"
)

// A Checkpoint is everything an epoch leaves behind but the rows: one object, written once, from which
// any process can go on. It is JSON, so that a person can read it; Format tells later versions apart.
type Checkpoint struct {
	Format      int    `json:"format"`      // CheckpointFormat
	Pipeline    string `json:"pipeline"`    //
	Task        string `json:"task"`        //
	Incarnation string `json:"incarnation"` // made with checkpoint 0, the same ever after
	Epoch       Epoch  `json:"epoch"`
	Attempt     string `json:"attempt"` // unique to the write: tells ours from another's
	Process     string `json:"process"` // unique to the process that wrote it
	Owner       string `json:"owner"`   // the same, for people
	Seed        uint64 `json:"seed"`    // of the key hash, made with checkpoint 0
	Slots       int    `json:"slots"`   // column.Slots when checkpoint 0 was made

	Partitions []PartitionState  `json:"partitions"`
	Operators  map[string]string `json:"operators"` // fingerprint of each stateful operator by its id, "stream/step"
	State      []StateRef        `json:"state"`     // to be read in this order
	Tables     []Prepared        `json:"tables"`    // what this epoch commits, one for each table that changed
	Prev       map[string]Epoch  `json:"prev"`      // by table: the epoch of its last commit, this one's included
	IDs        map[string]string `json:"table_ids"` // by table: its own id
	// Times is, by source, what the event time of the rows before this place was made from. nil: written when that was
	// not noted.
	Times map[string]TimeFrom `json:"event_times"`
	// Before is other incarnations of the pipeline whose commits in the tables were known when this line began, or
	// were accepted later (Options.NewLine). nil: written when that was not noted.
	Before []string `json:"lines_before"`
	Ledger Ledger   `json:"ledger"` // since checkpoint 0
	// Final says that the input has ended: no run goes on from here.
	Final bool `json:"final,omitempty"`
}

// CheckpointFormat is the version that this code writes, and the newest it reads; it reads all before. Version 2 is version 1
// and what partitions that end, or are counted by their source, have to say, and Final: who does not know these must not go on. Times
// came within version 2: who does not know them goes on as before, without the comparison.
const CheckpointFormat = 2

// A PartitionState is a partition's place in a checkpoint.
type PartitionState struct {
	Source    string `json:"source"`
	Partition string `json:"partition"`
	Next      Offset `json:"next"`      // the first offset not in any table
	Watermark Time   `json:"watermark"` // before the row at Next
	Joined    Epoch  `json:"joined"`    // the epoch the partition came with; 0: the first start

	ID    string `json:"id,omitempty"`    // Partition.ID
	After string `json:"after,omitempty"` // of a Positioned source: Start.After for Next
	Ended bool   `json:"ended,omitempty"` // there is nothing at or after Next, and never will be
}

// A StateRef names a state object.
type StateRef struct {
	Name string `json:"name"`
	Size int64  `json:"size"` // bytes
}

// A Section is what one stateful operator saved of one slot.
type Section struct {
	Operator string // "stream/step"
	Slot     int
	Whole    bool   // earlier sections of this operator and slot no longer count
	Size     int64  // of the data, in bytes, where it is listed; who writes it need not say
	Data     []byte // to be written. Whole and empty: the slot holds nothing. nil where it is listed
}

// A State is a state object that was opened to be read. Its methods may be called at once from several goroutines.
type State interface {
	// Sections lists what the object holds, in the order written. The list is the State's.
	Sections() []Section

	// Read reads the data of sections, by their numbers in the list, which ascend, and gives one after the other to
	// load. The reader is lent for the call; what load leaves of it is read on. What is wrong with the data is
	// an error of Read, which may come after load has taken it: what was loaded is then worth nothing.
	Read(ctx context.Context, numbers []int, load func(number int, data io.Reader) error) error
}

// Checkpoints keeps the checkpoints and state objects of one task. One process at a time owns them, which
// is proved by its writes: see Write.
type Checkpoints interface {
	// Newest reads the checkpoint with the highest epoch; nil if there is none.
	Newest(ctx context.Context) (*Checkpoint, error)

	// Read reads the checkpoint of one epoch.
	Read(ctx context.Context, epoch Epoch) (*Checkpoint, error)

	// Write writes c if there is no checkpoint of its epoch and none that is newer; else ErrFenced. It
	// settles what a lost answer leaves open: nil means that c is there.
	Write(ctx context.Context, c *Checkpoint) error

	// WriteState writes a state object under a name nobody else uses. The sections' data is lent for the call.
	WriteState(ctx context.Context, epoch Epoch, sections []Section) (StateRef, error)

	// OpenState opens a state object to be read. What it lists is sound, or that is an error; its sections' data
	// is looked at when it is read.
	OpenState(ctx context.Context, ref StateRef) (State, error)

	// Collect deletes checkpoints older than keep, and state objects that no remaining checkpoint names and
	// that are not of a newer epoch.
	Collect(ctx context.Context, keep Epoch) error
}

// A partition's watermark is saved as a number; JSON has no better name for the ends of time. Heartbeat is
// how often an owner writes a checkpoint though nothing came, at least.
const Heartbeat = 5 * time.Second
