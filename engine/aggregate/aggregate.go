// Package aggregate computes aggregates of groups of rows: count, sum, median and others.
//
// A definition writes an aggregate as SQL does, "count(distinct user_name) filter (where age > 17)". Parse reads it, Bind
// checks it against the columns that arrive:
//
//	call, err := aggregate.Parse(text)
//	agg, err := call.Bind(schema)
//	state := agg.NewState()
//
// Rows are split into groups by whoever calls; a state knows groups by number only. For each batch agg.Eval computes the
// arguments once, and each state takes the rows that are its own. What is computed does not depend on the order of rows, on
// how they are cut into batches and merged, or on where states are saved and loaded: to the last bit, floats and sketches
// included (docs/decisions/0014-sketches-that-keep-the-law.md).
//
// A table (table.go) is the State of all of them: it has a cell a group, of a type that a file for each family defines, and a
// kernel, a typed loop over whole columns that Bind has picked: count, sum (exact.go: that of doubles), spread, quantile,
// sketch, rough, extreme, position, list, logic; distinct lets any of them see different values only. Functions lists them.
package aggregate

import (
	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// An Input is the arguments of one aggregate for the rows of one batch.
type Input struct {
	Args   []column.Column // of as many rows as the batch
	At     []engine.Time   // event time of each row
	Offset []engine.Offset // of each row's record
	Origin engine.PartitionID
}

// A State holds one aggregate of many groups, which are numbered from 0. One goroutine at a time uses it.
type State interface {
	// Grow makes groups 0 to n-1 exist; the new ones are empty. It never takes any away.
	Grow(n int)

	// Add puts row rows[i] of the batch into group groups[i]. It allocates nothing a row, but to hold what must be kept.
	Add(in *Input, rows []int32, groups []uint32)

	// Merge puts the rows of group src[i] of from, a State of the same Aggregate or this one, into group dst[i]. from stays
	// as it is.
	Merge(from State, src, dst []uint32)

	// Result appends the result of each of groups to out, a column of the Aggregate's Type. Where a result is no value of
	// that type it appends null, or the type's zero where the Aggregate is Required, and calls fail with the index
	// in groups and the reason. It changes nothing.
	Result(out column.Column, groups []uint32, fail func(i int, detail string))

	// Clear makes a group empty.
	Clear(group uint32)

	// Reset makes all groups empty and no group exist, and keeps memory for new ones.
	Reset()

	// Append appends the state of a group to b; or, if fresh, only what LoadGroup needs on top of all that was appended
	// before for the group, since it was last empty.
	Append(b []byte, group uint32, fresh bool) []byte

	// Load takes what Append has written, in that order, into a group that is empty before the first. What was loaded counts
	// as appended before. It gives the rest of b. Damaged bytes are an error, never a panic, and take no memory beyond a multiple of len(b).
	Load(b []byte, group uint32) (rest []byte, err error)

	// Bytes is the memory taken, about.
	Bytes() int64
}

// An Unmerger is the State of an Aggregate that Unmerges.
type Unmerger interface {
	// Unmerge takes the rows of group src[i] of from out of group dst[i], which they were merged into. from stays as it is.
	Unmerge(from State, src, dst []uint32)
}
