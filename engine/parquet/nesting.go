package parquet

import (
	"github.com/millrace-io/millrace/engine/column"
)

// levels are those of a column with parts, an entry for each value, and for each null or empty array or struct
// on the way to one.
type levels struct {
	repetition []byte // of which list the entry begins another element; 0: it begins a row
	definition []byte // how far on the way to a value there is something
}

func (s *levels) clear() { s.repetition, s.definition = s.repetition[:0], s.definition[:0] }

// add adds the levels of rows of c, which is depth steps on the way to the leaf. Each row of c begins with the
// repetition level rep; def is the definition level of what c is in, lists the arrays and maps passed.
func (s *levels) add(l *leaf, depth int, c column.Column, rows run, rep, def, lists byte) {
	if depth == len(l.steps) {
		s.addValues(l, c, rows, rep, def)
		return
	}
	switch c := c.(type) {
	case *column.List:
		s.addLists(l, depth, c, rows, rep, def, lists)
	case *column.Structs:
		child := c.Fields[l.steps[depth].field]
		if !l.steps[depth].optional {
			s.add(l, depth+1, child, rows, rep, def, lists)
			return
		}
		words := c.Valid.Words()
		for at := rows.from; at < rows.to; {
			from, end := nextRun(words, at, rows.to)
			s.repeat(from-at, rep, def)
			if from < end {
				s.add(l, depth+1, child, run{from, end}, rep, def+1, lists)
			}
			at = end
		}
	}
}

// addLists adds arrays or maps: a null one, and one without elements, is an entry.
func (s *levels) addLists(l *leaf, depth int, c *column.List, rows run, rep, def, lists byte) {
	optional := l.steps[depth].optional
	if optional {
		def++
	}
	for row := rows.from; row < rows.to; row++ {
		first, end := int(c.Offsets[row]), int(c.Offsets[row+1])
		switch {
		case optional && c.Valid.Null(row):
			s.repeat(1, rep, def-1)
		case first == end:
			s.repeat(1, rep, def)
		default:
			s.add(l, depth+1, c.Elem, run{first, first + 1}, rep, def+1, lists+1)
			if first+1 < end {
				s.add(l, depth+1, c.Elem, run{first + 1, end}, lists+1, def+1, lists+1)
			}
		}
	}
}

// addValues adds an entry for each row of the column that has the values.
func (s *levels) addValues(l *leaf, c column.Column, rows run, rep, def byte) {
	if !l.optional {
		s.repeat(rows.to-rows.from, rep, def)
		return
	}
	words := c.Nulls().Words()
	for at := rows.from; at < rows.to; {
		from, end := nextRun(words, at, rows.to)
		s.repeat(from-at, rep, def)
		s.repeat(end-from, rep, def+1)
		at = end
	}
}

// repeat adds n entries that are alike.
func (s *levels) repeat(n int, rep, def byte) {
	for range n {
		s.repetition = append(s.repetition, rep)
		s.definition = append(s.definition, def)
	}
}

// below is how many definition levels are less than def.
func (s *levels) below(def byte) int {
	n := 0
	for _, d := range s.definition {
		if d < def {
			n++
		}
	}
	return n
}

// A reach finds the values of a leaf. It keeps scratch.
type reach struct{ now, next []run }

// values gives the column that has the leaf's values, and which of its rows belong to rows of c: those in
// nothing that is null. They are lent until the next call.
func (r *reach) values(l *leaf, c column.Column, runs []run) (column.Column, []run) {
	for _, step := range l.steps {
		r.now, r.next = r.next[:0], r.now
		words := []uint64(nil)
		if step.optional {
			words = c.Nulls().Words()
		}
		list, _ := c.(*column.List)
		for _, rows := range runs {
			for at := rows.from; at < rows.to; {
				from, end := nextRun(words, at, rows.to)
				if list != nil {
					r.keep(int(list.Offsets[from]), int(list.Offsets[end]))
				} else {
					r.keep(from, end)
				}
				at = end
			}
		}
		runs = r.now
		if list != nil {
			c = list.Elem
		} else {
			c = c.(*column.Structs).Fields[step.field]
		}
	}
	return c, runs
}

// keep adds rows, to the last ones if they go on where those end.
func (r *reach) keep(from, to int) {
	switch n := len(r.now); {
	case from == to:
	case n > 0 && r.now[n-1].to == from:
		r.now[n-1].to = to
	default:
		r.now = append(r.now, run{from, to})
	}
}
