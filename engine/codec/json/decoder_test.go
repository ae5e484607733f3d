package json_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/codec/json"
	"github.com/millrace-io/millrace/engine/column"
)

// decode reads values as the records of one frame.
func decode(t testing.TB, schema column.Schema, opts json.Options, values ...string) *engine.Rows {
	t.Helper()
	d, err := json.New(schema, opts)
	if err != nil {
		t.Fatal(err)
	}
	records := make([][]byte, len(values))
	for i, v := range values {
		records[i] = []byte(v)
	}
	rows := emptyRows(schema)
	if err := d.Decode(frameOf(records), rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

func emptyRows(schema column.Schema) *engine.Rows {
	rows := &engine.Rows{}
	for _, f := range schema {
		rows.Columns = append(rows.Columns, column.New(f.Type))
	}
	return rows
}

// jsonRows writes the rows as JSON objects.
func jsonRows(schema column.Schema, rows *engine.Rows) []string {
	var out []string
	for i := range rows.Offset {
		out = append(out, string(column.AppendRowJSON(nil, schema, rows.Columns, i)))
	}
	return out
}

// checkLengths fails if the columns and positions disagree on the number of rows.
func checkLengths(t rapid.TB, rows *engine.Rows) {
	t.Helper()
	for i, c := range rows.Columns {
		if c.Len() != len(rows.Offset) || c.Nulls().Len() != c.Len() {
			t.Fatalf("column %d has %d rows and %d validities, want %d", i, c.Len(), c.Nulls().Len(), len(rows.Offset))
		}
	}
	if len(rows.At) != len(rows.Offset) {
		t.Fatalf("%d times, %d offsets", len(rows.At), len(rows.Offset))
	}
}

// TestValues: what each type takes, a line a kind. The column is x.
func TestValues(t *testing.T) {
	for _, c := range []struct{ typ, in, want string }{
		{"string", `{"x":"a"}`, `"a"`},
		{"string", `{"x":""}`, `""`},
		{"string", `{"x":"a longer text, over several words"}`, `"a longer text, over several words"`},
		{"string", `{"x":"\"\\\/\b\f\n\r\t"}`, `"\"\\/\u0008\u000c\n\r\t"`},
		{"string", `{"x":"\u0041\u00e9\u20AC"}`, `"Aé€"`},
		{"string", `{"x":"\ud83d\ude00"}`, `"😀"`},
		{"string", `{"x":"\ud83d"}`, `"�"`},
		{"string", `{"x":"\ude00 low alone"}`, `"� low alone"`},
		{"string", `{"x":"\ud83d\u0041"}`, `"�A"`},
		{"string", `{"x":"\ud83d\ud83d\ude00"}`, `"�😀"`},
		{"string", `{"x":"\u0000"}`, `"\u0000"`},
		{"string", `{"x":"é€😀 žluťoučký"}`, `"é€😀 žluťoučký"`},
		{"string", "{\"x\":\"\x7f\u2028\"}", "\"\x7f\u2028\""},
		{"string", `{"x":12.50}`, `"12.50"`},
		{"string", `{"x":-1E+3}`, `"-1E+3"`},
		{"string", `{"x":null}`, `null`},
		{"string", `{}`, `null`},
		{"string", `{"\u0078":"escaped key"}`, `"escaped key"`},
		{"string", ` { "x" : "spaces" , "y" : 1 } `, `"spaces"`},
		{"string", "\r\n\t{\r\n\t\"x\"\r\n\t:\r\n\t\"all white\"\r\n\t}\r\n\t", `"all white"`},
		{"string", `{"x":"first","x":"last"}`, `"last"`},
		{"string", `{"x":"first","x":null}`, `null`},
		{"bool", `{"x":true}`, `true`},
		{"bool", `{"x":false}`, `false`},
		{"bool", `{"x":true,"x":false}`, `false`},
		{"int", `{"x":0}`, `0`},
		{"int", `{"x":-0}`, `0`},
		{"int", `{"x":2147483647}`, `2147483647`},
		{"int", `{"x":-2147483648}`, `-2147483648`},
		{"int", `{"x":"17"}`, `17`},
		{"int", `{"x":"\u0031\u0037"}`, `17`},
		{"long", `{"x":9223372036854775807}`, `9223372036854775807`},
		{"long", `{"x":-9223372036854775808}`, `-9223372036854775808`},
		{"long", `{"x":999999999999999999}`, `999999999999999999`},
		{"long", `{"x":1.0}`, `1`},
		{"long", `{"x":1e3}`, `1000`},
		{"long", `{"x":12.5E1}`, `125`},
		{"long", `{"x":4200e-2}`, `42`},
		{"long", `{"x":0.000000000000000000000000000000}`, `0`},
		{"long", `{"x":7.0000000000000000000000000000000}`, `7`},
		{"long", `{"x":0e99999999999999999999}`, `0`},
		{"long", `{"x":"-1e3"}`, `-1000`},
		{"float", `{"x":0.1}`, `0.1`},
		{"float", `{"x":3.4028234663852886e38}`, `3.4028235e+38`},
		{"double", `{"x":-82.9272}`, `-82.9272`},
		{"double", `{"x":5e-324}`, `5e-324`},
		{"double", `{"x":1e-999}`, `0`},
		{"double", `{"x":-0.0}`, `-0`},
		{"double", `{"x":0.1234567890123456789012345678901234567890}`, `0.12345678901234568`},
		{"double", `{"x":1.00000000000000000000000000000005}`, `1`},
		{"double", `{"x":10000000000000000000000000000005}`, `1e+31`},
		{"double", `{"x":"2.5"}`, `2.5`},
		{"date", `{"x":"1970-01-01"}`, `"1970-01-01"`},
		{"date", `{"x":"2024-02-29"}`, `"2024-02-29"`},
		{"date", `{"x":"0001-01-01"}`, `"0001-01-01"`},
		{"date", `{"x":"9999-12-31"}`, `"9999-12-31"`},
		{"timestamp", `{"x":"2020-08-28T03:52:47"}`, `"2020-08-28T03:52:47.000000Z"`},
		{"timestamp", `{"x":"2020-08-28 03:52:47Z"}`, `"2020-08-28T03:52:47.000000Z"`},
		{"timestamp", `{"x":"2020-08-28T03:52:47.1234569+02:00"}`, `"2020-08-28T01:52:47.123456Z"`},
		{"timestamp", `{"x":"1969-12-31 23:59:59.9-00:30"}`, `"1970-01-01T00:29:59.900000Z"`},
		{"binary", `{"x":"AAEC/w=="}`, `"AAEC/w=="`},
		{"array<long>", `{"x":[]}`, `[]`},
		{"array<long>", `{"x":[ 1 , null , "3" , 4.0 ]}`, `[1,null,3,4]`},
		{"array<string>", `{"x":["a","\n",5]}`, `["a","\n","5"]`},
		{"array<double>", `{"x":[1.5,-2]}`, `[1.5,-2]`},
		{"array<bool>", `{"x":[true,false]}`, `[true,false]`},
		{"array<date>", `{"x":["2020-01-01",null]}`, `["2020-01-01",null]`},
		{"array<long>", `{"x":[1,2],"x":[3]}`, `[3]`},
		{"array<long>", `{"x":[1,2],"x":null}`, `null`},
		{"array<long>", `{"x":null}`, `null`},
	} {
		schema := schemaOf(t, "x: "+c.typ)
		rows := decode(t, schema, json.Options{}, c.in)
		if len(rows.Rejects) > 0 {
			t.Errorf("%s %s: rejected: %s", c.typ, c.in, rows.Rejects[0].Detail)
			continue
		}
		checkLengths(t, rows)
		if got := string(column.AppendJSON(nil, rows.Columns[0], 0)); got != c.want {
			t.Errorf("%s %s: got %s, want %s", c.typ, c.in, got, c.want)
		}
	}
}

// TestRejects: a line a kind of bad input. It stands between two good records, which go on. The detail is
// what it must contain.
func TestRejects(t *testing.T) {
	deep := strings.Repeat("[", 1001) + strings.Repeat("]", 1001)
	deepObjects := strings.Repeat(`{"k":`, 1000) + "{}" + strings.Repeat("}", 1000)
	for _, c := range []struct {
		typ, in, reason, column, detail string
	}{
		{"string", ``, "decode", "", `byte 0: found the end of the record, expected an object`},
		{"string", ` `, "decode", "", `byte 1: found the end of the record, expected an object`},
		{"string", `[]`, "decode", "", `byte 0: found an array, expected an object`},
		{"string", `"x"`, "decode", "", `byte 0: found the string "x", expected an object`},
		{"string", `17`, "decode", "", `byte 0: found the number "17", expected an object`},
		{"string", `null`, "decode", "", `byte 0: found "null", expected an object`},
		{"string", "\ufeff{}", "decode", "", `byte 0: found "\ufeff", expected an object`},
		{"string", `{`, "decode", "", `byte 1: found the end of the record, expected a key`},
		{"string", `{"x"`, "decode", "", `byte 4: found the end of the record, expected ":"`},
		{"string", `{"x" 1}`, "decode", "", `byte 5: found the number "1", expected ":"`},
		{"string", `{"x":`, "decode", "x", `byte 5: found the end of the record, expected a string`},
		{"string", `{"x":}`, "decode", "x", `byte 5: found "}", expected a string`},
		{"string", `{"x":"a"`, "decode", "", `byte 8: found the end of the record, expected "," or "}"`},
		{"string", `{"x":"a" "y":1}`, "decode", "", `byte 9: found the string "y", expected "," or "}"`},
		{"string", `{"x":"a",}`, "decode", "", `byte 9: found "}", expected a key`},
		{"string", `{,"x":"a"}`, "decode", "", `byte 1: found ",", expected a key`},
		{"string", `{x:"a"}`, "decode", "", `byte 1: found "x", expected a key`},
		{"string", `{'x':"a"}`, "decode", "", `byte 1: found "'", expected a key`},
		{"string", `{"x":"a"}{}`, "decode", "", `byte 9: found an object, expected the end of the record`},
		{"string", `{"x":"a"} x`, "decode", "", `byte 10: found "x", expected the end of the record`},
		{"string", `{"x":"a` + "\x00" + `"}`, "decode", "x", `byte 7: found the byte 0x00, expected a control character to be escaped`},
		{"string", "{\"x\":\"a\nb\"}", "decode", "x", `byte 7: found the byte 0x0a`},
		{"string", `{"x":"abc`, "decode", "x", `byte 9: found the end of the record, expected a closing quote`},
		{"string", `{"x":"abc\`, "decode", "x", `byte 10: found the end of the record, expected an escape`},
		{"string", `{"x":"\x"}`, "decode", "x", `expected an escape`},
		{"string", `{"x":"\u12"}`, "decode", "x", `expected \u and four hexadecimal digits`},
		{"string", `{"x":"\u12g4"}`, "decode", "x", `expected \u and four hexadecimal digits`},
		{"string", `{"x":"\ud83d\u12"}`, "decode", "x", `expected \u and four hexadecimal digits`},
		{"string", "{\"x\":\"\xff\"}", "decode", "x", `byte 6: found the byte 0xff, expected UTF-8`},
		{"string", "{\"x\":\"\xc0\x80\"}", "decode", "x", `expected UTF-8`},
		{"string", "{\"x\":\"\xed\xa0\x80\"}", "decode", "x", `expected UTF-8`},
		{"string", "{\"x\":\"\xc3\"}", "decode", "x", `expected UTF-8`},
		{"string", "{\"\xff\":1}", "decode", "", `expected UTF-8`},
		{"string", "{\"y\":{\"z\":[\"\xff\"]}}", "decode", "", `expected UTF-8`},
		{"string", "{\"y\":{\"\xff\":1}}", "decode", "", `expected UTF-8`},
		{"string", `{"x":true}`, "type", "x", `byte 5: found "true", expected a string`},
		{"string", `{"x":{}}`, "type", "x", `byte 5: found an object, expected a string`},
		{"string", `{"x":[]}`, "type", "x", `byte 5: found an array, expected a string`},
		{"string", `{"x":nul}`, "decode", "x", `byte 5: found "nul", expected null`},
		{"string", `{"x":tru}`, "decode", "x", `byte 5: found "tru", expected a string`},
		{"string", `{"x":NaN}`, "decode", "x", `byte 5: found "NaN", expected a string`},
		{"string", `{"y":01}`, "decode", "", `byte 5: found the number "01", expected a value`},
		{"string", `{"y":-}`, "decode", "", `expected a value`},
		{"string", `{"y":1.}`, "decode", "", `expected a value`},
		{"string", `{"y":.5}`, "decode", "", `expected a value`},
		{"string", `{"y":+5}`, "decode", "", `expected a value`},
		{"string", `{"y":1e}`, "decode", "", `expected a value`},
		{"string", `{"y":1e+}`, "decode", "", `expected a value`},
		{"string", `{"y":0x10}`, "decode", "", `expected "," or "}"`},
		{"string", `{"y":truE}`, "decode", "", `expected true`},
		{"string", `{"y":[1,]}`, "decode", "", `found "]", expected a value`},
		{"string", `{"y":[1 2]}`, "decode", "", `expected "," or "]"`},
		{"string", `{"y":[1}`, "decode", "", `expected "," or "]"`},
		{"string", `{"y":{"a":1]}`, "decode", "", `expected "," or "}"`},
		{"string", `{"y":{"a":1,}}`, "decode", "", `expected a key`},
		{"string", `{"y":` + deep + `}`, "decode", "", `expected no deeper nesting`},
		{"string", `{"y":` + deepObjects + `}`, "decode", "", `expected no deeper nesting`},
		{"string", `{"x":"fits","x":[]}`, "type", "x", `expected a string`},
		{"bool", `{"x":"true"}`, "type", "x", `byte 5: found the string "true", expected true or false`},
		{"bool", `{"x":1}`, "type", "x", `expected true or false`},
		{"bool", `{"x":TRUE}`, "decode", "x", `expected true or false`},
		{"bool", `{"x":truf}`, "decode", "x", `expected true`},
		{"int", `{"x":2147483648}`, "type", "x", `byte 5: found the number "2147483648", expected a whole number of 32 bits`},
		{"int", `{"x":-2147483649}`, "type", "x", `expected a whole number of 32 bits`},
		{"int", `{"x":1.5}`, "type", "x", `found the number "1.5", expected a whole number of 32 bits`},
		{"int", `{"x":"12 "}`, "type", "x", `found the string "12 ", expected a whole number of 32 bits`},
		{"int", `{"x":""}`, "type", "x", `found the string ""`},
		{"int", `{"x":"+1"}`, "type", "x", `found the string "+1"`},
		{"int", `{"x":"ten"}`, "type", "x", `found the string "ten"`},
		{"int", `{"x":true}`, "type", "x", `found "true"`},
		{"int", `{"x":01}`, "decode", "x", `found the number "01"`},
		{"int", `{"x":-}`, "decode", "x", `found the number "-"`},
		{"int", `{"x":1,"x":"bad"}`, "type", "x", `found the string "bad"`},
		{"long", `{"x":9223372036854775808}`, "type", "x", `expected a whole number of 64 bits`},
		{"long", `{"x":-9223372036854775809}`, "type", "x", `expected a whole number of 64 bits`},
		{"long", `{"x":1e19}`, "type", "x", `expected a whole number of 64 bits`},
		{"long", `{"x":1e99999999999999999999}`, "type", "x", `expected a whole number of 64 bits`},
		{"long", `{"x":1e18446744073709551617}`, "type", "x", `expected a whole number of 64 bits`},
		{"double", `{"x":1e18446744073709551617}`, "type", "x", `expected a number in the range of double`},
		{"long", `{"x":1e-1}`, "type", "x", `expected a whole number of 64 bits`},
		{"long", `{"x":1.00000000000000000000000000001}`, "type", "x", `expected a whole number of 64 bits`},
		{"float", `{"x":1e39}`, "type", "x", `expected a number in the range of float`},
		{"double", `{"x":1e309}`, "type", "x", `found the number "1e309", expected a number in the range of double`},
		{"double", `{"x":"NaN"}`, "type", "x", `found the string "NaN"`},
		{"double", `{"x":"0x10"}`, "type", "x", `found the string "0x10"`},
		{"double", `{"x":Infinity}`, "decode", "x", `found "Infinity"`},
		{"date", `{"x":"2023-02-29"}`, "type", "x", `expected a date "yyyy-MM-dd"`},
		{"date", `{"x":"2023-13-01"}`, "type", "x", `expected a date`},
		{"date", `{"x":"2023-1-1"}`, "type", "x", `expected a date`},
		{"date", `{"x":"2023-01-01T00:00:00"}`, "type", "x", `expected a date`},
		{"date", `{"x":"0000-01-01"}`, "type", "x", `expected a date`},
		{"date", `{"x":"20a0-01-01"}`, "type", "x", `expected a date`},
		{"date", `{"x":19000}`, "type", "x", `expected a date`},
		{"timestamp", `{"x":1598586767}`, "type", "x", `found the number "1598586767", expected a timestamp "yyyy-MM-ddTHH:mm:ss"`},
		{"timestamp", `{"x":"1598586767"}`, "type", "x", `expected a timestamp`},
		{"timestamp", `{"x":"2020-08-28"}`, "type", "x", `expected a timestamp`},
		{"timestamp", `{"x":"2020:08:28 03:52:47"}`, "type", "x", `expected a timestamp`},
		{"timestamp", `{"x":"2020-08-28T24:00:00"}`, "type", "x", `expected a timestamp`},
		{"timestamp", `{"x":"2020-08-28T23:59:60"}`, "type", "x", `expected a timestamp`},
		{"timestamp", `{"x":"2020-08-28T23:60:00"}`, "type", "x", `expected a timestamp`},
		{"timestamp", `{"x":"2020-08-28T03:52:47."}`, "type", "x", `expected a timestamp`},
		{"timestamp", `{"x":"2020-08-28T03:52:47 Z"}`, "type", "x", `expected a timestamp`},
		{"timestamp", `{"x":"2020-08-28T03:52:47+0200"}`, "type", "x", `expected a timestamp`},
		{"timestamp", `{"x":"2020-08-28T03:52:47+24:00"}`, "type", "x", `expected a timestamp`},
		{"binary", `{"x":"AAE"}`, "type", "x", `expected a string in base64`},
		{"binary", `{"x":"A-_="}`, "type", "x", `expected a string in base64`},
		{"binary", `{"x":7}`, "type", "x", `expected a string in base64`},
		{"array<long>", `{"x":1}`, "type", "x", `expected an array`},
		{"array<long>", `{"x":[1,"a"]}`, "type", "x", `byte 8: found the string "a", expected a whole number of 64 bits`},
		{"array<long>", `{"x":[[1]]}`, "type", "x", `found an array, expected a whole number of 64 bits`},
		{"array<long>", `{"x":[1,]}`, "decode", "x", `found "]"`},
		{"array<long>", `{"x":[1 2]}`, "decode", "x", `expected "," or "]"`},
		{"array<long>", `{"x":[1`, "decode", "x", `expected "," or "]"`},
		{"array<long>", `{"x":[nil]}`, "decode", "x", `expected null`},
		{"byte", `{"x":128}`, "type", "x", `expected a whole number of 8 bits`},
		{"short", `{"x":-32769}`, "type", "x", `expected a whole number of 16 bits`},
		{"decimal(10,2)", `{"x":123456789}`, "type", "x", `found the number "123456789", expected a number of at most 8 digits before the point and 2 behind`},
		{"decimal(10,2)", `{"x":0.125}`, "type", "x", `expected a number of at most 8 digits before the point and 2 behind`},
		{"decimal(3,0)", `{"x":"1000"}`, "type", "x", `found the string "1000", expected a whole number of at most 3 digits`},
		{"decimal(3,0)", `{"x":"+1"}`, "type", "x", `expected a whole number of at most 3 digits`},
		{"decimal(3,0)", `{"x":true}`, "type", "x", `expected a whole number of at most 3 digits`},
		{"decimal(3,0)", `{"x":1.}`, "decode", "x", `found the number "1."`},
		{"timestamp_ntz", `{"x":"2020-08-28T03:52:47Z"}`, "type", "x", `expected a timestamp without a zone "yyyy-MM-ddTHH:mm:ss"`},
		{"struct<a: long>", `{"x":[]}`, "type", "x", `found an array, expected an object`},
		{"struct<a: long>", `{"x":{"a":"b"}}`, "type", "x.a", `expected a whole number of 64 bits`},
		{"struct<a: long>", `{"x":{"a":1,}}`, "decode", "x", `expected a key`},
		{"struct<a: long!, b: long>", `{"x":{"b":1}}`, "required", "x.a", `null or missing, expected a whole number of 64 bits`},
		{"struct<a: struct<b: decimal(4,1)!>>", `{"x":{"a":{"b":null}}}`, "required", "x.a.b", `null or missing, expected a number of at most 3 digits before the point and 1 behind`},
		{"array<struct<a: array<int>>>", `{"x":[{"a":[1]},{"a":[1,{}]}]}`, "type", "x.a", `found an object, expected a whole number of 32 bits`},
		{"struct<a: array<long>>", `{"x":{"a":[1,2,"x"]}}`, "type", "x.a", `found the string "x"`},
		{"map<string, long>", `{"x":[["a",1]]}`, "type", "x", `found an array, expected an object`},
		{"map<string, long>", `{"x":{"a":1,"b":"c"}}`, "type", "x", `found the string "c", expected a whole number of 64 bits`},
		{"map<date, long>", `{"x":{"a":1}}`, "type", "x", `found the string "a", expected a date`},
		{"map<string, long>", `{"x":{"a":1 "b":2}}`, "decode", "x", `expected "," or "}"`},
		{"long!", `{}`, "required", "x", `null or missing, expected a whole number of 64 bits`},
		{"long!", `{"x":null}`, "required", "x", `null or missing`},
		{"long!", `{"x":1,"x":null}`, "required", "x", `null or missing`},
	} {
		schema := schemaOf(t, "w: long, x: "+c.typ+", z: array<string>")
		good := `{"z":["g",null],"x":` + sample(schema[1].Type) + `,"w":1}`
		rows := decode(t, schema, json.Options{}, good, c.in, good)
		if len(rows.Rejects) != 1 {
			t.Errorf("%s %s: %d rejects, want 1", c.typ, c.in, len(rows.Rejects))
			continue
		}
		r := rows.Rejects[0]
		if string(r.Reason) != c.reason || r.Column != c.column || !strings.Contains(r.Detail, c.detail) {
			t.Errorf("%s %s:\n got %s of %q: %s\nwant %s of %q: %s", c.typ, c.in, r.Reason, r.Column, r.Detail, c.reason, c.column, c.detail)
		}
		if r.Record.Offset != 1 || string(r.Record.Value) != c.in {
			t.Errorf("%s %s: the reject has record %d: %s", c.typ, c.in, r.Record.Offset, r.Record.Value)
		}
		checkLengths(t, rows)
		if diff := cmp.Diff([]engine.Offset{0, 2}, rows.Offset); diff != "" {
			t.Errorf("%s %s: offsets: %s", c.typ, c.in, diff)
		}
		if got := jsonRows(schema, rows); len(got) != 2 || got[0] != got[1] || !strings.Contains(got[0], `"z":["g",null]`) {
			t.Errorf("%s %s: the neighbours became %v", c.typ, c.in, got)
		}
	}
}

// sample is a value that a column of type t takes.
func sample(t column.Type) string {
	switch t.Kind {
	case column.Bool:
		return `true`
	case column.Date:
		return `"2020-01-01"`
	case column.Timestamp:
		return `"2020-01-01 00:00:00"`
	case column.Binary:
		return `"AAEC"`
	case column.String:
		return `"text"`
	case column.TimestampNTZ:
		return `"2020-01-01 00:00:00"`
	case column.Array:
		return `[` + sample(t.Elem()) + `]`
	case column.Map:
		pair := t.Fields()
		return `{"` + strings.Trim(sample(pair[0].Type), `"`) + `":` + sample(pair[1].Type) + `}`
	case column.Struct:
		var members []string
		for _, f := range t.Fields() {
			members = append(members, `"`+f.Name+`":`+sample(f.Type))
		}
		return `{` + strings.Join(members, ",") + `}`
	}
	return `7`
}

// TestUTF8: of all sequences of two bytes and many of up to five, those are taken that are UTF-8.
func TestUTF8(t *testing.T) {
	var texts []string
	for a := 0x20; a < 0x100; a++ {
		for b := 0x7e; b < 0x100; b++ {
			texts = append(texts, string([]byte{byte(a), byte(b)}))
		}
	}
	edges := []byte{'a', 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff}
	for _, lead := range []byte{0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5} {
		for _, a := range edges {
			for _, b := range edges {
				texts = append(texts, string([]byte{lead, a, b}), string([]byte{lead, a, b, 0x80}), string([]byte{'a', lead, a, b, 0x80}))
			}
		}
	}
	schema := schemaOf(t, "x: string")
	var records []string
	want := []string{}
	for _, text := range texts {
		if strings.ContainsAny(text, `"\`) {
			continue
		}
		records = append(records, `{"x":"`+text+`"}`)
		if utf8.ValidString(text) {
			want = append(want, text)
		}
	}
	rows := decode(t, schema, json.Options{}, records...)
	got := []string{}
	for i := range rows.Offset {
		got = append(got, string(rows.Columns[0].(*column.Texts).At(i)))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestDeepEnough: a value that no column asks for may nest 1,000 deep.
func TestDeepEnough(t *testing.T) {
	schema := schemaOf(t, "x: long")
	for _, value := range []string{
		strings.Repeat("[", 1000) + strings.Repeat("]", 1000),
		strings.Repeat(`{"k":`, 999) + "{}" + strings.Repeat("}", 999),
	} {
		if rows := decode(t, schema, json.Options{}, `{"y":`+value+`,"x":1}`); len(rows.Offset) != 1 {
			t.Errorf("rejected: %s", rows.Rejects[0].Detail)
		}
	}
}

// TestOrderOfMembers: what one record left in the decoder does not mislead it in the next.
func TestOrderOfMembers(t *testing.T) {
	schema := schemaOf(t, "a: long, ab: string, c: string")
	rows := decode(t, schema, json.Options{},
		`{"a":1,"ab":"x","c":"y"}`,
		`{"a":2,"ab":"x","c":"y"}`,
		`{"a": 3,"ab":  "x" ,"c":"y"}`,
		`{"ab":"x","a":4,"c":"y"}`,
		`{"a":5,"c":"y","ab":"x"}`,
		`{"a":6,"b":{"a":0},"ab":"x","c":"y"}`,
		`{"a":7,"b":{"a":0},"ab":"x","c":"y"}`,
		`{"a":8,"ab":"x","c":"y","a":9}`,
		`{"a":10}`,
		`{}`,
		`{"a":11,"ab":"x","c":"y"}`,
		`{,"a":11,"ab":"x","c":"y"}`,
		`{"a":11"ab":"x","c":"y"}`,
	)
	want := []string{}
	for _, a := range []string{"1", "2", "3", "4", "5", "6", "7", "9"} {
		want = append(want, `{"a":`+a+`,"ab":"x","c":"y"}`)
	}
	want = append(want, `{"a":10,"ab":null,"c":null}`, `{"a":null,"ab":null,"c":null}`, `{"a":11,"ab":"x","c":"y"}`)
	if diff := cmp.Diff(want, jsonRows(schema, rows)); diff != "" {
		t.Error(diff)
	}
	if len(rows.Rejects) != 2 || rows.Unknown != 2 {
		t.Errorf("%d rejects, %d unknown, want 2 and 2", len(rows.Rejects), rows.Unknown)
	}
}

// TestExcerptIsShort: a detail quotes a little of a long value.
func TestExcerptIsShort(t *testing.T) {
	rows := decode(t, schemaOf(t, "x: long"), json.Options{}, `{"x":"`+strings.Repeat("é", 1000)+`"}`)
	want := `byte 5: found the string "` + strings.Repeat("é", 20) + `"…, expected a whole number of 64 bits`
	if got := rows.Rejects[0].Detail; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestPaths: nested values, given by the column's name or by a path, with and without a root.
func TestPaths(t *testing.T) {
	schema := schemaOf(t, "id: long, geo.lat: double, geo.lon: double, geo.place.name: string, who: string")
	paths := map[string]string{"who": "user.name"}
	for _, c := range []struct{ name, root, in, want string }{
		{"all", "", `{"id":1,"geo":{"lat":1.5,"lon":2,"place":{"name":"here"}},"user":{"name":"me"}}`,
			`{"id":1,"geo.lat":1.5,"geo.lon":2,"geo.place.name":"here","who":"me"}`},
		{"parts missing", "", `{"geo":{"lon":2},"user":{}}`, `{"id":null,"geo.lat":null,"geo.lon":2,"geo.place.name":null,"who":null}`},
		{"object null", "", `{"id":1,"geo":null}`, `{"id":1,"geo.lat":null,"geo.lon":null,"geo.place.name":null,"who":null}`},
		{"a key with a dot is no path", "", `{"geo.lat":7}`, `{"id":null,"geo.lat":null,"geo.lon":null,"geo.place.name":null,"who":null}`},
		{"object twice", "", `{"geo":{"lat":1,"place":{"name":"here"}},"geo":{"lon":2}}`,
			`{"id":null,"geo.lat":null,"geo.lon":2,"geo.place.name":null,"who":null}`},
		{"object, then null", "", `{"geo":{"lat":1,"place":{"name":"here"}},"geo":null}`,
			`{"id":null,"geo.lat":null,"geo.lon":null,"geo.place.name":null,"who":null}`},
		{"object no object", "", `{"geo":5}`, `type of "geo.lat": byte 7: found the number "5", expected an object`},
		{"root", "payload.after", `{"op":"c","payload":{"before":null,"after":{"id":1,"user":{"name":"me"}}}}`,
			`{"id":1,"geo.lat":null,"geo.lon":null,"geo.place.name":null,"who":"me"}`},
		{"root twice", "after", `{"after":{"id":1},"after":{"who":"no path","user":{"name":"me"}}}`,
			`{"id":null,"geo.lat":null,"geo.lon":null,"geo.place.name":null,"who":"me"}`},
		{"root missing", "payload.after", `{"payload":{"id":1}}`, `decode of "": null or missing, expected an object at payload.after, the root of a row`},
		{"root null", "payload.after", `{"payload":{"after":null}}`, `decode of "": null or missing, expected an object at payload.after, the root of a row`},
		{"root taken back", "after", `{"after":{"id":1},"after":null}`, `decode of "": null or missing, expected an object at after, the root of a row`},
		{"root no object", "after", `{"after":[]}`, `decode of "": byte 9: found an array, expected an object`},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows := decode(t, schema, json.Options{Root: c.root, Paths: paths}, c.in)
			checkLengths(t, rows)
			got := strings.Join(jsonRows(schema, rows), "")
			for _, r := range rows.Rejects {
				got = string(r.Reason) + ` of "` + r.Column + `": ` + r.Detail
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestBase64: the JSON may come in base64, with or without quotes.
func TestBase64(t *testing.T) {
	schema := schemaOf(t, "id: long!, who: string")
	code := base64.StdEncoding.EncodeToString([]byte(`{"id":7,"who":"??>>"}`))
	for _, c := range []struct{ name, root, in, want string }{
		{"bare", "", code, `{"id":7,"who":"??>>"}`},
		{"space about it", "", " \t" + code + "\r\n", `{"id":7,"who":"??>>"}`},
		{"quoted", "", ` "` + code + `" `, `{"id":7,"who":"??>>"}`},
		{"escaped", "", `"` + strings.ReplaceAll(code, "+", `\u002b`) + `"`, `{"id":7,"who":"??>>"}`},
		{"below a root", "value", base64.StdEncoding.EncodeToString([]byte(`{"value":{"id":7}}`)), `{"id":7,"who":null}`},
		{"root missing", "value", base64.StdEncoding.EncodeToString([]byte(`{"id":7}`)), `decode: null or missing, expected an object at value, the root of a row`},
		{"no base64", "", `{"id":7}`, `decode: byte 0: found an object, expected JSON in base64`},
		{"no base64 further on", "", "eyJp ZA==", `decode: byte 4: found " ", expected JSON in base64`},
		{"cut off", "", code[:len(code)-1], `decode: byte 24: found "PiJ", expected JSON in base64`},
		{"more behind it", "", `"` + code + `" x`, `decode: byte 31: found "x", expected the end of the record`},
		{"half a string", "", `"` + code, `decode: byte 29: found the end of the record, expected a closing quote`},
		{"nothing", "", "", `decode: byte 0: found the end of the record, expected an object`},
		{"no JSON", "", base64.StdEncoding.EncodeToString([]byte(`{"id":x}`)), `decode: byte 6 of the JSON in base64: found "x", expected a whole number of 64 bits`},
		{"no row", "", base64.StdEncoding.EncodeToString([]byte(`{}`)), `required: null or missing, expected a whole number of 64 bits`},
	} {
		t.Run(c.name, func(t *testing.T) {
			rows := decode(t, schema, json.Options{Root: c.root, Encoding: json.Base64}, c.in)
			checkLengths(t, rows)
			got := strings.Join(jsonRows(schema, rows), "")
			for _, r := range rows.Rejects {
				got = string(r.Reason) + ": " + r.Detail
				if string(r.Record.Value) != c.in {
					t.Errorf("the reject holds %q, not the record", r.Record.Value)
				}
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestUnknown: members that no column asks for are counted where the row is, in records that become rows.
func TestUnknown(t *testing.T) {
	schema := schemaOf(t, "a: long, b.c: long")
	for _, c := range []struct {
		root, in string
		want     int64
	}{
		{"", `{"a":1,"b":{"c":2}}`, 0},
		{"", `{"a":1,"z":{"y":1,"x":2},"z":null,"b":{"d":1,"c":2}}`, 3},
		{"", `{"a":"bad","z":1}`, 0},
		{"r", `{"op":1,"r":{"a":1,"z":2},"at":3}`, 1},
	} {
		if rows := decode(t, schema, json.Options{Root: c.root}, c.in); rows.Unknown != c.want {
			t.Errorf("%s: %d unknown, want %d", c.in, rows.Unknown, c.want)
		}
	}
}

// TestManyUnknown: what a decoder remembers of unknown keys is bounded, and what it forgets is right all
// the same.
func TestManyUnknown(t *testing.T) {
	schema := schemaOf(t, "x: long")
	var b strings.Builder
	b.WriteString(`{`)
	for i := range 2000 {
		b.WriteString(`"` + strings.Repeat("k", i%700) + string(rune('a'+i%26)) + `":[{}],`)
	}
	b.WriteString(`"x":1}`)
	rows := decode(t, schema, json.Options{}, b.String(), b.String())
	if len(rows.Offset) != 2 || rows.Unknown != 4000 {
		t.Errorf("%d rows, %d unknown", len(rows.Offset), rows.Unknown)
	}
}

// TestTombstones: a record without a value gives neither row nor reject.
func TestTombstones(t *testing.T) {
	schema := schemaOf(t, "x: long, record.offset: long")
	d, err := json.New(schema, json.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows := emptyRows(schema)
	if err := d.Decode(frameOf([][]byte{[]byte(`{"x":1}`), nil, []byte(`{"x":2}`), {}}), rows); err != nil {
		t.Fatal(err)
	}
	if rows.Tombstones != 1 || len(rows.Rejects) != 1 {
		t.Errorf("%d tombstones, %d rejects, want 1 and 1", rows.Tombstones, len(rows.Rejects))
	}
	if diff := cmp.Diff([]string{`{"x":1,"record.offset":0}`, `{"x":2,"record.offset":2}`}, jsonRows(schema, rows)); diff != "" {
		t.Error(diff)
	}
}

// TestRecordColumnReject: a record column that can't be filled rejects the row and leaves nothing behind.
func TestRecordColumnReject(t *testing.T) {
	schema := schemaOf(t, "record.key: string!, x: array<string>")
	d, err := json.New(schema, json.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var f engine.Frame
	f = f.AppendRecord(engine.Record{Offset: 7, Value: []byte(`{"x":["a"]}`)})
	f = f.AppendRecord(engine.Record{Offset: 8, Key: []byte("k"), Value: []byte(`{"x":["b"]}`)})
	rows := emptyRows(schema)
	if err := d.Decode(f, rows); err != nil {
		t.Fatal(err)
	}
	checkLengths(t, rows)
	if r := rows.Rejects[0]; r.Reason != engine.ReasonRequired || r.Column != "record.key" || r.Record.Offset != 7 {
		t.Errorf("got %+v", r)
	}
	if diff := cmp.Diff([]string{`{"record.key":"k","x":["b"]}`}, jsonRows(schema, rows)); diff != "" {
		t.Error(diff)
	}
}

// TestDecodeAppends: a second frame goes behind the rows of the first, and a reject takes none of these.
func TestDecodeAppends(t *testing.T) {
	schema := schemaOf(t, "x: long!, s: string")
	d, err := json.New(schema, json.Options{})
	if err != nil {
		t.Fatal(err)
	}
	rows := emptyRows(schema)
	for _, records := range [][]string{{`{"x":1,"s":"a"}`, `{"x":2}`}, {`{"s":"lost","x":null}`, `{"x":3,"s":"b","s":"c"}`}} {
		var f engine.Frame
		for _, r := range records {
			f = f.AppendRecord(engine.Record{Value: []byte(r)})
		}
		if err := d.Decode(f, rows); err != nil {
			t.Fatal(err)
		}
		checkLengths(t, rows)
	}
	want := []string{`{"x":1,"s":"a"}`, `{"x":2,"s":null}`, `{"x":3,"s":"c"}`}
	if diff := cmp.Diff(want, jsonRows(schema, rows)); diff != "" || len(rows.Rejects) != 1 {
		t.Errorf("%d rejects: %s", len(rows.Rejects), diff)
	}
}

// TestNewRefuses: everything wrong is said at once.
func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		schema string
		opts   json.Options
		want   string
	}{
		{"a: long, a.b: long", json.Options{}, `json: columns "a" and "a.b": a value can't be both a long and an object`},
		{"a.b.c: long, a.b: string", json.Options{}, `json: columns "a.b" and "a.b.c": a value can't be both a string and an object`},
		{"a: long, b: long", json.Options{Paths: map[string]string{"a": "x.y", "b": "x.y"}}, `json: columns "a" and "b" have the same path`},
		{"a..b: long", json.Options{Root: "r."}, `json: column "a..b": path "a..b" has an empty key; root "r." has an empty key`},
		{"a: long", json.Options{Paths: map[string]string{"b": "x"}}, `json: a path is given for "b", which is no column of the value`},
		{"a: array<map<bool, long>>, b: struct<c: map<struct<d: int>, long>>", json.Options{}, `json: column "a": the keys of a JSON object can't be of type bool; ` +
			`column "b": the keys of a JSON object can't be of type struct<d: int>`},
		{"record.topic: string", json.Options{}, `no such column of a record: record.topic: string; a record has record.timestamp: timestamp, ` +
			`record.offset: long, record.key and record.headers.NAME: string or binary, and of Kinesis record.partition_key, record.sequence_number and record.explicit_hash_key: string or binary`},
	} {
		_, err := json.New(schemaOf(t, c.schema), c.opts)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.schema, err, c.want)
		}
	}
}

// TestDecodeAllocatesNothing a record, once the columns have grown.
func TestDecodeAllocatesNothing(t *testing.T) {
	for _, encoding := range []json.Encoding{json.Plain, json.Base64} {
		schema := append(pinSchema(t), schemaOf(t, "a: array<double>, t: timestamp, d: double, n.x: int, nest: array<struct<m: map<string, decimal(9,2)>, s: short, n: timestamp_ntz>>, record.key: string, record.headers.h: binary")...)
		d, err := json.New(schema, json.Options{Encoding: encoding})
		if err != nil {
			t.Fatal(err)
		}
		f, rows := widePins(encoding), emptyRows(schema)
		allocs := testing.AllocsPerRun(20, func() {
			for _, c := range rows.Columns {
				c.Reset()
			}
			*rows = engine.Rows{Columns: rows.Columns, Offset: rows.Offset[:0], At: rows.At[:0]}
			if err := d.Decode(f, rows); err != nil {
				t.Fatal(err)
			}
		})
		if len(rows.Offset) != 100 {
			t.Fatalf("%d rows: %v", len(rows.Offset), rows.Rejects)
		}
		if allocs > 0 {
			t.Errorf("encoding %d: %v allocations a frame of 100 records", encoding, allocs)
		}
	}
}

// widePins is a frame of 100 pins with values of every kind beside what a pin has.
func widePins(encoding json.Encoding) (f engine.Frame) {
	headers := engine.AppendHeader(nil, []byte("h"), []byte("value"))
	for i, v := range pins(100) {
		v = append(v[:len(v)-1], `,"a":[1.5,2,null],"t":"2020-08-28T03:52:47Z","d":-82.9272,"u":{"v":["\u0041"]},"n":{"x":1.0},"nest":[{"m":{"a":1.5,"b":"2"},"s":7,"n":"2020-08-28T03:52:47"},null]}`...)
		if encoding == json.Base64 {
			v = base64.StdEncoding.AppendEncode(nil, v)
		}
		f = f.AppendRecord(engine.Record{Offset: engine.Offset(i), Key: []byte("key"), Headers: headers, Value: v})
	}
	return f
}

// TestRealPins: the real rows decode as encoding/json sees them.
func TestRealPins(t *testing.T) {
	schema := pinSchema(t)
	checkAgainstOracle(t, schema, json.Options{}, realPins(t)...)
}
