package clean_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
	"github.com/millrace-io/millrace/operators/clean"
)

func Example() {
	config := optest.Decode(&clean.Config{}, `
"*": {empty_to_null: true}
title: {null_if: [No Title Data Available]}
followers: {null_if: User Info Error, parse: magnitude}
path: {strip_prefix: "Local save in "}`)
	optest.Print(config, "title: string, followers: string, path: string, n: int",
		`{"title": "Lash", "followers": "1.5k", "path": "Local save in /data/beauty", "n": 1}`,
		`{"title": "No Title Data Available", "followers": "User Info Error", "path": "", "n": 2}`,
		`{"title": "", "followers": "10 thousand", "path": "/data/art", "n": 3}`,
		`{"title": null, "followers": null, "path": "Local save in ", "n": 4}`)
	// Output:
	// columns title: string, followers: long, path: string, n: int
	// quarantine parse followers: expected a whole number such as 250, 10k or 1.5M, found "10 thousand" {"title":"","followers":"10 thousand","path":"/data/art","n":3}
	// row {"title":"Lash","followers":1500,"path":"/data/beauty","n":1}
	// row {"title":null,"followers":null,"path":null,"n":2}
	// row {"title":null,"followers":null,"path":"","n":4}
}

func Example_go() {
	config := clean.Config{Columns: []clean.Column{
		{Name: "age", Rules: []clean.Rule{clean.Trim{}, clean.Parse{As: clean.Int}}, OnError: clean.Null},
		{Name: "name", Rules: []clean.Rule{clean.StripSuffix(" (deleted)"), clean.Upper{}}},
	}}
	optest.Print(config, "age: string!, name: string",
		`{"age": " 42 ", "name": "Ada (deleted)"}`,
		`{"age": "unknown", "name": "Bo"}`)
	// Output:
	// columns age: int, name: string
	// row {"age":42,"name":"ADA"}
	// row {"age":null,"name":"BO"}
}

// one runs the rules of a column over a text and gives what comes of it.
func one(yaml, text string) string {
	config := optest.Decode(&clean.Config{}, "a: "+yaml)
	line := optest.Run(config, optest.Batch(optest.Schema("a: string"), fmt.Sprintf(`{"a": %q}`, text)))[0]
	if detail, ok := strings.CutPrefix(line, "quarantine parse a: "); ok {
		return detail[:strings.LastIndex(detail, " {")]
	}
	return strings.TrimSuffix(strings.TrimPrefix(line, `row {"a":`), "}")
}

func TestRules(t *testing.T) {
	for _, c := range []struct{ yaml, text, want string }{
		{`{null_if: [a, bb]}`, "bb", `null`},
		{`{null_if: [a, bb]}`, "ba", `"ba"`},
		{`{null_if: [a, bb]}`, "", `""`},
		{`{null_if: ""}`, "", `null`},
		{`{null_if: [` + strings.Repeat("x", 70) + `]}`, strings.Repeat("x", 70), `null`},
		{`{null_if: [` + strings.Repeat("x", 70) + `]}`, strings.Repeat("x", 71), `"` + strings.Repeat("x", 71) + `"`},
		{`{empty_to_null: true}`, "", `null`},
		{`{empty_to_null: false}`, "", `""`},
		{`{empty_to_null: true}`, " ", `" "`},
		{`{trim: true, empty_to_null: true}`, " ", `null`},
		{`{empty_to_null: true, trim: true}`, " ", `""`},
		{`{trim: true}`, "\t a b\u00a0\n", `"a b"`},
		{`{strip_prefix: ab}`, "abab", `"ab"`},
		{`{strip_prefix: ab}`, "ba", `"ba"`},
		{`{strip_suffix: ab}`, "abab", `"ab"`},
		{`[{strip_suffix: ab}, {strip_suffix: ab}]`, "abab", `""`},
		{`{replace: {",": "", "1": 22, "2": "3"}}`, "1,2,", `"333"`},
		{`{replace: {aa: b}}`, "aaaaa", `"bba"`},
		{`{replace_regexp: {"(\\d+)-(\\d+)": "$2-$${1}x"}}`, "a 1-2 3-4", `"a 2-1x 4-3x"`},
		{`{replace_regexp: {"^a": ""}}`, "aab", `"ab"`},
		{`{replace_regexp: {"x*": "-"}}`, "ab", `"-a-b-"`},
		{`{map: {"yes": "1", "no": "0", "n/a": }}`, "yes", `"1"`},
		{`{map: {"yes": "1", "no": "0", "n/a": }}`, "n/a", `null`},
		{`{map: {"yes": "1", "no": "0", "n/a": }}`, "maybe", `"maybe"`},
		{`{map: {a: b, b: a}}`, "a", `"b"`},
		{`{map: {a: b, b: }}`, "a", `"b"`},
		{`{lower: true}`, "AZaz[É", `"azaz[é"`},
		{`{lower: true}`, "AZaz@[", `"azaz@["`},
		{`{upper: true}`, "azAZ{`", "\"AZAZ{`\""},
		{`{upper: true}`, "éaß", `"ÉAß"`},
		{`{parse: long, on_error: null}`, "x", `null`},
		{`{parse: long, on_error: "null"}`, "x", `null`},
		{`{parse: long, on_error: quarantine}`, "x", `expected a whole number, found "x"`},
		{`{parse: long}`, strings.Repeat("é", 30), `expected a whole number, found "` + strings.Repeat("é", 20) + `…"`},
		{`{parse: long}`, "a" + strings.Repeat("é", 30), `expected a whole number, found "a` + strings.Repeat("é", 19) + `…"`},
	} {
		if got := one(c.yaml, c.text); got != c.want {
			t.Errorf("%s of %q: got %s, expected %s", c.yaml, c.text, got, c.want)
		}
	}
}

