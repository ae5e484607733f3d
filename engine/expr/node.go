package expr

import (
	"slices"

	"github.com/millrace-io/millrace/engine/column"
)

// An evalFunc computes a node for the rows sel of a run; nil: all. It gives a column of as many rows as
// the run has, of which those outside sel are unspecified, and nobody changes it later.
type evalFunc func(r *run, sel column.Selection) column.Column

// A node is a part of a checked expression. A constant is held as a column of one row and never spread out:
// kernels read it through a mask (see vec).
type node struct {
	at       int         // in the source
	typ      column.Type // Kind Invalid: a NULL without a type yet, or failed
	nullable bool
	lit      column.Column // one row; nil: not a constant
	eval     evalFunc      // nil: a constant
	failed   bool          // an error was reported; whatever it is part of reports no other
}

func (n *node) untyped() bool { return n.typ.Kind == column.Invalid && !n.failed }

// typeName is the type as errors name it.
func (n *node) typeName() string {
	if n.untyped() {
		return "NULL"
	}
	return n.typ.String()
}

// null says whether the node is the constant NULL.
func (n *node) null() bool { return n.lit != nil && n.lit.Nulls().Null(0) }

// kind is the kind of the node's type.
func (n *node) kind() column.Kind { return n.typ.Kind }

// column computes a node; a constant gives its one row.
func (r *run) column(n *node, sel column.Selection) column.Column {
	if n.lit != nil {
		return n.lit
	}
	return n.eval(r, sel)
}

// mask is what a row is and-ed with to find it in a node's column: nothing is left of it in a constant.
func (n *node) mask() int {
	if n.lit != nil {
		return 0
	}
	return -1
}

// A vec is the values of a column of fixed width, or a constant for every row: row i is values[i&mask].
type vec[T column.Native] struct {
	values []T
	mask   int
	valid  *column.Validity
}

func vecOf[T column.Native](r *run, n *node, sel column.Selection) vec[T] {
	return asVec[T](r.column(n, sel), n)
}

// asVec is the vec of a column that n gave.
func asVec[T column.Native](c column.Column, n *node) vec[T] {
	f := c.(*column.Fixed[T])
	return vec[T]{f.Values, n.mask(), &f.Valid}
}

func (v *vec[T]) at(row int32) T      { return v.values[int(row)&v.mask] }
func (v *vec[T]) null(row int32) bool { return v.valid.Null(int(row) & v.mask) }
func (v *vec[T]) constant() bool      { return v.mask == 0 }

// nulls is the validity to merge into a result's; nil where there is none.
func (v *vec[T]) nulls() *column.Validity { return nullsOf(v.valid, v.mask) }

// words is a vec of texts.
type words struct {
	offsets []int32
	data    []byte
	mask    int
	valid   *column.Validity
}

func wordsOf(r *run, n *node, sel column.Selection) words { return asWords(r.column(n, sel), n) }

func asWords(c column.Column, n *node) words {
	t := c.(*column.Texts)
	return words{t.Offsets, t.Data, n.mask(), &t.Valid}
}

func (w *words) at(row int32) []byte {
	i := int(row) & w.mask
	return w.data[w.offsets[i]:w.offsets[i+1]]
}
func (w *words) null(row int32) bool     { return w.valid.Null(int(row) & w.mask) }
func (w *words) constant() bool          { return w.mask == 0 }
func (w *words) nulls() *column.Validity { return nullsOf(w.valid, w.mask) }

// lists is a vec of arrays: row i is the elements span(i) of elem.
type lists struct {
	offsets []int32
	elem    column.Column
	mask    int
	valid   *column.Validity
}

func listsOf(r *run, n *node, sel column.Selection) lists { return asLists(r.column(n, sel), n) }

func asLists(c column.Column, n *node) lists {
	l := c.(*column.List)
	return lists{l.Offsets, l.Elem, n.mask(), &l.Valid}
}

func (l *lists) span(row int32) (from, to int32) {
	i := int(row) & l.mask
	return l.offsets[i], l.offsets[i+1]
}
func (l *lists) null(row int32) bool     { return l.valid.Null(int(row) & l.mask) }
func (l *lists) nulls() *column.Validity { return nullsOf(l.valid, l.mask) }

// nullsOf leaves out a validity without nulls. A constant that is null can't come here: a strict node of it
// is folded.
func nullsOf(v *column.Validity, mask int) *column.Validity {
	if mask == 0 || v.Nulls() == 0 {
		return nil
	}
	return v
}

// strict makes dst, which is empty, null where one of ins is. ins may be nil.
func (r *run) strict(dst *column.Validity, ins ...*column.Validity) {
	begun := false
	for _, in := range ins {
		switch {
		case in == nil:
		case begun:
			dst.And(in)
		default:
			dst.CopyFrom(in)
			begun = true
		}
	}
	if !begun {
		dst.AppendN(r.n)
	}
}

// fixed takes a column of n rows whose values are unspecified; its validity is empty.
func fixed[T column.Native](r *run, t column.Type) *column.Fixed[T] {
	out := r.arena.Column(t).(*column.Fixed[T])
	out.Values = slices.Grow(out.Values, r.n)[:r.n]
	return out
}

// A writer makes a column of texts, row by row in ascending order; rows that are left out are empty.
type writer struct {
	r     *run
	out   *column.Texts
	valid *column.Validity
	next  int32 // the row that comes next
}

// writer begins a column whose rows are null where one of ins is.
func (r *run) writer(t column.Type, ins ...*column.Validity) writer {
	out := r.arena.Column(t).(*column.Texts)
	r.strict(&out.Valid, ins...)
	out.Offsets = slices.Grow(out.Offsets, r.n)
	return writer{r: r, out: out, valid: &out.Valid}
}

// begin leaves out the rows before row and says whether row wants a text, which the caller then appends to
// out.Data. Either way end follows.
func (w *writer) begin(row int32) bool {
	for w.next < row {
		w.out.Offsets = append(w.out.Offsets, int32(len(w.out.Data)))
		w.next++
	}
	return !w.valid.Null(int(row))
}

// maxTexts is how many bytes of text a column can hold: its offsets have 32 bits.
const maxTexts = 1<<31 - 1

// end closes the row.
func (w *writer) end() {
	if len(w.out.Data) > maxTexts {
		w.out.Data = w.out.Data[:w.out.Offsets[w.next]]
		w.fail("the texts of the batch exceed 2 GiB")
	}
	w.out.Offsets = append(w.out.Offsets, int32(len(w.out.Data)))
	w.next++
}

// fail makes the open row null and notes why.
func (w *writer) fail(detail string) {
	w.valid.SetNull(int(w.next))
	w.r.fail(w.next, detail)
}

// done leaves out the rows behind the last one.
func (w *writer) done() column.Column {
	for int(w.next) < w.r.n {
		w.out.Offsets = append(w.out.Offsets, int32(len(w.out.Data)))
		w.next++
	}
	return w.out
}
