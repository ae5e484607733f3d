package column_test

import (
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/millrace-io/millrace/engine/column"
)

// A twin is the plainest column: a value a row, nil for null, of the Go type that column.Kind documents;
// texts are strings, arrays are twins, as are structs, a value a field, and maps, twins of a key and a value.
type twin []any

// types is every simple type and arrays of it, and decimals, structs and maps that hold each other.
func types() []column.Type {
	var all []column.Type
	for k := column.Bool; k.Simple(); k++ {
		all = append(all, column.Of(k), column.ArrayOf(k))
	}
	long, text, price := column.Of(column.Long), column.Of(column.String), column.DecimalOf(10, 2)
	pair := column.StructOf(column.Field{Name: "a", Type: long}, column.Field{Name: "b", Type: text, Required: true})
	nested := column.StructOf(
		column.Field{Name: "pair", Type: pair}, column.Field{Name: "pairs", Type: column.ArrayOf(pair)},
		column.Field{Name: "prices", Type: column.MapOf(text, price)}, column.Field{Name: "flag", Type: column.Of(column.Bool)})
	return append(all, price, column.DecimalOf(column.MostDigits, column.MostDigits), pair, column.ArrayOf(pair), nested,
		column.ArrayOf(column.ArrayOf(column.ArrayOf(column.Short))), column.MapOf(text, long),
		column.MapOf(pair, column.ArrayOf(nested)), column.MapOf(column.Of(column.Date), column.MapOf(long, text)))
}

// put appends a value of a twin to a column.
func put(c column.Column, v any) {
	if v == nil {
		c.AppendNull()
		return
	}
	switch c := c.(type) {
	case *column.Bools:
		c.Append(v.(bool))
	case *column.Bytes:
		c.Append(v.(int8))
	case *column.Shorts:
		c.Append(v.(int16))
	case *column.Decimals:
		c.Append(v.(column.Int128))
	case *column.Structs:
		for i, f := range c.Fields {
			put(f, v.(twin)[i])
		}
		c.Close()
	case *column.Ints:
		c.Append(v.(int32))
	case *column.Longs:
		c.Append(v.(int64))
	case *column.Floats:
		c.Append(v.(float32))
	case *column.Doubles:
		c.Append(v.(float64))
	case *column.Texts:
		c.AppendString(v.(string))
	case *column.List:
		for _, e := range v.(twin) {
			put(c.Elem, e)
		}
		c.Close()
	}
}

// get reads a row of a column as a value of a twin.
func get(c column.Column, row int) any {
	if c.Nulls().Null(row) {
		return nil
	}
	switch c := c.(type) {
	case *column.Bools:
		return c.Values[row]
	case *column.Bytes:
		return c.Values[row]
	case *column.Shorts:
		return c.Values[row]
	case *column.Decimals:
		return c.Values[row]
	case *column.Structs:
		fields := twin{}
		for _, f := range c.Fields {
			fields = append(fields, get(f, row))
		}
		return fields
	case *column.Ints:
		return c.Values[row]
	case *column.Longs:
		return c.Values[row]
	case *column.Floats:
		return c.Values[row]
	case *column.Doubles:
		return c.Values[row]
	case *column.Texts:
		return string(c.At(row))
	case *column.List:
		list := twin{}
		for i := c.Offsets[row]; i < c.Offsets[row+1]; i++ {
			list = append(list, get(c.Elem, int(i)))
		}
		return list
	}
	panic("no such column")
}

