package delta

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/millrace-io/millrace/engine/column"
)

func TestEntryNames(t *testing.T) {
	for name, want := range map[string]int64{
		"_delta_log/00000000000000000000.json": 0, "_delta_log/00000000000000000012.json": 12, "_delta_log/09223372036854775807.json": 1<<63 - 1,
		"_delta_log/12.json": -1, "_delta_log/000000000000000000012.json": -1, "_delta_log/0000000000000000001x.json": -1,
		"_delta_log/99999999999999999999.json": -1, "_delta_log/+0000000000000000012.json": -1, "_delta_log/00000000000000000012.crc": -1,
		"_delta_log/x/00000000000000000012.json": -1, "00000000000000000012.json": -1, "_delta_log/00000000000000000012.checkpoint.parquet": -1,
	} {
		got, ok := entryVersion(name)
		if ok != (want >= 0) || ok && (got != want || entryName(got) != name) {
			t.Errorf("entryVersion(%q) = %d, %t, want %d", name, got, ok, want)
		}
	}
}

// FuzzEntry: no log entry makes replay panic, and a line that was understood is the same when written again.
func FuzzEntry(f *testing.F) {
	for _, s := range []string{
		`{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}` + "\n" + `{"metaData":{"id":"x","schemaString":"{\"type\":\"struct\",\"fields\":[]}","partitionColumns":["a"]}}`,
		`{"add":{"path":"a%20b","partitionValues":{"a":null,"b":""},"size":1,"modificationTime":1,"dataChange":true,"stats":"{\"numRecords\":1}"}}`,
		`{"remove":{"path":"a","deletionVector":{"storageType":"u","pathOrInlineDv":"x","offset":1}}}`,
		`{"txn":{"appId":"x","version":-1}}`, `{"commitInfo":{"operationParameters":[1]}}`, `{"commitInfo":5}`, "\n\n{}\n", `null`, `[]`, `{"add":`, `{"add":null}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := newState(true)
		_ = info(data)
		if s.apply(data) != nil {
			return
		}
		for _, a := range s.files.sorted() {
			_, _ = a.Name()
			_, _ = a.Rows()
			var again action
			if err := json.Unmarshal(line(action{Add: a}), &again); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(a, again.Add); diff != "" {
				t.Errorf("-read +written and read\n%s", diff)
			}
		}
		light := newState(false)
		if err := light.apply(data); err != nil {
			t.Errorf("fails only without files: %v", err)
		}
		if diff := cmp.Diff(s.txns, light.txns, cmp.AllowUnexported(txnAt{})); diff != "" {
			t.Errorf("a writer sees other txns: -with files +without\n%s", diff)
		}
	})
}

// FuzzSchema: no schema makes the parser panic, and one that the engine has columns for comes back.
func FuzzSchema(f *testing.F) {
	for _, s := range []string{
		"", "{}", `{"type":"struct","fields":[{"name":"a","type":"long","nullable":true,"metadata":{}}]}`,
		`{"type":"struct","fields":[{"name":"a","type":{"type":"array","elementType":"string","containsNull":true},"nullable":false}]}`,
		`{"type":"struct","fields":[{"name":"a","type":{"type":"map","keyType":"string","valueType":{"type":"struct","fields":[]}}}]}`,
		`{"type":"struct","fields":[{"name":"a","type":{"type":"array"}}]}`, `{"type":"struct","fields":[{"name":"a","type":5}]}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		schema, err := ParseSchema(text)
		if err != nil {
			return
		}
		columns, err := schema.Columns()
		if err != nil || len(CheckColumns(columns)) > 0 {
			return
		}
		checkSchema(t, columns)
	})
}

func checkSchema(t interface{ Fatal(...any) }, columns column.Schema) {
	text, err := SchemaString(columns)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := ParseSchema(text)
	if err != nil {
		t.Fatal(err)
	}
	again, err := schema.Columns()
	if err != nil || !again.Equal(columns) {
		t.Fatal(text, " comes back as ", again, ": ", err)
	}
	if err := fit(columns, nil, schema, nil, false); err != nil {
		t.Fatal(err)
	}
}

func TestSchemaComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkSchema(t, drawFields(t, `[a-z_"é\\<]{1,6}`, 3)) })
}

