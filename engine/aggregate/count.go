package aggregate

import (
	"encoding/binary"

	"github.com/millrace-io/millrace/engine/column"
)

// A counter counts rows.
type counter struct{ n int64 }

func (c *counter) merge(from *counter)                { c.n += from.n }
func (c *counter) unmerge(from *counter)              { c.n -= from.n }
func (c *counter) clear()                             { c.n = 0 }
func (c *counter) append(b []byte, fresh bool) []byte { return binary.AppendVarint(b, c.n) }
func (c *counter) load(r *reader)                     { c.n = r.varint() }
func (c *counter) size() int64                        { return 0 }

func counted(out column.Column, c *counter) string {
	out.(*column.Longs).Append(c.n)
	return ""
}

// bindCount is count() and count(x).
func bindCount(b *binder) (column.Type, func() State) {
	b.required = true
	switch {
	case b.call.Distinct && len(b.call.Args) == 0:
		b.fail(b.call.DistinctAt, "count: DISTINCT needs an argument")
		return column.Type{}, nil
	case b.call.Distinct:
		return bindCountDistinct(b)
	}
	k := kernel[counter]{add: countRows, unmerge: (*counter).unmerge, result: counted}
	if len(b.call.Args) == 1 {
		b.arg(0)
		k.add = countValues
	}
	return column.Of(column.Long), states(k)
}

func countRows(cells []counter, _ *Input, _ []int32, groups []uint32) int64 {
	for _, g := range groups {
		cells[g].n++
	}
	return 0
}

func countValues(cells []counter, in *Input, rows []int32, groups []uint32) int64 {
	nulls := in.Args[0].Nulls()
	if nulls.Nulls() == 0 {
		return countRows(cells, in, rows, groups)
	}
	for i, row := range rows {
		if !nulls.Null(int(row)) {
			cells[groups[i]].n++
		}
	}
	return 0
}
