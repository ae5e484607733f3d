package optest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// Batch makes a batch of rows with an arena of its own. Its Upto is the last row's watermark.
func Batch(schema engine.Schema, rows ...string) *engine.Batch {
	return BatchIn(column.NewArena(), schema, rows...)
}

// BatchIn is Batch with the memory of an arena.
func BatchIn(arena *column.Arena, schema engine.Schema, rows ...string) *engine.Batch {
	b := &engine.Batch{
		Schema: schema, Rows: len(rows), Upto: engine.MinTime, Arena: arena,
		Origin: engine.PartitionID{Source: "test", Partition: "0"},
	}
	for _, f := range schema {
		b.Columns = append(b.Columns, arena.Column(f.Type))
	}
	for i, row := range rows {
		appendRow(b, i, row)
	}
	return b
}

func appendRow(b *engine.Batch, i int, text string) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var values map[string]any
	if err := d.Decode(&values); err != nil {
		panic(fmt.Sprintf("optest: row %s: %v", text, err))
	}
	at, mark := engine.Time(i)*1e6, engine.MinTime
	if t, ok := values["@at"]; ok {
		at = instant(t)
	}
	if t, ok := values["@mark"]; ok {
		mark = instant(t)
	}
	delete(values, "@at")
	delete(values, "@mark")
	b.At, b.Mark, b.Offset = append(b.At, at), append(b.Mark, mark), append(b.Offset, engine.Offset(i))
	b.Recorded = append(b.Recorded, engine.Time(i))
	b.Upto = mark
	for c, f := range b.Schema {
		appendValue(b.Columns[c], f, values[f.Name])
		delete(values, f.Name)
	}
	for name := range values {
		panic(fmt.Sprintf("optest: row %s: no column %s among %v", text, name, b.Schema))
	}
}

func instant(v any) engine.Time { return engine.TimeOf(parseTime(time.RFC3339Nano, v)) }

func parseTime(layout string, v any) time.Time {
	t, err := time.Parse(layout, v.(string))
	if err != nil {
		panic(fmt.Sprintf("optest: %v", err))
	}
	return t
}

// appendValue adds a value in the form that column.AppendJSON writes.
func appendValue(c column.Column, f column.Field, v any) {
	if v == nil {
		if f.Required {
			panic(fmt.Sprintf("optest: column %s has no value", f))
		}
		c.AppendNull()
		return
	}
	switch c := c.(type) {
	case *column.Bools:
		c.Append(v.(bool))
	case *column.Bytes:
		c.Append(int8(whole(v)))
	case *column.Shorts:
		c.Append(int16(whole(v)))
	case *column.Decimals:
		d, err := column.ParseDecimal([]byte(v.(json.Number)), f.Type.Precision(), f.Type.Scale())
		if err != nil {
			panic(fmt.Sprintf("optest: %v: %v", v, err))
		}
		c.Append(d)
	case *column.Structs:
		for i, part := range c.Schema() {
			appendValue(c.Fields[i], part, v.(map[string]any)[part.Name])
		}
		c.Close()
	case *column.Ints:
		if f.Type.Kind == column.Date {
			c.Append(int32(parseTime(time.DateOnly, v).Unix() / 86400))
			return
		}
		c.Append(int32(whole(v)))
	case *column.Longs:
		switch f.Type.Kind {
		case column.Timestamp:
			c.Append(int64(instant(v)))
			return
		case column.TimestampNTZ:
			c.Append(parseTime("2006-01-02T15:04:05", v).UnixMicro())
			return
		}
		c.Append(whole(v))
	case *column.Floats:
		c.Append(float32(number(v)))
	case *column.Doubles:
		c.Append(number(v))
	case *column.Texts:
		appendText(c, v.(string))
	case *column.List:
		if f.Type.Kind == column.Map {
			appendPairs(c, f, v)
			return
		}
		for _, x := range v.([]any) {
			appendValue(c.Elem, column.Field{Name: f.Name, Type: f.Type.Elem()}, x)
		}
		c.Close()
	}
}

// appendPairs adds a map: those of an object in the order of the keys.
func appendPairs(c *column.List, f column.Field, v any) {
	pair := f.Type.Fields()
	keys, values := c.Pairs()
	add := func(key, value any) {
		appendValue(keys, pair[0], key)
		appendValue(values, pair[1], value)
		c.Elem.(*column.Structs).Close()
	}
	if object, is := v.(map[string]any); is {
		for _, key := range slices.Sorted(maps.Keys(object)) {
			add(key, object[key])
		}
	} else {
		for _, x := range v.([]any) {
			add(x.([]any)[0], x.([]any)[1])
		}
	}
	c.Close()
}

func whole(v any) int64 {
	n, err := v.(json.Number).Int64()
	if err != nil {
		panic(fmt.Sprintf("optest: %v", err))
	}
	return n
}

func number(v any) float64 {
	n, err := v.(json.Number).Float64()
	if err != nil {
		panic(fmt.Sprintf("optest: %v", err))
	}
	return n
}

func appendText(c *column.Texts, s string) {
	if c.Type().Kind != column.Binary {
		c.AppendString(s)
		return
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		panic(fmt.Sprintf("optest: %v", err))
	}
	c.Append(b)
}
