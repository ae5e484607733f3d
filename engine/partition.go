package engine

import (
	"fmt"
	"slices"

	"github.com/millrace-io/millrace/engine/column"
)

// A partition is named by the text of its value, and some values can't be named so. Days and times outside the years 1
// to 9999: SQL has none, and a reader that meets one in the log can't open the table at all. The empty text: in the log
// it is null, which a column that is never null may not be. A table refuses rows of them.
const (
	firstDay = -719_162  // 0001-01-01, in days since 1970-01-01
	lastDay  = 2_932_896 // 9999-12-31
	dayLong  = 24 * 3600 * 1_000_000
)

// delicate is the numbers of the columns that a table is partitioned by and that may have values no partition can be
// named by.
func delicate(t *TablePlan, schema Schema) []int {
	var found []int
	for _, name := range t.PartitionBy {
		i := schema.Index(name)
		if i < 0 {
			continue
		}
		switch f := schema[i]; f.Type.Kind {
		case column.Date, column.Timestamp, column.TimestampNTZ:
			found = append(found, i)
		case column.String:
			if f.Required {
				found = append(found, i)
			}
		}
	}
	return found
}

// unnamed says whether no partition can be named by a row's value of a delicate column.
func unnamed(c column.Column, row int) bool {
	if c.Nulls().Null(row) {
		return false
	}
	switch c := c.(type) {
	case *column.Ints:
		return c.Values[row] < firstDay || c.Values[row] > lastDay
	case *column.Longs:
		return c.Values[row] < firstDay*dayLong || c.Values[row] >= (lastDay+1)*dayLong
	case *column.Texts:
		return len(c.At(row)) == 0
	}
	return false
}

// expected is what a delicate column's values are to be.
func expected(c column.Column) string {
	if _, ok := c.(*column.Texts); ok {
		return "a text that is not empty (an empty one is null there, and the column is never null)"
	}
	return "a time in the years 1 to 9999"
}

// A partitionNode stands before a table with delicate partition columns, and refuses rows that can't have a partition.
type partitionNode struct {
	in      *instance
	stream  string
	columns []int
	next    *tableNode
}

func (n *partitionNode) push(b *Batch) error {
	for _, i := range n.columns {
		for row := range b.Sel.All(b.Rows) {
			if unnamed(b.Columns[i], row) {
				return n.next.push(n.refuse(b))
			}
		}
	}
	return n.next.push(b)
}

// refuse sends rows to quarantine and gives the others.
func (n *partitionNode) refuse(b *Batch) *Batch {
	out := *b
	out.Sel = b.Arena.Selection(b.Count())
	count := n.in.count(n.next.table)
	for row := range b.Sel.All(b.Rows) {
		at := slices.IndexFunc(n.columns, func(i int) bool { return unnamed(b.Columns[i], row) })
		if at < 0 {
			out.Sel = append(out.Sel, int32(row))
			continue
		}
		i := n.columns[at]
		count.In++
		count.Quarantined++
		n.in.refuse(b, row, n.stream, ReasonPartition, b.Schema[i].Name,
			fmt.Sprintf("table %s is partitioned by it: expected %s, found %s", n.next.table, expected(b.Columns[i]), column.AppendJSON(nil, b.Columns[i], row)))
	}
	return &out
}
