package kinesis

import (
	"bytes"
	"crypto/md5"
	"runtime"
	"sync"

	md5simd "github.com/minio/md5-simd"
)

// Each step of MD5 waits for the one before, so that a processor with wide registers computes eight of them in little more
// than the time of one. A library does that; what is here gives it the aggregated records of an answer eight at a time.
const (
	lanes     = 8
	laneBytes = 32 << 10 // of each message given at once: the size of the library's buffers
)

// A laneSet are the hashes that are computed beside each other.
type laneSet [lanes]md5simd.Hasher

// seals checks the MD5 that aggregated records end with. It is of all shards of a source; its memory is there from the
// first aggregated record on.
type seals struct {
	start  sync.Once
	server md5simd.Server
	free   chan *laneSet // as many as there are processors
}

// check says of each record whether it begins as an aggregated one and has the MD5 of what it holds.
func (s *seals) check(records []record) {
	var group [lanes]*record
	n := 0
	for i := range records {
		if !looksAggregated(records[i].data) {
			continue
		}
		group[n] = &records[i]
		if n++; n == lanes {
			s.together(group[:n])
			n = 0
		}
	}
	if n > 0 {
		s.together(group[:n])
	}
}

func (s *seals) together(records []*record) {
	s.start.Do(s.open)
	set := <-s.free
	defer func() { s.free <- set }()
	for i := range records {
		set[i].Reset()
	}
	for at, more := 0, true; more; at += laneBytes {
		more = false
		for i, r := range records {
			if m := content(r.data); at < len(m) {
				write(set[i], m[at:min(len(m), at+laneBytes)])
				more = true
			}
		}
	}
	var sum [md5.Size]byte
	for i, r := range records {
		r.sealed = bytes.HasSuffix(r.data, set[i].Sum(sum[:0]))
	}
}

func write(h md5simd.Hasher, b []byte) {
	if _, err := h.Write(b); err != nil {
		panic("kinesis: records are read after the source was closed: " + err.Error())
	}
}

func (s *seals) open() {
	s.server = md5simd.NewServer()
	s.free = make(chan *laneSet, runtime.GOMAXPROCS(0))
	for range cap(s.free) {
		var set laneSet
		for i := range set {
			set[i] = s.server.NewHash()
		}
		s.free <- &set
	}
}

// close ends the library's goroutine. Nothing is being checked any more.
func (s *seals) close() {
	if s.server == nil {
		return
	}
	for range cap(s.free) {
		for _, h := range <-s.free {
			h.Close()
		}
	}
	s.server.Close()
}
