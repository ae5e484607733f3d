package window

import (
	"slices"

	"github.com/millrace-io/millrace/engine"
)

// A pane is a span of event time and what came in it, by key.
type pane struct {
	start, end engine.Time
	groups
	rows   []int32 // of the batch at hand
	stored int     // groups that were saved or loaded: those with a lower number
	size   int64   // bytes, as last asked
}

// Panes are the store of windows that depend on event time alone. A row goes into one pane, be it in one window or in many:
// where windows overlap, the panes of one are merged when its result is asked for.
type panes struct {
	*operator
	spans
	hop grid // of spans, where windows may overlap

	list    []*pane // by time; they do not overlap
	free    []*pane // empty
	touched []*pane // by the batch at hand
	lists   [][]int32
	fresh   []int32
	numbers []uint32
	levels  []blocks
	pieces  []*pane
	sources []uint32 // 0, 1, 2, …
	merged  groups   // of a window
	slide   sliding
	sizes   int64 // bytes of all panes
}

// mostFree is how many empty panes are kept, with their memory, for those to come.
const mostFree = 2

func newPanes(o *operator, s spans) *panes {
	p := &panes{operator: o, spans: s}
	p.hop, _ = s.(grid)
	p.levels = p.hop.levels()
	return p
}

func (p *panes) put(in *intake) (taken int, err error) {
	taken = p.split(in)
	for _, x := range p.touched {
		if err == nil {
			err = p.add(x, in)
		}
		p.lists = append(p.lists, x.rows[:0])
		x.rows = nil
	}
	p.touched = p.touched[:0]
	return taken, err
}

// split says of each touched pane which rows are its own.
func (p *panes) split(in *intake) (taken int) {
	var x *pane
	at, rows := in.in.At, in.rows
	for i := 0; i < len(rows); {
		first := i
		if x != nil {
			for i < len(rows) && at[rows[i]] >= x.start && at[rows[i]] < x.end {
				i++
			}
			x.rows = append(x.rows, rows[first:i]...)
			taken += i - first
			if i == len(rows) {
				break
			}
		}
		if x = p.pane(at[rows[i]]); x == nil {
			in.late(rows[i], p.floor)
			i++
		} else if at[rows[i]] == engine.MaxTime { // no pane's end is behind it
			x.rows = append(x.rows, rows[i])
			taken++
			i++
		}
	}
	return taken
}

// pane gives the pane of an event time, which the batch touches now; nil: it has closed.
func (p *panes) pane(at engine.Time) *pane {
	at = min(at, engine.MaxTime-1)
	i, found := place(p.list, at)
	if !found {
		start, end := p.at(at)
		if end <= p.floor {
			return nil
		}
		p.insert(i, start, end)
	}
	x := p.list[i]
	if x.end <= p.floor {
		return nil
	}
	if x.rows == nil {
		p.touched = append(p.touched, x)
		x.rows = p.scratch()
	}
	return x
}

// scratch is an empty list that is not nil.
func (p *panes) scratch() []int32 {
	if n := len(p.lists); n > 0 {
		l := p.lists[n-1]
		p.lists = p.lists[:n-1]
		return l
	}
	return make([]int32, 0, 64)
}

// insert makes a pane. It leaves to its neighbours what is theirs: a time zone's rules may have changed since they were saved.
func (p *panes) insert(i int, start, end engine.Time) {
	if i > 0 {
		start = max(start, p.list[i-1].end)
	}
	if i < len(p.list) {
		end = min(end, p.list[i].start)
	}
	x := p.empty()
	x.start, x.end = start, end
	p.list = slices.Insert(p.list, i, x)
}

// empty is a pane without rows.
func (p *panes) empty() *pane {
	if n := len(p.free); n > 0 {
		x := p.free[n-1]
		p.free = p.free[:n-1]
		return x
	}
	return &pane{groups: p.newGroups()}
}

// add puts the pane's rows of the batch into its groups.
func (p *panes) add(x *pane, in *intake) error {
	if len(p.numbers) < len(x.rows) {
		p.numbers = make([]uint32, in.in.Rows)
	}
	numbers := p.numbers[:len(x.rows)]
	p.fresh = x.number(in.keys, x.rows, numbers, p.fresh[:0])
	for _, row := range p.fresh {
		p.live[in.keys[row].Slot()]++
	}
	if err := x.take(p.cols, p.fresh, in.in.Rows); err != nil {
		return err
	}
	in.add(&x.groups, x.rows, numbers)
	p.weigh(x)
	return nil
}

