package window

import (
	"slices"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/aggregate"
)

// Where rows can be taken out of all aggregates again, as out of a count, windows that overlap are one that slides: the
// panes that come in are merged into it, and those that leave are taken out. A key in a pane costs two merges then, however
// many windows the pane is in. It is not saved; the first window after a start is merged from its panes.
type sliding struct {
	groups
	start, end engine.Time // all panes that are held between them are in it
	held       []uint32    // by group: how many panes have it
	unheld     int         // groups that no pane has
	live       []int32     // scratch
	numbers    []uint32
}

// slides says whether windows that leave are one that slides. Those that are shown before they close are not: rows may still
// come into their panes.
func (p *panes) slides(give manner) bool { return p.unmerges && give != showing }

// slideTo makes the sliding window that from start to end, of which no start is before that of the one before.
func (p *panes) slideTo(start, end engine.Time) error {
	w := &p.slide
	if w.values == nil && w.states == nil {
		w.groups = p.newGroups()
	}
	if start >= w.end || start < w.start {
		w.empty(start)
	}
	i, _ := place(p.list, w.start)
	for ; i < len(p.list) && p.list[i].start < start; i++ {
		p.takeOut(p.list[i])
	}
	i, _ = place(p.list, w.end)
	for ; i < len(p.list) && p.list[i].end <= end; i++ {
		if err := p.include(&w.groups, &p.list[i].groups); err != nil {
			return err
		}
		w.hold(p.numbers)
	}
	w.start, w.end = start, end
	if w.unheld > max(len(w.keys)/2, fewest) {
		return p.compact()
	}
	return nil
}

// fewest is how many groups may stay that no pane has.
const fewest = 64

// empty makes the window one without groups that begins and ends at t.
func (w *sliding) empty(t engine.Time) {
	w.groups.reset()
	w.held, w.unheld = w.held[:0], 0
	w.start, w.end = t, t
}

// hold notes that one more pane has the groups.
func (w *sliding) hold(groups []uint32) {
	for n := len(w.keys); len(w.held) < n; w.unheld++ {
		w.held = append(w.held, 0)
	}
	for _, g := range groups {
		if w.held[g]++; w.held[g] == 1 {
			w.unheld--
		}
	}
}

// takeOut takes a pane out of the sliding window.
func (p *panes) takeOut(x *pane) {
	w := &p.slide
	n := len(x.keys)
	p.sequence(n)
	p.numbers = slices.Grow(p.numbers[:0], n)[:n]
	w.known(x.keys, p.upTo(n), p.numbers)
	for i, s := range w.states {
		s.(aggregate.Unmerger).Unmerge(x.states[i], p.sources[:n], p.numbers)
	}
	for _, g := range p.numbers {
		if w.held[g]--; w.held[g] == 0 {
			w.unheld++
		}
	}
}

// leave takes a pane that is dropped out of the sliding window, if it is in it.
func (p *panes) leave(x *pane) {
	if w := &p.slide; x.start >= w.start && x.end <= w.end {
		p.takeOut(x)
		w.start = x.end
	}
}

// compact leaves out the groups that no pane has.
func (p *panes) compact() error {
	w, to := &p.slide, &p.merged
	if to.values == nil && to.states == nil {
		*to = p.newGroups()
	}
	to.reset()
	w.live, w.numbers = w.live[:0], w.numbers[:0]
	for g, n := range w.held {
		if n > 0 {
			w.live, w.numbers = append(w.live, int32(g)), append(w.numbers, uint32(g))
		}
	}
	n := len(w.live)
	p.numbers = slices.Grow(p.numbers[:0], n)[:n]
	p.fresh = to.number(w.keys, w.live, p.numbers, p.fresh[:0])
	if err := to.take(w.values, p.fresh, len(w.keys)); err != nil {
		return err
	}
	for i, s := range to.states {
		s.Merge(w.states[i], w.numbers, p.numbers)
	}
	for i, g := range w.numbers { // they ascend, and so do the new numbers
		w.held[i] = w.held[g]
	}
	w.held, w.unheld = w.held[:n], 0
	w.groups, *to = *to, w.groups
	return nil
}

func (w *sliding) bytes() int64 {
	return w.groups.bytes() + int64(cap(w.held)+cap(w.numbers)+cap(w.live))*4
}
