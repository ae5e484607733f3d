package parquet

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding"

	"github.com/millrace-io/millrace/engine/column"
)

// A foreign column is one of a file that parquet-go writes: values of value(i), each third null where the
// column may have nulls.
type foreign struct {
	name  string
	node  pq.Node
	value func(i int) pq.Value
	want  func(i int) string // as JSON
}

func text(i int) string { return strings.Repeat(fmt.Sprint("text ", i*i%100), i%4) }

func foreignColumns() []foreign {
	int32s := func(i int) pq.Value { return pq.Int32Value(int32(i*7919) - 1000) }
	want32 := func(i int) string { return fmt.Sprint(int32(i*7919) - 1000) }
	int64s := func(i int) pq.Value { return pq.Int64Value(int64(i)*1e12 - 5e14) }
	want64 := func(i int) string { return fmt.Sprint(int64(i)*1e12 - 5e14) }
	texts := func(i int) pq.Value { return pq.ByteArrayValue([]byte(text(i))) }
	wantText := func(i int) string { return fmt.Sprintf("%q", text(i)) }
	fixed := func(i int) pq.Value { return pq.FixedLenByteArrayValue([]byte(fmt.Sprintf("%04d", i%10000))) }
	quarters := func(i int) string { return fmt.Sprint(float64(i) / 4) }
	stamp := func(i int) string { return fmt.Sprintf(`"2020-01-01T00:00:%02d.%03d000Z"`, i/1000%60, i%1000) }
	const y2020 = 1577836800
	columns := []foreign{
		{"bool", pq.Leaf(pq.BooleanType), func(i int) pq.Value { return pq.BooleanValue(i%5 == 0) }, func(i int) string { return fmt.Sprint(i%5 == 0) }},
		{"uint16", pq.Uint(16), func(i int) pq.Value { return pq.Int32Value(int32(i % 60000)) }, func(i int) string { return fmt.Sprint(i % 60000) }},
		{"uint32", pq.Uint(32), func(i int) pq.Value { return pq.Int32Value(int32(-i - 1)) }, func(i int) string { return fmt.Sprint(uint32(-i - 1)) }},
		{"date", pq.Date(), func(i int) pq.Value { return pq.Int32Value(int32(i % 28)) }, func(i int) string { return fmt.Sprintf(`"1970-01-%02d"`, i%28+1) }},
		{"millis", pq.Timestamp(pq.Millisecond), func(i int) pq.Value { return pq.Int64Value(y2020*1000 + int64(i)%60000) }, stamp},
		{"micros", pq.Timestamp(pq.Microsecond), func(i int) pq.Value { return pq.Int64Value((y2020*1000 + int64(i)%60000) * 1000) }, stamp},
		{"nanos", pq.Timestamp(pq.Nanosecond), func(i int) pq.Value { return pq.Int64Value((y2020*1000+int64(i)%60000)*1e6 + 999) }, stamp},
		{"int96", pq.Leaf(pq.Int96Type), func(i int) pq.Value {
			nanos := uint64(i%60000) * 1e6
			return pq.Int96Value(deprecated.Int96{uint32(nanos), uint32(nanos >> 32), 2440588 + y2020/86400})
		}, stamp},
		{"uuid", pq.UUID(), func(int) pq.Value { return pq.FixedLenByteArrayValue([]byte("0123456789abcdef")) }, func(int) string { return `"MDEyMzQ1Njc4OWFiY2RlZg=="` }},
		{"json", pq.JSON(), texts, wantText},
		{"enum", pq.Enum(), texts, wantText},
	}
	for _, e := range []encoding.Encoding{&pq.Plain, &pq.RLEDictionary, &pq.DeltaBinaryPacked, &pq.DeltaLengthByteArray, &pq.DeltaByteArray, &pq.ByteStreamSplit} {
		add := func(name string, leaf pq.Node, value func(int) pq.Value, want func(int) string) {
			defer func() { recover() }() // not every encoding is for every type
			columns = append(columns, foreign{name + " " + e.String(), pq.Encoded(leaf, e), value, want})
		}
		add("int32", pq.Int(32), int32s, want32)
		add("int64", pq.Int(64), int64s, want64)
		add("text", pq.String(), texts, wantText)
		add("float", pq.Leaf(pq.FloatType), func(i int) pq.Value { return pq.FloatValue(float32(i) / 4) }, quarters)
		add("double", pq.Leaf(pq.DoubleType), func(i int) pq.Value { return pq.DoubleValue(float64(i) / 4) }, quarters)
		add("fixed", pq.Leaf(pq.FixedLenByteArrayType(4)), fixed, func(i int) string {
			return string(column.AppendJSON(nil, binaryOf(fmt.Sprintf("%04d", i%10000)), 0))
		})
	}
	return columns
}