func TestParse(t *testing.T) {
	const no = "" // quarantined
	for as, values := range map[string]map[string]string{
		"int":    {"0": "0", "-2147483648": "-2147483648", "2147483647": "2147483647", "2147483648": no, "+7": "7", "": no, "-": no, "1.0": no, "1 ": no, "١": no},
		"long":   {"9223372036854775807": "9223372036854775807", "-9223372036854775808": "-9223372036854775808", "9223372036854775808": no, "18446744073709551616": no, "007": "7", "1e3": no},
		"double": {"1.5": "1.5", "-.5e-3": "-0.0005", "1e400": no, "NaN": no, "inf": no, "0x1p4": no, "1_0": no, "": no, "1.": "1", "e": no},
		"bool":   {"true": "true", "NO": "false", "Y": "true", "0": "false", "falsey": no, "tru": no, "": no},
		"magnitude": {
			"0": "0", "437": "437", "5k": "5000", "136K": "136000", "8M": "8000000", "1.5M": "1500000", "2B": "2000000000", "2b": "2000000000", "1.234567m": "1234567",
			"1.2345k": no, "1.2340k": "1234", "1.0": "1", "1.5": no, "k": no, ".5k": no, "5.k": no, "5kk": no, "5 k": no, "": no, "-2k": "-2000", "10000000000b": no,
			"9.3b": "9300000000", "9223372036.854775807b": "9223372036854775807", "9223372036.854775808b": no, "1,000": no, "18446744073709551615k": no,
		},
	} {
		for text, want := range values {
			got := one("{parse: "+as+"}", text)
			if ok := got == want || want == no && strings.HasPrefix(got, "expected "); !ok {
				t.Errorf("parse %s of %q: got %s, expected %q", as, text, got, want)
			}
		}
	}
}

func TestParseTimes(t *testing.T) {
	const formats = `[iso, "yyyy:MM:dd HH:mm:ss"]`
	for _, c := range []struct{ as, text, want string }{
		{"timestamp", "2020-08-28T03:52:47", `"2020-08-28T03:52:47.000000Z"`},
		{"timestamp", "2020-08-28 03:52:47", `"2020-08-28T03:52:47.000000Z"`},
		{"timestamp", "2020-08-28T03:52:47.5+02:00", `"2020-08-28T01:52:47.500000Z"`},
		{"timestamp", "2020:08:28 03:52:47", `expected a timestamp such as iso, found "2020:08:28 03:52:47"`},
		{"{timestamp: " + formats + "}", "2020:08:28 03:52:47", `"2020-08-28T03:52:47.000000Z"`},
		{"{timestamp: " + formats + "}", "2020-08-28 03:52:47", `"2020-08-28T03:52:47.000000Z"`},
		{"{timestamp: " + formats + "}", "28.8.2020", `expected a timestamp such as iso or yyyy:MM:dd HH:mm:ss, found "28.8.2020"`},
		{"date", "2020-08-28", `"2020-08-28"`},
		{"date", "1969-12-31T23:00:00", `"1969-12-31"`},
		{"date", "2020-02-30", `expected a date such as iso, found "2020-02-30"`},
		{"{date: dd/MM/yyyy}", "28/08/2020", `"2020-08-28"`},
	} {
		if got := one("{parse: "+c.as+"}", c.text); got != c.want {
			t.Errorf("parse %s of %q: got %s, expected %s", c.as, c.text, got, c.want)
		}
	}
}

