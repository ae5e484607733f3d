package json_test

import (
	"bytes"
	"encoding/base64"
	stdjson "encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/millrace-io/millrace/engine/codec/json"
	"github.com/millrace-io/millrace/engine/column"
)

// The oracle is a naive twin of the decoder on top of encoding/json, which says what is JSON and what
// strings and numbers mean. Where this package differs from it on purpose, the oracle says so:
//
//   - bytes that are not UTF-8 are refused; encoding/json replaces them
//   - a skipped value may nest 1,000 deep; encoding/json allows 10,000
//   - the rules of types are this package's own

// A tree is a JSON value with its members in order, repeats included.
type tree struct {
	kind    byte   // { [ " 0 (number) t f n
	text    string // of a string or number
	keys    []string
	members []tree // of an object or array
}

// parse reads the whole of b, if it is JSON in UTF-8.
func parse(b []byte) (root tree, ok bool) {
	if !utf8.Valid(b) || !stdjson.Valid(b) {
		return tree{}, false
	}
	d := stdjson.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return parseValue(d), true
}

func parseValue(d *stdjson.Decoder) tree {
	token, err := d.Token()
	if err != nil {
		panic(err)
	}
	switch v := token.(type) {
	case string:
		return tree{kind: '"', text: v}
	case stdjson.Number:
		return tree{kind: '0', text: string(v)}
	case bool:
		return tree{kind: strconv.FormatBool(v)[0]}
	case nil:
		return tree{kind: 'n'}
	}
	t := tree{kind: byte(token.(stdjson.Delim))}
	for d.More() {
		if t.kind == '{' {
			key, err := d.Token()
			if err != nil {
				panic(err)
			}
			t.keys = append(t.keys, key.(string))
		}
		t.members = append(t.members, parseValue(d))
	}
	if _, err := d.Token(); err != nil {
		panic(err)
	}
	return t
}

func (t tree) depth() int {
	if t.kind != '{' && t.kind != '[' {
		return 0
	}
	deepest := 0
	for _, m := range t.members {
		deepest = max(deepest, m.depth())
	}
	return deepest + 1
}

// An oracle decodes one record.
type oracle struct {
	types   map[string]column.Field // by path
	root    string
	values  map[string]string // by path, written as show does
	rooted  bool
	unknown int64
}

