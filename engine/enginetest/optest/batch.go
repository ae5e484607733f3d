package optest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
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
	case *column.Ints:
		if f.Type.Kind == column.Date {
			c.Append(int32(parseTime(time.DateOnly, v).Unix() / 86400))
			return
		}
		c.Append(int32(whole(v)))
	case *column.Longs:
		if f.Type.Kind == column.Timestamp {
			c.Append(int64(instant(v)))
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
		for _, x := range v.([]any) {
			appendValue(c.Elem, column.Field{Name: f.Name, Type: column.Of(f.Type.Elem)}, x)
		}
		c.Close()
	}
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
