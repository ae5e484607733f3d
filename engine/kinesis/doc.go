// Package kinesis reads Amazon Kinesis data streams as an engine.Source, through a Watermill Subscriber of its own.
//
// A shard is a partition. Its records are numbered from 0 on, a user record of an aggregated one each, for sequence
// numbers do not fit into an engine.Offset; the source keeps which sequence number belongs to which offset until the
// records are committed (marks). Where reading goes on is a position, written down as position.String says.
//
//	GetRecords ──────┐
//	                 ├─▶ answer ─▶ shard ─▶ frame ─▶ subscriber ─▶ router ─▶ engine
//	SubscribeToShard ┘   one pass            one message, the next after its acknowledgement
//
// An answer is read by this package and not by the SDK (protocol), which would make an object of every record and have
// data in base64: GetRecords is asked for CBOR, and for JSON where the server does not know that. An answer is judged as a
// whole before anything of it is taken, for a record that came too early would make its predecessors look like repeats.
//
// Types of the AWS SDK stay in this package.
package kinesis
