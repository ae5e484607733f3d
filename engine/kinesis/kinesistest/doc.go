// Package kinesistest is a Kinesis in the process, for tests and benchmarks: an HTTP server that speaks the wire protocol
// and goes wrong when it is told to.
package kinesistest