// drawFields draws columns whose types nest at most so deep.
func drawFields(t *rapid.T, names string, depth int) column.Schema {
	var columns column.Schema
	for _, name := range rapid.SliceOfNDistinct(rapid.StringMatching(names), 1, 4, rapid.ID[string]).Draw(t, "names") {
		columns = append(columns, column.Field{Name: name, Type: drawType(t, names, depth), Required: rapid.Bool().Draw(t, "required")})
	}
	return columns
}

func drawType(t *rapid.T, names string, depth int) column.Type {
	kind := column.Kind(rapid.IntRange(int(column.Bool), int(column.Map)).Draw(t, "kind"))
	switch {
	case kind.Simple():
		return column.Of(kind)
	case kind == column.Decimal || depth == 0:
		return column.DecimalOf(rapid.IntRange(5, 38).Draw(t, "precision"), rapid.IntRange(0, 5).Draw(t, "scale"))
	case kind == column.Array:
		return column.ArrayOf(drawType(t, names, depth-1))
	case kind == column.Map:
		return column.MapOf(drawType(t, names, depth-1), drawType(t, names, depth-1))
	}
	return column.StructOf(drawFields(t, names, depth-1)...)
}

// TestSchemaIsSparks: the JSON of a schema of every type is what Spark writes of it.
func TestSchemaIsSparks(t *testing.T) {
	typ, err := column.ParseType("struct<a: byte!, b: timestamp_ntz, c: decimal(10,2), d: array<int>, e: map<string, bool>, f: struct<g: short!>>")
	if err != nil {
		t.Fatal(err)
	}
	got, err := SchemaString(typ.Fields())
	if err != nil {
		t.Fatal(err)
	}
	field := func(name, typ, nullable string) string {
		return `{"name":"` + name + `","type":` + typ + `,"nullable":` + nullable + `,"metadata":{}}`
	}
	want := `{"type":"struct","fields":[` + strings.Join([]string{
		field("a", `"byte"`, "false"), field("b", `"timestamp_ntz"`, "true"), field("c", `"decimal(10,2)"`, "true"),
		field("d", `{"type":"array","elementType":"integer","containsNull":true}`, "true"),
		field("e", `{"type":"map","keyType":"string","valueType":"boolean","valueContainsNull":true}`, "true"),
		field("f", `{"type":"struct","fields":[`+field("g", `"short"`, "false")+`]}`, "true"),
	}, ",") + `]}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestNestedFits: of a struct in the table, rows may lack what may be null, and may be stricter; not the other way.
func TestNestedFits(t *testing.T) {
	for _, c := range []struct {
		rows, table string
		fits        bool
	}{
		{"struct<a: int!>", "struct<a: int>", true},
		{"struct<a: int>", "struct<a: int!>", false},
		{"struct<a: int>", "struct<a: int, b: long>", true},
		{"struct<b: long, a: int>", "struct<a: int, b: long>", true},
		{"struct<a: int>", "struct<a: int, b: long!>", false},
		{"struct<a: int, b: long>", "struct<a: int>", false},
		{"array<struct<a: int!>>", "array<struct<a: int>>", true},
		{"map<string, array<int>>", "map<string, array<long>>", false},
		{"decimal(10,2)", "decimal(12,2)", false},
		{"array<int>", "map<int, int>", false},
	} {
		rows, err := column.ParseType(c.rows)
		table, err2 := column.ParseType(c.table)
		if err != nil || err2 != nil || goesInto(rows, table) != c.fits {
			t.Errorf("%s into %s: want %v (%v, %v)", c.rows, c.table, c.fits, err, err2)
		}
	}
	table, err := ParseSchema(`{"type":"struct","fields":[{"name":"a","type":{"type":"array","elementType":"long","containsNull":false},"nullable":true}]}`)
	if err != nil {
		t.Fatal(err)
	}
	err = fit(column.Schema{{Name: "a", Type: column.ArrayOf(column.Long)}}, nil, table, nil, false)
	if want := "<- its arrays and maps may hold null, the table's may not"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestSchemaColumnsNamesAllItLacks(t *testing.T) {
	schema, err := ParseSchema(`{"type":"struct","fields":[{"name":"a","type":"variant","nullable":true},{"name":"b","type":"long","nullable":true},` +
		`{"name":"c","type":{"type":"map","keyType":"string","valueType":{"type":"struct","fields":[]}},"nullable":true}]}`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = schema.Columns()
	if want := "column a is of type variant: not supported\ncolumn c is of type map<string, struct<>>: not supported"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