func TestFaults(t *testing.T) {
	in := optest.Schema("a: string, b: string, n: long")
	for yaml, want := range map[string][]string{
		`{a: {parse: lnog}}`:                    {`a.parse: can't parse as "lnog": expected int, long, double, bool, magnitude, timestamp, date (did you mean long?)`},
		`{aa: {trim: true}, n: {trim: true}}`:   {`aa: no column "aa" (did you mean a?)`, `n: column "n" is a long: only texts are cleaned`},
		`{a: {parse: long, trim: true}}`:        {`a.trim: trim after parse: the column is a long by then`},
		`{a: [{parse: long}, {trim: true}]}`:    {`a.1.trim: trim after parse: the column is a long by then`},
		`{a: {replace_regexp: {"a(": x}}}`:      {"a.replace_regexp.a(: not a regular expression: error parsing regexp: missing closing ): `a(`"},
		`{a: {replace: {"": x}}}`:               {"a.replace.: there is an empty text everywhere: expected what to replace"},
		`{a: {parse: {long: [iso]}}}`:           {"a.parse.long: long has no formats"},
		`{"*": {parse: long}, b: {trim: true}}`: {"*.parse: parse is for one column at a time: it changes the type"},
		`{a: {trim: true, on_error: null}, "*": {trim: true, on_error: null}}`: {
			"*.on_error: on_error is for one column at a time, beside its parse", "a.on_error: on_error without parse: no other rule can fail",
		},
		`{}`:                        {"no column is cleaned"},
		`{"*": {replace: {"": x}}}`: {"*.replace.: there is an empty text everywhere: expected what to replace"},
	} {
		_, _, err := optest.Decode(&clean.Config{}, yaml).Bind(in)
		if diff := cmp.Diff(want, optest.FaultsOf(err)); diff != "" {
			t.Errorf("%s: %s", yaml, diff)
		}
	}
}

