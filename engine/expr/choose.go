package expr

import (
	"slices"

	"github.com/millrace-io/millrace/engine/column"
)

// A choice gives each row the value of one of several branches. It is what CASE, if, coalesce, nullif,
// greatest and least are made of. Branches are computed only for the rows that take them.
type choice struct {
	branches []*node         // all of one type
	results  []column.Column // of the branches that were computed in this run; nil: no row takes it; all nil between runs
	pick     []int16         // the branch of each row; none: null
	nulls    bool            // a row took none
}

const none = -1 // the branch of a row that has no value

func newChoice(branches []*node) *choice {
	return &choice{branches: branches, results: make([]column.Column, len(branches))}
}

// begin forgets the last run. The picks of all rows are unspecified.
func (c *choice) begin(r *run) {
	c.nulls = false
	c.pick = slices.Grow(c.pick[:0], r.n)[:r.n]
}

// take gives the rows the value of branch k and computes it for them.
func (c *choice) take(r *run, k int16, rows column.Selection) {
	if len(rows) == 0 {
		return
	}
	if k == none {
		c.nulls = true
	} else {
		c.results[k] = r.column(c.branches[k], rows)
	}
	for _, i := range rows {
		c.pick[i] = k
	}
}

// column puts the result together for the rows sel, each of which has its pick, and lets go of the branches'.
func (c *choice) column(r *run, t column.Type, sel column.Selection) column.Column {
	defer clear(c.results)
	if sole := c.sole(); sole != nil {
		return sole
	}
	switch t.Kind {
	case column.Bool:
		return chooseFixed[bool](r, c, t, sel)
	case column.Byte:
		return chooseFixed[int8](r, c, t, sel)
	case column.Short:
		return chooseFixed[int16](r, c, t, sel)
	case column.Decimal:
		return chooseFixed[column.Int128](r, c, t, sel)
	case column.Int, column.Date:
		return chooseFixed[int32](r, c, t, sel)
	case column.Long, column.Timestamp, column.TimestampNTZ:
		return chooseFixed[int64](r, c, t, sel)
	case column.Float:
		return chooseFixed[float32](r, c, t, sel)
	case column.Double:
		return chooseFixed[float64](r, c, t, sel)
	case column.Array:
		return chooseLists(r, c, t, sel)
	case column.Struct, column.Map:
		return chooseAny(r, c, t, sel)
	}
	return chooseTexts(r, c, t, sel)
}

// sole is the result that all rows take, if there is one that is no constant.
func (c *choice) sole() column.Column {
	if c.nulls {
		return nil
	}
	var sole column.Column
	for k, result := range c.results {
		switch {
		case result == nil:
		case sole != nil || c.branches[k].lit != nil:
			return nil
		default:
			sole = result
		}
	}
	return sole
}

func chooseFixed[T column.Native](r *run, c *choice, t column.Type, sel column.Selection) column.Column {
	out := fixed[T](r, t)
	r.strict(&out.Valid)
	branches := make([]vec[T], len(c.branches))
	for k, result := range c.results {
		if result != nil {
			branches[k] = asVec[T](result, c.branches[k])
		}
	}
	for _, i := range r.rows(sel) {
		k := c.pick[i]
		if k == none || branches[k].null(i) {
			out.Valid.SetNull(int(i))
			continue
		}
		out.Values[i] = branches[k].at(i)
	}
	return out
}

func chooseTexts(r *run, c *choice, t column.Type, sel column.Selection) column.Column {
	w := r.writer(t)
	branches := make([]words, len(c.branches))
	for k, result := range c.results {
		if result != nil {
			branches[k] = asWords(result, c.branches[k])
		}
	}
	for _, i := range r.rows(sel) {
		w.begin(i)
		if k := c.pick[i]; k == none || branches[k].null(i) {
			w.valid.SetNull(int(i))
		} else {
			w.out.Data = append(w.out.Data, branches[k].at(i)...)
		}
		w.end()
	}
	return w.done()
}
