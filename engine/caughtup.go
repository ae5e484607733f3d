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
			t.ended.Store(t.opt.Final)
			t.Stop()
			return
		}
	}
}

func (t *Task) reachedEnd() bool {
	all := t.all()
	for _, e := range all {
		if !e.reachedEnd() {
			return false
		}
	}
	return len(t.all()) == len(all) // children may have joined meanwhile
}

// reachedEnd says whether the partition is where it ended when the run began. One that ended for good is there when its
// children have joined, which then count.
func (e *entry) reachedEnd() bool {
	state := e.place()
	if state.Ended {
		return e.released.Load()
	}
	if e.end != NoOffset {
		return state.Next >= e.end
	}
	c, ok := e.inst.task.ports.Sources[e.id.Source].(Chasing)
	return ok && c.CaughtUp(e.id.Partition)
}
