package kinesistest

import (
	"crypto/md5"
	"fmt"
	"math/big"
	"slices"
	"sort"
	"time"
)

// A stream is a stream's shards, the closed ones too.
type stream struct {
	name      string
	created   time.Time
	stamp     int // in its sequence numbers, as in those of no other stream
	shards    []*shard
	consumers []*consumer
}

type shard struct {
	id      string
	number  int
	stamp   int      // of the stream
	parents []string // none, one, or the two that were merged
	first   string   // the sequence number at which it was opened
	last    string   // at which it was closed; "": it is open
	low     *big.Int // of the hash keys, both inclusive
	high    *big.Int
	records []record
	asked   int // how many records were read, at most
}

type record struct {
	seq  string
	at   time.Time
	data int    // bytes of it
	json []byte // the record as it stands in an answer
	cbor []byte
}

func (s *stream) shard(id string) *shard {
	for _, sh := range s.shards {
		if sh.id == id {
			return sh
		}
	}
	return nil
}

func (s *stream) open() (all []*shard) {
	for _, sh := range s.shards {
		if sh.last == "" {
			all = append(all, sh)
		}
	}
	slices.SortFunc(all, func(a, b *shard) int { return a.low.Cmp(b.low) })
	return all
}

func (s *stream) children(parent string) (all []*shard) {
	for _, sh := range s.shards {
		if slices.Contains(sh.parents, parent) {
			all = append(all, sh)
		}
	}
	return all
}

// hashKey is where a partition key lies.
func hashKey(key string) *big.Int {
	sum := md5.Sum([]byte(key))
	return new(big.Int).SetBytes(sum[:])
}

// of is the open shard of a hash key.
func (s *stream) of(hash *big.Int) *shard {
	for _, sh := range s.open() {
		if sh.low.Cmp(hash) <= 0 && hash.Cmp(sh.high) <= 0 {
			return sh
		}
	}
	return nil
}

// sequence is the next sequence number of a shard. mu is held.
func (v *Server) sequence(sh *shard) string {
	v.counter++
	return fmt.Sprintf("49%012d%032d%010d", sh.stamp, v.counter, sh.number)
}

// addShard opens a shard. mu is held.
func (v *Server) addShard(s *stream, low, high *big.Int, parents ...string) *shard {
	sh := &shard{id: fmt.Sprintf("shardId-%012d", len(s.shards)), number: len(s.shards), stamp: s.stamp, parents: parents, low: low, high: high}
	sh.first = v.sequence(sh)
	s.shards = append(s.shards, sh)
	return sh
}

// addStream makes a stream of shards of the same size. mu is held.
func (v *Server) addStream(name string, shards int) {
	v.stamp++
	s := &stream{name: name, stamp: v.stamp, created: v.now().Truncate(time.Millisecond).Add(time.Duration(v.stamp) * time.Millisecond)}
	space := new(big.Int).Lsh(big.NewInt(1), 128)
	for i := range shards {
		low := new(big.Int).Div(new(big.Int).Mul(space, big.NewInt(int64(i))), big.NewInt(int64(shards)))
		high := new(big.Int).Div(new(big.Int).Mul(space, big.NewInt(int64(i+1))), big.NewInt(int64(shards)))
		v.addShard(s, low, high.Sub(high, big.NewInt(1)))
	}
	v.streams[name] = s
}

// split closes a shard and opens two that begin at its lowest hash key and at middle. mu is held.
func (v *Server) split(s *stream, sh *shard, middle *big.Int) bool {
	if sh == nil || sh.last != "" || middle.Cmp(sh.low) <= 0 || middle.Cmp(sh.high) > 0 {
		return false
	}
	sh.last = v.sequence(sh)
	v.addShard(s, sh.low, new(big.Int).Sub(middle, big.NewInt(1)), sh.id)
	v.addShard(s, middle, sh.high, sh.id)
	return true
}

func (sh *shard) middle() *big.Int {
	m := new(big.Int).Add(sh.low, sh.high)
	return m.Rsh(m, 1).Add(m, big.NewInt(1))
}

// merge closes two shards that lie side by side and opens one. mu is held.
func (v *Server) merge(s *stream, a, b *shard) bool {
	if a == nil || b == nil || a.last != "" || b.last != "" {
		return false
	}
	if a.low.Cmp(b.low) > 0 {
		a, b = b, a
	}
	if new(big.Int).Add(a.high, big.NewInt(1)).Cmp(b.low) != 0 {
		return false
	}
	a.last, b.last = v.sequence(a), v.sequence(b)
	v.addShard(s, a.low, b.high, a.id, b.id)
	return true
}

// resize splits and merges until there are so many open shards. mu is held.
func (v *Server) resize(s *stream, shards int) {
	for {
		open := s.open()
		switch {
		case len(open) < shards:
			sort.SliceStable(open, func(i, k int) bool {
				return new(big.Int).Sub(open[i].high, open[i].low).Cmp(new(big.Int).Sub(open[k].high, open[k].low)) > 0
			})
			v.split(s, open[0], open[0].middle())
		case len(open) > shards:
			v.merge(s, open[0], open[1])
		default:
			return
		}
	}
}

// put adds a record to a shard. mu is held.
func (v *Server) put(sh *shard, key string, data []byte) string {
	r := record{seq: v.sequence(sh), at: v.now(), data: len(data)}
	r.json, r.cbor = encodeJSON(r, key, data), encodeCBOR(r, key, data)
	sh.records = append(sh.records, r)
	return r.seq
}
