package delta

import (
	"slices"
	"strings"

	"github.com/millrace-io/millrace/engine/column"
)

// An Indexing says which columns of a table have bounds and null counts in its log, leaf by leaf: a struct has
// those of its fields, an array or a map is one leaf. The zero Indexing means the first 32, Delta's own default:
// more would make the log of a wide table grow with columns nobody filters by.
type Indexing struct {
	said  bool
	first int      // so many; below 0: all
	names []string // these; nil: the first ones
}

// IndexFirst means the first n leaves, all where n is below 0: the table's delta.dataSkippingNumIndexedCols.
func IndexFirst(n int) Indexing { return Indexing{said: true, first: n} }

// IndexNamed means the columns named, "a" or "a.b", with all that is in them: delta.dataSkippingStatsColumns.
func IndexNamed(names ...string) Indexing {
	return Indexing{said: true, names: append([]string{}, names...)}
}

// Equal says whether both mean the same columns.
func (x Indexing) Equal(o Indexing) bool {
	return x.said == o.said && x.first == o.first && slices.Equal(x.names, o.names)
}

// has says whether leaf number i, whose name is path with dots in between, has statistics.
func (x Indexing) has(i int, path string) bool {
	switch {
	case !x.said:
		return i < indexedLeaves
	case x.names == nil:
		return x.first < 0 || i < x.first
	}
	return slices.ContainsFunc(x.names, func(name string) bool { return path == name || strings.HasPrefix(path, name+".") })
}

const indexedLeaves = 32

// Stats gathers the statistics of one data file from summaries of the rows that go into it, one a row group.
// They are exact, but for long strings and fractions of milliseconds, whose bounds are looser than the values
// and never tighter.
//
// A Stats belongs to one goroutine. It holds at most 2 × 260 bytes a string column.
type Stats struct {
	records int64
	columns []statsNode
	leaves  []*indexed // in the order in which columns have them; nil: it has no statistics
}

// A statsNode is a column or a field of a struct.
type statsNode struct {
	name   string
	fields []statsNode // of a struct
	leaf   *indexed    // nil: a struct, or no statistics
}

// indexed is a leaf that has statistics.
type indexed struct {
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
func NewStats(schema column.Schema, which Indexing) *Stats {
	s := &Stats{}
	s.columns = s.nodes(schema, "", which)
	return s
}

func (s *Stats) nodes(schema column.Schema, above string, which Indexing) []statsNode {
	nodes := make([]statsNode, len(schema))
	for i, f := range schema {
		nodes[i].name = f.Name
		if f.Type.Kind == column.Struct {
			nodes[i].fields = s.nodes(f.Type.Fields(), above+f.Name+".", which)
			continue
		}
		if which.has(len(s.leaves), above+f.Name) {
			nodes[i].leaf = &indexed{bounds: boundsOf(f.Type)}
		}
		s.leaves = append(s.leaves, nodes[i].leaf)
	}
	return nodes
}

func boundsOf(t column.Type) bounds {
	switch t.Kind {
	case column.Byte:
		return &whole[int8]{write: appendNumber[int8]}
	case column.Short:
		return &whole[int16]{write: appendNumber[int16]}
	case column.Int:
		return &whole[int32]{write: appendNumber[int32]}
	case column.Long:
		return &whole[int64]{write: appendNumber[int64]}
	case column.Date:
		return &whole[int32]{write: appendDay}
	case column.Timestamp:
		return &whole[int64]{write: appendMillisDown, writeMax: appendMillisUp}
	case column.TimestampNTZ:
		return &whole[int64]{write: appendClockDown, writeMax: appendClockUp}
	case column.Decimal:
		return &decimal{scale: t.Scale()}
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

// A ColumnSummary is what statistics need to know of some rows of a leaf.
type ColumnSummary struct {
	Nulls int64 // rows that are null or are in a struct that is
	// Ends holds the least and the greatest value of the rows, and a NaN if there is one. Other values of the
	// column do no harm. nil for a type without order: bool, binary, arrays and maps.
	Ends column.Column
}

// Add takes rows: their number, and a summary of each leaf of the schema in order, which is lent. Structs stand
// for their fields, depth first; arrays and maps are leaves.
func (s *Stats) Add(rows int64, leaves []ColumnSummary) {
	s.records += rows
	for i, x := range s.leaves {
		if x == nil {
			continue
		}
		x.nulls += leaves[i].Nulls
		if x.bounds != nil {
			x.bounds.add(leaves[i].Ends)
		}
	}
}

// Reset forgets all rows and keeps the memory.
func (s *Stats) Reset() {
	s.records = 0
	for _, x := range s.leaves {
		if x == nil {
			continue
		}
		x.nulls = 0
		if x.bounds != nil {
			x.bounds.reset()
		}
	}
}

// JSON is the statistics as they stand in the stats field of an add action, structs as objects:
//
//	{"numRecords":3,"minValues":{"id":1},"maxValues":{"id":9},"nullCount":{"id":0,"at":{"city":2}}}
func (s *Stats) JSON() string {
	b := append([]byte(`{"numRecords":`), appendNumber(nil, s.records)...)
	b = appendNodes(append(b, `,"minValues":`...), s.columns, (*indexed).appendMin)
	b = appendNodes(append(b, `,"maxValues":`...), s.columns, (*indexed).appendMax)
	b = appendNodes(append(b, `,"nullCount":`...), s.columns, func(x *indexed, b []byte) []byte { return appendNumber(b, x.nulls) })
	return string(append(b, '}'))
}

func (x *indexed) appendMin(b []byte) []byte {
	if x.bounds == nil {
		return b
	}
	return x.bounds.appendMin(b)
}

func (x *indexed) appendMax(b []byte) []byte {
	if x.bounds == nil {
		return b
	}
	return x.bounds.appendMax(b)
}

// appendNodes writes an object of what write has to say of the leaves, without those it says nothing of.
func appendNodes(b []byte, nodes []statsNode, write func(*indexed, []byte) []byte) []byte {
	b = append(b, '{')
	start := len(b)
	for i := range nodes {
		n := &nodes[i]
		before := len(b)
		if before > start {
			b = append(b, ',')
		}
		b = append(appendQuoted(b, n.name), ':')
		value := len(b)
		switch {
		case n.fields != nil:
			b = appendNodes(b, n.fields, write)
			if len(b) == value+len("{}") {
				b = b[:before]
			}
		case n.leaf != nil:
			if b = write(n.leaf, b); len(b) == value {
				b = b[:before]
			}
		default:
			b = b[:before]
		}
	}
	return append(b, '}')
}
