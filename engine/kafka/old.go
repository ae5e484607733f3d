package kafka

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-io/millrace/engine"
)

// old puts all records of a message of magic 0 or 1 into the frame: what was written by clients from before
// Kafka 0.11 and lies in the log still. It is left to franz-go, and allocates.
func (c *cutter) old(frame engine.Frame) (engine.Frame, error) {
	part := kmsg.FetchResponseTopicPartition{RecordBatches: c.batch}
	fetched, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{Offset: c.next}, &part, c.unpack.codecs, nil)
	if fetched.Err != nil {
		return frame, fetched.Err
	}
	for _, r := range fetched.Records {
		if r.Offset < c.next {
			return frame, fmt.Errorf("offset %d follows %d", r.Offset, c.next-1)
		}
		frame = frame.AppendRecord(engine.Record{Offset: engine.Offset(r.Offset), At: timeOf(r.Timestamp.UnixMilli()), Key: r.Key, Value: r.Value})
		c.next = r.Offset + 1
		c.after = c.next
	}
	c.finish()
	return frame, nil
}
