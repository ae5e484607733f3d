package engine

import "github.com/millrace-io/millrace/engine/column"

// QuarantineSchema is the columns of every quarantine table.
var QuarantineSchema = Schema{
	{Name: "source", Type: column.Of(column.String), Required: true},
	{Name: "stream", Type: column.Of(column.String)}, // null: the record did not decode
	{Name: "partition", Type: column.Of(column.String), Required: true},
	{Name: "position", Type: column.Of(column.String), Required: true},
	{Name: "record_time", Type: column.Of(column.Timestamp)}, // the record's own, not the row's event time; null: Batch.Recorded has none
	{Name: "reason", Type: column.Of(column.String), Required: true},
	{Name: "column", Type: column.Of(column.String)},
	{Name: "detail", Type: column.Of(column.String)},
	{Name: "bytes", Type: column.Of(column.Binary)}, // the record's value, or the row as JSON
}
