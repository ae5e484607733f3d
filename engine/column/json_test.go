package column_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/millrace-io/millrace/engine/column"
)

// TestAppendJSON: each kind of value, as documented.
func TestAppendJSON(t *testing.T) {
	for _, c := range []struct {
		typ  column.Type
		v    any
		want string
	}{
		{column.Of(column.Bool), true, `true`},
		{column.Of(column.Bool), nil, `null`},
		{column.Of(column.Int), int32(-7), `-7`},
		{column.Of(column.Long), int64(math.MinInt64), `-9223372036854775808`},
		{column.Of(column.Float), float32(0.1), `0.1`},
		{column.Of(column.Float), float32(math.NaN()), `"NaN"`},
		{column.Of(column.Double), 1000000.0, `1000000`},
		{column.Of(column.Double), 1e21, `1e+21`},
		{column.Of(column.Double), 1e-7, `1e-07`},
		{column.Of(column.Double), math.Copysign(0, -1), `-0`},
		{column.Of(column.Double), math.Inf(1), `"+Inf"`},
		{column.Of(column.Double), math.Inf(-1), `"-Inf"`},
		{column.Of(column.String), "plain", `"plain"`},
		{column.Of(column.String), "\"\\/\b\n\r\t\x00\x1f\x7f", `"\"\\/\u0008\n\r\t\u0000\u001f` + "\x7f\""},
		{column.Of(column.String), "<a&b>\u2028é😀", "\"<a&b>\u2028é😀\""},
		{column.Of(column.String), "a\xffb\xc3\xed\xa0\x80", "\"a\ufffdb\ufffd\ufffd\ufffd\ufffd\""},
		{column.Of(column.String), "\ufffd", "\"\ufffd\""},
		{column.Of(column.Binary), "\x00\x01\xff", `"AAH/"`},
		{column.Of(column.Date), int32(0), `"1970-01-01"`},
		{column.Of(column.Date), int32(-1), `"1969-12-31"`},
		{column.Of(column.Timestamp), int64(1598586767123456), `"2020-08-28T03:52:47.123456Z"`},
		{column.Of(column.Timestamp), int64(-1), `"1969-12-31T23:59:59.999999Z"`},
		{column.Of(column.TimestampNTZ), int64(-1), `"1969-12-31T23:59:59.999999"`},
		{column.Of(column.Byte), int8(-128), `-128`},
		{column.Of(column.Short), int16(-32768), `-32768`},
		{column.DecimalOf(10, 2), column.Int128Of(-5), `-0.05`},
		{column.DecimalOf(10, 0), column.Int128Of(1234567890), `1234567890`},
		{column.DecimalOf(3, 3), column.Int128Of(0), `0.000`},
		{column.StructOf(column.Field{Name: "a", Type: column.Of(column.Int)}, column.Field{Name: "b", Type: column.Of(column.Bool)}), twin{int32(1), nil}, `{"a":1,"b":null}`},
		{column.MapOf(column.Of(column.String), column.Of(column.Int)), twin{twin{"x", int32(1)}, twin{"y", nil}}, `{"x":1,"y":null}`},
		{column.MapOf(column.Of(column.Int), column.Of(column.Int)), twin{twin{int32(1), int32(2)}}, `[[1,2]]`},
		{column.MapOf(column.Of(column.Int), column.Of(column.Int)), twin{}, `[]`},
		{column.ArrayOf(column.ArrayOf(column.Int)), twin{twin{int32(1)}, nil, twin{}}, `[[1],null,[]]`},
		{column.ArrayOf(column.Long), twin{int64(1), nil, int64(3)}, `[1,null,3]`},
		{column.ArrayOf(column.Date), twin{int32(1)}, `["1970-01-02"]`},
		{column.ArrayOf(column.Binary), twin{"\x00"}, `["AA=="]`},
		{column.ArrayOf(column.String), twin{}, `[]`},
		{column.ArrayOf(column.String), nil, `null`},
	} {
		col := column.New(c.typ)
		put(col, nil)
		put(col, c.v)
		if got := string(column.AppendJSON([]byte("#"), col, 1)); got != "#"+c.want {
			t.Errorf("%v %v: got %s, want #%s", c.typ, c.v, got, c.want)
		}
	}
}

// TestAppendJSONReadsBack: encoding/json reads what is written, and reads the same value.
func TestAppendJSONReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom(types()).Draw(t, "type")
		c, w := drawColumn(t, typ)
		for i, v := range w {
			written := column.AppendJSON(nil, c, i)
			d := json.NewDecoder(strings.NewReader(string(written)))
			d.UseNumber()
			var got any
			if err := d.Decode(&got); err != nil {
				t.Fatalf("%s: %v", written, err)
			}
			if want := readBack(t, typ, v); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("%s reads back as %v, want %v", written, got, want)
			}
		}
	})
}

// readBack is what encoding/json should make of a value; times and floats, which the table covers, are
// left to be whatever was written.
func readBack(t *rapid.T, typ column.Type, v any) any {
	if list, ok := v.(twin); ok {
		return readBackParts(t, typ, list)
	}
	if v == nil {
		return nil
	}
	switch typ.Kind {
	case column.Binary:
		return base64.StdEncoding.EncodeToString([]byte(v.(string)))
	case column.String, column.Bool:
		return v
	}
	c := column.New(typ)
	put(c, v)
	return strings.Trim(string(column.AppendJSON(nil, c, 0)), `"`)
}

// readBackParts is readBack of what has parts. Of a key that comes twice in an object, the last counts.
func readBackParts(t *rapid.T, typ column.Type, list twin) any {
	object, read := map[string]any{}, []any{}
	fields := typ.Fields()
	for i, e := range list {
		switch {
		case typ.Kind == column.Struct:
			object[fields[i].Name] = readBack(t, fields[i].Type, e)
		case typ.Kind == column.Map && fields[0].Type.Kind == column.String:
			object[e.(twin)[0].(string)] = readBack(t, fields[1].Type, e.(twin)[1])
		case typ.Kind == column.Map:
			read = append(read, []any{readBack(t, fields[0].Type, e.(twin)[0]), readBack(t, fields[1].Type, e.(twin)[1])})
		default:
			read = append(read, readBack(t, typ.Elem(), e))
		}
	}
	if typ.Kind == column.Struct || typ.Kind == column.Map && fields[0].Type.Kind == column.String {
		return object
	}
	return read
}

func TestAppendRowJSON(t *testing.T) {
	schema := column.Schema{
		{Name: "id", Type: column.Of(column.Long)},
		{Name: `a "name"`, Type: column.Of(column.String)},
	}
	id, name := column.New(schema[0].Type), column.New(schema[1].Type)
	put(id, int64(1))
	put(name, "x")
	put(id, nil)
	put(name, nil)
	if got, want := string(column.AppendRowJSON(nil, schema, []column.Column{id, name}, 1)), `{"id":null,"a \"name\"":null}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := string(column.AppendRowJSON(nil, nil, nil, 0)), `{}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
