// Package delta reads and writes the log of Delta Lake tables (https://github.com/delta-io/delta,
// PROTOCOL.md), on any blob.Store.
//
// A Delta table is a folder of Parquet files and, in _delta_log below it, a log: entry N is the object
// %020d.json and holds one action a line. The table of version N is what entries 0 to N add up to: the
// last protocol and metaData, the files added and not removed, the last txn of each application. An entry
// never changes; a commit is the put-if-absent of the next one, so of two writers one wins, and the other
// reads what came and tries again behind it.
//
//	_delta_log/00000000000000000000.json        {"protocol":…} {"metaData":…}
//	_delta_log/00000000000000000001.json        {"commitInfo":…} {"txn":…} {"add":…} {"add":…}
//	city=Oslo/part-00000-<uuid>-c000.snappy.parquet
//
// [Load] gives a [Snapshot] to read from. [Table] is an engine.Table: it commits the files of an epoch
// together with the epoch's number as txn, and refuses to do so twice. [Stats], [PartitionPath] and
// [AddAction] are for the writer of the files, [History] is for people.
//
// A checkpoint, %020d.checkpoint.parquet, holds what the entries up to its version add up to, so that they
// need not be read, and may be deleted after a time: [Snapshot.WriteCheckpoint], [Snapshot.CleanLog]. Nothing
// needs one to be there as long as the entries are. (The pipeline's own checkpoints are other objects, in
// another folder: package checkpoint.)
//
// Tables of reader version 1 are read and those of writer version 2 are written, which is what Spark makes
// unless told otherwise; what asks for more is refused by name.
package delta

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The errors a caller acts on.
var (
	// ErrNotTable: there is no Delta log in the place. A writer may make a table there.
	ErrNotTable = errors.New("not a Delta table")
	// ErrUnfit: the table can't take the rows, as the error shows column by column. Change the definition or
	// the table.
	ErrUnfit = errors.New("the rows do not fit the table")
	// ErrUnsupported: the table needs what this package can't do, which the error names.
	ErrUnsupported = errors.New("not supported")
)

// Latest asks Load for the newest version.
const Latest int64 = -1

const logPrefix = "_delta_log/"

// entryName is the object of a version's log entry.
func entryName(version int64) string { return fmt.Sprintf("%s%020d.json", logPrefix, version) }

// entryVersion is the version that an object is the log entry of; ok is false for all other objects.
func entryVersion(name string) (version int64, ok bool) {
	digits, isJSON := strings.CutSuffix(strings.TrimPrefix(name, logPrefix), ".json")
	if !isJSON || len(digits) != 20 {
		return 0, false
	}
	version, err := strconv.ParseInt(digits, 10, 64)
	return version, err == nil && version >= 0 && name == entryName(version)
}
