// Package engine takes records from sources through operators into tables, continuously and exactly once.
//
// The nouns, in the order a record meets them:
//
//	Source      delivers the records of its partitions, many at a time, as a Frame
//	Decoder     turns a Frame into a Batch: rows as typed columns
//	Operator    turns batches into batches; a Stateful one remembers, by slot of its rows' keys
//	Table       takes rows into files nobody sees, and commits them once an epoch
//	Checkpoint  is all that an epoch leaves behind but the rows; Checkpoints keeps them
//	Task        runs a Plan over its Ports: NewTask, Run, Stop, Status, Watch
//
// A task has an entry for each partition and, for each stage behind an exchange, some lanes. Entries run
// in the goroutine that delivers the frame; a lane is one goroutine and owns the state of its share of
// keys, so operators need no locks.
//
//	partition ─▶ entry: decode ▸ steps without keys ─▶ exchange by key ─▶ lane: steps with state ▸ table writer
//	                │ barrier N, position                                  │ barrier N, state, files
//	                └──────────────▶ coordinator: when to cut, write, commit ◀┘
//
// The coordinator cuts an epoch: a barrier with the position goes into every partition, lanes align on it,
// save their state and let go of their files. When all of it is in the store, one checkpoint is written
// that names it, and then the tables are committed, each as a compare-and-set on the epoch it had. So a
// commit can be repeated, by this process or another, and never doubled.
//
// The law: what the tables hold depends on the input alone. engine/enginetest runs it.
//
// The package imports column and the standard library. Everything else comes in through Ports.
package engine
