package engine

import (
	"fmt"
	"sync"
	"sync/atomic"
)

// DefaultStateMemory is the default of Options.StateMemory.
const DefaultStateMemory = 2 << 30

// A scale knows what the state of all operators takes, against a budget.
type scale struct {
	limit  int64 // bytes
	weight atomic.Int64
	warned atomic.Bool
	full   struct {
		sync.Mutex
		err error
	}
}

// nearly is when to warn, of the budget.
func (s *scale) nearly() int64 { return s.limit / 10 * 9 }

// weigh looks at what the lane's state takes. Near the budget it warns, and when it is used up the task stops in good
// order: what was taken in is committed, and the next start with a larger budget goes on from there.
func (l *lane) weigh() {
	var now int64
	for _, s := range l.inst.stateful {
		if op, ok := s.op.(Sized); ok {
			now += op.StateBytes()
		}
	}
	if now == l.weight {
		return
	}
	s := &l.inst.task.scale
	all := s.weight.Add(now - l.weight)
	l.weight = now
	switch {
	case all >= s.limit:
		l.inst.task.overweight(fmt.Errorf("the state of the operators takes %d bytes, and the budget is %d: %s; "+
			"what was taken in is committed: give it more with state: {memory: …}, or let it hold less (a shorter within, smaller windows, fewer keys)", all, s.limit, l.heaviest()))
	case all >= s.nearly() && s.warned.CompareAndSwap(false, true):
		l.inst.task.log.Warn("the state of the operators is near its budget: at the budget the pipeline stops", "bytes", all, "budget", s.limit, "most", l.heaviest())
	case all < s.nearly()/10*9:
		s.warned.Store(false)
	}
}

// heaviest names the lane's operator with the most state, and its largest keys.
func (l *lane) heaviest() string {
	const keys = 3
	var most Sized
	id := ""
	for _, s := range l.inst.stateful {
		if op, ok := s.op.(Sized); ok && (most == nil || op.StateBytes() > most.StateBytes()) {
			most, id = op, s.id
		}
	}
	text := fmt.Sprintf("%s holds %d of them in one of its lanes", id, most.StateBytes())
	for i, k := range most.Largest(keys) {
		sep := ", "
		if i == 0 {
			sep = ", most of them for "
		}
		text += fmt.Sprintf("%s%s (%d)", sep, k.Key, k.Bytes)
	}
	return text
}

// overweight stops the task in good order, with an error.
func (t *Task) overweight(err error) {
	t.scale.full.Lock()
	defer t.scale.full.Unlock()
	if t.scale.full.err == nil {
		t.scale.full.err = err
		t.Stop()
	}
}

// overweightError is what overweight was told.
func (t *Task) overweightError() error {
	t.scale.full.Lock()
	defer t.scale.full.Unlock()
	return t.scale.full.err
}
