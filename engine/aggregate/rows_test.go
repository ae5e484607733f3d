package aggregate

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// randomSchema is the columns of random rows: of every type one, and doubles that are all finite.
func randomSchema() column.Schema {
	of := func(name string, k column.Kind) column.Field { return column.Field{Name: name, Type: column.Of(k)} }
	return column.Schema{
		of("yes", column.Bool), of("tiny", column.Byte), of("small", column.Short), of("n", column.Int), of("wide", column.Long),
		of("f", column.Float), of("d", column.Double), of("finite", column.Double),
		{Name: "price", Type: column.DecimalOf(10, 2)}, {Name: "vast", Type: column.DecimalOf(38, 4)},
		of("name", column.String), of("raw", column.Binary), of("day", column.Date), of("at", column.Timestamp), of("clock", column.TimestampNTZ),
		{Name: "list", Type: column.ArrayOf(column.Double)},
		{Name: "pair", Type: column.StructOf(of("a", column.Long), of("b", column.String))},
		{Name: "need", Type: column.Of(column.Long), Required: true},
	}
}

// randomRows gives n rows of randomSchema, a batch of each partition they come from. Every third value is null.
func randomRows(g *rand.Rand, n int) []*engine.Batch {
	schema := randomSchema()
	var batches []*engine.Batch
	for _, from := range []engine.PartitionID{{Source: "a", Partition: "2"}, {Source: "a", Partition: "10"}, {Source: "b", Partition: "0"}, {}} {
		b := &engine.Batch{Schema: schema, Origin: from, Arena: column.NewArena()}
		for _, f := range schema {
			b.Columns = append(b.Columns, column.New(f.Type))
		}
		offset := engine.Offset(0)
		for range g.IntN(n + 1) {
			for i, f := range schema {
				if !f.Required && g.IntN(3) == 0 {
					b.Columns[i].AppendNull()
				} else {
					appendRandom(g, b.Columns[i], f.Name)
				}
			}
			if from != (engine.PartitionID{}) {
				offset += engine.Offset(g.IntN(2)) // a record may hold several rows
			}
			b.At, b.Offset = append(b.At, engine.Time(g.IntN(5))), append(b.Offset, offset)
			b.Rows++
		}
		batches = append(batches, b)
	}
	return batches
}

func appendRandom(g *rand.Rand, c column.Column, name string) {
	switch c := c.(type) {
	case *column.Bools:
		c.Append(g.IntN(4) > 0)
	case *column.Bytes:
		c.Append(int8(g.Int()))
	case *column.Shorts:
		c.Append(int16(g.IntN(5) - 2))
	case *column.Ints:
		c.Append(int32(g.IntN(40) - 20))
	case *column.Longs:
		c.Append(randomLong(g))
	case *column.Floats:
		c.Append(float32(randomDouble(g)))
	case *column.Doubles:
		v := randomDouble(g)
		for name == "finite" && v-v != 0 {
			v = randomDouble(g)
		}
		c.Append(v)
	case *column.Decimals:
		c.Append(randomDecimal(g, c.Type().Precision()))
	case *column.Texts:
		c.AppendString([]string{"", "a", "b", "ab", "a\x00", "é", "\x00", "long enough to need memory of its own, more than a little"}[g.IntN(8)])
	case *column.List:
		for range g.IntN(3) {
			c.Elem.(*column.Doubles).Append(float64(g.IntN(3)))
		}
		if g.IntN(4) == 0 {
			c.Elem.AppendNull()
		}
		c.Close()
	case *column.Structs:
		c.Fields[0].(*column.Longs).Append(int64(g.IntN(2)))
		appendRandom(g, c.Fields[1], name)
		c.Close()
	}
}

func randomLong(g *rand.Rand) int64 {
	switch g.IntN(4) {
	case 0:
		return int64(g.Uint64())
	case 1:
		return math.MaxInt64
	}
	return int64(g.IntN(10))
}

func randomDouble(g *rand.Rand) float64 {
	switch g.IntN(12) {
	case 0:
		return math.Float64frombits(g.Uint64())
	case 1:
		return math.MaxFloat64 * float64(g.IntN(3)-1)
	case 2:
		return math.Copysign(math.SmallestNonzeroFloat64, float64(g.IntN(2)*2-1))
	case 3:
		return math.Copysign(0, -1)
	case 4:
		return []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0}[min(3, g.IntN(12))]
	case 5, 6:
		return g.NormFloat64() * 1e6
	}
	return float64(g.IntN(20)-10) / 10
}

func randomDecimal(g *rand.Rand, precision int) column.Int128 {
	text := []byte{"-+"[g.IntN(2)]}
	for range 1 + g.IntN(precision) {
		text = append(text, byte('0'+g.IntN(10)))
	}
	v, err := column.ParseDecimal(text, precision, 0)
	if err != nil {
		panic(err)
	}
	return v
}

// valueAt is a value as naive code has it: nil, a bool, a *big.Int of a whole number, a time or a decimal without its
// point, a float64, a string, a list of these.
func valueAt(c column.Column, row int) any {
	if c.Nulls().Null(row) {
		return nil
	}
	switch c := c.(type) {
	case *column.Bools:
		return c.Values[row]
	case *column.Bytes:
		return big.NewInt(int64(c.Values[row]))
	case *column.Shorts:
		return big.NewInt(int64(c.Values[row]))
	case *column.Ints:
		return big.NewInt(int64(c.Values[row]))
	case *column.Longs:
		return big.NewInt(c.Values[row])
	case *column.Floats:
		return float64(c.Values[row])
	case *column.Doubles:
		return c.Values[row]
	case *column.Decimals:
		v, _ := new(big.Int).SetString(string(c.Values[row].AppendDecimal(nil, 0)), 10)
		return v
	case *column.Texts:
		return string(c.At(row))
	case *column.Structs:
		var all []any
		for _, f := range c.Fields {
			all = append(all, valueAt(f, row))
		}
		return all
	}
	l := c.(*column.List)
	all := []any{}
	for i := l.Offsets[row]; i < l.Offsets[row+1]; i++ {
		all = append(all, valueAt(l.Elem, int(i)))
	}
	return all
}

// shown is a value as text, another one for any other value: -0 is not 0.
func shown(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case string:
		return strconv.Quote(v)
	case []any:
		s := "["
		for _, x := range v {
			s += shown(x) + ","
		}
		return s + "]"
	}
	return fmt.Sprint(v)
}
