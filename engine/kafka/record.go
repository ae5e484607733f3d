package kafka

import (
	"encoding/binary"
	"fmt"

	"github.com/millrace-io/millrace/engine"
)

// records puts records of the batch into the frame until the frame is full or the batch ends.
//
// A record is (Kafka's documentation, "Record"; integers are zigzag varints): length of what follows, int8
// attributes, timestamp and offset relative to the batch's, length of key, key, length of value, value,
// number of headers, and of each length of name, name, length of value, value. A length of −1 is null.
func (c *cutter) records(frame engine.Frame) (engine.Frame, error) {
	at, delta := c.batch.baseTime(), int64(1)
	if c.batch.attributes()&logAppendTime != 0 {
		at, delta = c.batch.maxTime(), 0
	}
	base := c.batch.first()
	for c.left > 0 && len(frame) < frameSize {
		b, p := field(c.body, 0)
		if p > len(c.body) || len(b) < 1 {
			return frame, fmt.Errorf("%d of its %d records are missing", c.left, c.batch.count())
		}
		c.body = c.body[p:]
		c.left--
		since, p := varint(b, 1)
		after, p := varint(b, p)
		r := engine.Record{Offset: engine.Offset(base + after), At: timeOf(at + since*delta)}
		r.Key, p = field(b, p)
		r.Value, p = field(b, p)
		if p < len(b) && b[p] != 0 {
			r.Headers, p = c.headers(b, p)
		} else {
			p++
		}
		if p > len(b) {
			return frame, fmt.Errorf("the record at offset %d ends too early", r.Offset)
		}
		if int64(r.Offset) < c.next {
			continue
		}
		frame = frame.AppendRecord(r)
		c.next = int64(r.Offset) + 1
		c.after = c.next
	}
	if c.left == 0 {
		c.finish()
	}
	return frame, nil
}

// timeOf is the event time of a timestamp in milliseconds since 1970; a nonsensical one is held near the ends
// of event time.
func timeOf(ms int64) engine.Time {
	const most = int64(engine.MaxTime) / 1000
	return engine.Time(1000 * min(most, max(-most, ms)))
}

// headers reads headers from p on, in the frame's format, into memory that the next call uses again.
func (c *cutter) headers(b []byte, p int) ([]byte, int) {
	n, p := varint(b, p)
	c.header = c.header[:0]
	for ; n > 0 && p < len(b); n-- {
		var name, value []byte
		name, p = field(b, p)
		value, p = field(b, p)
		c.header = engine.AppendHeader(c.header, name, value)
	}
	if n != 0 {
		return nil, beyond
	}
	return c.header, p
}

// beyond is a place after the end of all bytes: of what follows something that could not be read.
const beyond = 1 << 62

// varint reads a zigzag varint at p and gives the place after it.
func varint(b []byte, p int) (int64, int) {
	if p < len(b) && b[p] < 0x80 {
		return int64(b[p]>>1) ^ -int64(b[p]&1), p + 1
	}
	return longVarint(b, p)
}

func longVarint(b []byte, p int) (int64, int) {
	if p >= len(b) {
		return 0, beyond
	}
	if q := p + 1; q < len(b) && b[q] < 0x80 {
		u := uint64(b[p]&0x7f) | uint64(b[q])<<7
		return int64(u>>1) ^ -int64(u&1), p + 2
	}
	v, n := binary.Varint(b[p:])
	if n <= 0 {
		return 0, beyond
	}
	return v, p + n
}

// field reads a length at p and as many bytes, nil for a length below 0, and gives the place after them.
func field(b []byte, p int) ([]byte, int) {
	n, p := varint(b, p)
	switch {
	case p > len(b):
		return nil, beyond
	case n < 0:
		return nil, p
	case n > int64(len(b)-p):
		return nil, beyond
	}
	end := p + int(n)
	return b[p:end:end], end
}
