package kinesistest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sort"
	"time"
)

// An iterator is a place in a shard.
type iterator struct {
	Stream  string
	Created int64 // of the stream, milliseconds
	Shard   string
	Next    int // number of the record
	Expired int // what Server.expired was
	Issued  int64
}

// iteratorLife is how long an iterator may be used.
const iteratorLife = 5 * time.Minute

// String is the iterator as the server gives it out.
func (it iterator) String() string {
	b, _ := json.Marshal(it)
	return base64.StdEncoding.EncodeToString(b)
}

func parseIterator(text string) (it iterator, err error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &it)
	}
	return it, err
}

func (v *Server) iterator(s *stream, sh *shard, next int) string {
	return iterator{s.name, s.created.UnixMilli(), sh.id, next, v.expired, v.now().UnixMilli()}.String()
}

func (v *Server) getIterator(in *request) (any, error) {
	s, err := v.find(in)
	if err != nil {
		return nil, err
	}
	sh := s.shard(in.ShardId)
	if sh == nil {
		return nil, refuse("ResourceNotFoundException", "Shard %s in stream %s under account 000000000000 does not exist", in.ShardId, s.name)
	}
	next, err := v.begin(sh, in.ShardIteratorType, in.StartingSequenceNumber, in.Timestamp)
	if err != nil {
		return nil, err
	}
	return object{"ShardIterator": v.iterator(s, sh, next)}, nil
}

// begin is the number of the record at which reading begins.
func (v *Server) begin(sh *shard, kind, seq string, at float64) (int, error) {
	switch kind {
	case "TRIM_HORIZON":
		return 0, nil
	case "LATEST":
		return len(sh.records), nil
	case "AT_TIMESTAMP":
		for i, r := range sh.records {
			if !r.at.Before(timeOf(at)) {
				return i, nil
			}
		}
		return len(sh.records), nil
	}
	if len(seq) != len(sh.first) || seq[:14] != sh.first[:14] || kind != "AT_SEQUENCE_NUMBER" && kind != "AFTER_SEQUENCE_NUMBER" {
		return 0, refuse("InvalidArgumentException", "StartingSequenceNumber %s used in GetShardIterator on shard %s is invalid because it did not come from this stream.", seq, sh.id)
	}
	return sort.Search(len(sh.records), func(i int) bool {
		return sh.records[i].seq > seq || kind == "AT_SEQUENCE_NUMBER" && sh.records[i].seq == seq
	}), nil
}

// The bounds of one answer.
const (
	mostRecords = 10_000
	mostBytes   = 10 << 20
)

// getRecords gives records from an iterator on.
func (v *Server) getRecords(in *request, f *Fault, cbor bool) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	it, err := parseIterator(in.ShardIterator)
	if err != nil {
		return nil, refuse("InvalidArgumentException", "Invalid ShardIterator.")
	}
	s := v.streams[it.Stream]
	if s == nil || s.created.UnixMilli() != it.Created {
		return nil, noStream(it.Stream)
	}
	if it.Expired != v.expired || v.now().Sub(time.UnixMilli(it.Issued)) > iteratorLife {
		return nil, refuse("ExpiredIteratorException", "Iterator expired.")
	}
	sh := s.shard(it.Shard)
	if v.Limits && !v.meter(sh.id).mayRead(v.latest) {
		v.refused++
		return nil, refuse("ProvisionedThroughputExceededException", "Rate exceeded for shard %s in stream %s under account 000000000000.", sh.id, s.name)
	}
	limit := in.Limit
	if limit <= 0 || limit > mostRecords {
		limit = mostRecords
	}
	batch := sh.take(it.Next, limit, f)
	if v.Limits {
		v.meter(sh.id).read(batch.bytes)
	}
	out := head{behind: v.behind(sh, batch.next)}
	if v.NeverBehind {
		out.behind = 0
	}
	if sh.last == "" || batch.next < len(sh.records) || v.LateEnd && len(batch.records) > 0 {
		out.next = v.iterator(s, sh, batch.next)
	} else {
		out.children = s.childList(sh.id)
	}
	if cbor {
		return out.cbor(batch.records), nil
	}
	return out.json(batch.records), nil
}

// A batch is the records of an answer.
type batch struct {
	records []record
	next    int
	bytes   int
}

// take gives the records from a number on; mu is held.
func (sh *shard) take(from, limit int, f *Fault) batch {
	to, size := from, 0
	for to < len(sh.records) && to-from < limit && (size == 0 || size+sh.records[to].data <= mostBytes) {
		size += sh.records[to].data
		to++
	}
	sh.asked = max(sh.asked, to)
	b := batch{records: sh.records[from:to:to], next: to, bytes: size}
	if f != nil && f.Back > 0 {
		b.records = sh.records[max(0, from-f.Back):to:to]
	}
	if f != nil && f.Reverse {
		var all []record
		for i := len(b.records) - 1; i >= 0; i-- {
			all = append(all, b.records[i])
		}
		b.records = all
	}
	return b
}

// behind is how much younger the newest record is than what was read; 0 if that is all.
func (v *Server) behind(sh *shard, next int) time.Duration {
	if next == len(sh.records) {
		return 0
	}
	return max(time.Millisecond, v.now().Sub(sh.records[next].at))
}

func (s *stream) childList(parent string) []object {
	all := []object{}
	for _, c := range s.children(parent) {
		all = append(all, object{"ShardId": c.id, "ParentShards": c.parents, "HashKeyRange": object{"StartingHashKey": c.low.String(), "EndingHashKey": c.high.String()}})
	}
	return all
}

// head is an answer without its records.
type head struct {
	behind      time.Duration
	next, after string
	children    []object
}

func (h head) json(records []record) []byte {
	size := 1000
	for _, r := range records {
		size += len(r.json) + 1
	}
	b := append(make([]byte, 0, size), `{"Records":[`...)
	for i, r := range records {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, r.json...)
	}
	b = fmt.Appendf(b, `],"MillisBehindLatest":%d`, h.behind.Milliseconds())
	if h.next != "" {
		b = fmt.Appendf(b, `,"NextShardIterator":%q`, h.next)
	}
	if h.after != "" {
		b = fmt.Appendf(b, `,"ContinuationSequenceNumber":%q`, h.after)
	}
	if len(h.children) > 0 {
		c, _ := json.Marshal(h.children)
		b = append(append(b, `,"ChildShards":`...), c...)
	}
	return append(b, '}')
}

func (h head) cbor(records []record) []byte {
	size := 1000
	for _, r := range records {
		size += len(r.cbor)
	}
	b := cborHead(cborText(append(make([]byte, 0, size), 0xbf), "Records"), 4, uint64(len(records)))
	for _, r := range records {
		b = append(b, r.cbor...)
	}
	b = cborHead(cborText(b, "MillisBehindLatest"), 0, uint64(h.behind.Milliseconds()))
	if len(h.children) > 0 {
		b = cborHead(cborText(b, "ChildShards"), 4, uint64(len(h.children)))
		for _, c := range h.children {
			b = cborText(cborHead(b, 5, 1), "ShardId", c["ShardId"].(string))
		}
	}
	if h.next != "" {
		b = cborText(b, "NextShardIterator", h.next)
	}
	return append(b, 0xff)
}
