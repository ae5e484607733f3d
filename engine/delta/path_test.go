package delta

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/column"
)

func TestPartitionPath(t *testing.T) {
	text := func(s string) *string { return &s }
	for _, c := range []struct {
		value        *string
		folder, path string // the name in the store, and in the log
	}{
		{text("Oslo"), "c=Oslo", "c=Oslo"},
		{text("a b"), "c=a b", "c=a%20b"},
		{text("a/b"), "c=a%2Fb", "c=a%252Fb"},
		{text("10:30"), "c=10%3A30", "c=10%253A30"},
		{text("100%"), "c=100%25", "c=100%2525"},
		{text("a=b"), "c=a%3Db", "c=a%253Db"},
		{text("é日"), "c=é日", "c=%C3%A9%E6%97%A5"},
		{text("a\n\x00\x7f"), "c=a%0A%00%7F", "c=a%250A%2500%257F"},
		{text("\xff"), "c=%FF", "c=%25FF"},
		{text(".."), "c=..", "c=.."},
		{text("a+b&c~"), "c=a+b&c~", "c=a+b&c~"},
		{text("<|>"), "c=<|>", "c=%3C%7C%3E"},
		{nil, "c=__HIVE_DEFAULT_PARTITION__", "c=__HIVE_DEFAULT_PARTITION__"},
		{text(""), "c=__HIVE_DEFAULT_PARTITION__", "c=__HIVE_DEFAULT_PARTITION__"},
		{text(strings.Repeat("é", 150)), "c=" + strings.Repeat("é", 99), "c=" + strings.Repeat("%C3%A9", 99)},
	} {
		got := PartitionPath([]string{"c"}, []*string{c.value})
		if got != c.folder || encodePath(got) != c.path {
			t.Errorf("folder %q, path %q, want %q, %q", got, encodePath(got), c.folder, c.path)
		}
	}
	if got := PartitionPath([]string{"a", "b:c"}, []*string{text("1"), nil}); got != "a=1/b%3Ac=__HIVE_DEFAULT_PARTITION__" {
		t.Errorf("two columns: %q", got)
	}
	if got := encodePath("a:b\x7f/c:d"); got != "a%3Ab%7F/c:d" {
		t.Errorf("a name that needs care: %q", got)
	}
	if got := PartitionPath(nil, nil); got != "" {
		t.Errorf("no columns: %q", got)
	}
}

func TestDecodePath(t *testing.T) {
	for path, want := range map[string]string{
		"part-0.parquet": "part-0.parquet", "a=1/b": "a=1/b", "a%20b": "a b", "a%253Ab": "a%3Ab", "a+b": "a+b", "1:2": "1:2",
		"/abs": "", "s3://bucket/a": "", "file:/a": "", "a%2": "", "a%zz": "",
	} {
		got, err := decodePath(path)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("decodePath(%q) = %q, %v", path, got, err)
		}
	}
}

// checkPath: what a writer names a file comes back from the log, the log's path is a URI that others read the
// same, and the store takes the name.
func checkPath(t interface{ Fatalf(string, ...any) }, col, value string) {
	name := PartitionPath([]string{col}, []*string{&value}) + "/part-0.parquet"
	if err := blob.CheckName(name); err != nil {
		t.Fatalf("no name for a store: %v", err)
	}
	if folder, _, _ := strings.Cut(name, "/"); len(folder) > folderLength && len(folder) > 3*len(col)+1+len(hiveNull) {
		t.Fatalf("a folder of %d bytes: %q", len(folder), folder)
	}
	path := encodePath(name)
	got, err := decodePath(path)
	if err != nil || got != name {
		t.Fatalf("%q comes back as %q: %v", name, got, err)
	}
	u, err := url.Parse(path)
	if err != nil || u.Path != name || u.Scheme != "" || u.RawQuery != "" || u.Fragment != "" {
		t.Fatalf("net/url reads %q as %+v: %v", path, u, err)
	}
}

func TestPathComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.String(), rapid.StringMatching(`[/:% =#?"\\{}\[\]^'*.\x00-\x1fé]*`)).Draw(t, "value")
		checkPath(t, rapid.StringN(1, 10, 40).Draw(t, "col"), value)
	})
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{"", "/", "a:b", "%3A", "%%", " ", "\xff", "é", "..", "\x00", "__HIVE_DEFAULT_PARTITION__"} {
		f.Add("c", s)
		f.Add("a:b", s)
	}
	f.Fuzz(func(t *testing.T, col, value string) {
		if col == "" || len(col) > 30 {
			t.Skip()
		}
		checkPath(t, col, value)
	})
}

// TestPartitionValuesComeBack: the text of a value is read as the value, for every type.
func TestPartitionValuesComeBack(t *testing.T) {
	types := []column.Type{column.DecimalOf(5, 2), column.DecimalOf(38, 38)}
	for k := column.Bool; k.Simple(); k++ {
		if k != column.Binary {
			types = append(types, column.Of(k))
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom(types).Draw(t, "type")
		from, to := column.New(typ), column.New(typ)
		drawValue(t, from)
		text := PartitionText(from, 0)
		if err := AppendPartition(to, throughJSON(t, text)); err != nil {
			t.Fatal(err)
		}
		if again := PartitionText(to, 0); (again == nil) != (text == nil) || text != nil && *again != *text {
			t.Fatalf("%v comes back as %v", show(text), show(again))
		}
		if s, ok := from.(*column.Texts); ok && text != nil && string(to.(*column.Texts).At(0)) != string(s.At(0)) {
			t.Fatalf("%q comes back as %q", s.At(0), to.(*column.Texts).At(0))
		}
		if n, ok := from.(*column.Longs); ok && text != nil && to.(*column.Longs).Values[0] != n.Values[0] {
			t.Fatalf("%d comes back as %d through %q", n.Values[0], to.(*column.Longs).Values[0], *text)
		}
		if n, ok := from.(*column.Ints); ok && text != nil && to.(*column.Ints).Values[0] != n.Values[0] {
			t.Fatalf("%d comes back as %d through %q", n.Values[0], to.(*column.Ints).Values[0], *text)
		}
	})
}

