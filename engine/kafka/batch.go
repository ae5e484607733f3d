package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// A record batch as brokers store and send it (Kafka's documentation, "Record Batch"), integers big endian:
//
//	 0  int64  offset of the first record
//	 8  int32  length of what follows
//	12  int32  epoch of the leader
//	16  int8   magic: 2
//	17  uint32 CRC-32C of what follows
//	21  int16  attributes: bits 0–2 compression, 3 log append time, 4 transactional, 5 control
//	23  int32  offset of the last record − of the first
//	27  int64  timestamp that the records' are relative to, milliseconds
//	35  int64  largest timestamp
//	43  int64  id of the producer
//	51  int16  epoch of the producer
//	53  int32  sequence number of the first record
//	57  int32  number of records
//	61         the records, compressed as one
//
// What is older has magic 0 or 1 at the same place and is a single message, or one that holds compressed
// ones; its offset is that of the last.
type batch []byte

const (
	batchHead    = 61
	batchPrefix  = 12 // bytes of a batch before those that its length counts
	leastMessage = 14 // length of a message of magic 0 without key and value
)

const (
	compression   = 0x07
	logAppendTime = 0x08
	transactional = 0x10
	control       = 0x20
)

func (b batch) first() int64    { return int64(binary.BigEndian.Uint64(b)) }
func (b batch) magic() int8     { return int8(b[16]) }
func (b batch) crc() uint32     { return binary.BigEndian.Uint32(b[17:]) }
func (b batch) attributes() int { return int(binary.BigEndian.Uint16(b[21:])) }
func (b batch) baseTime() int64 { return int64(binary.BigEndian.Uint64(b[27:])) }
func (b batch) maxTime() int64  { return int64(binary.BigEndian.Uint64(b[35:])) }
func (b batch) producer() int64 { return int64(binary.BigEndian.Uint64(b[43:])) }
func (b batch) count() int32    { return int32(binary.BigEndian.Uint32(b[57:])) }
func (b batch) records() []byte { return b[batchHead:] }

// last is the offset of the last record, also where compaction took that away.
func (b batch) last() int64 {
	if b.magic() < 2 {
		return b.first()
	}
	return b.first() + int64(int32(binary.BigEndian.Uint32(b[23:])))
}

// nextBatch splits the first batch off. Without an error and a batch: what is left is the beginning of one.
func nextBatch(b []byte) (first batch, rest []byte, err error) {
	if len(b) <= 16 {
		return nil, b, nil
	}
	size, magic := int32(binary.BigEndian.Uint32(b[8:])), int8(b[16])
	switch {
	case magic < 0 || magic > 2:
		return nil, b, fmt.Errorf("its format is of magic %d", magic)
	case size < leastMessage, magic == 2 && size < batchHead-batchPrefix:
		return nil, b, fmt.Errorf("its length is %d", size)
	case int(size) > len(b)-batchPrefix:
		return nil, b, nil
	}
	n := batchPrefix + int(size)
	return batch(b[:n:n]), b[n:], nil
}

// check says what is wrong with a batch of magic 2.
func (b batch) check() error {
	if sum := crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)); sum != b.crc() {
		return fmt.Errorf("its checksum is %08x, that of its bytes %08x", b.crc(), sum)
	}
	if n := b.count(); n < 0 || b.last() < b.first() {
		return fmt.Errorf("it has %d records, the offsets %d to %d", n, b.first(), b.last())
	}
	return nil
}

// whole finds the whole batches at the start of b, which was fetched from an offset, and the offset after
// the last of them. The broker cuts off the last one where the size of the fetch ends.
func whole(b []byte, from int64) (batches []byte, next int64, err error) {
	next, rest := from, b
	for err == nil {
		var first batch
		if first, rest, err = nextBatch(rest); first == nil {
			break
		}
		next = max(next, first.last()+1)
	}
	batches = b[:len(b)-len(rest)]
	if err == nil && len(batches) > 0 && next == from {
		err = errors.New("what came instead lies before it")
	}
	return batches, next, damaged(next, err)
}

// A corrupt error says that no batch can be read at an offset.
type corrupt struct {
	offset int64
	cause  error
}

// damaged makes an error of what is wrong with the batch at an offset; nil stays nil.
func damaged(offset int64, cause error) error {
	if cause == nil {
		return nil
	}
	return &corrupt{offset, cause}
}

// Error says where.
func (c *corrupt) Error() string {
	return fmt.Sprintf("the batch at offset %d is damaged: %v", c.offset, c.cause)
}

// Unwrap gives the cause.
func (c *corrupt) Unwrap() error { return c.cause }
