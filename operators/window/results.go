package window

import (
	"slices"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// A manner says what is done with results.
type manner uint8

const (
	closing    manner = iota // they leave, and are counted
	showing                  // they leave; they may come again and are not counted
	forgetting               // they have been shown: what is wrong with them goes to quarantine now, once
)

// results makes rows of groups.
type results struct {
	pool   column.Pool // of the rows that leave
	groups []uint32
	start  []engine.Time // of the window of each group
	end    []engine.Time
	marks  []engine.Time   // the ends of time; shared by batches: never changed
	zeros  []engine.Offset // so are these

	failing int // the aggregate whose results are asked for
	failed  []reject
	fail    func(i int, detail string)
}

// mostRows is how many results leave in one batch.
const mostRows = 4096

// byKey lists all groups, in the order of their keys: one that no order of arrival and no number of lanes changes. That of
// the table's places is nearly it.
func (r *results) byKey(g *groups) []uint32 {
	r.groups = r.groups[:0]
	free := slices.Index(g.places, 0) // before it may lie keys that found no place at the end
	for _, part := range [2][]uint32{g.places[free+1:], g.places[:free+1]} {
		for _, e := range part {
			if e != 0 {
				r.groups = append(r.groups, e&g.mask-1)
			}
		}
	}
	for i, n := range r.groups {
		if i%ahead == 0 {
			g.warmKeys(r.groups[i:min(len(r.groups), i+ahead)])
		}
		k, j := g.keys[n], i
		for ; j > 0 && less(k, g.keys[r.groups[j-1]]); j-- {
			r.groups[j] = r.groups[j-1]
		}
		r.groups[j] = n
	}
	return r.groups
}

// less is the order of keys: that of their homes.
func less(a, b column.Key) bool { return a.Lo < b.Lo || a.Lo == b.Lo && a.Hi < b.Hi }

// window gives the results of one window: a row for each group, or if held is not nil for each that is not 0 in it.
func (o *operator) window(g *groups, held []uint32, start, end engine.Time, give manner) error {
	list := o.byKey(g)
	if held != nil {
		list = slices.DeleteFunc(list, func(n uint32) bool { return held[n] == 0 })
	}
	for len(list) > 0 {
		n := min(len(list), mostRows)
		o.start, o.end = o.start[:0], o.end[:0]
		for range n {
			o.start, o.end = append(o.start, start), append(o.end, end)
		}
		if err := o.results.give(o, g, list[:n], list[:n], give); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// give makes a row of each of at most mostRows groups, whose windows' bounds are in start and end; rows are where their keys'
// values are.
func (r *results) give(o *operator, g *groups, groups, rows []uint32, give manner) error {
	arena := r.pool.Get()
	defer arena.Release()
	b := r.batch(o, g, groups, rows, arena)
	r.failed = firsts(r.failed)
	quarantined := 0
	quarantine := func(row int, column, detail string) {
		quarantined++
		if give != showing {
			o.emit.Quarantine(b, row, engine.ReasonEval, column, detail)
		}
	}
	for _, f := range r.failed {
		quarantine(f.row, o.names[f.aggregate], f.detail)
	}
	if len(r.failed) > 0 {
		b.Sel = without(arena.Selection(b.Rows), o.upTo(b.Rows), r.failed)
	}
	if o.condition != nil {
		before := b.Count()
		sel, bad := o.condition.Filter(b.Columns, b.Sel, b.Rows, arena)
		for _, x := range bad {
			quarantine(x.Row, "", x.Detail)
		}
		if n := before - len(sel) - len(bad); n > 0 && give == closing {
			o.emit.Drop(engine.Filtered, n)
		}
		b.Sel = sel
	}
	switch give {
	case closing:
		o.emit.Made(b.Rows)
	case forgetting:
		if quarantined > 0 {
			o.emit.Made(quarantined)
		}
		return nil
	}
	if b.Count() == 0 {
		return nil
	}
	return o.emit.Rows(b)
}

// batch computes the columns. What failed is in failed.
func (r *results) batch(o *operator, g *groups, groups, rows []uint32, arena *column.Arena) *engine.Batch {
	n := len(groups)
	for len(r.marks) < n {
		r.marks, r.zeros = append(r.marks, engine.MinTime), append(r.zeros, 0)
	}
	b := &engine.Batch{
		Schema: o.schema, Rows: n, At: make([]engine.Time, n), Mark: r.marks[:n:n], Offset: r.zeros[:n:n], Upto: o.passed, Arena: arena,
	}
	sel := arena.Selection(n)
	for _, row := range rows {
		sel = append(sel, int32(row))
	}
	for _, v := range g.values {
		c := arena.Column(v.Type())
		c.AppendRows(v, sel, v.Len())
		b.Columns = append(b.Columns, c)
	}
	for i, end := range r.end[:n] {
		b.At[i] = end - 1
	}
	if !o.endless {
		b.Columns = append(b.Columns, instants(arena, r.start[:n]), instants(arena, r.end[:n]))
	}
	r.failed = r.failed[:0]
	for i, a := range o.aggregates {
		c := arena.Column(a.Type)
		r.failing = i
		g.states[i].Result(c, groups, r.fail)
		b.Columns = append(b.Columns, c)
	}
	return b
}

// note keeps what Result says of group i of those it was asked for.
func (r *results) note(i int, detail string) {
	r.failed = append(r.failed, reject{i, r.failing, detail})
}

func instants(arena *column.Arena, times []engine.Time) column.Column {
	c := arena.Column(column.Of(column.Timestamp)).(*column.Longs)
	c.Values = slices.Grow(c.Values, len(times))
	for _, t := range times {
		c.Values = append(c.Values, int64(t))
	}
	c.Valid.AppendN(len(times))
	return c
}
