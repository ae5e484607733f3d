package engine

import (
	"fmt"

	"github.com/millrace-io/millrace/engine/column"
)

// stamp gives each row its event time and its watermark: what the partition had promised before the row. Rows without an
// event time, or with one that can't be, go to quarantine and move no watermark: one clock that is wrong must not
// make everything that follows late.
func (e *entry) stamp(b *Batch, m *mark) {
	delay, ahead := e.source.Time.MaxDelay, e.source.Time.ahead()
	b.Mark = times(b.Arena.Longs(b.Rows))
	var valid *column.Validity
	if e.timeCol >= 0 {
		at, _ := b.Columns[e.timeCol].(*column.Longs)
		if read := e.source.Time.Read; read != nil {
			at = b.Arena.Column(column.Of(column.Timestamp)).(*column.Longs)
			read(at, b.Columns[e.timeCol])
		}
		b.At, valid = times(at.Values), &at.Valid
		if valid.Nulls() == 0 {
			valid = nil
		}
	}
	wrong := false
	for row := range b.Rows {
		b.Mark[row] = m.watermark
		if valid != nil && valid.Null(row) || b.At[row] < 0 || e.timeCol >= 0 && b.At[row] > b.Recorded[row].Minus(-ahead) {
			wrong = true
			continue
		}
		m.watermark = max(m.watermark, b.At[row].Minus(delay))
	}
	if wrong {
		e.refuse(b, valid)
	}
	b.Upto = m.watermark
}

// refuse sends the rows whose event time is none to quarantine.
func (e *entry) refuse(b *Batch, valid *column.Validity) {
	sel := b.Arena.Selection(b.Rows)
	for row := range b.Rows {
		missing := valid != nil && valid.Null(row)
		detail := ""
		switch ahead := e.source.Time.ahead(); {
		case missing:
			detail = e.missing(b, row)
		case b.At[row] < 0:
			detail = fmt.Sprintf("the event time is before 1970: %s", b.At[row].text())
		case e.timeCol >= 0 && b.At[row] > b.Recorded[row].Minus(-ahead):
			detail = fmt.Sprintf("the event time %s is more than %v (max_ahead) after the record's own, %s", b.At[row].text(), ahead, b.Recorded[row].text())
		default:
			sel = append(sel, int32(row))
			continue
		}
		e.inst.count(e.id.Source).Quarantined++
		e.inst.refuse(b, row, "", ReasonTime, e.source.Time.name(), detail)
	}
	b.Sel = sel
}

// missing says why a row has no event time.
func (e *entry) missing(b *Batch, row int) string {
	c := b.Columns[e.timeCol]
	if e.source.Time.Read == nil || c.Nulls().Null(row) {
		return "the row has no event time"
	}
	return fmt.Sprintf("expected %s, found %s", e.source.Time.Expect, column.AppendJSON(nil, c, row))
}
