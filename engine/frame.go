package engine

import (
	"encoding/binary"
	"fmt"
)

// A Frame is the unit of routing: many records of one partition, in order, as one run of bytes, so that
// it travels as one message. Layout of a record, integers little endian:
//
//	 0  int64  offset
//	 8  int64  timestamp, microseconds since 1970 UTC
//	16  int32  length of key, -1: no key
//	20  int32  length of headers
//	24  int32  length of value, -1: no value (a tombstone)
//	28  key, headers, value
//
// Headers are pairs, each an int32 length and a name, an int32 length (-1: null) and a value.
//
// The format never reaches a disk; both ends are in one process.
type Frame []byte

const recordHeader = 28

// A Record is one record of a frame. Its slices are lent: they are the frame's.
type Record struct {
	Offset  Offset
	At      Time   // the source's own timestamp
	Key     []byte // nil: none
	Headers []byte // as in the frame; see Frame
	Value   []byte // nil: a tombstone
}

// AppendRecord adds a record to the frame. Nil slices are kept apart from empty ones.
func (f Frame) AppendRecord(r Record) Frame {
	f = binary.LittleEndian.AppendUint64(f, uint64(r.Offset))
	f = binary.LittleEndian.AppendUint64(f, uint64(r.At))
	f = binary.LittleEndian.AppendUint32(f, lengthOrNil(r.Key))
	f = binary.LittleEndian.AppendUint32(f, uint32(len(r.Headers)))
	f = binary.LittleEndian.AppendUint32(f, lengthOrNil(r.Value))
	f = append(f, r.Key...)
	f = append(f, r.Headers...)
	return append(f, r.Value...)
}

// AppendHeader adds a name and value to a Record's Headers.
func AppendHeader(headers []byte, name, value []byte) []byte {
	headers = binary.LittleEndian.AppendUint32(headers, uint32(len(name)))
	headers = append(headers, name...)
	headers = binary.LittleEndian.AppendUint32(headers, lengthOrNil(value))
	return append(headers, value...)
}

func lengthOrNil(b []byte) uint32 {
	if b == nil {
		return 0xffffffff
	}
	return uint32(len(b))
}

// Next gives the first record of the frame and the rest. ok is false at the end. It panics on bytes that
// AppendRecord did not write.
func (f Frame) Next() (r Record, rest Frame, ok bool) {
	if len(f) == 0 {
		return Record{}, nil, false
	}
	if len(f) < recordHeader {
		panic(fmt.Sprintf("engine: a frame ends %d bytes into a record", len(f)))
	}
	r.Offset = Offset(binary.LittleEndian.Uint64(f))
	r.At = Time(binary.LittleEndian.Uint64(f[8:]))
	key, headers, value := int32(binary.LittleEndian.Uint32(f[16:])), int(binary.LittleEndian.Uint32(f[20:])), int32(binary.LittleEndian.Uint32(f[24:]))
	p := recordHeader
	if key >= 0 {
		r.Key = f[p : p+int(key) : p+int(key)]
		p += int(key)
	}
	r.Headers = f[p : p+headers : p+headers]
	p += headers
	if value >= 0 {
		r.Value = f[p : p+int(value) : p+int(value)]
		p += int(value)
	}
	return r, f[p:], true
}

// EachHeader calls yield with each of a record's headers; value is nil where it is null.
func EachHeader(headers []byte, yield func(name, value []byte)) {
	for len(headers) > 0 {
		n := int(binary.LittleEndian.Uint32(headers))
		name := headers[4 : 4+n]
		headers = headers[4+n:]
		v := int32(binary.LittleEndian.Uint32(headers))
		headers = headers[4:]
		if v < 0 {
			yield(name, nil)
			continue
		}
		yield(name, headers[:v])
		headers = headers[v:]
	}
}
