package kinesistest

import (
	"fmt"
	"math/big"
)

// CreateStream makes a stream of shards of the same size.
func (v *Server) CreateStream(name string, shards int) {
	v.must(v.change(func() error { v.addStream(name, shards); return nil }))
}

// DeleteStream drops a stream.
func (v *Server) DeleteStream(name string) {
	v.must(v.change(func() error { delete(v.streams, name); return nil }))
}

// Put adds records of one partition key to a shard, whatever the key's hash is.
func (v *Server) Put(stream, shard, key string, data ...[]byte) {
	v.must(v.change(func() error {
		sh, err := v.at(stream, shard)
		if err != nil {
			return err
		}
		if sh.last != "" {
			return fmt.Errorf("shard %s is closed", shard)
		}
		for _, d := range data {
			v.put(sh, key, d)
		}
		return nil
	}))
}

// Split closes a shard and opens two in its place.
func (v *Server) Split(stream, shard string) (children []string) {
	v.must(v.change(func() error {
		sh, err := v.at(stream, shard)
		if err == nil && !v.split(v.streams[stream], sh, sh.middle()) {
			err = fmt.Errorf("shard %s can't be split", shard)
		}
		return err
	}))
	return v.childrenOf(stream, shard)
}

// Merge closes two shards that lie side by side and opens one in their place.
func (v *Server) Merge(stream, a, b string) (child string) {
	v.must(v.change(func() error {
		sh, err := v.at(stream, a)
		if err == nil && !v.merge(v.streams[stream], sh, v.streams[stream].shard(b)) {
			err = fmt.Errorf("shards %s and %s can't be merged", a, b)
		}
		return err
	}))
	return v.childrenOf(stream, a)[0]
}

// Add opens a shard that has no parents and that no key leads to, which a real stream never does.
func (v *Server) Add(stream string) (shard string) {
	v.must(v.change(func() error {
		nowhere := new(big.Int).Lsh(big.NewInt(1), 130)
		shard = v.addShard(v.streams[stream], nowhere, nowhere).id
		return nil
	}))
	return shard
}

// Expire makes all iterators useless that were given so far.
func (v *Server) Expire() { v.must(v.change(func() error { v.expired++; return nil })) }

// Down has every request hung up on, and every subscription broken, until it is called with false.
func (v *Server) Down(down bool) { v.must(v.change(func() error { v.down = down; return nil })) }

// Asked is how many records of a shard were read.
func (v *Server) Asked(stream, shard string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	sh, err := v.at(stream, shard)
	v.must(err)
	return sh.asked
}

// Calls counts an operation; with a shard only those for it.
func (v *Server) Calls(op, shard string) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	if shard != "" {
		op += " " + shard
	}
	return v.calls[op]
}

// Refused is how many reads Limits did not allow.
func (v *Server) Refused() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.refused
}

// Key is the access key that the last request was signed with.
func (v *Server) Key() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.key
}

// Sequences is the sequence numbers of a shard's records.
func (v *Server) Sequences(stream, shard string) (all []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	sh, err := v.at(stream, shard)
	v.must(err)
	for _, r := range sh.records {
		all = append(all, r.seq)
	}
	return all
}

func (v *Server) childrenOf(stream, shard string) (all []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range v.streams[stream].children(shard) {
		all = append(all, c.id)
	}
	return all
}

func (v *Server) at(stream, id string) (*shard, error) {
	s := v.streams[stream]
	if s == nil {
		return nil, noStream(stream)
	}
	if sh := s.shard(id); sh != nil {
		return sh, nil
	}
	return nil, fmt.Errorf("stream %s has no shard %s", stream, id)
}

// must ends a test that orders what can't be.
func (v *Server) must(err error) {
	if err != nil {
		panic("kinesistest: " + err.Error())
	}
}

// Ensure makes a stream of so many shards if there is none of this name.
func (v *Server) Ensure(name string, shards int) {
	v.must(v.change(func() error {
		if v.streams[name] == nil {
			v.addStream(name, shards)
		}
		return nil
	}))
}
