package engine

import (
	"context"
	"fmt"
	"time"
)

const (
	endLook  = 20 * time.Millisecond  // how often to look whether the end is reached
	endProbe = 250 * time.Millisecond // how long a partition is quiet before the source is asked whether anything is left
)

// watchEnd stops the task when every partition has reached the end it had at the start.
func (t *Task) watchEnd(ctx context.Context) {
	look := time.NewTicker(endLook)
	defer look.Stop()
	quiet := map[PartitionID]quietness{}
	for {
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
		t.mu.Lock()
		entries := t.entries
		t.mu.Unlock()
		left := 0
		for _, e := range entries {
			done, err := t.reachedEnd(ctx, e, quiet)
			if err != nil {
				t.fail(err)
				return
			}
			if !done {
				left++
			}
		}
		if left == 0 {
			t.Stop()
			return
		}
	}
}

// quietness is since when a partition has been at one place.
type quietness struct {
	next  Offset
	since time.Time
	done  bool
}

func (t *Task) reachedEnd(ctx context.Context, e *entry, quiet map[PartitionID]quietness) (bool, error) {
	next := e.place().Next
	q := quiet[e.id]
	switch {
	case next >= e.end || q.done:
		return true, nil
	case q.since.IsZero() || q.next != next:
		quiet[e.id] = quietness{next: next, since: time.Now()}
		return false, nil
	case time.Since(q.since) < endProbe:
		return false, nil
	}
	drained, err := t.ports.Sources[e.id.Source].Drained(ctx, e.id.Partition, next, e.end)
	if err != nil {
		if ctx.Err() != nil {
			return false, nil
		}
		return false, fmt.Errorf("source %s, partition %s: look for what is left before offset %d: %w", e.id.Source, e.id.Partition, e.end, err)
	}
	quiet[e.id] = quietness{next: next, since: time.Now(), done: drained}
	return drained, nil
}
