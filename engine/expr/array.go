package expr

import "github.com/millrace-io/millrace/engine/column"

// array makes an array of values of one type; nulls are elements like others.
func (c *checker) array(what string, args []*node) *node {
	t, ok := c.unify(what, args)
	switch {
	case !ok:
		return &node{failed: true}
	case t.Kind == column.Invalid:
		return c.fail(args[0].at, "%s: NULL has no type here: write CAST(NULL AS type)", what)
	}
	results := make([]column.Column, len(args))
	fill := filler(t, args, results)
	typ := column.ArrayOf(t)
	return fold(&node{typ: typ, eval: func(r *run, sel column.Selection) column.Column {
		for k, arg := range args {
			results[k] = r.column(arg, sel)
		}
		out := r.list(typ)
		fill(out, sel, r.n)
		clear(results)
		return out
	}}, args...)
}

// list takes a column of arrays.
func (r *run) list(t column.Type) *column.List { return r.arena.Column(t).(*column.List) }

// filler gives the loop that appends the results of args, row by row.
func filler(t column.Type, args []*node, results []column.Column) func(out *column.List, sel column.Selection, n int) {
	switch t.Kind {
	case column.Bool:
		return fillFixed[bool](args, results)
	case column.Byte:
		return fillFixed[int8](args, results)
	case column.Short:
		return fillFixed[int16](args, results)
	case column.Decimal:
		return fillFixed[column.Int128](args, results)
	case column.Array, column.Struct, column.Map:
		return fillAny(args, results)
	case column.Int, column.Date:
		return fillFixed[int32](args, results)
	case column.Long, column.Timestamp, column.TimestampNTZ:
		return fillFixed[int64](args, results)
	case column.Float:
		return fillFixed[float32](args, results)
	case column.Double:
		return fillFixed[float64](args, results)
	}
	return fillTexts(args, results)
}

func fillFixed[T column.Native](args []*node, results []column.Column) func(out *column.List, sel column.Selection, n int) {
	views := make([]vec[T], len(args))
	return func(out *column.List, sel column.Selection, n int) {
		for k, result := range results {
			views[k] = asVec[T](result, args[k])
		}
		elem := out.Elem.(*column.Fixed[T])
		eachList(out, sel, n, func(i int32) {
			for k := range views {
				if v := &views[k]; v.null(i) {
					elem.AppendNull()
				} else {
					elem.Append(v.at(i))
				}
			}
		})
		clear(views)
	}
}

func fillTexts(args []*node, results []column.Column) func(out *column.List, sel column.Selection, n int) {
	views := make([]words, len(args))
	return func(out *column.List, sel column.Selection, n int) {
		for k, result := range results {
			views[k] = asWords(result, args[k])
		}
		elem := out.Elem.(*column.Texts)
		eachList(out, sel, n, func(i int32) {
			for k := range views {
				if v := &views[k]; v.null(i) {
					elem.AppendNull()
				} else {
					elem.Append(v.at(i))
				}
			}
		})
		clear(views)
	}
}

// eachList has row append the elements of each selected row; the others are empty.
func eachList(out *column.List, sel column.Selection, n int, row func(i int32)) {
	end := int32(out.Elem.Len())
	next := int32(0)
	for i := range sel.All(n) {
		for ; next < int32(i); next++ {
			out.Offsets = append(out.Offsets, end)
		}
		row(int32(i))
		end = int32(out.Elem.Len())
		out.Offsets = append(out.Offsets, end)
		next++
	}
	for ; int(next) < n; next++ {
		out.Offsets = append(out.Offsets, end)
	}
	out.Valid.AppendN(n)
}

// chooseLists puts arrays together from the branches of a choice.
func chooseLists(r *run, c *choice, t column.Type, sel column.Selection) column.Column {
	switch t.Elem().Kind {
	case column.Bool:
		return copyLists(r, c, t, sel, appendFixed[bool])
	case column.Byte:
		return copyLists(r, c, t, sel, appendFixed[int8])
	case column.Short:
		return copyLists(r, c, t, sel, appendFixed[int16])
	case column.Decimal:
		return copyLists(r, c, t, sel, appendFixed[column.Int128])
	case column.Array, column.Struct, column.Map:
		return chooseAny(r, c, t, sel)
	case column.Int, column.Date:
		return copyLists(r, c, t, sel, appendFixed[int32])
	case column.Long, column.Timestamp, column.TimestampNTZ:
		return copyLists(r, c, t, sel, appendFixed[int64])
	case column.Float:
		return copyLists(r, c, t, sel, appendFixed[float32])
	case column.Double:
		return copyLists(r, c, t, sel, appendFixed[float64])
	}
	return copyLists(r, c, t, sel, appendTexts)
}

func copyLists(r *run, c *choice, t column.Type, sel column.Selection, appendSpan func(dst, src column.Column, from, to int32)) column.Column {
	branches := make([]lists, len(c.branches))
	for k, result := range c.results {
		if result != nil {
			branches[k] = asLists(result, c.branches[k])
		}
	}
	out := r.list(t)
	eachList(out, sel, r.n, func(i int32) {
		if k := c.pick[i]; k != none && !branches[k].null(i) {
			from, to := branches[k].span(i)
			appendSpan(out.Elem, branches[k].elem, from, to)
		}
	})
	for _, i := range r.rows(sel) {
		if k := c.pick[i]; k == none || branches[k].null(i) {
			out.Valid.SetNull(int(i))
		}
	}
	return out
}

