package window

import (
	"slices"

	"github.com/millrace-io/millrace/engine"
)

// A block is several panes merged, which windows that overlap have in common: a window of 60 panes is merged from some 14
// parts instead of 60. Blocks of one level are as long as fanout of the level below and aligned to time 0; those of level 0
// are the panes. They are made when a window needs them, of panes that no row comes into any more, and go when no window
// begins at or before them. They are not saved.
const (
	fanout     = 8
	leanBytes  = 256 // a group of more is not copied into blocks: to merge it again costs less than to hold it twice
	mostLevels = 8
)

// blocks are those of one level, by time.
type blocks struct {
	size int64 // of each, microseconds
	list []*pane
}

// levels are those that a window has two blocks of at least.
func (g grid) levels() (all []blocks) {
	for size := g.pane * fanout; size <= g.size/2 && len(all) < mostLevels; size *= fanout {
		all = append(all, blocks{size: size})
	}
	return all
}

// parts appends what the window from start to end is merged from: panes and blocks, of which each pane is in one.
func (p *panes) parts(all []*pane, start, end engine.Time) ([]*pane, error) {
	i, _ := place(p.list, start)
	for i < len(p.list) && p.list[i].end <= end {
		n, level := 1, 0
		for l := len(p.levels); l > 0 && n == 1; l-- {
			n, level = p.within(i, l, start, end), l
		}
		if n == 1 {
			all = append(all, p.list[i])
			i++
			continue
		}
		b, err := p.block(p.list[i:i+n], level)
		if err != nil {
			return nil, err
		}
		all = append(all, b)
		i += n
	}
	return all, nil
}

// within says how many panes, from i on, are in the block of a level of which pane i is the first, if the block may stand for
// them in a window; else 1. A block whose first pane is too fat for it is none for those behind it either: it would lack that pane.
func (p *panes) within(i, level int, start, end engine.Time) int {
	from := engine.Time(floor(int64(p.list[i].start), p.levels[level-1].size))
	to := plus(from, p.levels[level-1].size)
	if i > 0 && p.list[i-1].start >= from {
		return 1
	}
	if x := p.list[i]; from < start || to > end || to > p.floor || x.size > leanBytes*int64(max(len(x.keys), 64)) {
		return 1
	}
	n := i
	for n < len(p.list) && p.list[n].end <= to {
		n++
	}
	return n - i
}

// block gives the block of a level, one at least, that list is the panes of. It makes it if it is not there.
func (p *panes) block(list []*pane, level int) (*pane, error) {
	l := &p.levels[level-1]
	at, found := place(l.list, list[0].start)
	if found {
		return l.list[at], nil
	}
	start := engine.Time(floor(int64(list[0].start), l.size))
	b := p.empty()
	b.start, b.end = start, plus(start, l.size)
	for len(list) > 0 {
		part, n := list[0], 1
		if level > 1 {
			to := plus(engine.Time(floor(int64(part.start), l.size/fanout)), l.size/fanout)
			for n < len(list) && list[n].end <= to {
				n++
			}
			if n > 1 {
				var err error
				if part, err = p.block(list[:n], level-1); err != nil {
					return nil, err
				}
			}
		}
		if err := p.include(&b.groups, &part.groups); err != nil {
			return nil, err
		}
		list = list[n:]
	}
	l.list = slices.Insert(l.list, at, b)
	p.weigh(b)
	return b, nil
}

// unblock drops the blocks that begin before start.
func (p *panes) unblock(start engine.Time) {
	for i := range p.levels {
		l := &p.levels[i]
		n := 0
		for n < len(l.list) && l.list[n].start < start {
			p.recycle(l.list[n])
			n++
		}
		l.list = slices.Delete(l.list, 0, n)
	}
}
