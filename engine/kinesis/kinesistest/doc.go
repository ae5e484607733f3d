// Package kinesistest is a Kinesis in the process, for tests and benchmarks: an HTTP server on loopback that speaks the
// wire protocol, and goes wrong when it is told to (Fault).
//
// Streams live in memory, for ever: nothing is trimmed. Requests may come in JSON or, for GetRecords, in CBOR. Signatures
// are not looked at. What a real stream takes seconds for, such as a split, is done when the request is answered.
package kinesistest
