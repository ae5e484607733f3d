package window

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// all yields the numbers of the set.
func (m marks) all(yield func(uint32) bool) {
	for i, word := range m {
		for ; word != 0; word &= word - 1 {
			if !yield(uint32(i*64 + bits.TrailingZeros64(word))) {
				return
			}
		}
	}
}

// walk implements keeper.
func (p *panes) walk(whole *[column.Slots]bool, visit func(slot int, it item)) {
	for i, x := range p.list {
		it := func(n uint32) item {
			if int(n) >= x.stored {
				return item{uint32(i), n, withValues}
			}
			return item{uint32(i), n, 0}
		}
		for n := range x.dirty.all {
			if slot := x.keys[n].Slot(); whole == nil || !whole[slot] {
				visit(slot, it(n))
			}
		}
		if whole == nil {
			continue
		}
		for n, k := range x.keys {
			if whole[k.Slot()] {
				visit(k.Slot(), item{uint32(i), uint32(n), withValues | inWhole})
			}
		}
	}
}

func (p *panes) settle() {
	for _, x := range p.list {
		x.stored = len(x.keys)
		clear(x.dirty)
	}
}

func (p *panes) entry(it item) (g *groups, row int, start, end engine.Time) {
	x := p.list[it.pane]
	return &x.groups, int(it.group), x.start, x.end
}

// run finds or makes the pane of a run.
func (p *panes) run(start, end engine.Time) (number uint32, err error) {
	if from, to := p.at(start); p.hop.pane > 0 && (from != start || to != end) { // a time zone's rules may change, these do not
		return 0, fmt.Errorf("state has a pane from %d to %d, which can't be", start, end)
	}
	i, found := place(p.list, start)
	if !found {
		if i < len(p.list) && p.list[i].start < end {
			return 0, errors.New("state has panes that overlap")
		}
		p.insert(i, start, end)
	}
	if x := p.list[i]; x.start != start || x.end != end {
		return 0, errors.New("state has panes that overlap")
	}
	return uint32(i), nil
}

func (p *panes) load(number uint32, _, _ engine.Time, k column.Key, _ bool) (g *groups, group uint32, isNew bool, err error) {
	x := p.list[number]
	place, n, found := x.find(x.keys, k)
	if !found {
		n = x.append(k, place)
		p.live[k.Slot()]++
	}
	return &x.groups, n, !found, nil
}

// walk implements keeper.
func (s *sessions) walk(whole *[column.Slots]bool, visit func(slot int, it item)) {
	for n := range s.dirty.all {
		slot := s.keys[n].Slot()
		if whole != nil && whole[slot] {
			continue
		}
		it := item{pane: none, group: n}
		if s.all[n].state&alone != 0 {
			it.flags = withValues | inWhole
		}
		visit(slot, it)
	}
	if whole == nil {
		return
	}
	for n := range s.all {
		if slot := s.keys[n].Slot(); s.all[n].state&living != 0 && whole[slot] {
			visit(slot, item{none, uint32(n), withValues | inWhole})
		}
	}
}

func (s *sessions) settle() {
	for n := range s.dirty.all {
		s.all[n].state = s.all[n].state&^alone | stored
	}
	clear(s.dirty)
}

func (s *sessions) entry(it item) (g *groups, row int, start, end engine.Time) {
	x := &s.all[it.group]
	return &s.groups, int(x.row), x.first, s.end(it.group)
}

func (s *sessions) run(start, end engine.Time) (number uint32, err error) {
	s.open()
	if d := end - start; d < engine.Time(s.gap) && end != engine.MaxTime || d < 0 {
		return 0, fmt.Errorf("state has a session from %d to %d, which is shorter than its gap", start, end)
	}
	return none, nil
}

// load finds the session that one of a run goes on with, or makes one in place of all that lie within it.
func (s *sessions) load(_ uint32, start, end engine.Time, k column.Key, whole bool) (g *groups, group uint32, isNew bool, err error) {
	last := plus(end, -s.gap)
	s.within(k, start, last)
	if !whole {
		if len(s.ended) != 1 {
			return nil, 0, false, fmt.Errorf("state has a session that goes on with %d others", len(s.ended))
		}
		n := s.ended[0]
		s.all[n].first, s.all[n].last = start, last
		return &s.groups, n, false, nil
	}
	for _, n := range s.ended {
		s.unchain(n)
		for _, x := range s.states {
			x.Clear(n)
		}
		s.all[n].state = 0 // its number is free when it comes up
		s.live[k.Slot()]--
		s.alive--
	}
	s.fit(s.keys, len(s.keys)+1)
	place, head, found := s.table.find(s.keys, k)
	s.fresh = s.fresh[:0]
	n := s.begin(k, start, 0)
	s.all[n].last = last
	if found {
		s.all[n].next, s.all[head].next = s.all[head].next, n+1
	} else {
		s.table.add(s.keys, place, n)
	}
	s.fresh = s.fresh[:0]
	return &s.groups, n, true, nil
}

// within lists in ended the sessions of a key whose rows are all between first and last.
func (s *sessions) within(k column.Key, first, last engine.Time) {
	s.ended = s.ended[:0]
	_, n, found := s.table.find(s.keys, k)
	for found && n != none {
		if x := &s.all[n]; x.first >= first && x.last <= last {
			s.ended = append(s.ended, n)
		}
		n = s.all[n].next - 1
	}
}