func show(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

func throughJSON(t *rapid.T, text *string) *string {
	line := AddAction("f", map[string]*string{"c": text}, 1, 2, "")
	var a action
	if err := json.Unmarshal(line, &a); err != nil {
		t.Fatal(err)
	}
	return a.Add.PartitionValues["c"]
}

func drawValue(t *rapid.T, c column.Column) {
	if rapid.IntRange(0, 9).Draw(t, "null") == 0 {
		c.AppendNull()
		return
	}
	switch c := c.(type) {
	case *column.Bools:
		c.Append(rapid.Bool().Draw(t, "v"))
	case *column.Bytes:
		c.Append(rapid.Int8().Draw(t, "v"))
	case *column.Shorts:
		c.Append(rapid.Int16().Draw(t, "v"))
	case *column.Decimals:
		c.Append(column.Int128Of(rapid.Int64Range(-99999, 99999).Draw(t, "v")))
	case *column.Ints:
		c.Append(rapid.Int32().Draw(t, "v"))
	case *column.Longs:
		c.Append(rapid.Int64().Draw(t, "v"))
	case *column.Floats:
		c.Append(rapid.Float32().Draw(t, "v"))
	case *column.Doubles:
		c.Append(rapid.Float64().Draw(t, "v"))
	case *column.Texts:
		c.AppendString(rapid.String().Filter(utf8.ValidString).Draw(t, "v"))
	}
}

func TestPartitionValueForms(t *testing.T) {
	for _, c := range []struct {
		kind column.Kind
		text string
		want string // as PartitionText writes it; "": refused
	}{
		{column.Timestamp, "1970-01-01T00:00:00.123456Z", "1970-01-01T00:00:00.123456Z"},
		{column.Timestamp, "2020-01-01 08:09:10.001", "2020-01-01T08:09:10.001000Z"},
		{column.Timestamp, "2020-01-01 08:09:10", "2020-01-01T08:09:10.000000Z"},
		{column.Timestamp, "2020-01-01", "2020-01-01T00:00:00.000000Z"},
		{column.Timestamp, "2020-01-01T01:00:00+02:00", "2019-12-31T23:00:00.000000Z"},
		{column.Timestamp, "999999-01-01T00:00:00Z", ""},
		{column.Timestamp, "yesterday", ""},
		{column.TimestampNTZ, "2020-01-01 08:09:10.001", "2020-01-01 08:09:10.001000"},
		{column.TimestampNTZ, "2020-01-01T08:09:10", "2020-01-01 08:09:10.000000"},
		{column.TimestampNTZ, "2020-01-01T08:09:10Z", ""},
		{column.Byte, "127", "127"},
		{column.Byte, "128", ""},
		{column.Short, "-32768", "-32768"},
		{column.Short, "-32769", ""},
		{column.Date, "2024-02-29", "2024-02-29"},
		{column.Date, "2023-02-29", ""},
		{column.Date, "2023-13-01", ""},
		{column.Date, "12023-01-01", "12023-01-01"},
		{column.Date, "-0044-03-15", "-0044-03-15"},
		{column.Date, "2024-02-29T00:00:00", ""},
		{column.Int, "2147483648", ""},
		{column.Int, "-5", "-5"},
		{column.Bool, "true", "true"},
		{column.Double, "NaN", "NaN"},
		{column.Double, "-Infinity", "-Infinity"},
		{column.Double, "1.50", "1.5"},
		{column.Double, "x", ""},
		{column.String, "null", "null"},
	} {
		col := column.New(column.Of(c.kind))
		err := AppendPartition(col, &c.text)
		if c.want == "" {
			if err == nil || col.Len() != 0 {
				t.Errorf("%v %q is taken", c.kind, c.text)
			}
			continue
		}
		if err != nil {
			t.Errorf("%v %q: %v", c.kind, c.text, err)
		} else if got := *PartitionText(col, 0); got != c.want {
			t.Errorf("%v %q is read as %s, want %s", c.kind, c.text, got, c.want)
		}
	}
	if PartitionText(strs(""), 0) != nil {
		t.Error("the empty string is not null")
	}
}

func TestAddAction(t *testing.T) {
	oslo := "Oslo/A"
	got := string(AddAction("city=Oslo%2FA/part 0.parquet", map[string]*string{"city": &oslo, "day": nil}, 12, 34, `{"numRecords":5}`))
	want := `{"add":{"path":"city=Oslo%252FA/part%200.parquet","partitionValues":{"city":"Oslo/A","day":null},"size":12,"modificationTime":34,` +
		`"dataChange":true,"stats":"{\"numRecords\":5}"}}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := string(AddAction("f", nil, 1, 2, "")); got != `{"add":{"path":"f","partitionValues":{},"size":1,"modificationTime":2,"dataChange":true}}` {
		t.Errorf("without partitions: %s", got)
	}
}
