package engine

import (
	"fmt"
	"time"
)

// A lateNode stands at the start of a stream that waits for event time to pass and keeps late rows out: those whose
// partition had promised, before they came, that none so early would follow. That is in the row (Batch.At, Batch.Mark),
// so it is the same wherever the stream begins and however partitions take turns.
type lateNode struct {
	in     *instance
	stream string
	next   fan
}

func (n *lateNode) push(b *Batch) error {
	for row := range b.Sel.All(b.Rows) {
		if b.At[row] < b.Mark[row] {
			return n.next.push(n.refuse(b))
		}
	}
	return n.next.push(b)
}

// refuse counts the late rows, sends them to quarantine unless the source drops them, and gives the others.
func (n *lateNode) refuse(b *Batch) *Batch {
	var of EventTime
	if s := n.in.task.plan.source(b.Origin.Source); s != nil {
		of = s.Time
	}
	count := n.in.count(n.stream)
	kept := b.Arena.Selection(b.Count())
	for row := range b.Sel.All(b.Rows) {
		if b.At[row] >= b.Mark[row] {
			kept = append(kept, int32(row))
			continue
		}
		count.Late++
		if of.DropLate {
			count.LateDropped++
			continue
		}
		n.in.refuse(b, row, n.stream, ReasonLate, of.name(), lateness(b.At[row], b.Mark[row], of.MaxDelay))
	}
	return b.Select(kept)
}

// lateness says how late a row was.
func lateness(at, mark Time, delay time.Duration) string {
	by := time.Duration(mark-at) * time.Microsecond
	return fmt.Sprintf("it came %v too late: its event time, %s, is %v older than the newest before it, and max_delay is %v", by, at.text(), by+delay, delay)
}
