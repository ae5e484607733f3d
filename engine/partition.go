package engine

import (
	"fmt"
	"slices"

	"github.com/millrace-io/millrace/engine/column"
)

// A table's partition of a day or a time is named by it, and what is outside the years 1 to 9999 can't be: SQL has no
// such years, and a reader that meets one in the log can't open the table at all. So a table refuses such rows.
const (
	firstDay = -719_162  // 0001-01-01, in days since 1970-01-01
	lastDay  = 2_932_896 // 9999-12-31
	dayLong  = 24 * 3600 * 1_000_000
)

// timePartitions is the numbers of the columns that a table is partitioned by and that are days or times.
func timePartitions(t *TablePlan, schema Schema) []int {
	var found []int
	for _, name := range t.PartitionBy {
		i := schema.Index(name)
		if i >= 0 && slices.Contains([]column.Kind{column.Date, column.Timestamp, column.TimestampNTZ}, schema[i].Type.Kind) {
			found = append(found, i)
		}
	}
	return found
}

// unnamed says whether a row's value of a day or a time is one that no partition can be named by.
func unnamed(c column.Column, row int) bool {
	if c.Nulls().Null(row) {
		return false
	}
	switch c := c.(type) {
	case *column.Ints:
		return c.Values[row] < firstDay || c.Values[row] > lastDay
	case *column.Longs:
		return c.Values[row] < firstDay*dayLong || c.Values[row] >= (lastDay+1)*dayLong
	}
	return false
}

// A partitionNode counts what comes to a table with partitions of days or times and refuses rows outside the years that
// partitions can be named by.
type partitionNode struct {
	in      *instance
	stream  string
	columns []int
	count   *Count
	next    *tableNode
}

func (n *partitionNode) push(b *Batch) error {
	n.count.In += int64(b.Count())
	refused := 0
	for _, i := range n.columns {
		for row := range b.Sel.All(b.Rows) {
			if unnamed(b.Columns[i], row) {
				refused++
			}
		}
	}
	if refused > 0 {
		b = n.refuse(b)
	}
	n.count.Out += int64(b.Count())
	return n.next.push(b)
}

// refuse sends rows to quarantine and gives the others.
func (n *partitionNode) refuse(b *Batch) *Batch {
	out := *b
	out.Sel = b.Arena.Selection(b.Count())
	for row := range b.Sel.All(b.Rows) {
		at := slices.IndexFunc(n.columns, func(i int) bool { return unnamed(b.Columns[i], row) })
		if at < 0 {
			out.Sel = append(out.Sel, int32(row))
			continue
		}
		i := n.columns[at]
		n.count.Quarantined++
		n.in.reject(reject{
			origin: b.Origin, stream: n.stream, offset: b.Offset[row], at: b.At[row], hasAt: true, reason: ReasonPartition, column: b.Schema[i].Name,
			detail: fmt.Sprintf("table %s is partitioned by it: expected a time in the years 1 to 9999, found %s", n.next.table, column.AppendJSON(nil, b.Columns[i], row)),
			bytes:  column.AppendRowJSON(nil, b.Schema, b.Columns, row),
		})
	}
	return &out
}
