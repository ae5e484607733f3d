package delta

import (
	"slices"

	"github.com/millrace-io/millrace/engine/column"
)

// indexedColumns is how many leaf columns have bounds and null counts: Delta's own default. More would
// make the log of a wide table grow with columns nobody filters by.
const indexedColumns = 32

// Stats gathers the statistics of one data file from the rows that go into it. They are exact, but for
// long strings and fractions of milliseconds, whose bounds are looser than the values and never tighter.
//
// A Stats belongs to one goroutine. It holds at most 2 × 260 bytes a string column and allocates nothing a
// row.
type Stats struct {
	records int64
	columns []indexed
}

// indexed is a column of the file that has statistics.
type indexed struct {
	name   string
	at     int // index in the schema
	nulls  int64
	bounds bounds // nil: the type has none
}

// bounds are the least and the greatest value seen of a column.
type bounds interface {
	// add takes the selected rows of a column, nulls among them.
	add(c column.Column, sel column.Selection, n int)
	// merge takes what another of the same type has seen.
	merge(o bounds)
	// appendMin and appendMax write the bound as JSON, or nothing where it has none.
	appendMin(b []byte) []byte
	appendMax(b []byte) []byte
	reset()
}

// NewStats makes the statistics of a file with rows of schema in a table partitioned by the columns named:
// those are not in the file and have no statistics.
func NewStats(schema column.Schema, partitionBy []string) *Stats {
	s := &Stats{}
	for i, f := range schema {
		if len(s.columns) == indexedColumns {
			break
		}
		if !slices.Contains(partitionBy, f.Name) {
			s.columns = append(s.columns, indexed{name: f.Name, at: i, bounds: boundsOf(f.Type)})
		}
	}
	return s
}

func boundsOf(t column.Type) bounds {
	switch t.Kind {
	case column.Int:
		return &whole[int32]{write: appendNumber[int32]}
	case column.Long:
		return &whole[int64]{write: appendNumber[int64]}
	case column.Date:
		return &whole[int32]{write: appendDay}
	case column.Timestamp:
		return &whole[int64]{write: appendMillisDown, writeMax: appendMillisUp}
	case column.Float:
		return &floating[float32]{bits: 32}
	case column.Double:
		return &floating[float64]{bits: 64}
	case column.String:
		return &text{}
	default:
		return nil
	}
}

// Rows is the number of rows added.
func (s *Stats) Rows() int64 { return s.records }

// Add takes the rows sel of cols, the columns of the schema in its order; all n rows when sel is nil. The
// columns are lent.
func (s *Stats) Add(cols []column.Column, sel column.Selection, n int) {
	s.records += int64(sel.Count(n))
	for i := range s.columns {
		x := &s.columns[i]
		c := cols[x.at]
		x.nulls += nullsIn(c.Nulls(), sel, n)
		if x.bounds != nil {
			x.bounds.add(c, sel, n)
		}
	}
}

func nullsIn(v *column.Validity, sel column.Selection, n int) int64 {
	if v.Nulls() == 0 {
		return 0
	}
	if sel == nil && n == v.Len() {
		return int64(v.Nulls())
	}
	nulls := int64(0)
	for row := range sel.All(n) {
		if v.Null(row) {
			nulls++
		}
	}
	return nulls
}

// Merge adds what o has seen. Both must be of the same schema and partition columns.
func (s *Stats) Merge(o *Stats) {
	s.records += o.records
	for i := range s.columns {
		x, y := &s.columns[i], &o.columns[i]
		x.nulls += y.nulls
		if x.bounds != nil {
			x.bounds.merge(y.bounds)
		}
	}
}

// Reset forgets all rows and keeps the memory.
func (s *Stats) Reset() {
	s.records = 0
	for i := range s.columns {
		s.columns[i].nulls = 0
		if s.columns[i].bounds != nil {
			s.columns[i].bounds.reset()
		}
	}
}

// JSON is the statistics as they stand in the stats field of an add action:
//
//	{"numRecords":3,"minValues":{"id":1},"maxValues":{"id":9},"nullCount":{"id":0,"tags":2}}
func (s *Stats) JSON() string {
	b := append([]byte(`{"numRecords":`), appendNumber(nil, s.records)...)
	b = s.appendBounds(append(b, `,"minValues":{`...), bounds.appendMin)
	b = s.appendBounds(append(b, `},"maxValues":{`...), bounds.appendMax)
	b = append(b, `},"nullCount":{`...)
	for i := range s.columns {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendQuoted(b, s.columns[i].name), ':')
		b = appendNumber(b, s.columns[i].nulls)
	}
	return string(append(b, "}}"...))
}

func (s *Stats) appendBounds(b []byte, write func(bounds, []byte) []byte) []byte {
	first := true
	for i := range s.columns {
		x := &s.columns[i]
		if x.bounds == nil {
			continue
		}
		value := write(x.bounds, nil)
		if len(value) == 0 {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendQuoted(b, x.name), ':')
		b = append(b, value...)
	}
	return b
}
