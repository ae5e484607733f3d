package window

import (
	"sort"
	"time"

	"github.com/millrace-io/millrace/engine"
)

// Spans cut event time into panes, one behind the other.
type spans interface {
	// at gives the bounds of the pane that t, below engine.MaxTime, is in: start ≤ t < end. It depends on t alone.
	at(t engine.Time) (start, end engine.Time)
}

// A grid is panes of one size, aligned to time 0, of windows that begin every so long. Of windows that do not overlap
// every is size is pane. All are microseconds.
type grid struct{ pane, size, every int64 }

func newGrid(size, every time.Duration) grid {
	s, e := size.Microseconds(), every.Microseconds()
	return grid{gcd(s, e), s, e}
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func (g grid) at(t engine.Time) (start, end engine.Time) {
	start = engine.Time(floor(int64(t), g.pane))
	return start, plus(start, g.pane)
}

// hops says whether windows overlap.
func (g grid) hops() bool { return g.every < g.size }

// first is the start of the first window that holds the pane which begins at start, and last that of the last.
func (g grid) first(start engine.Time) engine.Time {
	return plus(engine.Time(floor(int64(plus(start, -g.size)), g.every)), g.every)
}

func (g grid) last(start engine.Time) engine.Time { return engine.Time(floor(int64(start), g.every)) }

// floor is the largest multiple of size that is at most t, or the least int64 if there is none.
func floor(t, size int64) int64 {
	r := t % size
	if r < 0 {
		r += size
	}
	if t < -1<<63+r {
		return -1 << 63
	}
	return t - r
}

// plus is t + us, held at the ends of event time.
func plus(t engine.Time, us int64) engine.Time {
	switch r := t + engine.Time(us); {
	case us > 0 && r < t:
		return engine.MaxTime
	case us < 0 && r > t:
		return engine.MinTime
	default:
		return r
	}
}

// everything is the one pane of all time.
type everything struct{}

func (everything) at(engine.Time) (start, end engine.Time) { return engine.MinTime, engine.MaxTime }

// place is where in panes, which ascend, the pane that holds t is, or where it would be.
func place(panes []*pane, t engine.Time) (i int, found bool) {
	i = sort.Search(len(panes), func(i int) bool { return panes[i].end > t })
	return i, i < len(panes) && panes[i].start <= t
}