// appendFixed adds the values from and up to a place. The columns are asked for their type once an array.
func appendFixed[T column.Native](dst, src column.Column, from, to int32) {
	d, s := dst.(*column.Fixed[T]), src.(*column.Fixed[T])
	if s.Valid.Nulls() == 0 {
		d.Values = append(d.Values, s.Values[from:to]...)
		d.Valid.AppendN(int(to - from))
		return
	}
	for i := from; i < to; i++ {
		d.AppendRow(s, int(i))
	}
}

func appendTexts(dst, src column.Column, from, to int32) {
	d, s := dst.(*column.Texts), src.(*column.Texts)
	for i := from; i < to; i++ {
		d.AppendRow(s, int(i))
	}
}

// element is list[index]: the first element is 1; where there is none it is null. Of a map it is the value of a key.
func (c *checker) element(t *elementTree) *node {
	list, index := c.check(t.list), c.check(t.index)
	if list.kind() == column.Map && !index.failed {
		return c.valueOf(list, index)
	}
	index = c.want("[]", index, column.Long)
	switch {
	case list.failed || index.failed:
		return &node{failed: true}
	case list.kind() != column.Array:
		return c.fail(list.at, "[]: expected an array or a map, found %s", list.typeName())
	}
	elem := list.typ.Elem()
	n := c.strict(elem, elementKernel(elem, list, index), list, index)
	n.nullable = true
	return n
}

func elementKernel(t column.Type, list, index *node) evalFunc {
	switch t.Kind {
	case column.Bool:
		return elementFixed[bool](t, list, index)
	case column.Byte:
		return elementFixed[int8](t, list, index)
	case column.Short:
		return elementFixed[int16](t, list, index)
	case column.Decimal:
		return elementFixed[column.Int128](t, list, index)
	case column.Array, column.Struct, column.Map:
		return elementAny(list, index)
	case column.Int, column.Date:
		return elementFixed[int32](t, list, index)
	case column.Long, column.Timestamp, column.TimestampNTZ:
		return elementFixed[int64](t, list, index)
	case column.Float:
		return elementFixed[float32](t, list, index)
	case column.Double:
		return elementFixed[float64](t, list, index)
	}
	return elementText(t, list, index)
}

func elementFixed[T column.Native](t column.Type, list, index *node) evalFunc {
	return func(r *run, sel column.Selection) column.Column {
		l, at := listsOf(r, list, sel), vecOf[int64](r, index, sel)
		elem := l.elem.(*column.Fixed[T])
		out := fixed[T](r, t)
		r.strict(&out.Valid, l.nulls(), at.nulls())
		for _, i := range r.rows(sel) {
			if out.Valid.Null(int(i)) {
				continue
			}
			if k := l.find(i, at.at(i)); k < 0 || elem.Valid.Null(k) {
				out.Valid.SetNull(int(i))
			} else {
				out.Values[i] = elem.Values[k]
			}
		}
		return out
	}
}

func elementText(t column.Type, list, index *node) evalFunc {
	return func(r *run, sel column.Selection) column.Column {
		l, at := listsOf(r, list, sel), vecOf[int64](r, index, sel)
		elem := l.elem.(*column.Texts)
		w := r.writer(t, l.nulls(), at.nulls())
		for _, i := range r.rows(sel) {
			if w.begin(i) {
				if k := l.find(i, at.at(i)); k < 0 || elem.Valid.Null(k) {
					w.valid.SetNull(int(i))
				} else {
					w.out.Data = append(w.out.Data, elem.At(k)...)
				}
			}
			w.end()
		}
		return w.done()
	}
}

func elementAny(list, index *node) evalFunc {
	return func(r *run, sel column.Selection) column.Column {
		l, at := listsOf(r, list, sel), vecOf[int64](r, index, sel)
		return pickAny(r, l.elem, sel, []*column.Validity{l.nulls(), at.nulls()}, func(row int32) int { return l.find(row, at.at(row)) })
	}
}

// find is where the index-th element of a row is, counted from 1, or from the end by -1; -1: nowhere.
func (l *lists) find(row int32, index int64) int {
	from, to := l.span(row)
	length := int64(to - from)
	switch {
	case index > 0 && index <= length:
		return int(from) + int(index) - 1
	case index < 0 && index >= -length:
		return int(to) + int(index)
	}
	return -1
}

// cardinality is the number of elements, nulls among them, or of pairs.
func (c *checker) cardinality(what string, list *node) *node {
	switch {
	case list.failed:
		return list
	case list.untyped():
		return nullOf(column.Of(column.Int))
	case list.kind() != column.Array && list.kind() != column.Map:
		return c.fail(list.at, "%s: expected an array or a map, found %s", what, list.typ)
	}
	return c.strict(column.Of(column.Int), func(r *run, sel column.Selection) column.Column {
		l := listsOf(r, list, sel)
		out := fixed[int32](r, column.Of(column.Int))
		r.strict(&out.Valid, l.nulls())
		for _, i := range r.rows(sel) {
			from, to := l.span(i)
			out.Values[i] = to - from
		}
		return out
	}, list)
}
