package clean

import (
	"strconv"
	"strings"

	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/expr"
)

// iso is the format that stands where none is given: ISO 8601.
const iso = "iso"

func (c *compiler) timestamp(formats []string) *fault {
	l, expect, fault := parseLayouts(formats, "a timestamp", string(Timestamp))
	if fault == nil {
		addParse(c, column.Timestamp, expect, l.timestamp)
	}
	return fault
}

func (c *compiler) date(formats []string) *fault {
	l, expect, fault := parseLayouts(formats, "a date", string(Date))
	if fault == nil {
		addParse(c, column.Date, expect, l.date)
	}
	return fault
}

// layouts are tried in order: the first that fits counts.
type layouts []expr.TimeLayout

// parseLayouts reads formats. expect is what messages say a text must be.
func parseLayouts(formats []string, what, key string) (l layouts, expect string, _ *fault) {
	if len(formats) == 0 {
		formats = []string{iso}
	}
	for i, format := range formats {
		layout, err := expr.ParseTimeLayout(format)
		if err != nil {
			return nil, "", &fault{path: []string{key, strconv.Itoa(i)}, message: err.Error()}
		}
		l = append(l, layout)
	}
	return l, what + " such as " + strings.Join(formats, " or "), nil
}

func (l layouts) timestamp(v []byte) (micros int64, ok bool) {
	for i := range l {
		if micros, ok = l[i].Parse(v); ok {
			return micros, true
		}
	}
	return 0, false
}

// date is the day, in UTC, of the instant.
func (l layouts) date(v []byte) (int32, bool) {
	const day = 24 * 60 * 60 * 1e6
	micros, ok := l.timestamp(v)
	days := micros / day
	if micros%day < 0 {
		days--
	}
	return int32(days), ok
}
