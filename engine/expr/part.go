package expr

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/millrace-io/millrace/engine/column"
)

// Here is what takes values with parts apart: fields of structs, values of maps; and what copies such values,
// which costs a call a row where others are copied by loops over their slices.

// ordered says whether values of a type can be compared.
func ordered(t column.Type) bool { return t.Kind < column.Array }

// unordered reports that values of a type can't be compared. what names what wanted to.
func (c *checker) unordered(what string, at int, t column.Type) *node {
	return c.fail(at, "%s: %ss can't be compared, this is %s", what, t.Kind, t)
}

// fieldOf finds the column that a dotted name begins with, and the field in it: t.name is no column's.
func (c *checker) fieldOf(t *nameTree) *node {
	for end := strings.LastIndexByte(t.name, '.'); end > 0; end = strings.LastIndexByte(t.name[:end], '.') {
		if c.in.Index(t.name[:end]) < 0 {
			continue
		}
		n := c.name(&nameTree{t.at, t.name[:end], t.quoted})
		n.at = t.at
		for name := range strings.SplitSeq(t.name[end+1:], ".") {
			n = c.field(t.at, t.name[:end], n, name)
		}
		return n
	}
	return nil
}

// field is x.name, where of says what x is called.
func (c *checker) field(at int, of string, x *node, name string) *node {
	switch {
	case x.failed:
		return x
	case x.kind() != column.Struct:
		return c.fail(at, "%s is of type %s, which has no field %q", of, x.typeName(), name)
	}
	fields := column.Schema(x.typ.Fields())
	i := fields.Index(name)
	if i < 0 {
		c.errs = append(c.errs, &Error{at, fmt.Sprintf("no field %q in %s: %s", name, of, x.typ), column.Nearest(name, fields.Names())})
		return &node{failed: true}
	}
	n := c.strict(fields[i].Type, func(r *run, sel column.Selection) column.Column {
		return r.field(r.column(x, sel).(*column.Structs), i)
	}, x)
	n.nullable = n.nullable || !fields[i].Required
	n.at = at
	return n
}

// field is a field of structs, null where they are.
func (r *run) field(s *column.Structs, i int) column.Column {
	if s.Valid.Nulls() == 0 {
		return s.Fields[i]
	}
	out := r.arena.Column(s.Fields[i].Type())
	out.AppendRows(s.Fields[i], nil, s.Len())
	out.Nulls().And(&s.Valid)
	return out
}

// valueOf is dict[key]: null where there is no such key.
func (c *checker) valueOf(dict, key *node) *node {
	pair := dict.typ.Fields()
	if t, ok := common(key.typ, pair[0].Type); !ok || t != pair[0].Type || !ordered(t) {
		return c.fail(key.at, "[]: expected a key of %s, found %s", dict.typ, key.typeName())
	}
	key = c.convert(key, pair[0].Type)
	n := c.strict(pair[1].Type, func(r *run, sel column.Selection) column.Column {
		l := listsOf(r, dict, sel)
		entries := l.elem.(*column.Structs)
		wanted := r.column(key, sel)
		find := finder(entries.Fields[0], wanted, key)
		nulls := []*column.Validity{l.nulls(), nullsOf(wanted.Nulls(), key.mask())}
		return pickAny(r, entries.Fields[1], sel, nulls, func(row int32) int {
			from, to := l.span(row)
			return find(row, int(from), int(to))
		})
	}, dict, key)
	n.nullable = true
	return n
}

// finder gives a function that looks for the key of a row, which wanted has, the column of key, among keys from and up
// to a place; -1: it is not there.
func finder(keys, wanted column.Column, key *node) func(row int32, from, to int) int {
	switch keys := keys.(type) {
	case *column.Bools:
		return findFixed(keys, wanted, key)
	case *column.Bytes:
		return findFixed(keys, wanted, key)
	case *column.Shorts:
		return findFixed(keys, wanted, key)
	case *column.Ints:
		return findFixed(keys, wanted, key)
	case *column.Longs:
		return findFixed(keys, wanted, key)
	case *column.Floats:
		return findFixed(keys, wanted, key)
	case *column.Doubles:
		return findFixed(keys, wanted, key)
	case *column.Decimals:
		return findFixed(keys, wanted, key)
	}
	texts, words := keys.(*column.Texts), asWords(wanted, key)
	return func(row int32, from, to int) int {
		want := words.at(row)
		for i := from; i < to; i++ {
			if bytes.Equal(texts.At(i), want) {
				return i
			}
		}
		return -1
	}
}

func findFixed[T column.Native](keys *column.Fixed[T], wanted column.Column, key *node) func(row int32, from, to int) int {
	values := asVec[T](wanted, key)
	return func(row int32, from, to int) int {
		want := values.at(row)
		for i := from; i < to; i++ {
			if keys.Values[i] == want {
				return i
			}
		}
		return -1
	}
}

// pickAny gives each selected row, unless one of nulls says it is null, the row of src that find finds; below 0
// is null.
func pickAny(r *run, src column.Column, sel column.Selection, nulls []*column.Validity, find func(row int32) int) column.Column {
	out := r.arena.Column(src.Type())
	for _, i := range r.rows(sel) {
		skipTo(out, int(i))
		at := -1
		if !anyNull(nulls, int(i)) {
			at = find(i)
		}
		if at < 0 {
			out.AppendNull()
		} else {
			out.AppendRow(src, at)
		}
	}
	skipTo(out, r.n)
	return out
}

func anyNull(nulls []*column.Validity, row int) bool {
	for _, v := range nulls {
		if v != nil && v.Null(row) {
			return true
		}
	}
	return false
}

// skipTo leaves out rows up to row.
func skipTo(out column.Column, row int) {
	for out.Len() < row {
		out.AppendNull()
	}
}

// chooseAny is column for types with parts.
func chooseAny(r *run, c *choice, t column.Type, sel column.Selection) column.Column {
	out := r.arena.Column(t)
	for _, i := range r.rows(sel) {
		skipTo(out, int(i))
		if k := c.pick[i]; k == none {
			out.AppendNull()
		} else {
			out.AppendRow(c.results[k], int(i)&c.branches[k].mask())
		}
	}
	skipTo(out, r.n)
	return out
}

// fillAny is filler for types with parts.
func fillAny(args []*node, results []column.Column) func(out *column.List, sel column.Selection, n int) {
	return func(out *column.List, sel column.Selection, n int) {
		eachList(out, sel, n, func(i int32) {
			for k, result := range results {
				out.Elem.AppendRow(result, int(i)&args[k].mask())
			}
		})
	}
}
