package kinesistest

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"time"
)

type object = map[string]any

// operations are those that have a small answer. They run with mu held.
func operations() map[string]func(*Server, *request) (any, error) {
	return map[string]func(*Server, *request) (any, error){
		"CreateStream": (*Server).createStream, "DeleteStream": (*Server).deleteStream, "ListStreams": (*Server).listStreams,
		"DescribeStreamSummary": (*Server).describe, "ListShards": (*Server).listShards, "GetShardIterator": (*Server).getIterator,
		"PutRecord": (*Server).putRecord, "PutRecords": (*Server).putRecords,
		"SplitShard": (*Server).splitShard, "MergeShards": (*Server).mergeShards, "UpdateShardCount": (*Server).updateCount,
		"RegisterStreamConsumer": (*Server).register, "DescribeStreamConsumer": (*Server).describeConsumer,
	}
}

func (v *Server) find(in *request) (*stream, error) {
	s := v.streams[in.stream()]
	if s == nil {
		return nil, noStream(in.stream())
	}
	return s, nil
}

func (v *Server) arn(name string) string {
	account := v.Account
	if account == "" {
		account = "000000000000"
	}
	return "arn:aws:kinesis:us-east-1:" + account + ":stream/" + name
}

func (v *Server) createStream(in *request) (any, error) {
	if v.streams[in.StreamName] != nil {
		return nil, refuse("ResourceInUseException", "Stream %s already exists.", in.StreamName)
	}
	v.addStream(in.StreamName, max(1, in.ShardCount))
	return nil, nil
}

func (v *Server) deleteStream(in *request) (any, error) {
	if _, err := v.find(in); err != nil {
		return nil, err
	}
	delete(v.streams, in.stream())
	return nil, nil
}

func (v *Server) listStreams(*request) (any, error) {
	return object{"StreamNames": slices.Sorted(maps.Keys(v.streams)), "HasMoreStreams": false}, nil
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func (v *Server) describe(in *request) (any, error) {
	s, err := v.find(in)
	if err != nil {
		return nil, err
	}
	return object{"StreamDescriptionSummary": object{
		"StreamName": s.name, "StreamARN": v.arn(s.name), "StreamStatus": "ACTIVE", "RetentionPeriodHours": 24,
		"StreamCreationTimestamp": seconds(s.created), "OpenShardCount": len(s.open()), "EnhancedMonitoring": []any{},
	}}, nil
}

func (v *Server) listShards(in *request) (any, error) {
	name, from := in.stream(), 0
	if in.NextToken != "" {
		if in.StreamName != "" {
			return nil, refuse("InvalidArgumentException", "NextToken and StreamName cannot be provided together.")
		}
		if _, err := fmt.Sscanf(in.NextToken, "%d/%s", &from, &name); err != nil {
			return nil, refuse("InvalidArgumentException", "NextToken: %v", err)
		}
	}
	s := v.streams[name]
	if s == nil {
		return nil, noStream(name)
	}
	to := len(s.shards)
	if v.PageShards > 0 {
		to = min(to, from+v.PageShards)
	}
	shards := []any{}
	for _, sh := range s.shards[from:to] {
		o := object{
			"ShardId": sh.id, "HashKeyRange": object{"StartingHashKey": sh.low.String(), "EndingHashKey": sh.high.String()},
			"SequenceNumberRange": object{"StartingSequenceNumber": sh.first},
		}
		if sh.last != "" {
			o["SequenceNumberRange"] = object{"StartingSequenceNumber": sh.first, "EndingSequenceNumber": sh.last}
		}
		for i, p := range sh.parents {
			o[[]string{"ParentShardId", "AdjacentParentShardId"}[i]] = p
		}
		shards = append(shards, o)
	}
	out := object{"Shards": shards}
	if to < len(s.shards) {
		out["NextToken"] = fmt.Sprintf("%d/%s", to, name)
	}
	return out, nil
}

// place is the shard that a record goes to.
func place(s *stream, key, explicit string) *shard {
	if h, ok := new(big.Int).SetString(explicit, 10); ok {
		return s.of(h)
	}
	return s.of(hashKey(key))
}

func (v *Server) putRecord(in *request) (any, error) {
	s, err := v.find(in)
	if err != nil {
		return nil, err
	}
	sh := place(s, in.PartitionKey, in.ExplicitHashKey)
	return object{"ShardId": sh.id, "SequenceNumber": v.put(sh, in.PartitionKey, in.Data)}, nil
}

func (v *Server) putRecords(in *request) (any, error) {
	s, err := v.find(in)
	if err != nil {
		return nil, err
	}
	all := []any{}
	for _, e := range in.Records {
		sh := place(s, e.PartitionKey, e.ExplicitHashKey)
		all = append(all, object{"ShardId": sh.id, "SequenceNumber": v.put(sh, e.PartitionKey, e.Data)})
	}
	return object{"FailedRecordCount": 0, "Records": all}, nil
}

func (v *Server) splitShard(in *request) (any, error) {
	s, err := v.find(in)
	if err != nil {
		return nil, err
	}
	middle, ok := new(big.Int).SetString(in.NewStartingHashKey, 10)
	if !ok || !v.split(s, s.shard(in.ShardToSplit), middle) {
		return nil, refuse("InvalidArgumentException", "shard %s can't be split at %s", in.ShardToSplit, in.NewStartingHashKey)
	}
	return nil, nil
}

func (v *Server) mergeShards(in *request) (any, error) {
	s, err := v.find(in)
	if err != nil {
		return nil, err
	}
	if !v.merge(s, s.shard(in.ShardToMerge), s.shard(in.AdjacentShardToMerge)) {
		return nil, refuse("InvalidArgumentException", "shards %s and %s can't be merged", in.ShardToMerge, in.AdjacentShardToMerge)
	}
	return nil, nil
}

func (v *Server) updateCount(in *request) (any, error) {
	s, err := v.find(in)
	if err != nil {
		return nil, err
	}
	before := len(s.open())
	v.resize(s, max(1, in.TargetShardCount))
	return object{"StreamName": s.name, "CurrentShardCount": before, "TargetShardCount": in.TargetShardCount}, nil
}
