package delta

import (
	"encoding/json"
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
	kinds := rapid.IntRange(int(column.Bool), int(column.Timestamp))
	rapid.Check(t, func(t *rapid.T) {
		var columns column.Schema
		for _, name := range rapid.SliceOfNDistinct(rapid.StringMatching(`[a-z_"é\\<]{1,6}`), 1, 5, rapid.ID[string]).Draw(t, "names") {
			typ := column.Of(column.Kind(kinds.Draw(t, "kind")))
			if rapid.Bool().Draw(t, "array") {
				typ = column.ArrayOf(typ.Kind)
			}
			columns = append(columns, column.Field{Name: name, Type: typ, Required: rapid.Bool().Draw(t, "required")})
		}
		checkSchema(t, columns)
	})
}

func TestSchemaColumnsNamesAllItLacks(t *testing.T) {
	schema, err := ParseSchema(`{"type":"struct","fields":[{"name":"a","type":"decimal(5,2)","nullable":true},{"name":"b","type":"long","nullable":true},` +
		`{"name":"c","type":{"type":"map","keyType":"string","valueType":"long"},"nullable":true}]}`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = schema.Columns()
	if want := "column a is of type decimal(5,2): not supported\ncolumn c is of type map<string, long>: not supported"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
