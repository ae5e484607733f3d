// Package enginetest tests whatever runs in the engine, or the engine itself, against the law: the tables depend on the
// input alone.
//
//	law.go         Law: a pipeline over a small table made for it, many times, with all that must not matter chosen at random
//	source.go      the fake Source and its records; generate.go makes inputs and says what enters of them
//	shards.go      the fake Source with partitions that are split and merged; stream.go when they are
//	number.go      Numbered, an operator with state; rewriting.go checkpoints that are not what the engine means
//	table.go       the small Table: a log of JSON in a blob.Store
//	fails.go       Fails: a check that is expected to fail, for suites that are tested themselves
//
// A [Simulation] is the same on the real parts, Delta tables and checkpoints in memory, with processes that die:
//
//	crashes.go     Simulation: a run of a seed, what it came to (Toll), and the play of a Script
//	mishap.go      what may happen in a life: the list is one screen
//	script.go      Script: the lives of a run as text, and how it is drawn from a seed
//	lives.go       a life of one process, and what it runs on; pairs.go two at once; broker.go what the source does;
//	               losses.go what is gone or replaced when a life begins
//	lake.go        the tables, what a reader sees in them, and what must agree in the end; promises.go what checkpoints prepared
//	shrink.go      a simpler script that breaks the same promise
//
// The folders beside are suites for implementations: sourcetest, tabletest, optest for operators; corpus is test data.
package enginetest
