package column

// Structs is a column of structs: row i is row i of each of Fields.
//
// Invariant: every field has Len() rows. What a field has in the row of a null struct is unspecified, even where
// the field is required.
type Structs struct {
	typ    Type
	schema Schema   // the type's fields
	Fields []Column // in the type's order
	Valid  Validity
}

func newStructs(t Type) *Structs {
	s := &Structs{typ: t, schema: t.Fields()}
	for _, f := range s.schema {
		s.Fields = append(s.Fields, New(f.Type))
	}
	return s
}

// Type is a Struct.
func (c *Structs) Type() Type { return c.typ }

// Len is the number of rows.
func (c *Structs) Len() int { return c.Valid.Len() }

// Nulls is shared with the column.
func (c *Structs) Nulls() *Validity { return &c.Valid }

// Schema is the type's fields. It is shared: nobody changes it.
func (c *Structs) Schema() Schema { return c.schema }

// Close ends a row for which the caller has appended a row to each of Fields.
func (c *Structs) Close() { c.Valid.Append() }

// AppendNull adds a row without a value.
func (c *Structs) AppendNull() {
	for _, f := range c.Fields {
		f.AppendNull()
	}
	c.Valid.AppendNull()
}

// AppendRow adds a copy of src's row.
func (c *Structs) AppendRow(src Column, row int) {
	s := src.(*Structs)
	if s.Valid.Null(row) {
		c.AppendNull()
		return
	}
	for i, f := range c.Fields {
		f.AppendRow(s.Fields[i], row)
	}
	c.Valid.Append()
}

// AppendRows adds src's rows sel, or its first n rows when sel is nil.
func (c *Structs) AppendRows(src Column, sel Selection, n int) {
	s := src.(*Structs)
	for i, f := range c.Fields {
		f.AppendRows(s.Fields[i], sel, n)
	}
	c.Valid.appendRows(&s.Valid, sel, n)
}

// Truncate drops all rows from n on, with what there is of a row that is not closed yet.
func (c *Structs) Truncate(n int) {
	for _, f := range c.Fields {
		f.Truncate(n)
	}
	c.Valid.Truncate(n)
}

// Reset empties the column and keeps its memory.
func (c *Structs) Reset() {
	for _, f := range c.Fields {
		f.Reset()
	}
	c.Valid.Reset()
}

// Size is the memory held, in bytes.
func (c *Structs) Size() int {
	n := cap(c.Valid.words) * 8
	for _, f := range c.Fields {
		n += f.Size()
	}
	return n
}

func (c *Structs) sealed() {}