func binaryOf(s string) column.Column {
	c := column.New(column.Of(column.Binary)).(*column.Texts)
	c.AppendString(s)
	return c
}

// writeForeign writes rows of the columns: each as it is, optional, and as an array of i%4 elements.
func writeForeign(t testing.TB, columns []foreign, rows int, options ...pq.WriterOption) []byte {
	group := pq.Group{}
	for _, c := range columns {
		group[c.name] = c.node
		group[c.name+" optional"] = pq.Optional(c.node)
		group[c.name+" array"] = pq.List(pq.Optional(c.node))
	}
	schema := pq.NewSchema("foreign", group)
	at := map[string]int{}
	for i, path := range schema.Columns() {
		at[path[0]] = i
	}
	var b bytes.Buffer
	w := pq.NewWriter(&b, append([]pq.WriterOption{schema}, options...)...)
	for i := range rows {
		row := make(pq.Row, 3*len(columns))
		for _, c := range columns {
			k := at[c.name]
			row[k] = c.value(i).Level(0, 0, k)
		}
		row = foreignRow(columns, at, i)
		if _, err := w.WriteRows([]pq.Row{row}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func foreignRow(columns []foreign, at map[string]int, i int) pq.Row {
	parts := make([]pq.Row, len(at))
	for _, c := range columns {
		k := at[c.name]
		parts[k] = pq.Row{c.value(i).Level(0, 0, k)}
		if k = at[c.name+" optional"]; i%3 == 0 {
			parts[k] = pq.Row{pq.NullValue().Level(0, 0, k)}
		} else {
			parts[k] = pq.Row{c.value(i).Level(0, 1, k)}
		}
		if k = at[c.name+" array"]; i%4 == 0 {
			parts[k] = pq.Row{pq.NullValue().Level(0, 0, k)}
		}
		for e := range i % 4 {
			v := c.value(i+e).Level(min(e, 1), 2, k)
			if e == 2 {
				v = pq.NullValue().Level(1, 1, k)
			}
			parts[k] = append(parts[k], v)
		}
	}
	var row pq.Row
	for _, p := range parts {
		row = append(row, p...)
	}
	return row
}

// wantForeign is what row i of a column is as JSON, by its name's last word.
func wantForeign(c foreign, kind string, i int) string {
	switch {
	case kind == "optional" && i%3 == 0:
		return "null"
	case kind != "array":
		return c.want(i)
	}
	elements := []string{}
	for e := range i % 4 {
		if e == 2 {
			elements = append(elements, "null")
		} else {
			elements = append(elements, c.want(i+e))
		}
	}
	return "[" + strings.Join(elements, ",") + "]"
}

// TestForeignFiles reads what parquet-go writes: types, encodings, page versions and codecs that we do not
// write.
func TestForeignFiles(t *testing.T) {
	columns := foreignColumns()
	for _, codec := range []compress.Codec{&pq.Uncompressed, &pq.Snappy, &pq.Gzip, &pq.Zstd, &pq.Lz4Raw} {
		for version := 1; version <= 2; version++ {
			t.Run(fmt.Sprint(codec, version), func(t *testing.T) {
				t.Parallel()
				const rows = 700
				file := writeForeign(t, columns, rows, pq.DataPageVersion(version), pq.Compression(codec), pq.PageBufferSize(1000), pq.MaxRowsPerRowGroup(300))
				f := open(t, file, nil)
				if got, want := len(f.Schema()), 3*len(columns); got != want {
					t.Errorf("%d columns, want %d", got, want)
				}
				first := 0
				for g := range f.RowGroups() {
					cols, err := f.ReadRowGroup(t.Context(), g, nil)
					if err != nil {
						t.Fatal(err)
					}
					for _, c := range columns {
						for _, kind := range []string{"", "optional", "array"} {
							at := f.Schema().Index(strings.TrimSpace(c.name + " " + kind))
							for i := range f.RowGroupRows(g) {
								if got, want := string(column.AppendJSON(nil, cols[at], i)), wantForeign(c, kind, first+i); got != want {
									t.Fatalf("column %s %s, row %d is %s, want %s", c.name, kind, first+i, got, want)
								}
							}
						}
					}
					first += f.RowGroupRows(g)
				}
				if first != rows {
					t.Errorf("%d rows, want %d", first, rows)
				}
			})
		}
	}
}
