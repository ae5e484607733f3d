package parquet

import (
	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace-io/millrace/engine/column"
)

// decimals is decimals of many digits: as many bytes each as the precision needs, the highest first.
type decimals struct {
	size     int
	min, max column.Int128
	some     bool // a value was seen since the reset
}

func (x *decimals) bytes(_ column.Column, runs []run) int { return count(runs) * x.size }

func (x *decimals) add(p *page, c column.Column, runs []run) {
	d := c.(*column.Decimals)
	p.reserve(x.bytes(c, runs))
	words := d.Valid.Words()
	for _, r := range runs {
		for at := r.from; at < r.to; {
			from, end := nextRun(words, at, r.to)
			for _, v := range d.Values[from:end] {
				p.body = v.AppendBigEndian(p.body, x.size)
				x.see(v)
			}
			at = end
		}
	}
}

func (x *decimals) see(v column.Int128) {
	if !x.some || v.Cmp(x.min) < 0 {
		x.min = v
	}
	if !x.some || v.Cmp(x.max) > 0 {
		x.max = v
	}
	x.some = true
}

func (x *decimals) finish(*page) {}

func (x *decimals) encoding() format.Encoding { return format.Plain }

func (x *decimals) bounds() (lower, upper []byte, ok bool) {
	return x.min.AppendBigEndian(nil, x.size), x.max.AppendBigEndian(nil, x.size), x.some
}

func (x *decimals) appendEnds(to column.Column) {
	if d := to.(*column.Decimals); x.some {
		d.Append(x.min)
		d.Append(x.max)
	}
}

func (x *decimals) reset() { x.some = false }