// drawValue draws a value for a column of type typ.
func drawValue(t *rapid.T, typ column.Type, nulls bool) any {
	if nulls && rapid.IntRange(0, 3).Draw(t, "null") == 0 {
		return nil
	}
	switch typ.Kind {
	case column.Bool:
		return rapid.Bool().Draw(t, "bool")
	case column.Byte:
		return rapid.Int8().Draw(t, "byte")
	case column.Short:
		return rapid.Int16().Draw(t, "short")
	case column.Decimal:
		return drawDecimal(t, typ.Precision())
	case column.Struct:
		fields := twin{}
		for _, f := range typ.Fields() {
			fields = append(fields, drawValue(t, f.Type, nulls && !f.Required))
		}
		return fields
	case column.Int, column.Date:
		return rapid.Int32().Draw(t, "int")
	case column.Long, column.Timestamp, column.TimestampNTZ:
		return rapid.Int64().Draw(t, "long")
	case column.Float:
		return rapid.Float32().Draw(t, "float")
	case column.Double:
		return rapid.Float64().Draw(t, "double")
	case column.String, column.Binary:
		return rapid.StringN(0, 12, -1).Draw(t, "text")
	}
	list := twin{}
	for range rapid.IntRange(0, 3).Draw(t, "length") {
		list = append(list, drawValue(t, typ.Elem(), nulls && typ.Kind != column.Map))
	}
	return list
}

// drawDecimal draws a number of at most so many digits, many of them 0 or 9.
func drawDecimal(t *rapid.T, digits int) column.Int128 {
	text := rapid.StringMatching(`-?[0-9]{1,`+strconv.Itoa(digits)+`}|-?9{`+strconv.Itoa(digits)+`}`).Draw(t, "decimal")
	v, err := column.ParseDecimal([]byte(text), digits, 0)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

// drawColumn draws a column and its twin; many have more rows than a word of the validity has bits.
func drawColumn(t *rapid.T, typ column.Type) (column.Column, twin) {
	nulls := rapid.Bool().Draw(t, "nulls")
	c, w := column.New(typ), twin{}
	rows := []int{0, 1, 3, 63, 64, 65, 130}
	if typ.Kind == column.Struct || typ.Kind == column.Map || typ.Elem().Kind >= column.Array {
		rows = []int{0, 1, 3, 65} // of which each may hold many
	}
	for range rapid.SampledFrom(rows).Draw(t, "rows") {
		v := drawValue(t, typ, nulls)
		put(c, v)
		w = append(w, v)
	}
	return c, w
}

// drawSelection draws some rows of n in order, or nil.
func drawSelection(t *rapid.T, n int) column.Selection {
	if rapid.IntRange(0, 2).Draw(t, "all") == 0 {
		return nil
	}
	sel := column.Selection{}
	for i := range n {
		if rapid.Bool().Draw(t, "row") {
			sel = append(sel, int32(i))
		}
	}
	return sel
}

// TestColumnsAreTheirTwins: whatever is done to a column, its rows are those of the twin.
func TestColumnsAreTheirTwins(t *testing.T) {
	for _, typ := range types() {
		t.Run(typ.String(), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				c, w := drawColumn(t, typ)
				for range rapid.IntRange(1, 6).Draw(t, "steps") {
					w = step(t, c, w)
					compare(t, c, w, typ)
				}
			})
		})
	}
}

// step does one thing to a column and its twin.
func step(t *rapid.T, c column.Column, w twin) twin {
	typ := c.Type()
	switch rapid.IntRange(0, 6).Draw(t, "step") {
	case 0:
		v := drawValue(t, typ, true)
		put(c, v)
		return append(w, v)
	case 1:
		c.AppendNull()
		return append(w, nil)
	case 2:
		n := rapid.IntRange(0, len(w)).Draw(t, "truncate")
		c.Truncate(n)
		return w[:n]
	case 3:
		src, from := drawColumn(t, typ)
		if len(from) == 0 {
			return w
		}
		i := rapid.IntRange(0, len(from)-1).Draw(t, "row")
		c.AppendRow(src, i)
		return append(w, from[i])
	case 4:
		src, from := drawColumn(t, typ)
		n := rapid.IntRange(0, len(from)).Draw(t, "first")
		sel := drawSelection(t, n)
		c.AppendRows(src, sel, n)
		for i := range sel.All(n) {
			w = append(w, from[i])
		}
		return w
	case 5:
		if len(w) > 0 {
			i := rapid.IntRange(0, len(w)-1).Draw(t, "null row")
			c.Nulls().SetNull(i)
			w[i] = nil
		}
		return w
	default:
		c.Reset()
		return w[:0]
	}
}

