package engine

import (
	"sync/atomic"
	"time"
)

// An intake sums up what entries admit until the loop looks.
type intake struct {
	rows, bytes       atomic.Int64
	allRows, allBytes atomic.Int64
	first             atomic.Pointer[time.Time] // when the first records were taken in
	poke              chan struct{}
}

func (i *intake) add(rows, bytes int64) {
	i.rows.Add(rows)
	i.bytes.Add(bytes)
	if i.allRows.Add(rows) == rows {
		now := time.Now()
		i.first.Store(&now)
	}
	i.allBytes.Add(bytes)
	select {
	case i.poke <- struct{}{}:
	default:
	}
}

// stir has an epoch end by time as if a row had come.
func (i *intake) stir() {
	i.rows.Add(1)
	select {
	case i.poke <- struct{}{}:
	default:
	}
}

func (i *intake) take() (rows, bytes int64) { return i.rows.Swap(0), i.bytes.Swap(0) }
