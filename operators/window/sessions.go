package window

import (
	"cmp"
	"slices"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// Sessions are the store of windows that end by silence. A group is a session here; the table finds the first of those of a
// key, which are in a chain. Two that a row joins are merged.
type sessions struct {
	*operator
	groups
	gap int64 // microseconds

	all     []session // by group
	due     dues      // one for each session, and for each that was merged until it comes up
	free    []uint32  // groups
	alive   int
	joined  []joined // by the batch at hand
	ended   []uint32
	fresh   []int32
	numbers []uint32
	src     []uint32
	dst     []uint32
}

// A session is the window from first to last + gap.
type session struct {
	first, last engine.Time // of its rows
	next        uint32      // another session of the key + 1; 0: none
	row         uint32      // of values
	state       uint8       // what follows
}

const (
	living uint8 = 1 << iota // it is a session; else one that was merged and is due, or none
	stored                   // it was saved, or a session was that is a part of it now
	alone                    // it is not to be loaded on top of what was saved: it was merged, or was never saved
)

// joined is two sessions that a row has joined.
type joined struct{ from, to uint32 }

func newSessions(o *operator, gap time.Duration) *sessions {
	return &sessions{operator: o, gap: gap.Microseconds()}
}

func (s *sessions) end(n uint32) engine.Time { return plus(s.all[n].last, s.gap) }

// open makes the groups' states, which New could not: it does not know the aggregates yet.
func (s *sessions) open() {
	if s.groups.values == nil && s.groups.states == nil {
		s.groups = s.newGroups()
	}
}

func (s *sessions) put(in *intake) (taken int, err error) {
	s.open()
	rows := s.timely(in)
	s.numbers = slices.Grow(s.numbers[:0], len(rows))[:len(rows)]
	s.fresh, s.joined = s.fresh[:0], s.joined[:0]
	s.fit(s.keys, len(s.keys)+len(rows))
	for i := 0; i < len(rows); i += ahead {
		run := rows[i:min(i+ahead, len(rows))]
		s.warm(in.keys, run)
		for j, row := range run {
			s.numbers[i+j] = s.find(in.keys[row], in.in.At[row], row)
		}
	}
	if err := s.take(s.cols, s.fresh, in.in.Rows); err != nil {
		return 0, err
	}
	s.room(len(s.keys))
	if len(s.joined) > 0 {
		s.resolve(s.numbers)
	}
	in.add(&s.groups, rows, s.numbers)
	s.merge()
	return len(rows), nil
}

// timely is the rows that are not late.
func (s *sessions) timely(in *intake) []int32 {
	at, floor := in.in.At, s.floor
	if !slices.ContainsFunc(in.rows, func(row int32) bool { return at[row] < floor }) {
		return in.rows
	}
	var rows []int32
	for _, row := range in.rows {
		if at[row] < floor {
			in.late(row, floor)
			continue
		}
		rows = append(rows, row)
	}
	return rows
}

// find gives the session of a row, which it makes where there is none, and merges two that the row joins.
func (s *sessions) find(k column.Key, at engine.Time, row int32) uint32 {
	place, head, found := s.table.find(s.keys, k)
	if !found {
		n := s.begin(k, at, row)
		s.table.add(s.keys, place, n)
		return n
	}
	from, to := plus(at, -s.gap), plus(at, s.gap)
	hit, prev := none, none
	for n := head; n != none; {
		x := &s.all[n]
		next := x.next - 1
		switch {
		case x.last <= from || x.first >= to:
			prev = n
		case hit == none:
			hit, prev = n, n
			x.first, x.last = min(x.first, at), max(x.last, at)
		default:
			s.all[prev].next = x.next
			s.join(n, hit)
		}
		n = next
	}
	if hit == none {
		hit = s.begin(k, at, row)
		s.all[hit].next, s.all[head].next = s.all[head].next, hit+1
	}
	s.dirty.add(hit)
	return hit
}

// none is no group.
const none = ^uint32(0)

// begin makes a session of one row.
func (s *sessions) begin(k column.Key, at engine.Time, row int32) uint32 {
	var n uint32
	if i := len(s.free); i > 0 {
		n = s.free[i-1]
		s.free = s.free[:i-1]
	} else {
		n = uint32(len(s.keys))
		s.keys, s.all = append(s.keys, k), append(s.all, session{})
		s.dirty.room(len(s.keys))
	}
	s.keys[n] = k
	s.all[n] = session{first: at, last: at, row: uint32(s.rowCount() + len(s.fresh)), state: living | alone}
	s.fresh = append(s.fresh, row)
	s.dirty.add(n)
	s.due.push(due{s.end(n), n})
	s.alive++
	s.live[k.Slot()]++
	return n
}

// join notes that the rows of from are those of to now. What is in the states moves when the batch's rows are in.
func (s *sessions) join(from, to uint32) {
	x, y := &s.all[from], &s.all[to]
	y.first, y.last = min(x.first, y.first), max(x.last, y.last)
	y.state |= alone | x.state&stored
	x.state &^= living
	s.dirty.drop(from)
	s.joined = append(s.joined, joined{from, to})
	s.alive--
	s.live[s.keys[from].Slot()]--
}

// resolve replaces sessions that were merged by those that have their rows now.
func (s *sessions) resolve(numbers []uint32) {
	// from of each joined does not come again as to: it is in no chain any more. So the last ones are final.
	to := make(map[uint32]uint32, len(s.joined))
	for i := len(s.joined) - 1; i >= 0; i-- {
		j := &s.joined[i]
		if final, ok := to[j.to]; ok {
			j.to = final
		}
		to[j.from] = j.to
	}
	for i, n := range numbers {
		if final, ok := to[n]; ok {
			numbers[i] = final
		}
	}
}

// merge moves the states of sessions that were merged.
func (s *sessions) merge() {
	s.src, s.dst = s.src[:0], s.dst[:0]
	for _, j := range s.joined {
		s.src, s.dst = append(s.src, j.from), append(s.dst, j.to)
	}
	for _, x := range s.states {
		x.Merge(x, s.src, s.dst)
		for _, n := range s.src {
			x.Clear(n)
		}
	}
}

func (s *sessions) close(upto engine.Time, give manner) error {
	s.open()
	s.over(upto)
	if err := s.show(s.ended, give); err != nil {
		return err
	}
	s.drop()
	return nil
}

func (s *sessions) forget(gone engine.Time) {
	s.open()
	s.over(gone)
	s.drop()
}

// over finds the sessions that ended at or before upto. It looks at none twice in a gap of event time.
func (s *sessions) over(upto engine.Time) {
	s.ended = s.ended[:0]
	for len(s.due) > 0 && s.due[0].at <= upto {
		n := s.due.pop().group
		switch end := s.end(n); {
		case s.all[n].state&living == 0:
			s.free = append(s.free, n)
		case end > upto:
			s.due.push(due{end, n})
		default:
			s.ended = append(s.ended, n)
		}
	}
}

func (s *sessions) held(give manner) error {
	s.ended = s.ended[:0]
	for n := range s.all {
		if s.all[n].state&living != 0 {
			s.ended = append(s.ended, uint32(n))
		}
	}
	return s.show(s.ended, give)
}

// show gives the results of sessions, by their ends and keys.
func (s *sessions) show(list []uint32, give manner) error {
	slices.SortFunc(list, func(a, b uint32) int {
		x, y := s.keys[a], s.keys[b]
		return cmp.Or(cmp.Compare(s.end(a), s.end(b)), cmp.Compare(x.Hi, y.Hi), cmp.Compare(x.Lo, y.Lo))
	})
	for len(list) > 0 {
		part := list[:min(len(list), mostRows)]
		list = list[len(part):]
		s.results.start, s.results.end = s.results.start[:0], s.results.end[:0]
		s.src = s.src[:0]
		for _, n := range part {
			s.results.start, s.results.end = append(s.results.start, s.all[n].first), append(s.results.end, s.end(n))
			s.src = append(s.src, s.all[n].row)
		}
		if err := s.give(s.operator, &s.groups, part, s.src, give); err != nil {
			return err
		}
	}
	return nil
}

// drop ends the sessions that are over.
func (s *sessions) drop() {
	for _, n := range s.ended {
		s.unchain(n)
		for _, x := range s.states {
			x.Clear(n)
		}
		s.left(s.keys[n].Slot(), s.all[n].state&stored != 0)
		s.all[n].state = 0
		s.dirty.drop(n)
	}
	s.free = append(s.free, s.ended...)
	s.alive -= len(s.ended)
	s.compact()
}

// unchain takes a session out of those of its key.
func (s *sessions) unchain(n uint32) {
	place, head, _ := s.table.find(s.keys, s.keys[n])
	switch next := s.all[n].next; {
	case head != n:
		prev := head
		for s.all[prev].next != n+1 {
			prev = s.all[prev].next - 1
		}
		s.all[prev].next = next
	case next != 0:
		s.set(place, s.keys[n], next-1)
	default:
		s.remove(s.keys, place)
	}
}

func (s *sessions) rowCount() int {
	if len(s.values) == 0 {
		return 0
	}
	return s.values[0].Len()
}

// compact makes the values anew where most are of sessions that are gone.
func (s *sessions) compact() {
	if n := s.rowCount(); n < 1024 || n < 2*s.alive {
		return
	}
	s.fresh = s.fresh[:0]
	for n := range s.all {
		if x := &s.all[n]; x.state&living != 0 {
			s.fresh = append(s.fresh, int32(x.row))
			x.row = uint32(len(s.fresh) - 1)
		}
	}
	for i, c := range s.values {
		anew := column.New(c.Type())
		anew.AppendRows(c, s.fresh, c.Len())
		s.values[i] = anew
	}
}

func (s *sessions) bytes() int64 {
	return s.groups.bytes() + int64(cap(s.all))*32 + int64(cap(s.due))*16 + int64(cap(s.free))*4
}
