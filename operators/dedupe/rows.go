package dedupe

import (
	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// keep says whether a row is the first of its key, and remembers it if so.
func (d *dedupe) keep(k column.Key, at, mark engine.Time) bool {
	t := &d.slots[k.Slot()]
	if t.full() {
		before := len(t.buckets)
		t.floor = max(t.floor, d.floor)
		d.scratch = t.grow(d.scratch)
		d.buckets += len(t.buckets) - before
	}
	place, duplicate := t.has(k, at, mark.Minus(d.within), d.span)
	if duplicate {
		return false
	}
	t.put(place, entry{k.Hi | taken, rest{k.Lo, at}})
	t.fresh = append(t.fresh, uint32(place))
	return true
}

// ahead is for how many rows memory is asked before it is needed: the buckets of so many, of 192 bytes, fit
// the first cache.
const ahead = 128

// warm loads the buckets where the rows' keys would be. The loads do not wait for one another,
// those of keep do: without this each row costs the time of main memory.
func (d *dedupe) warm(keys []column.Key, rows column.Selection) {
	sum := uint64(0)
	for _, row := range rows {
		sum += d.slots[keys[row].Slot()].load(keys[row])
	}
	d.warmed = sum
}

// rows is the rows that count, as a list.
func (d *dedupe) rows(in *engine.Batch) column.Selection {
	if in.Sel != nil {
		return in.Sel
	}
	for len(d.every) < in.Rows {
		d.every = append(d.every, int32(len(d.every)))
	}
	return d.every[:in.Rows]
}

func (d *dedupe) keys(in *engine.Batch) []column.Key {
	if in.Keys != nil {
		return in.Keys
	}
	d.cols = d.cols[:0]
	for _, i := range d.by {
		d.cols = append(d.cols, in.Columns[i])
	}
	keys := in.Arena.Keys(in.Rows)
	d.hasher.Keys(keys, d.cols, in.Sel, in.Rows)
	return keys
}
