package tabletest

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
)

// nasty are texts that folders, URLs, Hive and JSON make something of.
func nasty() []string {
	long := strings.Repeat("long", 70)
	return []string{
		"Oslo", " ", " a ", "a/b", "/", "..", ".", "../../x", "a=b/c=d", "null", "NULL", "__HIVE_DEFAULT_PARTITION__", "100%", "%2F", "%252F", "+", "a+b",
		"q?#&;", "tab\t", "line\nend", "cr\r", "\x01\x7f", `back\slash`, `"quoted" 'too'`, "a:b", "C:", "{z}[y]^~`|<>*", "é", "e\u0301", "ä b", "日本/語", "😀", "\u2028",
		"1", "true", "1970-01-01", "-", "_x", ".x", long + "1", long + "2", strings.Repeat("日", 100),
	}
}

// testPartitions: rows of every value of a partition column come back with it.
func (t *trial) testPartitions() {
	c := Config{Pipeline: "p", Schema: optest.Schema("city: string, id: long!"), PartitionBy: []string{"city"}}
	p := t.start(c, "L")
	w, prev := p.Writer(0), engine.NoEpoch
	var want []string
	for epoch := range engine.Epoch(2) {
		for i, city := range append(nasty(), "") {
			id := 100*int(epoch) + i
			text := quote(city)
			want = append(want, fmt.Sprintf(`{"city":%s,"id":%d}`, text, id))
			if city == "" && t.EmptyIsNull {
				want[len(want)-1] = fmt.Sprintf(`{"city":null,"id":%d}`, id)
			}
			nowhere := fmt.Sprintf(`{"city":null,"id":%d}`, -id)
			want = append(want, nowhere)
			p.write(w, fmt.Sprintf(`{"city":%s,"id":%d}`, text, id), nowhere)
		}
		p.commit(p.prepared(prev, epoch, p.seal(w)))
		prev = epoch
	}
	t.holds(c.Schema, want)
}

// quote is a text as column.AppendJSON writes it.
func quote(text string) string {
	c := column.New(column.Of(column.String)).(*column.Texts)
	c.AppendString(text)
	return string(column.AppendJSON(nil, c, 0))
}

// testTypes: every value of every type comes back, and null.
func (t *trial) testTypes() {
	c := Config{Pipeline: "p", Schema: everySchema()}
	p := t.start(c, "L")
	w := p.Writer(0)
	b, want := t.every(c, 150)
	p.writeBatch(w, b)
	p.commit(p.prepared(engine.NoEpoch, 1, p.seal(w)))
	t.holds(c.Schema, want)
}

// testPartitionColumns: so do those of columns that the table is partitioned by, together.
func (t *trial) testPartitionColumns() {
	c := Config{Pipeline: "p", Schema: everySchema()}
	for _, f := range c.Schema {
		if k := f.Type.Kind; k < column.Array && k != column.Binary && f.Name != "id" {
			c.PartitionBy = append(c.PartitionBy, f.Name)
		}
	}
	slices.Reverse(c.PartitionBy)
	p := t.start(c, "L")
	w := p.Writer(0)
	b, want := t.every(c, 60)
	p.writeBatch(w, b)
	p.commit(p.prepared(engine.NoEpoch, 1, p.seal(w)))
	t.holds(c.Schema, want)
}

// everySchema has columns of each type: one that may be null, one that may not, and arrays; and of types with
// parts that hold each other.
func everySchema() engine.Schema {
	schema := engine.Schema{{Name: "id", Type: column.Of(column.Long), Required: true}}
	add := func(name string, t column.Type) {
		schema = append(schema, column.Field{Name: name, Type: t},
			column.Field{Name: name + "_r", Type: t, Required: true},
			column.Field{Name: name + "_a", Type: column.ArrayOf(t)})
	}
	for k := column.Bool; k.Simple(); k++ {
		add(k.String(), column.Of(k))
	}
	add("dec_9", column.DecimalOf(9, 2))
	add("dec_18", column.DecimalOf(18, 0))
	add("dec_38", column.DecimalOf(38, 38))
	fields := optest.Schema("a: long, b: string!, c: decimal(20,5)!, d: array<array<int>>, e: map<string, struct<x: short!, y: array<timestamp_ntz>>>, f: struct<g: struct<h: binary>!>")
	add("struct", column.StructOf(fields...))
	add("map", column.MapOf(column.Of(column.String), column.DecimalOf(5, 1)))
	add("pairs", column.MapOf(column.Of(column.Date), column.MapOf(column.Of(column.Long), column.Of(column.Bool))))
	return schema
}

