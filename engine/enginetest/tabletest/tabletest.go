// Package tabletest is the conformance suite of engine.Table and engine.TableWriter: what every implementation
// must do, as tests.
//
//	func TestConforms(t *testing.T) {
//		tabletest.Run(t, func(t *testing.T) tabletest.Harness { … })
//	}
//
// A test is some processes that write one table, each through an engine.Table of its own, and a reader that
// knows nothing of them. What a process prepares goes through JSON, as in a checkpoint, and the memory of every
// batch is overwritten when Write has returned.
package tabletest

import (
	"maps"
	"slices"
	"testing"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
)

// A Harness is the place of one table, and what makes engine.Tables there. Its functions are called by the
// test's goroutine and fail the test they were made for.
type Harness struct {
	Files  blob.Store // where the table is, and nothing else
	Folder string     // of Files, which the Path of an engine.File is relative to; "": the root

	// Table makes a table that is not open, as each process does for itself. files is Files, or a store
	// that fails in front of it.
	Table func(files blob.Store, c Config) engine.Table

	// Rows is every row that a reader of the table sees now, as column.AppendRowJSON writes it with the
	// columns of schema.
	Rows func(schema engine.Schema) []string

	EmptyIsNull bool // an empty text in a partition column is read as null
	Fake        bool // the table does not check what it is to take, and takes all pipelines for one
}

// A Config is what a process says of the table.
type Config struct {
	Pipeline    string
	Schema      engine.Schema
	PartitionBy []string
}

// tests is the suite.
func tests() map[string]func(*trial) {
	return map[string]func(*trial){
		"Open": (*trial).testOpen, "OpenAtOnce": (*trial).testOpenAtOnce, "OpenRefuses": (*trial).testOpenRefuses, "Incarnations": (*trial).testIncarnations,
		"Pipelines": (*trial).testPipelines, "State": (*trial).testState,
		"Write": (*trial).testWrite, "NoRows": (*trial).testNoRows, "DiscardWriter": (*trial).testDiscardWriter, "DiscardSealing": (*trial).testDiscardSealing,
		"Invisible": (*trial).testInvisible, "Files": (*trial).testFiles, "Missing": (*trial).testMissing, "Lanes": (*trial).testLanes,
		"CommitTwice": (*trial).testCommitTwice, "CommitForeign": (*trial).testCommitForeign, "CommitAtOnce": (*trial).testCommitAtOnce,
		"CommitsOfOthers": (*trial).testCommitsOfOthers, "CommitAnswerLost": (*trial).testCommitAnswerLost, "Prepare": (*trial).testPrepare,
		"Types": (*trial).testTypes, "Partitions": (*trial).testPartitions, "PartitionColumns": (*trial).testPartitionColumns,
		"ContextIsOver": (*trial).testContextIsOver,
	}
}

// Run runs the suite. make is called once a test and gives a place without a table.
func Run(t *testing.T, make func(t *testing.T) Harness) {
	all := tests()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all[name](&trial{t, make(t)})
		})
	}
}