func TestFaultInFormat(t *testing.T) {
	config := optest.Decode(&clean.Config{}, `{a: {parse: {timestamp: [iso, "yyyy-qq"]}}}`)
	_, _, err := config.Bind(optest.Schema("a: string"))
	if got := optest.FaultsOf(err)[0]; !strings.HasPrefix(got, "a.parse.timestamp.1: ") || !strings.Contains(got, "qq") {
		t.Errorf("got %s", got)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for yaml, want := range map[string]string{
		`{a: {trm: true}}`:                  `unknown key "trm"`,
		`{a: {trim: yes}, b: {lower: 1}}`:   "expected true or false",
		`{a: trim}`:                         "expected rules, such as {trim: true}, found a value",
		`[a]`:                               "expected a map of columns to rules",
		`{a: [{trim: true, lower: true}]}`:  "expected one rule an item of a list, found 2",
		`{a: {parse: long, on_error: nil}}`: `expected quarantine or null, found "nil"`,
		`{a: {null_if: [1, ]}, b: }`:        "found nothing",
		`{a: {parse: {date: [a], int: }}}`:  "expected one of int",
	} {
		if got := refusal(yaml); !strings.Contains(got, want) {
			t.Errorf("%s: got %q, expected %q", yaml, got, want)
		}
	}
}

func refusal(yaml string) (message string) {
	defer func() { message = fmt.Sprint(recover()) }()
	optest.Decode(&clean.Config{}, yaml)
	return ""
}

func TestFirstColumnAtFault(t *testing.T) {
	config := optest.Decode(&clean.Config{}, `{b: {parse: int}, a: {parse: int}}`)
	got := optest.Run(config, optest.Batch(optest.Schema("a: string, b: string"), `{"a": "x", "b": "y"}`, `{"a": "x", "b": "1"}`, `{"a": "1", "b": "1"}`))
	want := []string{
		`quarantine parse b: expected a whole number of 32 bits, found "y" {"a":"x","b":"y"}`,
		`quarantine parse a: expected a whole number of 32 bits, found "x" {"a":"x","b":"1"}`,
		`row {"a":1,"b":1}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestConforms(t *testing.T) {
	config := optest.Decode(&clean.Config{}, `
"*": {empty_to_null: true}
a: {trim: true, replace: {x: yy}, null_if: [b], map: {c: d, e: }, strip_prefix: d, lower: true}
b: {null_if: [User Info Error], parse: magnitude}
c: {parse: bool, on_error: null}`)
	var rows []string
	for _, a := range []string{`""`, `"b"`, `" b"`, `"c"`, `"cx"`, `"e"`, `null`, `"xAx"`, `"plain"`} {
		for _, b := range []string{`"1k"`, `""`, `"User Info Error"`, `"k"`, `null`} {
			rows = append(rows, fmt.Sprintf(`{"a": %s, "b": %s, "c": %s, "d": %s, "n": 1}`, a, b, a, b))
		}
	}
	optest.Conform(t, config, "a: string, b: string, c: string, d: string, n: int", rows...)
}

// BenchmarkPins is the cleaning of the pinterest pins: ten text columns of some 560 bytes a row.
func BenchmarkPins(b *testing.B) {
	config := optest.Decode(&clean.Config{}, `
"*": {empty_to_null: true}
title: {null_if: [No Title Data Available]}
description: {null_if: [No description available Story format, No description available]}
poster_name: {null_if: [User Info Error]}
follower_count: {null_if: [User Info Error], parse: magnitude}
tag_list: {null_if: ["N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e"]}
image_src: {null_if: [Image src error., Image src error]}
save_location: {strip_prefix: "Local save in "}`)
	optest.Benchmark(b, config, "index: long!, unique_id: string!, title: string, description: string, poster_name: string, "+
		"follower_count: string, tag_list: string, is_image_or_video: string, image_src: string, downloaded: int, save_location: string, category: string", pin)
}

func pin(i int) string {
	title, followers := fmt.Sprintf("%q", strings.Repeat("Nissan GT-R ", i%7)), fmt.Sprintf(`"%dk"`, i)
	if i%88 == 0 {
		title, followers = `"No Title Data Available"`, `"User Info Error"`
	}
	return fmt.Sprintf(`{"index": %d, "unique_id": "fbe53c66-3442-4773-b19e-%012d", "title": %s, "description": %q, "poster_name": "Ray Uyemura",
		"follower_count": %s, "tag_list": %q, "is_image_or_video": "image", "image_src": "https://i.pinimg.com/originals/0d/29/9f/0d299f3df020395aa7ce8387f40fbeed.jpg",
		"downloaded": 1, "save_location": "Local save in /data/vehicles", "category": "vehicles"}`,
		i, i, title, strings.Repeat("x", 150+i%30), followers, strings.Repeat("Old Vintage Cars,", 9))
}

// TestSharesWhatItLeaves: columns without change are passed on, and those that only get nulls share their
// text with what came in, which is not written to when memory is used again.
func TestSharesWhatItLeaves(t *testing.T) {
	var pool column.Pool
	in := optest.Schema("a: string, b: string")
	op, out, err := optest.Decode(&clean.Config{}, `{a: {null_if: x}, b: {trim: true, null_if: x}}`).Bind(in)
	if err != nil {
		t.Fatal(err)
	}
	other := pool.Get()
	lent := optest.BatchIn(other, in, `{"a": "x", "b": "1"}`, `{"a": "y", "b": "2"}`)
	for range 3 {
		lent.Arena = pool.Get()
		var sink optest.Sink
		optest.Apply(op, lent, out, &sink)
		b := sink.Last()
		if a := b.Columns[0].(*column.Texts); &a.Data[0] != &lent.Columns[0].(*column.Texts).Data[0] || b.Columns[1] != lent.Columns[1] {
			t.Error("texts were copied")
		}
		lent.Arena.Release()
		again := pool.Get() // what the aliases were is used for something else
		optest.BatchIn(again, in, `{"a": "zzzzzz", "b": "zzzzzz"}`)
		again.Release()
	}
	if got := string(column.AppendRowJSON(nil, in, lent.Columns, 0)); got != `{"a":"x","b":"1"}` {
		t.Errorf("the batch that was lent became %s", got)
	}
}