// weigh keeps account of the pane's memory.
func (p *panes) weigh(x *pane) {
	n := x.bytes()
	p.sizes += n - x.size
	x.size = n
}

func (p *panes) bytes() int64 { return p.sizes + p.merged.bytes() + p.slide.bytes() }

func (p *panes) close(upto engine.Time, give manner) error {
	if err := p.windows(upto, give); err != nil {
		return err
	}
	p.forget(upto)
	return nil
}

func (p *panes) held(give manner) error { return p.windows(engine.MaxTime, give) }

// windows gives the results of the windows that are held and end at or before upto.
func (p *panes) windows(upto engine.Time, give manner) error {
	if p.hop.hops() {
		return p.hopping(upto, give)
	}
	for _, x := range p.list {
		if x.end > upto {
			break
		}
		if err := p.window(&x.groups, nil, x.start, x.end, give); err != nil {
			return err
		}
	}
	return nil
}

// hopping is windows for those that overlap. It looks at no window without rows, however far time has come.
func (p *panes) hopping(upto engine.Time, give manner) error {
	start := engine.MinTime
	if p.gone != engine.MinTime {
		start = plus(engine.Time(floor(int64(plus(p.gone, -p.hop.size)), p.hop.every)), p.hop.every) // the first that ends behind gone
	}
	for i := 0; ; start = plus(start, p.hop.every) {
		for i < len(p.list) && p.list[i].end <= start {
			i++
		}
		if i == len(p.list) {
			return nil
		}
		start = max(start, p.hop.first(p.list[i].start))
		end := plus(start, p.hop.size)
		if end > upto {
			return nil
		}
		if p.slides(give) {
			if err := p.slideTo(start, end); err != nil {
				return err
			}
			if err := p.window(&p.slide.groups, p.slide.held, start, end, give); err != nil {
				return err
			}
		} else if err := p.merge(start, end, give); err != nil {
			return err
		}
		p.moved = p.moved || give != showing
	}
}

// merge gives the result of a window that has panes.
func (p *panes) merge(start, end engine.Time, give manner) error {
	if give != showing {
		p.unblock(start)
	}
	parts, err := p.parts(p.pieces[:0], start, end)
	if err != nil {
		return err
	}
	p.pieces = parts
	if len(parts) == 1 {
		return p.window(&parts[0].groups, nil, start, end, give)
	}
	if p.merged.values == nil && p.merged.states == nil {
		p.merged = p.newGroups()
	}
	p.merged.reset()
	for _, x := range parts {
		if err := p.include(&p.merged, &x.groups); err != nil {
			return err
		}
	}
	return p.window(&p.merged, nil, start, end, give)
}

// include merges groups into others, whose numbers are in p.numbers then.
func (p *panes) include(g, x *groups) error {
	n := len(x.keys)
	p.sequence(n)
	p.numbers = slices.Grow(p.numbers[:0], n)[:n]
	p.fresh = g.number(x.keys, p.upTo(n), p.numbers, p.fresh[:0])
	if err := g.take(x.values, p.fresh, n); err != nil {
		return err
	}
	for i, s := range g.states {
		s.Merge(x.states[i], p.sources[:n], p.numbers)
	}
	return nil
}

// sequence makes n sources.
func (p *panes) sequence(n int) {
	for len(p.sources) < n {
		p.sources = append(p.sources, uint32(len(p.sources)))
	}
}

// forget drops the panes whose last window ends at or before gone.
func (p *panes) forget(gone engine.Time) {
	n := 0
	for n < len(p.list) && p.lastEnd(p.list[n]) <= gone {
		p.drop(p.list[n])
		n++
	}
	p.list = slices.Delete(p.list, 0, n)
	if len(p.list) == 0 {
		p.unblock(engine.MaxTime)
		p.slide.empty(engine.MinTime)
	}
}

// lastEnd is the end of the last window that holds the pane.
func (p *panes) lastEnd(x *pane) engine.Time {
	if !p.hop.hops() {
		return x.end
	}
	return plus(p.hop.last(x.start), p.hop.size)
}

func (p *panes) drop(x *pane) {
	p.leave(x)
	for i, k := range x.keys {
		p.left(k.Slot(), i < x.stored)
	}
	p.recycle(x)
}

// recycle keeps a pane's memory for another, or not.
func (p *panes) recycle(x *pane) {
	if len(p.free) == mostFree {
		p.sizes -= x.size
		return
	}
	x.reset()
	x.stored = 0
	p.free = append(p.free, x)
	p.weigh(x)
}
