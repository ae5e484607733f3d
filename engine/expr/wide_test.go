package expr

import (
	"fmt"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/engine/column"
)

// wideTable is three rows of the types that have digits or parts: one of values, one of others, one of nulls.
func wideTable() (column.Schema, []column.Column, int) {
	t, err := column.ParseType("struct<y: byte, h: short, p: decimal(10,2), q: decimal(38,10)!, n: timestamp_ntz, pt: struct<x: long!, name: string, in: struct<z: decimal(4,1)>>, " +
		"m: map<string, long>, mi: map<int, array<string>>, aa: array<array<long>>, ps: array<struct<x: long!, y: string>>, l: long, d: double, day: date>")
	if err != nil {
		panic(err)
	}
	list, pair := func(v ...any) []any { return v }, func(v ...any) []any { return v }
	rows := [][]any{
		{1, 300, "12.34", "1.5", 0, list(7, "seven", list("2.5")), list(pair("a", 1), pair("b", nil)), list(pair(1, list("x", "y"))), list(list(1, 2), nil, list()), list(list(1, "one"), nil), 5, 0.5, 0},
		{-128, -32768, "-99999999.99", "9999999999999999999999999999.9999999999", 1_000_000, list(8, nil, nil), list(), list(pair(2, nil), pair(1, list())), list(), list(list(2, "two")), -7, 1e300, 1},
		{nil, nil, nil, "0", nil, nil, nil, nil, nil, nil, nil, nil, nil},
	}
	var cols []column.Column
	for i, f := range t.Fields() {
		c := column.New(f.Type)
		for _, row := range rows {
			putWide(c, row[i])
		}
		cols = append(cols, c)
	}
	return t.Fields(), cols, len(rows)
}

func putWide(c column.Column, v any) {
	if v == nil {
		c.AppendNull()
		return
	}
	switch c := c.(type) {
	case *column.Bytes:
		c.Append(int8(v.(int)))
	case *column.Shorts:
		c.Append(int16(v.(int)))
	case *column.Ints:
		c.Append(int32(v.(int)))
	case *column.Longs:
		c.Append(int64(v.(int)))
	case *column.Doubles:
		c.Append(v.(float64))
	case *column.Decimals:
		d, err := column.ParseDecimal([]byte(v.(string)), c.Type().Precision(), c.Type().Scale())
		if err != nil {
			panic(err)
		}
		c.Append(d)
	case *column.Texts:
		c.AppendString(v.(string))
	case *column.List:
		for _, e := range v.([]any) {
			putWide(c.Elem, e)
		}
		c.Close()
	case *column.Structs:
		for i, f := range c.Fields {
			putWide(f, v.([]any)[i])
		}
		c.Close()
	}
}

// wideLine is rowsLine over wideTable, of all rows and of the last two, which must agree.
func wideLine(t *testing.T, src string) string {
	schema, cols, n := wideTable()
	p, err := Compile(src, schema)
	if err != nil {
		return src + " → " + err.Error()
	}
	out, bad := p.Eval(cols, nil, n, column.NewArena())
	var values []string
	for row := range n {
		values = append(values, show(out, row, bad))
	}
	some, badOfSome := p.Eval(cols, column.Selection{1, 2}, n, column.NewArena())
	if out.Len() != n || some.Len() != n {
		t.Errorf("%s: %d and %d rows, want %d", src, out.Len(), some.Len(), n)
	}
	for row := range n {
		if got := show(some, row, badOfSome); row > 0 && got != values[row] {
			t.Errorf("%s: row %d is %s, selected %s", src, row, values[row], got)
		}
	}
	return fmt.Sprintf("%s → %s %s", src, typeOf(p), strings.Join(values, " | "))
}
