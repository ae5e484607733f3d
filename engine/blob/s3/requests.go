package s3

import (
	"maps"
	"sync"
)

// requests counts what was asked of the server, each attempt for itself, since each is paid for.
type requests struct {
	mu sync.Mutex
	by map[string]int64
}

func (r *requests) add(op string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by == nil {
		r.by = map[string]int64{}
	}
	r.by[op]++
}

// Requests is the number of requests made since the store was opened, by the names of the API: PutObject,
// GetObject, ListObjectsV2, …
func (s *Store) Requests() map[string]int64 {
	s.requests.mu.Lock()
	defer s.requests.mu.Unlock()
	return maps.Clone(s.requests.by)
}
