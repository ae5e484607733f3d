package column

// List is a column of arrays: row i is the rows Offsets[i] to Offsets[i+1] of Elem. It is a column of maps as
// well: Elem is then Structs of a key and a value, none of them null, and the order of a row's pairs means
// nothing.
//
// Invariant: len(Offsets) is Len()+1 and Offsets[0] is 0.
type List struct {
	typ     Type
	Offsets []int32
	Elem    Column
	Valid   Validity
}

// Type is an Array or a Map.
func (c *List) Type() Type { return c.typ }

// Pairs are the keys and the values of a column of maps, one a row of Elem, which has as many rows: who appends
// to both appends to Elem's validity too.
func (c *List) Pairs() (keys, values Column) {
	s := c.Elem.(*Structs)
	return s.Fields[0], s.Fields[1]
}

// Len is the number of rows.
func (c *List) Len() int { return len(c.Offsets) - 1 }

// Nulls is shared with the column.
func (c *List) Nulls() *Validity { return &c.Valid }

// Close ends a row whose elements the caller has appended to Elem.
func (c *List) Close() {
	c.Offsets = append(c.Offsets, int32(c.Elem.Len()))
	c.Valid.Append()
}

// AppendNull adds a row without a value.
func (c *List) AppendNull() {
	c.Offsets = append(c.Offsets, int32(c.Elem.Len()))
	c.Valid.AppendNull()
}

// AppendRow adds a copy of src's row.
func (c *List) AppendRow(src Column, row int) {
	s := src.(*List)
	if s.Valid.Null(row) {
		c.AppendNull()
		return
	}
	for i := s.Offsets[row]; i < s.Offsets[row+1]; i++ {
		c.Elem.AppendRow(s.Elem, int(i))
	}
	c.Close()
}

// AppendRows adds src's rows sel, or its first n rows when sel is nil.
func (c *List) AppendRows(src Column, sel Selection, n int) {
	s := src.(*List)
	if sel != nil || s.Valid.nulls > 0 {
		for i := range sel.All(n) {
			c.AppendRow(src, i)
		}
		return
	}
	base := int32(c.Elem.Len())
	c.Elem.AppendRows(s.Elem, nil, int(s.Offsets[n]))
	for _, end := range s.Offsets[1 : n+1] {
		c.Offsets = append(c.Offsets, base+end)
	}
	c.Valid.AppendN(n)
}

// Truncate drops all rows from n on.
func (c *List) Truncate(n int) {
	c.Offsets = c.Offsets[:n+1]
	c.Elem.Truncate(int(c.Offsets[n]))
	c.Valid.Truncate(n)
}

// Reset empties the column and keeps its memory.
func (c *List) Reset() {
	c.Offsets = append(c.Offsets[:0], 0)
	c.Elem.Reset()
	c.Valid.Reset()
}

// Size is the memory held, in bytes.
func (c *List) Size() int { return cap(c.Offsets)*4 + c.Elem.Size() + cap(c.Valid.words)*8 }

func (c *List) sealed() {}
