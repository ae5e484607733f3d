// Package maintenance keeps Delta tables in shape while pipelines write to them.
//
// [Optimize] makes few large data files of many small ones, [Vacuum] deletes files that no version in the
// retention needs, [Checkpoint] writes what lets readers begin in the middle of the log and cleans the log up.
// Each works on any table that millrace can write, whoever else writes to it: a rewrite of files is a commit
// like others, goes behind appends that came meanwhile, and is given up where another took the same files.
//
// [Verify] proves a table from itself.
//
// A [Keeper] does the first three on a schedule beside the pipeline, one at a time, so that it takes little from it.
package maintenance

import (
	"fmt"
	"strings"

	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/parquet"
)

// A Table is a Delta table to be looked after.
type Table struct {
	Name  string     // for messages
	Store blob.Store // its root is the table's

	TargetFile  int64                // of Optimize; 0: as it says
	Compression *parquet.Compression // of the files that Optimize writes; nil: as it says
}

// partitionOf tells the partitions of a table apart: the values in the order of the columns.
func partitionOf(by []string, values map[string]*string) string {
	var b strings.Builder
	for _, name := range by {
		if v := values[name]; v != nil {
			fmt.Fprintf(&b, "%d:%s", len(*v), *v)
		} else {
			b.WriteByte('-')
		}
	}
	return b.String()
}
