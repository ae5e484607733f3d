// Package kinesis reads Amazon Kinesis data streams.
package kinesis
