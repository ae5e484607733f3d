package delta

import (
	"math"
	"strconv"
	"time"

	"github.com/millrace-io/millrace/engine/column"
)

// whole is the bounds of a column of whole numbers, of which dates and timestamps are some.
type whole[T integer] struct {
	min, max T
	seen     bool
	write    func([]byte, T) []byte // writes the minimum, and the maximum unless writeMax is set
	writeMax func([]byte, T) []byte
}

type integer interface{ int8 | int16 | int32 | int64 }

func (w *whole[T]) reset() { w.seen = false }

func (w *whole[T]) add(c column.Column) {
	f := c.(*column.Fixed[T])
	for row, v := range f.Values {
		switch {
		case f.Valid.Null(row):
		case !w.seen:
			w.seen, w.min, w.max = true, v, v
		default:
			w.min, w.max = min(w.min, v), max(w.max, v)
		}
	}
}

func (w *whole[T]) appendMin(b []byte) []byte {
	if !w.seen {
		return b
	}
	return w.write(b, w.min)
}

func (w *whole[T]) appendMax(b []byte) []byte {
	if !w.seen {
		return b
	}
	if w.writeMax != nil {
		return w.writeMax(b, w.max)
	}
	return w.write(b, w.max)
}

func appendNumber[T integer](b []byte, v T) []byte { return strconv.AppendInt(b, int64(v), 10) }

// The days and milliseconds from 0001-01-01 to the end of 9999. Readers disagree on how other years are
// written, so a bound among them is left out.
const (
	firstDay, lastDay       = -719162, 2932896
	firstMilli, afterMillis = firstDay * millisADay, (lastDay + 1) * millisADay
	millisADay              = 24 * 60 * 60 * 1000
)

func appendDay(b []byte, day int32) []byte {
	if day < firstDay || day > lastDay {
		return b
	}
	return time.Unix(int64(day)*24*60*60, 0).UTC().AppendFormat(b, `"2006-01-02"`)
}

// appendMillisDown writes the last millisecond that is not after us.
func appendMillisDown(b []byte, us int64) []byte { return appendMillis(b, millisDown(us), "Z") }

// appendMillisUp writes the first millisecond that is not before us. Spark cuts the maximum down as well
// and leaves it to readers to allow for that; one that does not would miss rows. Rounded up, the bound
// holds for every reader.
func appendMillisUp(b []byte, us int64) []byte { return appendMillis(b, millisUp(us), "Z") }

// appendClockDown and appendClockUp do the same for times without a zone.
func appendClockDown(b []byte, us int64) []byte { return appendMillis(b, millisDown(us), "") }

func appendClockUp(b []byte, us int64) []byte { return appendMillis(b, millisUp(us), "") }

func millisDown(us int64) int64 {
	ms := us / 1000
	if us%1000 < 0 {
		ms--
	}
	return ms
}

func millisUp(us int64) int64 {
	ms := us / 1000
	if us%1000 > 0 {
		ms++
	}
	return ms
}

func appendMillis(b []byte, ms int64, zone string) []byte {
	if ms < firstMilli || ms >= afterMillis {
		return b
	}
	return append(append(time.UnixMilli(ms).UTC().AppendFormat(b, `"2006-01-02T15:04:05.000`), zone...), '"')
}

// decimal is the bounds of a column of decimals, written as numbers with all their digits.
type decimal struct {
	min, max column.Int128
	seen     bool
	scale    int
}

func (d *decimal) reset() { d.seen = false }

func (d *decimal) add(c column.Column) {
	x := c.(*column.Decimals)
	for row, v := range x.Values {
		if x.Valid.Null(row) {
			continue
		}
		if !d.seen || v.Cmp(d.min) < 0 {
			d.min = v
		}
		if !d.seen || v.Cmp(d.max) > 0 {
			d.max = v
		}
		d.seen = true
	}
}

func (d *decimal) appendMin(b []byte) []byte {
	if !d.seen {
		return b
	}
	return d.min.AppendDecimal(b, d.scale)
}

func (d *decimal) appendMax(b []byte) []byte {
	if !d.seen {
		return b
	}
	return d.max.AppendDecimal(b, d.scale)
}

// floating is the bounds of a column of floats. A bound that JSON can't say is left out: an infinite one,
// and the maximum of values with a NaN among them, which Spark and others sort above every number.
type floating[T float32 | float64] struct {
	min, max T
	seen     bool // a number
	nan      bool // a NaN
	bits     int
}

func (f *floating[T]) reset() { f.seen, f.nan = false, false }

func (f *floating[T]) add(c column.Column) {
	x := c.(*column.Fixed[T])
	for row, v := range x.Values {
		switch {
		case x.Valid.Null(row):
		case v != v:
			f.nan = true
		case !f.seen:
			f.seen, f.min, f.max = true, v, v
		case v < f.min:
			f.min = v
		case v > f.max:
			f.max = v
		}
	}
}

// appendMin writes 0 as -0.0: some readers tell the two zeros apart, and either may be in the file.
func (f *floating[T]) appendMin(b []byte) []byte {
	if f.seen && f.min == 0 {
		return append(b, "-0.0"...)
	}
	return f.append(b, f.min, f.seen)
}

func (f *floating[T]) appendMax(b []byte) []byte {
	if f.seen && !f.nan && f.max == 0 {
		return append(b, "0.0"...)
	}
	return f.append(b, f.max, f.seen && !f.nan)
}

func (f *floating[T]) append(b []byte, v T, known bool) []byte {
	if !known || math.IsInf(float64(v), 0) {
		return b
	}
	return strconv.AppendFloat(b, float64(v), 'g', -1, f.bits)
}
