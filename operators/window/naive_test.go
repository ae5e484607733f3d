package window

import (
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/millrace-io/millrace/engine"
)

// A fact is a row as the naive program sees it.
type fact struct {
	id        string
	null      bool // v is null
	v         int64
	x         float64
	at        engine.Time
	partition int
	offset    engine.Offset
}

// before is the order of rows that settles ties.
func (f fact) before(o fact) int {
	switch {
	case f.at != o.at:
		return int(f.at - o.at)
	case f.partition != o.partition:
		return f.partition - o.partition
	}
	return int(f.offset - o.offset)
}

// bad says whether the aggregate q of yamlAggregates has no value for the row.
func (f fact) bad() bool { return !f.null && f.v == 3 }

func (f fact) json() string {
	v := "null"
	if !f.null {
		v = fmt.Sprint(f.v)
	}
	return fmt.Sprintf(`{"id":%q,"v":%s,"x":%s}`, f.id, v, number(f.x))
}

func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

const (
	factSchema     = "id: string!, v: long, x: double!"
	yamlAggregates = `
aggregates:
  n: count()
  s: sum(v)
  m: max(v) filter (where v > 0)
  d: median(v % 1000)
  l: last(v)
  f: sum(x)
  u: count(distinct v)
  q: count(1 / (v - 3))
`
)

// A naiveWindow is the rows of a key in one window.
type naiveWindow struct {
	id         string
	start, end engine.Time
	rows       []fact
}

// result is the window's row, or what is wrong with it.
func (w naiveWindow) result() (row string, failed bool) {
	slices.SortFunc(w.rows, fact.before)
	var sum, floats big.Float
	sum.SetPrec(2000)
	floats.SetPrec(2000)
	most, last, distinct, values, some := "null", "null", map[int64]bool{}, []float64{}, 0
	top := int64(0)
	for _, r := range w.rows {
		floats.Add(&floats, big.NewFloat(r.x))
		if last = "null"; r.null {
			continue
		}
		some++
		sum.Add(&sum, new(big.Float).SetInt64(r.v))
		distinct[r.v] = true
		values = append(values, float64(r.v%1000))
		if last = fmt.Sprint(r.v); r.v > top {
			top = r.v
			most = fmt.Sprint(top)
		}
	}
	s, median := "null", "null"
	if some > 0 {
		n, accuracy := sum.Int64()
		s, failed = fmt.Sprint(n), accuracy != big.Exact
		slices.Sort(values)
		median = number((values[(some-1)/2] + values[some/2]) / 2)
	}
	if failed {
		s = "null"
	}
	f, _ := floats.Float64()
	return fmt.Sprintf(`{"id":%q,%s"n":%d,"s":%s,"m":%s,"d":%s,"l":%s,"f":%s,"u":%d,"q":%d}`,
		w.id, w.bounds(), len(w.rows), s, most, median, last, number(f), len(distinct), some), failed
}

func (w naiveWindow) bounds() string {
	if w.start == engine.MinTime {
		return ""
	}
	return fmt.Sprintf(`"window_start":%q,"window_end":%q,`, w.start.Std().Format(stamp), w.end.Std().Format(stamp))
}

// A naiveKind cuts the rows of one key, by time, into windows.
type naiveKind func(rows []fact) []naiveWindow

// cut makes windows of rows whose bounds at says.
func cut(at func(t engine.Time) (start, end engine.Time)) naiveKind {
	return func(rows []fact) []naiveWindow {
		var all []naiveWindow
		for _, r := range rows {
			start, end := at(r.at)
			i := slices.IndexFunc(all, func(w naiveWindow) bool { return w.start == start })
			if i < 0 {
				i = len(all)
				all = append(all, naiveWindow{id: r.id, start: start, end: end})
			}
			all[i].rows = append(all[i].rows, r)
		}
		return all
	}
}

// hopping looks at every window there could be.
func hopping(size, every engine.Time) naiveKind {
	return func(rows []fact) []naiveWindow {
		var all []naiveWindow
		least, most := rows[0].at, rows[len(rows)-1].at
		for start := (least/every - size/every - 2) * every; start <= most; start += every {
			w := naiveWindow{id: rows[0].id, start: start, end: start + size}
			for _, r := range rows {
				if r.at >= w.start && r.at < w.end {
					w.rows = append(w.rows, r)
				}
			}
			if w.rows != nil {
				all = append(all, w)
			}
		}
		return all
	}
}

func silent(gap engine.Time) naiveKind {
	return func(rows []fact) []naiveWindow {
		var all []naiveWindow
		for i, r := range rows {
			if i == 0 || r.at-rows[i-1].at >= gap {
				all = append(all, naiveWindow{id: r.id, start: r.at})
			}
			w := &all[len(all)-1]
			w.rows, w.end = append(w.rows, r), r.at+gap
		}
		return all
	}
}

// windowsOf is all windows of rows, of all keys.
func (k naiveKind) windowsOf(rows []fact) []naiveWindow {
	keys := map[string][]fact{}
	for _, r := range rows {
		keys[r.id] = append(keys[r.id], r)
	}
	var all []naiveWindow
	for _, rows := range keys {
		slices.SortFunc(rows, fact.before)
		all = append(all, k(rows)...)
	}
	return all
}

// watched finds the bounds of a calendar's windows by looking at the clock of the zone every quarter of an hour, and every
// minute about when it is changed.
func watched(unit, zone string, from, to engine.Time) func(t engine.Time) (start, end engine.Time) {
	location, err := time.LoadLocation(zone)
	if err != nil {
		panic(err)
	}
	var starts []engine.Time
	shown := int64(-1)
	for t := from; t < to; {
		label := labelOf(unit, t.Std().In(location))
		changed := label > shown
		if unit == "hour" || unit == "minute" {
			changed = label != shown
		}
		if changed {
			starts, shown = append(starts, t), label
		}
		_, before := (t - aDay).Std().In(location).Zone()
		_, after := (t + aDay).Std().In(location).Zone()
		if t += aMin; before == after && unit != "minute" {
			t += 14 * aMin
			t -= t % (15 * aMin)
		}
	}
	return func(t engine.Time) (start, end engine.Time) {
		i, found := slices.BinarySearch(starts, t)
		if !found {
			i--
		}
		return starts[i], starts[i+1]
	}
}

// labelOf numbers the unit that a clock shows.
func labelOf(unit string, t time.Time) int64 {
	y, m, d := t.Date()
	_, offset := t.Zone()
	date := int64(y*10000 + int(m)*100 + d)
	switch unit {
	case "minute":
		return (date*10000+int64(t.Hour()*100+t.Minute()))*1e5 + int64(offset)
	case "hour":
		return (date*100+int64(t.Hour()))*1e5 + int64(offset)
	case "day":
		return date
	case "week":
		y, w := t.ISOWeek()
		return int64(y*100 + w)
	case "month":
		return date / 100
	case "quarter":
		return int64(y*10 + int(m-1)/3)
	}
	return int64(y)
}

// sortedLines makes texts comparable.
func sortedLines(lines []string) string {
	lines = slices.Clone(lines)
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// middle is the median.
func middle(values []int64) float64 {
	values = slices.Clone(values)
	slices.Sort(values)
	n := len(values)
	return (float64(values[(n-1)/2]) + float64(values[n/2])) / 2
}

// exact is the double nearest to the sum of the tenths that doubles can be of each.
func exact(values []int64) float64 {
	var sum big.Float
	sum.SetPrec(2000)
	for _, v := range values {
		sum.Add(&sum, big.NewFloat(float64(v)/10))
	}
	f, _ := sum.Float64()
	return f
}
