package kinesis

import (
	"crypto/md5"

	"google.golang.org/protobuf/encoding/protowire"
)

// The Kinesis Producer Library puts many user records into one record of the stream:
//
//	 0  F3 89 9A C2
//	 4  a protobuf message
//	-16 MD5 of the message
//
//	message AggregatedRecord {
//	  repeated string partition_key_table = 1;
//	  repeated string explicit_hash_key_table = 2;
//	  repeated Record records = 3;
//	}
//	message Record {
//	  required uint64 partition_key_index = 1;
//	  optional uint64 explicit_hash_key_index = 2;
//	  required bytes data = 3;
//	  repeated Tag tags = 4;  // not used by anybody
//	}
//
// (github.com/awslabs/amazon-kinesis-producer, aggregation-format.md). What begins like that and does not fit in all of it
// is a plain record whose data happens to begin so.
const (
	magic  = "\xf3\x89\x9a\xc2"
	digest = md5.Size
)

// A userRecord is one of an aggregated record. Its slices are the record's memory.
type userRecord struct {
	key  []byte
	hash []byte // the explicit hash key; nil: none
	data []byte
}

// An aggregate takes aggregated records apart. Its memory is used again.
type aggregate struct {
	keys, hashes [][]byte
	users        []userRecord
}

// looksAggregated says whether data begins like an aggregated record and is long enough to be one.
func looksAggregated(data []byte) bool {
	return len(data) >= len(magic)+digest && string(data[:len(magic)]) == magic
}

// content is the message of what looks like an aggregated record.
func content(data []byte) []byte { return data[len(magic) : len(data)-digest] }

// open gives the user records of a record that seals.check has seen, in order, or nil if it is a plain one. They are kept
// until the next call. An aggregated record has at least one.
func (a *aggregate) open(r *record) []userRecord {
	if !r.sealed {
		return nil
	}
	m := content(r.data)
	if !a.tables(m) || !a.records(m) || len(a.users) == 0 {
		return nil
	}
	return a.users
}

// fields calls field with each field of a message that holds bytes, and number with each that is a number.
func fields(message []byte, field func(protowire.Number, []byte), number func(protowire.Number, uint64)) bool {
	for len(message) > 0 {
		num, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return false
		}
		message = message[n:]
		switch kind {
		case protowire.BytesType:
			var v []byte
			if v, n = protowire.ConsumeBytes(message); n >= 0 {
				field(num, v)
			}
		case protowire.VarintType:
			var v uint64
			if v, n = protowire.ConsumeVarint(message); n >= 0 {
				number(num, v)
			}
		default:
			n = protowire.ConsumeFieldValue(num, kind, message)
		}
		if n < 0 {
			return false
		}
		message = message[n:]
	}
	return true
}

// tables reads the tables of keys: all of them, for nothing says that they come before the records.
func (a *aggregate) tables(message []byte) bool {
	a.keys, a.hashes = a.keys[:0], a.hashes[:0]
	return fields(message, func(num protowire.Number, v []byte) {
		switch num {
		case 1:
			a.keys = append(a.keys, v)
		case 2:
			a.hashes = append(a.hashes, v)
		}
	}, func(protowire.Number, uint64) {})
}

func (a *aggregate) records(message []byte) bool {
	a.users = a.users[:0]
	fits := true
	return fields(message, func(num protowire.Number, v []byte) {
		if num == 3 && fits {
			fits = a.record(v)
		}
	}, func(protowire.Number, uint64) {}) && fits
}

// record adds a user record, if it has what one must have.
func (a *aggregate) record(message []byte) bool {
	var u userRecord
	key, hash, hasHash := uint64(len(a.keys)), uint64(0), false
	ok := fields(message, func(num protowire.Number, v []byte) {
		if num == 3 {
			u.data = v[:len(v):len(v)]
		}
	}, func(num protowire.Number, v uint64) {
		switch num {
		case 1:
			key = v
		case 2:
			hash, hasHash = v, true
		}
	})
	if !ok || u.data == nil || key >= uint64(len(a.keys)) || hasHash && hash >= uint64(len(a.hashes)) {
		return false
	}
	u.key = a.keys[key]
	if hasHash {
		u.hash = a.hashes[hash]
	}
	a.users = append(a.users, u)
	return true
}
