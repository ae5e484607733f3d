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
// milliseconds. Of a type without bounds in the log only the nulls are compared. A struct has the statistics of its
// fields, which are null where it is.
type statsCheck struct {
	leaves []*checked
	roots  []checkedColumn
}

// A checkedColumn is a column of the file, or a field of a struct.
type checkedColumn struct {
	at     int // in the schema, or the struct
	fields []checkedColumn
	leaf   *checked // nil: a struct
}

// checked is a leaf of the file.
type checked struct {
	name            string
	least, greatest *bound // nil: none to compare with
	min, max        json.RawMessage
	said            json.RawMessage // of the nulls
	nulls           int64
}

// newStatsCheck reads the statistics of a file. A file without any has none to check.
func newStatsCheck(a *delta.Add, schema column.Schema, by []string) (*statsCheck, error) {
	c := &statsCheck{}
	if a.Stats == "" {
		return c, nil
	}
	var s stats
	if err := json.Unmarshal([]byte(a.Stats), &s); err != nil {
		return nil, err
	}
	var err error
	c.roots, err = c.columns(schema, "", s, by)
	return c, err
}

// stats is what the log says of the columns of a file or the fields of a struct.
type stats struct {
	Min   map[string]json.RawMessage `json:"minValues"`
	Max   map[string]json.RawMessage `json:"maxValues"`
	Nulls map[string]json.RawMessage `json:"nullCount"`
}

// within is what s says of a struct's fields.
func (s stats) within(name string) (in stats, err error) {
	for _, part := range []struct {
		from map[string]json.RawMessage
		to   *map[string]json.RawMessage
	}{{s.Min, &in.Min}, {s.Max, &in.Max}, {s.Nulls, &in.Nulls}} {
		if raw := part.from[name]; len(raw) > 0 && raw[0] == '{' {
			if err = json.Unmarshal(raw, part.to); err != nil {
				return in, err
			}
		}
	}
	return in, nil
}

// columns makes the checks of columns, or of the fields of the struct called above; but for those in by.
func (c *statsCheck) columns(schema column.Schema, above string, s stats, by []string) (all []checkedColumn, err error) {
	for i, f := range schema {
		if slices.Contains(by, f.Name) {
			continue
		}
		x := checkedColumn{at: i}
		if f.Type.Kind == column.Struct {
			in, err := s.within(f.Name)
			if err == nil {
				x.fields, err = c.columns(f.Type.Fields(), above+f.Name+".", in, nil)
			}
			if err != nil {
				return nil, err
			}
			all = append(all, x)
			continue
		}
		x.leaf = &checked{name: above + f.Name, min: s.Min[f.Name], max: s.Max[f.Name], said: s.Nulls[f.Name]}
		if x.leaf.least, err = newBound(f.Type, x.leaf.min); err != nil {
			return nil, fmt.Errorf("the least %s: %w", x.leaf.name, err)
		}
		if x.leaf.greatest, err = newBound(f.Type, x.leaf.max); err != nil {
			return nil, fmt.Errorf("the greatest %s: %w", x.leaf.name, err)
		}
		c.leaves = append(c.leaves, x.leaf)
		all = append(all, x)
	}
	return all, nil
}

// check compares the rows of a row group.
func (c *statsCheck) check(file string, columns []column.Column) error {
	return checkColumns(file, c.roots, columns, nil)
}

// checkColumns compares columns, or the fields of structs, which are null where above says so.
func checkColumns(file string, all []checkedColumn, columns []column.Column, above []bool) error {
	for _, x := range all {
		col := columns[x.at]
		if x.leaf != nil {
			if err := x.leaf.check(file, col, above); err != nil {
				return err
			}
			continue
		}
		null := make([]bool, col.Len())
		for row := range null {
			null[row] = col.Nulls().Null(row) || above != nil && above[row]
		}
		if err := checkColumns(file, x.fields, col.(*column.Structs).Fields, null); err != nil {
			return err
		}
	}
	return nil
}

func (x *checked) check(file string, col column.Column, above []bool) error {
	for row := range col.Len() {
		if col.Nulls().Null(row) || above != nil && above[row] {
			x.nulls++
			continue
		}
		if x.least != nil && x.least.compare(col, row) > 0 {
			return untrue("file %s has %s in column %s, the log says that the least is %s", file, column.AppendJSON(nil, col, row), x.name, x.min)
		}
		if x.greatest != nil && x.greatest.compare(col, row) < 0 {
			return untrue("file %s has %s in column %s, the log says that the greatest is %s", file, column.AppendJSON(nil, col, row), x.name, x.max)
		}
	}
	return nil
}

// nulls compares the numbers of nulls when all rows were seen.
func (c *statsCheck) nulls(file string) error {
	for _, x := range c.leaves {
		said, err := strconv.ParseInt(string(x.said), 10, 64)
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
	decimal  column.Int128
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
	case column.Byte, column.Short, column.Int, column.Long:
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
	case column.Decimal:
		b.decimal, err = column.ParseDecimal(raw, t.Precision(), t.Scale())
		if err != nil {
			return nil, nil // some writers give it as a double
		}
	case column.Timestamp, column.TimestampNTZ:
		layout := time.RFC3339Nano
		if t.Kind == column.TimestampNTZ {
			layout = "2006-01-02T15:04:05.999999999"
		}
		var at time.Time
		if at, err = parseTime(raw, layout); err != nil && t.Kind == column.TimestampNTZ {
			return nil, nil // some writers put a zone there
		}
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
	case *column.Bytes:
		return order(b.whole, int64(c.Values[row]))
	case *column.Shorts:
		return order(b.whole, int64(c.Values[row]))
	case *column.Decimals:
		return b.decimal.Cmp(c.Values[row])
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
