package kinesistest

import (
	"encoding/json"
	"strings"
	"time"
)

// A request is what any operation is asked with.
type request struct {
	StreamName, StreamARN, ShardId, ShardIteratorType, StartingSequenceNumber string //nolint:revive // the protocol's names
	ShardIterator, NextToken, ExclusiveStartShardId                           string
	ShardToSplit, NewStartingHashKey, ShardToMerge, AdjacentShardToMerge      string
	ConsumerName, ConsumerARN, PartitionKey, ExplicitHashKey                  string
	Timestamp                                                                 float64
	Limit, MaxResults, ShardCount, TargetShardCount                           int
	Data                                                                      []byte
	Records                                                                   []entry
	StartingPosition                                                          struct {
		Type, SequenceNumber string
		Timestamp            float64
	}
}

type entry struct {
	Data                          []byte
	PartitionKey, ExplicitHashKey string
}

func (in *request) read(body []byte, cbor bool) error {
	if cbor {
		all, err := readCBOR(body)
		if err != nil {
			return refuse("SerializationException", "%v", err)
		}
		if body, err = json.Marshal(all); err != nil {
			return err
		}
	}
	if len(body) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, in); err != nil {
		return refuse("SerializationException", "%v", err)
	}
	return nil
}

// stream is the name of the request's stream.
func (in *request) stream() string {
	if in.StreamName != "" {
		return in.StreamName
	}
	arn := in.StreamARN
	if arn == "" {
		arn, _, _ = strings.Cut(in.ConsumerARN, "/consumer/")
	}
	return arn[strings.LastIndexByte(arn, '/')+1:]
}

// shard is the shard that the request is about, or "".
func (in *request) shard() string {
	if in.ShardIterator != "" {
		it, _ := parseIterator(in.ShardIterator)
		return it.Shard
	}
	return in.ShardId
}

// timeOf is the time of a number of seconds.
func timeOf(seconds float64) time.Time { return time.UnixMilli(int64(seconds*1000 + 0.5)) }
