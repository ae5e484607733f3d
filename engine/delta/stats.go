package delta

import (
	"cmp"
	"slices"

	"github.com/millrace-io/millrace/engine/column"
)

// Indexed says which columns of a table have bounds and null counts in its log: those of Names, or where there
// are none the first Columns, of which 0 stands for 32, Delta's own default, and -1 for all. More would make
// the log of a wide table grow with columns nobody filters by.
type Indexed struct {
	Columns int
	Names   []string
}

// has says whether column i of a schema has statistics.
func (x Indexed) has(i int, name string) bool {
	if len(x.Names) > 0 {
		return slices.Contains(x.Names, name)
	}
	return x.Columns < 0 || i < cmp.Or(x.Columns, 32)
}

// Stats gathers the statistics of one data file from summaries of the rows that go into it, one a row group.
// They are exact, but for long strings and fractions of milliseconds, whose bounds are looser than the values
// and never tighter.
//
// A Stats belongs to one goroutine. It holds at most 2 × 260 bytes a string column.
type Stats struct {
	records int64
	columns []indexed
}

// indexed is a column of the file that has statistics.
type indexed struct {
	name   string
	at     int // in the schema
	nulls  int64
	bounds bounds // nil: the type has none
}

// bounds are the least and the greatest value seen of a column.
type bounds interface {
	// add takes the values of a column. Nulls among them do not count.
	add(c column.Column)
	// appendMin and appendMax write the bound as JSON, or nothing where it has none.
	appendMin(b []byte) []byte
	appendMax(b []byte) []byte
	reset()
}

// NewStats makes the statistics of a file whose columns are those of schema: all of the table but the
// partition columns, which are not in files and have no statistics.
func NewStats(schema column.Schema, which Indexed) *Stats {
	s := &Stats{}
	for i, f := range schema {
		if which.has(i, f.Name) {
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

// A ColumnSummary is what statistics need to know of some rows of a column.
type ColumnSummary struct {
	Nulls int64
	// Ends holds the least and the greatest value of the rows, and a NaN if there is one. Other values of the
	// column do no harm. nil for a type without order: bool, binary and arrays.
	Ends column.Column
}

// Add takes rows: their number, and a summary of each column of the schema in its order, which is lent.
func (s *Stats) Add(rows int64, columns []ColumnSummary) {
	s.records += rows
	for i := range s.columns {
		x := &s.columns[i]
		x.nulls += columns[x.at].Nulls
		if x.bounds != nil {
			x.bounds.add(columns[x.at].Ends)
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