func newOracle(schema column.Schema, opts json.Options) *oracle {
	o := &oracle{types: map[string]column.Field{}, root: opts.Root, values: map[string]string{}}
	for _, f := range schema {
		path := f.Name
		if p, ok := opts.Paths[f.Name]; ok {
			path = p
		}
		o.types[join(opts.Root, path)] = f
	}
	return o
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// row gives the values of the record by column, if it is a row.
func (o *oracle) row(b []byte) (map[string]string, bool) {
	t, ok := parse(b)
	if !ok || t.kind != '{' || !o.object(t, "") || !o.rooted {
		return nil, false
	}
	row := map[string]string{}
	for path, f := range o.types {
		v, ok := o.values[path]
		if !ok && f.Required {
			return nil, false
		}
		if !ok {
			v = "null"
		}
		row[f.Name] = v
	}
	return row, true
}

func (o *oracle) object(t tree, path string) bool {
	o.rooted = o.rooted || path == o.root
	for i, m := range t.members {
		at := join(path, t.keys[i])
		f, isField := o.types[at]
		switch {
		case strings.Contains(t.keys[i], "."): // no key of a path
			isField = false
			fallthrough
		case !isField && !o.onPath(at):
			if m.depth() > 1000 {
				return false
			}
			if path == o.root || strings.HasPrefix(path, join(o.root, "")) || o.root == "" {
				o.unknown++
			}
		case isField:
			delete(o.values, at)
			if m.kind == 'n' {
				continue
			}
			v, ok := o.fit(f.Type, m)
			if !ok {
				return false
			}
			o.values[at] = v
		default:
			o.forget(at)
			if m.kind != 'n' && (m.kind != '{' || !o.object(m, at)) {
				return false
			}
		}
	}
	return true
}

// onPath says whether a field or the root lies below path.
func (o *oracle) onPath(path string) bool {
	for p := range o.types {
		if strings.HasPrefix(p, path+".") {
			return true
		}
	}
	return false
}

func (o *oracle) forget(path string) {
	for p := range o.values {
		if strings.HasPrefix(p, path+".") {
			delete(o.values, p)
		}
	}
	if path == o.root || strings.HasPrefix(o.root, path+".") {
		o.rooted = false
	}
}

var timestampForm = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)?$`)

// fit gives what a column of type typ makes of t, which is not null, as show writes it.
func (o *oracle) fit(typ column.Type, t tree) (string, bool) {
	switch typ.Kind {
	case column.Array:
		return o.fitArray(typ, t)
	case column.Struct:
		return o.fitStruct(typ, t)
	case column.Map:
		return o.fitMap(typ, t)
	}
	text := t.text
	number := t.kind == '0' || t.kind == '"' && text != "" && strings.Contains("-0123456789", text[:1]) &&
		strings.TrimSpace(text) == text && stdjson.Valid([]byte(text))
	switch typ.Kind {
	case column.String:
		return strconv.Quote(text), t.kind == '"' || t.kind == '0'
	case column.Bool:
		return strconv.FormatBool(t.kind == 't'), t.kind == 't' || t.kind == 'f'
	case column.Byte:
		v, ok := whole(text)
		return fmt.Sprint(v), number && ok && v == int64(int8(v))
	case column.Short:
		v, ok := whole(text)
		return fmt.Sprint(v), number && ok && v == int64(int16(v))
	case column.Decimal:
		v, ok := unscaled(text, typ.Precision(), typ.Scale())
		return v, number && ok
	case column.Int:
		v, ok := whole(text)
		return fmt.Sprint(v), number && ok && v == int64(int32(v))
	case column.Long:
		v, ok := whole(text)
		return fmt.Sprint(v), number && ok
	case column.Float:
		v, err := strconv.ParseFloat(text, 32)
		return fmt.Sprintf("%b", float32(v)), number && err == nil
	case column.Double:
		v, err := strconv.ParseFloat(text, 64)
		return fmt.Sprintf("%b", v), number && err == nil
	case column.Binary:
		v, err := base64.StdEncoding.DecodeString(text)
		return strconv.Quote(string(v)), t.kind == '"' && err == nil
	case column.Date:
		at, err := time.Parse("2006-01-02", text)
		return fmt.Sprint(at.Unix() / 86400), t.kind == '"' && err == nil && at.Year() > 0
	}
	layout := "2006-01-02T15:04:05"
	if typ.Kind == column.Timestamp && len(text) > 19 && strings.ContainsAny(text[19:], "Z+-") {
		layout += "Z07:00"
	}
	at, err := time.Parse(layout, strings.Replace(text, " ", "T", 1))
	return fmt.Sprint(at.UnixMicro()), t.kind == '"' && timestampForm.MatchString(text) && err == nil && text[:4] != "0000"
}

// fitStruct is fit of an object; members that are no fields count as unknown.
func (o *oracle) fitStruct(typ column.Type, t tree) (string, bool) {
	if t.kind != '{' {
		return "", false
	}
	fields := column.Schema(typ.Fields())
	values := make([]string, len(fields))
	for i, m := range t.members {
		at := fields.Index(t.keys[i])
		if at < 0 {
			o.unknown++
			if m.depth() > 1000 {
				return "", false
			}
			continue
		}
		values[at] = ""
		if m.kind == 'n' {
			continue
		}
		var ok bool
		if values[at], ok = o.fit(fields[at].Type, m); !ok {
			return "", false
		}
	}
	for i, f := range fields {
		if values[i] == "" && f.Required {
			return "", false
		}
		if values[i] == "" {
			values[i] = "null"
		}
	}
	return fmt.Sprint(values), true
}

// fitMap is fit of an object; of keys that mean the same the last counts, where it stands.
func (o *oracle) fitMap(typ column.Type, t tree) (string, bool) {
	if t.kind != '{' {
		return "", false
	}
	pair := typ.Fields()
	var keys, pairs []string
	for i, m := range t.members {
		key, ok := o.fit(pair[0].Type, tree{kind: '"', text: t.keys[i]})
		value := "null"
		if ok && m.kind != 'n' {
			value, ok = o.fit(pair[1].Type, m)
		}
		if !ok {
			return "", false
		}
		if at := slices.Index(keys, key); at >= 0 {
			keys, pairs = slices.Delete(keys, at, at+1), slices.Delete(pairs, at, at+1)
		}
		keys, pairs = append(keys, key), append(pairs, fmt.Sprint([]string{key, value}))
	}
	return fmt.Sprint(pairs), true
}

// unscaled is the JSON number text times ten to the power of scale, exactly, if so many digits hold it.
func unscaled(text string, digits, scale int) (string, bool) {
	mantissa, exp, _ := strings.Cut(strings.ToLower(text), "e")
	if strings.Trim(mantissa, "-0.") == "" {
		return "0", true
	}
	if e, err := strconv.Atoi(exp); exp != "" && (err != nil || max(e, -e) > 5000) {
		return "", false // as in whole
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return "", false
	}
	r.Mul(r, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)))
	v := r.Num().String()
	return v, r.IsInt() && len(strings.TrimPrefix(v, "-")) <= digits
}

func (o *oracle) fitArray(typ column.Type, t tree) (string, bool) {
	if t.kind != '[' {
		return "", false
	}
	var parts []string
	for _, m := range t.members {
		if m.kind == 'n' {
			parts = append(parts, "null")
			continue
		}
		v, ok := o.fit(typ.Elem(), m)
		if !ok {
			return "", false
		}
		parts = append(parts, v)
	}
	return fmt.Sprint(parts), true
}

// whole is the JSON number text as an int64, exactly.
func whole(text string) (int64, bool) {
	mantissa, exp, _ := strings.Cut(strings.ToLower(text), "e")
	if strings.Trim(mantissa, "-0.") == "" {
		return 0, true
	}
	if e, err := strconv.Atoi(exp); exp != "" && (err != nil || max(e, -e) > 5000) {
		return 0, false // the texts of these tests are shorter than that
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok || !r.IsInt() || !r.Num().IsInt64() {
		return 0, false
	}
	return r.Num().Int64(), true
}

// show writes a value of a column exactly.
func show(c column.Column, row int) string {
	if c.Nulls().Null(row) {
		return "null"
	}
	switch c := c.(type) {
	case *column.Bools:
		return strconv.FormatBool(c.Values[row])
	case *column.Bytes:
		return fmt.Sprint(c.Values[row])
	case *column.Shorts:
		return fmt.Sprint(c.Values[row])
	case *column.Decimals:
		return string(c.Values[row].AppendDecimal(nil, 0))
	case *column.Structs:
		var parts []string
		for _, f := range c.Fields {
			parts = append(parts, show(f, row))
		}
		return fmt.Sprint(parts)
	case *column.Ints:
		return fmt.Sprint(c.Values[row])
	case *column.Longs:
		return fmt.Sprint(c.Values[row])
	case *column.Floats:
		return fmt.Sprintf("%b", c.Values[row])
	case *column.Doubles:
		return fmt.Sprintf("%b", c.Values[row])
	case *column.Texts:
		return strconv.Quote(string(c.At(row)))
	case *column.List:
		var parts []string
		for i := c.Offsets[row]; i < c.Offsets[row+1]; i++ {
			parts = append(parts, show(c.Elem, int(i)))
		}
		return fmt.Sprint(parts)
	}
	panic("no such column")
}

// checkAgainstOracle decodes records as one frame and compares each with the oracle.
func checkAgainstOracle(t rapid.TB, schema column.Schema, opts json.Options, records ...[]byte) {
	t.Helper()
	d, err := json.New(schema, opts)
	if err != nil {
		t.Fatal(err)
	}
	rows := emptyRows(schema)
	if err := d.Decode(frameOf(records), rows); err != nil {
		t.Fatal(err)
	}
	checkLengths(t, rows)
	row, unknown := 0, int64(0)
	for i, record := range records {
		o := newOracle(schema, opts)
		want, ok := o.row(record)
		got := row < len(rows.Offset) && int(rows.Offset[row]) == i
		if got != ok {
			t.Fatalf("record %d %q: taken: %v, by the oracle: %v\n%v", i, record, got, ok, rows.Rejects)
		}
		if !ok {
			continue
		}
		unknown += o.unknown
		for j, f := range schema {
			if got := show(rows.Columns[j], row); got != want[f.Name] {
				t.Fatalf("record %d %q: column %s is %s, by the oracle %s", i, record, f.Name, got, want[f.Name])
			}
		}
		row++
	}
	if rows.Unknown != unknown {
		t.Fatalf("%q: %d unknown members, by the oracle %d", records, rows.Unknown, unknown)
	}
}

// everything is a schema with every type and with nested values.
const everything = "s: string, r: int!, b: bool, l: long, f: float, d: double, x: binary, day: date, at: timestamp, " +
	"as: array<string>, al: array<long>, ad: array<double>, o.s: string, o.l: long, o.p.b: bool, " +
	"y: byte, sh: short, dc: decimal(10,2), dl: decimal(38,0), nt: timestamp_ntz, st: struct<l: long!, s: string, st: struct<d: double, dc: decimal(5,1)>>, " +
	"ast: array<struct<r: int!, al: array<array<long>>>>, mp: map<string, struct<l: long>>, ml: map<long, array<string>>, md: map<decimal(3,1), int>"

// FuzzDecode: any two records in turn, so that each meets what the other left in the decoder, are taken or
// refused, and read, as the oracle does.
func FuzzDecode(f *testing.F) {
	good := `{"s":"té\u00e9 \ud83d\ude00","r":1,"b":true,"l":1.0e3,"f":0.5,"d":-1.25e-3,"x":"AAE=","day":"2020-02-29",` +
		`"at":"2020-08-28T03:52:47.123Z","as":["a",null,1],"al":[1,"2"],"ad":[1e22],"o":{"s":"t","l":-5,"p":{"b":false}},"u":[{},[1,"\n"]]}`
	f.Add([]byte(good), []byte(` { "r" : "7" , "s" : 12 , "o" : null , "unknown" : { "a" : [ 1 , 2 ] } } `))
	nested := `{"r":1,"y":-128,"sh":"32767","dc":12.5e0,"dl":"99999999999999999999999999999999999999","nt":"2020-01-01 00:00:00.5","st":{"u":[1],"s":"x","l":1,"l":2,"st":{"dc":1}},` +
		`"ast":[{"r":1,"al":[[1],null,[]]},null,{"al":null,"r":2}],"mp":{"a":{"l":1},"b":null,"a":{"l":2}},"ml":{"1":["x"],"1.0":[null]},"md":{"0.5":1,"5e-1":2}}`
	f.Add([]byte(nested), []byte(`{"r":1,"st":{"s":"x"}}`))
	f.Add([]byte(`{"r":1,"ast":[{"r":1},{}]}`), []byte(`{"r":1,"st":{"l":1,"st":{"d":1,"dc":0.25}}}`))
	f.Add([]byte(`{"r":1,"o":{"l":1},"o":{"s":"x"}}`), []byte(`{"r":1,"r":null}`))
	f.Add([]byte(`{"r":1,"at":"1969-12-31 23:59:59.9999999+23:59"}`), []byte("{\"r\":1,\"s\":\"\xff\"}"))
	f.Add([]byte(`{"r":2147483648}`), []byte(`{"r":1,"l":9223372036854775807,"d":123456789012345678901234567890}`))
	f.Add([]byte(`{"r":1,"o.s":"dotted"}`), []byte(`{"r":1,"f":3.4028235677973366e38}`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		if len(a)+len(b) > 4000 {
			return // the oracle reads exponents up to 5,000
		}
		a, b = append([]byte{}, a...), append([]byte{}, b...)
		schema := schemaOf(t, everything)
		checkAgainstOracle(t, schema, json.Options{}, a, b, a, []byte(good), b)
		checkAgainstOracle(t, schema, json.Options{Root: "o"}, a, b, a)
	})
}

// TestDecodeIsTheOracle: records drawn from the grammar, with what is nearly right among it.
func TestDecodeIsTheOracle(t *testing.T) {
	schema := schemaOf(t, everything)
	for range 10 { // times rapid's own number of checks
		rapid.Check(t, func(t *rapid.T) {
			records := rapid.SliceOfN(rapid.Custom(drawRecord), 1, 6).Draw(t, "records")
			opts := json.Options{}
			if rapid.IntRange(0, 3).Draw(t, "rooted") == 0 {
				opts.Root = "o"
			}
			checkAgainstOracle(t, schema, opts, records...)
		})
	}
}

func drawRecord(t *rapid.T) []byte {
	b := []byte(drawObject(t, 0, true))
	if rapid.IntRange(0, 9).Draw(t, "spoil") == 0 {
		b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "with")
	}
	return b
}

func drawObject(t *rapid.T, depth int, top bool) string {
	var b strings.Builder
	space := rapid.SampledFrom([]string{"", "", "", " ", "\n\t "})
	b.WriteString(space.Draw(t, "space") + "{" + space.Draw(t, "space"))
	names := []string{"r", "s", "b", "l", "f", "d", "x", "day", "at", "as", "al", "ad", "o", "p", "u", "y", "sh", "dc", "dl", "nt", "st", "ast", "mp", "ml", "md", "o.s", `\u0073`, "é", ""}
	inOrder := rapid.Bool().Draw(t, "in order") // as most records are, so that edges are met again
	n, from := rapid.IntRange(0, 8).Draw(t, "members"), 0
	if inOrder && rapid.Bool().Draw(t, "later names") {
		from = 12
	}
	for i := range n {
		key := names[i]
		if i > 0 {
			key = names[i+from]
		}
		if !inOrder && !(top && i == 0) {
			key = rapid.SampledFrom(names).Draw(t, "key")
		}
		if i > 0 {
			b.WriteString("," + space.Draw(t, "space"))
		}
		b.WriteString(`"` + key + `"` + space.Draw(t, "space") + ":" + space.Draw(t, "space") + drawValue(t, key, depth) + space.Draw(t, "space"))
	}
	b.WriteString("}")
	return b.String()
}

// TestFloatsAreTheNearest: the short way to a double gives what strconv gives, about the limits of both.
func TestFloatsAreTheNearest(t *testing.T) {
	schema := schemaOf(t, "d: double, f: float")
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`[1-9][0-9]{0,4}(0{0,12}|[0-9]{8,16})[0-9]{0,3}(\.[0-9]{1,20})?`).Draw(t, "digits")
		number := fmt.Sprintf("%s%se%d", rapid.SampledFrom([]string{"", "-"}).Draw(t, "sign"), digits, rapid.IntRange(-30, 30).Draw(t, "exponent"))
		checkAgainstOracle(t, schema, json.Options{}, fmt.Appendf(nil, `{"d":%s,"f":%s}`, number, number))
	})
}

// drawValue draws a value that the column called key takes, mostly.
func drawValue(t *rapid.T, key string, depth int) string {
	likely := map[string][]string{
		"r": {`1`, `"2"`, `3.0`}, "b": {`true`, `false`}, "l": {`-5`, `9223372036854775807`, `9223372036854775808`, `1e3`, `"7"`},
		"f": {`0.1`, `1e39`}, "d": {`1.5`, `-0.0`, `1e309`, `123456789012345678901234567890`, `"2"`}, "x": {`"AAE="`, `"AAE"`},
		"day": {`"2020-02-29"`, `"2021-02-29"`}, "at": {`"2020-08-28T03:52:47Z"`, `"2020-08-28 03:52:47.5+01:00"`, `"2020-08-28"`},
		"as": {`["a", null]`, `[]`}, "al": {`[1,2]`, `[1,"a"]`}, "ad": {`[ 1.5 ]`},
		"y": {`-128`, `128`, `"1"`}, "sh": {`32767`, `-32769`}, "dc": {`12.50`, `"-0.1"`, `1e7`, `1e8`, `0.125`, `0e-9`},
		"dl": {`-99999999999999999999999999999999999999`, `1e37`, `1e38`, `0.1`}, "nt": {`"2020-02-29T00:00:00"`, `"2020-02-29 00:00:00Z"`},
		"st":  {`{"l":1}`, `{"s":"x"}`, `{"l":1,"u":[],"st":{"dc":1.5}}`, `{"l":1,"st":{"dc":1.55}}`, `{"l":1,"l":null}`, `{"st":{"d":1},"l":2,"st":null}`},
		"ast": {`[{"r":1},null]`, `[{"r":1,"al":[[1,null],[]]},{"al":[],"r":2}]`, `[{}]`, `[{"r":1},{"r":"x"}]`},
		"mp":  {`{}`, `{"a":{"l":1},"b":null}`, `{"a":{"l":1},"a":{}}`, `{"a":1}`}, "ml": {`{"1":["x"],"2":[null]}`, `{"1":[],"1.0":["y"],"3":[]}`, `{"x":[]}`},
		"md": {`{"1.5":1,"2":2,"15e-1":3}`, `{"0.25":1}`},
		"s":  {`"text"`, `"a longer text that is plain"`, `"\ud83d\ude00 \ud83d"`, `"é\n€"`, `17`},
	}
	kind := rapid.IntRange(0, 9).Draw(t, "kind")
	switch options := likely[key]; {
	case kind < 7 && options != nil:
		return rapid.SampledFrom(options).Draw(t, "likely")
	case kind < 8 && depth < 3:
		return drawObject(t, depth+1, false)
	case kind < 9 && depth < 3:
		return "[" + drawValue(t, "s", depth+1) + "," + drawValue(t, "d", depth+1) + "]"
	}
	return rapid.SampledFrom([]string{`null`, `true`, `1`, `"text"`, `1.5e3`, `{}`, `[]`, `""`, `tru`, `01`}).Draw(t, "any")
}
