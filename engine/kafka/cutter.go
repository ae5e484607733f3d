package kafka

import (
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-io/millrace/engine"
)

// A cutter cuts frames from the chunks of one partition. A record costs it no allocation. It serves one
// goroutine.
type cutter struct {
	next   int64     // offset of the next record that is wanted; what is before it is skipped
	after  int64     // offset after the last record that was put into a frame
	unpack *unpacker // shared

	chunk   chunk  // being cut; its bytes are those of batches
	batches []byte // not begun yet
	aborted []kmsg.FetchResponseTopicPartitionAbortedTransaction
	gone    map[int64]bool // producers in an aborted transaction

	batch  batch  // being cut
	body   []byte // its records that are left, decompressed
	left   int32  // how many
	plain  []byte // memory of the unpacker that body lies in, or nil
	header []byte // memory for the headers of a record
}

// load takes a chunk. The one before has been cut.
func (c *cutter) load(k chunk) {
	c.chunk, c.batches = k, k.batches
	c.aborted = slices.Clone(k.aborted)
	slices.SortStableFunc(c.aborted, func(a, b kmsg.FetchResponseTopicPartitionAbortedTransaction) int {
		return int(min(1, max(-1, a.FirstOffset-b.FirstOffset)))
	})
	clear(c.gone)
}

// empty says whether the chunk has been cut to its end.
func (c *cutter) empty() bool { return c.left == 0 && len(c.batches) == 0 }

// release drops what is left and gives all memory back.
func (c *cutter) release() {
	c.drop()
	c.batches = nil
	c.chunk.release()
}

// cut puts records into the frame until the frame is full or the chunk ends; it then gives the chunk's
// memory back.
func (c *cutter) cut(frame engine.Frame) (engine.Frame, error) {
	for len(frame) < frameSize && !c.empty() {
		var err error
		if c.left > 0 {
			frame, err = c.records(frame)
		} else {
			frame, err = c.open(frame)
		}
		if err != nil {
			return frame, damaged(c.next, err)
		}
	}
	if c.empty() {
		c.release()
	}
	return frame, nil
}

// open begins with the next batch. It passes over one that no reader is given.
func (c *cutter) open(frame engine.Frame) (engine.Frame, error) {
	var err error
	c.batch, c.batches, err = nextBatch(c.batches)
	b := c.batch
	switch {
	case err != nil:
		return frame, err
	case b == nil:
		return frame, fmt.Errorf("%d bytes are no batch", len(c.batches))
	case b.last() < c.next:
		return frame, nil
	case b.magic() < 2:
		return c.old(frame)
	}
	if err := b.check(); err != nil {
		return frame, err
	}
	if c.hidden() || b.count() == 0 {
		c.finish()
		return frame, nil
	}
	c.body, c.plain, err = c.unpack.records(b)
	c.left = b.count()
	return frame, err
}

// hidden says whether the batch is a marker, or part of an aborted transaction: one of a producer whose
// aborted transaction has begun and whose marker has not come.
func (c *cutter) hidden() bool {
	for len(c.aborted) > 0 && c.aborted[0].FirstOffset <= c.batch.last() {
		if c.gone == nil {
			c.gone = map[int64]bool{}
		}
		c.gone[c.aborted[0].ProducerID] = true
		c.aborted = c.aborted[1:]
	}
	switch attributes := c.batch.attributes(); {
	case attributes&control != 0:
		delete(c.gone, c.batch.producer())
		return true
	default:
		return attributes&transactional != 0 && c.gone[c.batch.producer()]
	}
}

// finish ends the batch: what is wanted next comes after it.
func (c *cutter) finish() {
	c.next = max(c.next, c.batch.last()+1)
	c.drop()
}

// drop gives the memory of the batch back.
func (c *cutter) drop() {
	c.unpack.release(c.plain)
	c.left, c.body, c.plain, c.batch = 0, nil, nil, nil
}