// every makes a batch of everySchema with all that appendEdge knows in all columns, and what a reader must
// see of it.
func (t *trial) every(c Config, rows int) (b *engine.Batch, want []string) {
	b = &engine.Batch{Schema: c.Schema, Rows: rows, Arena: column.NewArena()}
	seen := make([]column.Column, len(c.Schema))
	for k, f := range c.Schema {
		col := column.New(f.Type)
		b.Columns, seen[k] = append(b.Columns, col), col
		inPath := slices.Contains(c.PartitionBy, f.Name)
		if inPath && t.EmptyIsNull {
			seen[k] = column.New(f.Type)
		}
		for row := range rows {
			switch {
			case f.Name == "id":
				col.(*column.Longs).Append(int64(row))
			case !f.Required && (row+k)%6 == 5:
				col.AppendNull()
			case inPath && f.Required && f.Type.Kind == column.String:
				col.(*column.Texts).AppendString(at(nasty(), row+7*k))
			default:
				appendEdge(col, row+7*k, inPath)
			}
			if seen[k] == col {
				continue
			}
			if text, ok := col.(*column.Texts); ok && len(text.At(row)) == 0 {
				seen[k].AppendNull()
			} else {
				seen[k].AppendRow(col, row)
			}
		}
	}
	for row := range rows {
		want = append(want, string(column.AppendRowJSON(nil, c.Schema, seen, row)))
	}
	return b, want
}

// appendEdge appends the n-th of the values at the edges of a column's type. In a path it leaves out -0, which is
// the same partition as 0, and what the engine refuses there.
func appendEdge(c column.Column, n int, inPath bool) {
	switch c := c.(type) {
	case *column.Bools:
		c.Append(n%2 == 0)
	case *column.Bytes:
		c.Append(at([]int8{0, -1, 1, math.MinInt8, math.MaxInt8}, n))
	case *column.Shorts:
		c.Append(at([]int16{0, -1, 1, math.MinInt16, math.MaxInt16}, n))
	case *column.Decimals:
		most, err := column.ParseDecimal(bytes.Repeat([]byte("9"), c.Type().Precision()), c.Type().Precision(), 0)
		if err != nil {
			panic(err)
		}
		c.Append(at([]column.Int128{{}, column.Int128Of(1), column.Int128Of(-1), most, most.Neg()}, n))
	case *column.Structs:
		for i, f := range c.Fields {
			if (n+i)%4 == 0 && !c.Schema()[i].Required {
				f.AppendNull()
			} else {
				appendEdge(f, n+i, false)
			}
		}
		c.Close()
	case *column.Ints:
		if c.Type().Kind == column.Date {
			all := []int32{0, -1, 1, 19_844, -719_162, 2_932_896, math.MinInt32, math.MaxInt32}
			c.Append(at(all[:len(all)-2*count(inPath)], n)) // the engine refuses others in a partition
			return
		}
		c.Append(at([]int32{0, -1, 1, math.MinInt32, math.MaxInt32}, n))
	case *column.Longs:
		if c.Type().Kind >= column.Timestamp {
			all := []int64{0, -1, 1, 1_714_557_600_123_456, -62_135_596_800_000_000, 253_402_300_799_999_999, math.MinInt64, math.MaxInt64}
			c.Append(at(all[:len(all)-2*count(inPath)], n))
			return
		}
		c.Append(at([]int64{0, -1, 1, math.MinInt64, math.MaxInt64, 1<<53 + 1}, n))
	case *column.Floats:
		inf := float32(math.Inf(1))
		all := []float32{0, 0.1, -1.5, math.MaxFloat32, math.SmallestNonzeroFloat32, inf, -inf, float32(math.NaN()), float32(math.Copysign(0, -1))}
		c.Append(at(all[:len(all)-count(inPath)], n))
	case *column.Doubles:
		all := []float64{0, 0.1, -1.5, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1), math.NaN(), math.Copysign(0, -1)}
		c.Append(at(all[:len(all)-count(inPath)], n))
	case *column.Texts:
		if c.Type().Kind == column.Binary {
			c.Append(at([][]byte{{}, {0}, {0xff, 0xfe}, []byte("text"), bytes.Repeat([]byte{0, 255}, 500)}, n))
			return
		}
		c.AppendString(at(append(nasty(), ""), n))
	case *column.List:
		appendEdges(c, n)
	}
}

// appendEdges appends an array, empty or not, with nulls or without; or a map, whose keys differ.
func appendEdges(c *column.List, n int) {
	for i := range n % 5 {
		if c.Type().Kind == column.Map {
			keys, values := c.Pairs()
			appendEdge(keys, n+i, false)
			if (n+i)%3 == 0 {
				values.AppendNull()
			} else {
				appendEdge(values, n+i, false)
			}
			c.Elem.(*column.Structs).Close()
			continue
		}
		if (n+i)%3 == 0 {
			c.Elem.AppendNull()
		} else {
			appendEdge(c.Elem, n+i, false)
		}
	}
	c.Close()
}

func at[T any](all []T, n int) T { return all[n%len(all)] }

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
