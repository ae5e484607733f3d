package engine

import (
	"context"
	"time"
)

// endLook is how often to look whether the end is reached.
const endLook = 20 * time.Millisecond

// watchEnd stops the task when every partition has reached the end it had at the start.
func (t *Task) watchEnd(ctx context.Context) {
	look := time.NewTicker(endLook)
	defer look.Stop()
	for {
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
		if t.reachedEnd() {
			t.Stop()
			return
		}
	}
}

func (t *Task) reachedEnd() bool {
	t.mu.Lock()
	entries := t.entries
	t.mu.Unlock()
	for _, e := range entries {
		if e.place().Next < e.end {
			return false
		}
	}
	return true
}