func compare(t *rapid.T, c column.Column, w twin, typ column.Type) {
	t.Helper()
	got := twin{}
	nulls := 0
	for i := range c.Len() {
		v := get(c, i)
		got = append(got, v)
		if v == nil {
			nulls++
		}
	}
	if diff := cmp.Diff(append(twin{}, w...), got); diff != "" {
		t.Fatalf("%v: %s", typ, diff)
	}
	if c.Type() != typ || c.Nulls().Len() != len(w) || c.Nulls().Nulls() != nulls {
		t.Fatalf("%v: type %v, validity of %d rows with %d nulls, want %d and %d", typ, c.Type(), c.Nulls().Len(), c.Nulls().Nulls(), len(w), nulls)
	}
}

// TestValidityIsItsTwin: the bitmap says what a slice of bools says.
func TestValidityIsItsTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var v column.Validity
		var w []bool
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			w = stepValidity(t, &v, w)
			checkValidity(t, &v, w)
		}
	})
}

func stepValidity(t *rapid.T, v *column.Validity, w []bool) []bool {
	switch rapid.IntRange(0, 7).Draw(t, "step") {
	case 0:
		v.Append()
		return append(w, true)
	case 1:
		v.AppendNull()
		return append(w, false)
	case 2:
		n := rapid.SampledFrom([]int{0, 1, 5, 63, 64, 65, 200}).Draw(t, "n")
		v.AppendN(n)
		return append(w, slices.Repeat([]bool{true}, n)...)
	case 3:
		if len(w) > 0 {
			i := rapid.IntRange(0, len(w)-1).Draw(t, "row")
			v.SetNull(i)
			w[i] = false
		}
	case 4:
		n := rapid.IntRange(0, len(w)).Draw(t, "truncate")
		v.Truncate(n)
		return w[:n]
	case 5:
		other, x := drawValidity(t, len(w))
		v.And(other)
		for i := range w {
			w[i] = w[i] && x[i]
		}
	case 6:
		other, x := drawValidity(t, rapid.IntRange(0, 150).Draw(t, "n"))
		v.CopyFrom(other)
		return x
	default:
		v.Reset()
		return w[:0]
	}
	return w
}

func drawValidity(t *rapid.T, n int) (*column.Validity, []bool) {
	v, w := &column.Validity{}, make([]bool, n)
	v.AppendN(n)
	none := rapid.Bool().Draw(t, "no nulls")
	for i := range w {
		w[i] = none || rapid.Bool().Draw(t, "valid")
		if !w[i] {
			v.SetNull(i)
		}
	}
	return v, w
}

func checkValidity(t *rapid.T, v *column.Validity, w []bool) {
	t.Helper()
	nulls := 0
	for i, valid := range w {
		if v.Null(i) == valid {
			t.Fatalf("row %d of %d: null is %v", i, len(w), valid)
		}
		if !valid {
			nulls++
		}
	}
	if v.Len() != len(w) || v.Nulls() != nulls {
		t.Fatalf("%d rows, %d null, want %d and %d", v.Len(), v.Nulls(), len(w), nulls)
	}
	if nulls == 0 != (v.Words() == nil) {
		t.Fatalf("%d nulls and words %x", nulls, v.Words())
	}
	for i, word := range v.Words() {
		want := uint64(0)
		for j := i * 64; j < min(i*64+64, len(w)); j++ {
			if w[j] {
				want |= 1 << (j % 64)
			}
		}
		if word != want {
			t.Fatalf("word %d is %x, want %x: bits past the last row must be zero", i, word, want)
		}
	}
}
