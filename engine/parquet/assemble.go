package parquet

import (
	"errors"
	"fmt"
	"math"

	"github.com/millrace-io/millrace/engine/column"
)

// entries is what a row group has of a leaf of a column with parts.
type entries struct {
	repetition []byte
	definition []byte        // as long
	values     column.Column // of the entries that have one; nil: the levels only were asked for
}

// An assembly puts the leaves of a column with parts together again.
type assembly struct{ leaves map[int]*entries }

// wantLeaves notes which leaves a reading needs, and the type of their values: none where levels are enough.
func (r *reading) wantLeaves(types map[int]column.Type) {
	if r.source == nil {
		return
	}
	if len(r.source.parts) == 0 {
		types[r.source.leaf] = r.typ
		return
	}
	if _, known := types[r.guide]; !known {
		types[r.guide] = column.Type{}
	}
	for i := range r.parts {
		r.parts[i].wantLeaves(types)
	}
}

var (
	errAssembly = errors.New("it is corrupt: the levels of its columns do not fit each other")
	errNullKey  = errors.New("it is corrupt: a map has a key that is null")
)

// column makes dst, which is empty, hold n rows.
func (a *assembly) column(dst column.Column, r *reading, n int) error {
	var err error
	switch d := dst.(type) {
	case *column.List:
		if r.source != nil {
			err = a.list(d, r)
		}
	case *column.Structs:
		if r.source != nil {
			err = a.structs(d, r, n)
		}
	default:
		if r.source != nil {
			err = a.values(dst, r.source)
		}
	}
	if err != nil {
		return err
	}
	for r.source == nil && dst.Len() < n {
		dst.AppendNull()
	}
	if dst.Len() != n {
		return errAssembly
	}
	return nil
}

// values takes a leaf's values and nulls.
func (a *assembly) values(dst column.Column, s *source) error {
	e := a.leaves[s.leaf]
	at := 0
	for _, def := range e.definition {
		switch {
		case int(def) < s.within:
		case int(def) < s.defined:
			dst.AppendNull()
		default:
			dst.AppendRow(e.values, at)
			at++
		}
	}
	return nil
}

// structs takes what is null of itself, and then the fields.
func (a *assembly) structs(dst *column.Structs, r *reading, n int) error {
	s, e := r.source, a.leaves[r.guide]
	for i, def := range e.definition {
		switch {
		case int(e.repetition[i]) > s.repeated || int(def) < s.within:
		case int(def) < s.defined:
			dst.Valid.AppendNull()
		default:
			dst.Valid.Append()
		}
	}
	for i, f := range dst.Fields {
		if err := a.column(f, &r.parts[i], n); err != nil {
			return err
		}
	}
	return nil
}

// list takes where each array begins and ends, and then the elements; or the same of maps.
func (a *assembly) list(dst *column.List, r *reading) error {
	s, e := r.source, a.leaves[r.guide]
	end, open := 0, false // open: the last array may go on
	for i, def := range e.definition {
		switch rep := int(e.repetition[i]); {
		case rep <= s.repeated && int(def) < s.within:
			open = false
		case rep <= s.repeated:
			if open = int(def) > s.defined; open {
				end++
			}
			dst.Offsets = append(dst.Offsets, int32(end))
			if int(def) < s.defined {
				dst.Valid.AppendNull()
			} else {
				dst.Valid.Append()
			}
		case rep == s.repeated+1:
			if !open || int(def) <= s.defined {
				return errors.New("it is corrupt: an array goes on that has not begun")
			}
			end++
			dst.Offsets[len(dst.Offsets)-1] = int32(end)
		}
	}
	if err := a.column(dst.Elem, &r.parts[0], end); err != nil {
		return err
	}
	if dst.Type().Kind == column.Map {
		if keys, _ := dst.Pairs(); keys.Nulls().Nulls() > 0 {
			return errNullKey
		}
	}
	return nil
}

// take adds a page's levels. Those of a leaf that has none of a kind are all 0.
func (e *entries) take(s *source, n int, repetition, definition []int32) error {
	if len(e.definition)+n > math.MaxInt32 {
		return fmt.Errorf("a row group with more than %d values of one column can't be read", math.MaxInt32)
	}
	e.repetition = appendBytes(e.repetition, n, repetition, s.repeated > 0)
	e.definition = appendBytes(e.definition, n, definition, s.defined > 0)
	return nil
}

func appendBytes(dst []byte, n int, levels []int32, there bool) []byte {
	if !there {
		return append(dst, make([]byte, n)...)
	}
	for _, l := range levels {
		dst = append(dst, byte(l))
	}
	return dst
}
