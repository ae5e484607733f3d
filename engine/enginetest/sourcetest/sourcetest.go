// Package sourcetest is the conformance suite of engine.Source: what every implementation must do, as tests.
//
//	func TestConforms(t *testing.T) {
//		sourcetest.Run(t, func(t *testing.T, partitions int) sourcetest.Harness { … })
//	}
//
// The suite stands on both sides of the source. A [Harness] puts records into the service that the source
// reads, and has things happen to it. Behind the source stands a sink that keeps what comes, holds frames up,
// answers with errors, and watches over what the contract says of calls: that those for one partition come one
// after another, in the partition's order, with bytes that stay as they are, and never after Read has returned.
package sourcetest

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/millrace-io/millrace/engine"
)

// A Harness is a service with one stream, and what makes sources of it. Partitions, Source and Append must be
// there. What else is nil or zero the service can't do, and the tests that need it are skipped. The functions
// are called by the test's goroutine and fail the test they were made for.
type Harness struct {
	Partitions []string // names, in the order in which the source gives them

	// Source makes a source of the stream. The test closes it.
	Source func() engine.Source

	// Append puts records behind those of a partition, and returns when a reader may see them.
	Append func(partition string, records ...Record)

	// Kept is what a reader is given of a record; an At that is zero is not compared. nil: all of it.
	Kept func(Record) Record

	// Own says whether a header is the source's own, of which the records that were put know nothing. nil: none is.
	Own func(header string) bool

	Fixed   bool // the stream is what it was when the source was made: nothing comes later
	Repeats bool // the source gives records again now and then, those before its start too, as if after a fault

	Grow func() (partition string)                    // adds a partition
	Trim func(partition string, before engine.Offset) // drops the records before an offset
	Hide func(partition string, records int)          // appends records that no reader is given: an aborted transaction's

	// Pend appends records that readers may see when commit is called and not before: a transaction's.
	Pend func(partition string, records ...Record) (commit func())

	// Divide ends a partition, and two others come in its place.
	Divide func(partition string) (children []string)

	Down, Up func()        // the service can't be reached; it can be again, and has what it had
	Outage   time.Duration // from Down to Up, at least: longer than one try of the source

	Marked func(partition string) engine.Offset // what the service knows of what Committed was told
	Asked  func(partition string) engine.Offset // how far the source has read a partition, as the service sees it
	Ahead  int                                  // with Asked: bytes that may be read of a partition and not be taken by the sink
}

// A Record is what a test puts into a partition.
type Record struct {
	At      time.Time // in whole milliseconds, UTC
	Key     []byte    // nil: none
	Headers []Header
	Value   []byte // nil: a tombstone
}

// A Header is one of a record's headers.
type Header struct {
	Name  string
	Value []byte // nil: null
}

// partitions is how many partitions the stream of each test has at first.
const partitions = 3

// tests is the suite.
func tests() map[string]func(*trial) {
	return map[string]func(*trial){
		"Partitions": (*trial).testPartitions, "Records": (*trial).testRecords, "LargeRecords": (*trial).testLargeRecords,
		"AnyOffset": (*trial).testAnyOffset, "AtTheEnd": (*trial).testAtTheEnd, "Order": (*trial).testOrder, "Pending": (*trial).testPending, "ReadAgain": (*trial).testReadAgain,
		"TwoReads": (*trial).testTwoReads, "PartitionAdded": (*trial).testPartitionAdded, "AtOnce": (*trial).testAtOnce,
		"BackPressure": (*trial).testBackPressure, "SinkFails": (*trial).testSinkFails, "SinkFailsBesideAnother": (*trial).testSinkFailsBesideAnother,
		"ContextEnds": (*trial).testContextEnds, "ContextEndsSink": (*trial).testContextEndsSink, "ContextEndsIdle": (*trial).testContextEndsIdle,
		"Lost": (*trial).testLost, "LostAll": (*trial).testLostAll, "LostRefused": (*trial).testLostRefused, "LostWhileReading": (*trial).testLostWhileReading,
		"Passed": (*trial).testPassed, "PassedIsNotLost": (*trial).testPassedIsNotLost,
		"Ended": (*trial).testEnded, "EndedBefore": (*trial).testEndedBefore, "EndedWaits": (*trial).testEndedWaits, "AllEnded": (*trial).testAllEnded,
		"CaughtUp": (*trial).testCaughtUp, "Positions": (*trial).testPositions,
		"Committed": (*trial).testCommitted, "Close": (*trial).testClose,
		"DownAndUp": (*trial).testDownAndUp, "DownAtPartitions": (*trial).testDownAtPartitions, "DownAtRead": (*trial).testDownAtRead,
	}
}

// Run runs the suite. make is called once a test and gives a stream without records.
func Run(t *testing.T, make func(t *testing.T, partitions int) Harness) {
	run(t, make, func(t *testing.T, test func(*testing.T)) { test(t) })
}

// run runs each test within in, which may be synctest.Test for a source without a network.
func run(t *testing.T, make func(t *testing.T, partitions int) Harness, in func(*testing.T, func(*testing.T))) {
	all := tests()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		t.Run(name, func(t *testing.T) {
			if name != "Close" { // it counts goroutines
				t.Parallel()
			}
			in(t, func(t *testing.T) { all[name](&trial{t, make(t, partitions)}) })
		})
	}
}
