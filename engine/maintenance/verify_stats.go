package maintenance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/delta"
)

// A statsCheck compares the statistics of a file with its rows: each value lies within the bounds, and there are
// as many nulls. Bounds may be looser than the values: those of long texts are cut, those of times are in whole
// milliseconds. Of a type without bounds in the log only the nulls are compared.
type statsCheck struct {
	min, max map[string]json.RawMessage
	counts   map[string]json.RawMessage // nested for structs, of which nothing is compared
	columns  []checked
}

// checked is a column of the file.
type checked struct {
	name     string
	at       int // in the schema
	least    *bound
	greatest *bound
	nulls    int64
}

// newStatsCheck reads the statistics of a file. A file without any has none to check.
func newStatsCheck(a *delta.Add, schema column.Schema, by []string) (*statsCheck, error) {
	c := &statsCheck{}
	if a.Stats == "" {
		return c, nil
	}
	var s struct {
		Min   map[string]json.RawMessage `json:"minValues"`
		Max   map[string]json.RawMessage `json:"maxValues"`
		Nulls map[string]json.RawMessage `json:"nullCount"`
	}
	if err := json.Unmarshal([]byte(a.Stats), &s); err != nil {
		return nil, err
	}
	c.min, c.max, c.counts = s.Min, s.Max, s.Nulls
	for i, f := range schema {
		if slices.Contains(by, f.Name) {
			continue
		}
		x := checked{name: f.Name, at: i}
		var err error
		if x.least, err = newBound(f.Type, s.Min[f.Name]); err != nil {
			return nil, fmt.Errorf("the least %s: %w", f.Name, err)
		}
		if x.greatest, err = newBound(f.Type, s.Max[f.Name]); err != nil {
			return nil, fmt.Errorf("the greatest %s: %w", f.Name, err)
		}
		c.columns = append(c.columns, x)
	}
	return c, nil
}

// check compares the rows of a row group.
func (c *statsCheck) check(file string, columns []column.Column) error {
	for i := range c.columns {
		x := &c.columns[i]
		col := columns[x.at]
		for row := range col.Len() {
			if col.Nulls().Null(row) {
				x.nulls++
				continue
			}
			if x.least != nil && x.least.compare(col, row) > 0 {
				return untrue("file %s has %s in column %s, the log says that the least is %s", file, column.AppendJSON(nil, col, row), x.name, c.min[x.name])
			}
			if x.greatest != nil && x.greatest.compare(col, row) < 0 {
				return untrue("file %s has %s in column %s, the log says that the greatest is %s", file, column.AppendJSON(nil, col, row), x.name, c.max[x.name])
			}
		}
	}
	return nil
}

// nulls compares the numbers of nulls when all rows were seen.
func (c *statsCheck) nulls(file string) error {
	for _, x := range c.columns {
		said, err := strconv.ParseInt(string(c.counts[x.name]), 10, 64)
		if err == nil && said != x.nulls {
			return untrue("file %s has %d nulls in column %s, the log says %d", file, x.nulls, x.name, said)
		}
	}
	return nil
}

// A bound is the least or the greatest value of a column as the log has it. slack is how far a greatest value may
// be below the real one: of times, whose bounds some writers cut to milliseconds.
type bound struct {
	whole    int64
	real     float64
	text     []byte
	slackMax int64
}

// newBound reads a bound; nil where the log has none or one of a type that is not compared.
func newBound(t column.Type, raw json.RawMessage) (*bound, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var err error
	b := &bound{}
	switch t.Kind {
	case column.Int, column.Long:
		b.whole, err = strconv.ParseInt(string(raw), 10, 64)
	case column.Float, column.Double:
		if raw[0] == '"' {
			return nil, nil // NaN and the infinities, which some writers name
		}
		bits := 64
		if t.Kind == column.Float {
			bits = 32 // as it was rounded when it was written
		}
		b.real, err = strconv.ParseFloat(string(raw), bits)
	case column.String:
		var text string
		err = json.Unmarshal(raw, &text)
		b.text = []byte(text)
	case column.Date:
		var at time.Time
		at, err = parseTime(raw, time.DateOnly)
		b.whole = at.Unix() / (24 * 60 * 60)
	case column.Timestamp:
		var at time.Time
		at, err = parseTime(raw, time.RFC3339Nano)
		b.whole, b.slackMax = at.UnixMicro(), 999
	default:
		return nil, nil
	}
	return b, err
}

func parseTime(raw json.RawMessage, layout string) (time.Time, error) {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return time.Time{}, err
	}
	return time.Parse(layout, text)
}

// compare is below 0 if the bound is below the row's value, 0 if it is equal or the two have no order, else above.
func (b *bound) compare(c column.Column, row int) int {
	switch c := c.(type) {
	case *column.Ints:
		return order(b.whole, int64(c.Values[row]))
	case *column.Longs:
		if d := c.Values[row] - b.whole; d > 0 && d <= b.slackMax {
			return 0
		}
		return order(b.whole, c.Values[row])
	case *column.Floats:
		return orderReal(b.real, float64(c.Values[row]))
	case *column.Doubles:
		return orderReal(b.real, c.Values[row])
	case *column.Texts:
		return bytes.Compare(b.text, c.At(row))
	}
	return 0
}

func orderReal(a, b float64) int {
	switch {
	case math.IsNaN(b), a == b:
		return 0
	case a < b:
		return -1
	}
	return 1
}

// micros writes an event time for people.
func micros(at int64) string {
	return time.UnixMicro(at).UTC().Format("2006-01-02T15:04:05.999999Z")
}
