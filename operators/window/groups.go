package window

import (
	"fmt"
	"math"

	"github.com/millrace-io/millrace/engine/aggregate"
	"github.com/millrace-io/millrace/engine/column"
)

// Groups are keys with the states of their aggregates, numbered from 0.
type groups struct {
	table
	keys   []column.Key
	values []column.Column   // of the columns of by, a row a group
	states []aggregate.State // one an aggregate
	dirty  marks             // groups that changed since the last Save
	warmed uint64            // keeps the compiler from leaving out loads
}

// Marks are a set of numbers.
type marks []uint64

func (m marks) has(i uint32) bool { return m[i>>6]>>(i&63)&1 != 0 }

func (m marks) add(i uint32) { m[i>>6] |= 1 << (i & 63) }

func (m marks) drop(i uint32) { m[i>>6] &^= 1 << (i & 63) }

// room makes place for numbers below n.
func (m *marks) room(n int) {
	for len(*m)*64 < n {
		*m = append(*m, 0)
	}
}

func (o *operator) newGroups() groups {
	g := groups{}
	for _, f := range o.key {
		g.values = append(g.values, column.New(f.Type))
	}
	for i := range o.aggregates {
		g.states = append(g.states, o.newState(i))
	}
	return g
}

// ahead is for how many rows memory is asked before it is needed.
const ahead = 128

// number gives each row the number of its group, which it makes where there is none. It gives the rows that made one
// appended to fresh; their values are the caller's to append.
func (g *groups) number(keys []column.Key, rows []int32, numbers []uint32, fresh []int32) []int32 {
	for len(rows) > 0 {
		run := rows[:min(len(rows), ahead)]
		g.warm(keys, run)
		for i, row := range run {
			place, n, found := g.find(g.keys, keys[row])
			if !found {
				n = g.append(keys[row], place)
				fresh = append(fresh, row)
			}
			g.dirty.add(n)
			numbers[i] = n
		}
		rows, numbers = rows[len(run):], numbers[len(run):]
	}
	return fresh
}

// known gives each row, whose key has a group, the number of it.
func (g *groups) known(keys []column.Key, rows []int32, numbers []uint32) {
	for len(rows) > 0 {
		run := rows[:min(len(rows), ahead)]
		g.warm(keys, run)
		for i, row := range run {
			_, numbers[i], _ = g.find(g.keys, keys[row])
		}
		rows, numbers = rows[len(run):], numbers[len(run):]
	}
}

// append makes a group of a key at the place that find gave.
func (g *groups) append(k column.Key, place int) uint32 {
	n := uint32(len(g.keys))
	if c := cap(g.keys); len(g.keys) == c && c >= largePlaces {
		g.keys = append(make([]column.Key, 0, c+c/8), g.keys...)
	}
	g.keys = append(g.keys, k)
	g.table.add(g.keys, place, n)
	g.dirty.room(len(g.keys))
	return n
}

// warm loads what a search for the rows' keys looks at. The loads do not wait for one another, those of a search do:
// without this each row costs the time of main memory.
func (g *groups) warm(keys []column.Key, rows []int32) {
	if len(g.keys) < 4096 {
		return // it is in the cache
	}
	sum := uint64(0)
	for _, row := range rows {
		sum += uint64(g.places[g.home(keys[row])])
	}
	for _, row := range rows {
		e := g.places[g.home(keys[row])]
		sum += g.keys[max(e&g.mask, 1)-1].Lo // of a free place that of group 0: a branch would be guessed wrong, and loads wait for it
	}
	g.warmed = sum
}

// warmKeys loads the keys of groups, for the same reason.
func (g *groups) warmKeys(numbers []uint32) {
	sum := uint64(0)
	for _, n := range numbers {
		sum += g.keys[n].Lo
	}
	g.warmed = sum
}

// take appends the key's values of rows, of n, that made a group, and makes the states' groups.
func (g *groups) take(cols []column.Column, fresh []int32, n int) error {
	if len(fresh) == 0 {
		return nil
	}
	for i, c := range g.values {
		c.AppendRows(cols[i], fresh, n)
		if c.Size() > mostBytes {
			return fmt.Errorf("the keys of one window take more than 1 GiB of column %d of by in one lane: more lanes or shorter keys would have room", i+1)
		}
	}
	g.room(len(g.keys))
	return nil
}

// mostBytes of a column of keys leave room for those of one more batch below the 2 GiB that a column's offsets can tell.
const mostBytes = math.MaxInt32 / 2

// room makes the states' groups.
func (g *groups) room(n int) {
	for _, s := range g.states {
		s.Grow(n)
	}
}

// reset empties all, and keeps memory.
func (g *groups) reset() {
	g.table.reset()
	g.keys = g.keys[:0]
	clear(g.dirty)
	for _, c := range g.values {
		c.Reset()
	}
	for _, s := range g.states {
		s.Reset()
	}
}

// bytes is the memory held, about.
func (g *groups) bytes() int64 {
	n := int64(cap(g.places))*4 + int64(cap(g.keys))*16 + int64(cap(g.dirty))*8
	for _, c := range g.values {
		n += int64(c.Size())
	}
	for _, s := range g.states {
		n += s.Bytes()
	}
	return n
}
