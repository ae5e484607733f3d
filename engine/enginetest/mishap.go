package enginetest

import "time"

// A Kind is what happens in a life.
type Kind string

// The kinds of mishap. A call is one to the store: of the checkpoints, the logs or the files; N counts them from 1
// within a life (of the pieces of a file, which are most, it counts every eighth). A put-if-absent writes a checkpoint
// or an entry of a log. T is a time since the life began.
const (
	Calm Kind = "calm" // nothing

	CrashBefore Kind = "crash-before" // N: the process dies before the call
	CrashAfter  Kind = "crash-after"  // N: the process dies when the call has landed
	PutBefore   Kind = "put-before"   // N: the process dies before the put-if-absent
	PutAfter    Kind = "put-after"    // N: the process dies when the put-if-absent has landed
	KillAt      Kind = "kill-at"      // T: the process dies

	FailBefore  Kind = "fail-before"  // N: the call fails and is not made
	FailAfter   Kind = "fail-after"   // N: the call landed and is reported failed
	Conflict    Kind = "conflict"     // N: a put-if-absent is not made and reported undecided: 409
	ExistsAfter Kind = "exists-after" // N: a put-if-absent landed and is reported to have found another's: 412 after own success
	Slow        Kind = "slow"         // N: the call is made some minutes late
	LateAnswer  Kind = "late-answer"  // N: the call is made, and its answer comes some minutes late
	StaleList   Kind = "stale-list"   // N: a list shows what was there some lives or calls ago

	Zombie     Kind = "zombie"      // N: the process sleeps before the call; another takes over and ends, then it goes on
	ZombieLate Kind = "zombie-late" // N: the same, but the call has landed when it falls asleep
	HeirDies   Kind = "heir-dies"   // N: the same, and the one that takes over dies at its own call N, when it has landed
	Rival      Kind = "rival"       // T: a second process starts while the first runs
	RivalDies  Kind = "rival-dies"  // N, T: the same, and the second dies at its call N

	SourceFails   Kind = "source-fails"    // N: the source ends with an error at the frame
	SourceAgain   Kind = "source-again"    // N: the source connects anew at the frame and begins again far back
	SourceDown    Kind = "source-down"     // N: the source can't say which partitions there are when asked the N-th time
	SourceDeaf    Kind = "source-deaf"     // the source can't be told what is committed
	PartitionsNew Kind = "partitions-new"  // the source has more partitions from the start of the life on
	PartitionsAt  Kind = "partitions-join" // T: the source has more partitions while the process runs

	NewestLost   Kind = "newest-lost"   // the newest checkpoint is gone
	AllLost      Kind = "all-lost"      // all checkpoints and states are gone
	BackupBack   Kind = "backup-back"   // checkpoints and states are those of some lives ago
	TableDropped Kind = "table-dropped" // N: of the tables one is gone
	TableAnew    Kind = "table-anew"    // N: of the tables one is gone and another is in its place
	TablesBack   Kind = "tables-back"   // the tables are those of some lives ago

	Vacuumed  Kind = "vacuumed"  // N: the process dies at the call, days pass, and vacuum runs before the next
	Optimized Kind = "optimized" // N: the process dies at the call, and small files are put together
)

// A Mishap is what happens in one life. N and T mean what its Kind says.
type Mishap struct {
	Kind Kind
	N    int
	T    time.Duration
	Upto int    // per cent of each partition's records that are there
	Seed uint64 // of what else is chosen for the life: lanes, memory, cadence, frames
}

// A kind says how often a Kind is drawn and from which numbers.
type kind struct {
	Kind
	weight int
	calls  int           // N is from 1 to calls
	time   time.Duration // T is up to this
	grows  bool          // only for a Case that Grows
}

const (
	calls = 60 // to the store in most lives
	few   = 12
)

// kinds is all of them; those by which processes die, and those that the engine meets most, come more often.
var kinds = [...]kind{
	{Kind: Calm, weight: 1},
	{Kind: CrashBefore, weight: 8, calls: calls}, {Kind: CrashAfter, weight: 8, calls: calls}, {Kind: PutBefore, weight: 3, calls: few}, {Kind: PutAfter, weight: 3, calls: few},
	{Kind: KillAt, weight: 5, time: 500 * time.Millisecond},
	{Kind: FailBefore, weight: 2, calls: calls}, {Kind: FailAfter, weight: 3, calls: calls}, {Kind: Conflict, weight: 1, calls: few},
	{Kind: ExistsAfter, weight: 2, calls: few}, {Kind: Slow, weight: 1, calls: calls}, {Kind: LateAnswer, weight: 1, calls: calls}, {Kind: StaleList, weight: 3, calls: few},
	{Kind: Zombie, weight: 2, calls: calls}, {Kind: ZombieLate, weight: 2, calls: calls}, {Kind: HeirDies, weight: 2, calls: calls},
	{Kind: Rival, weight: 2, time: 500 * time.Millisecond}, {Kind: RivalDies, weight: 2, calls: calls, time: 500 * time.Millisecond},
	{Kind: SourceFails, weight: 1, calls: few}, {Kind: SourceAgain, weight: 1, calls: few}, {Kind: SourceDown, weight: 1, calls: 3}, {Kind: SourceDeaf, weight: 1},
	{Kind: PartitionsNew, weight: 1, grows: true}, {Kind: PartitionsAt, weight: 2, time: 200 * time.Millisecond, grows: true},
	{Kind: NewestLost, weight: 1}, {Kind: AllLost, weight: 1}, {Kind: BackupBack, weight: 1},
	{Kind: TableDropped, weight: 1, calls: few}, {Kind: TableAnew, weight: 1, calls: few}, {Kind: TablesBack, weight: 1},
	{Kind: Vacuumed, weight: 2, calls: calls}, {Kind: Optimized, weight: 2, calls: calls},
}
