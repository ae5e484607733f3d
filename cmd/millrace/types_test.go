package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
)

// typesDefinition has a column of each type that rows can have but for those that every other test has.
const typesDefinition = `
pipeline: types
lake: LAKE
sources:
  in:
    kafka: {brokers: "BROKER", topic: types}
    format: json
    schema:
      id: byte!
      count: short
      price: decimal(10,2)!
      local: timestamp_ntz
      who: "struct<name: string!, tags: array<string>>"
      rates: "map<string, decimal(5,1)>"
      grid: array<array<int>>
streams:
  priced:
    from: in
    steps:
      - derive: {total: price * count, first: who.name}
      - filter: id <> 9
tables:
  rows: {from: priced, partition_by: [id]}
`

// TestTypes: values of every type go from a record through operators into a table, which is proved, packed, and read
// with a condition on parts of them.
func TestTypes(t *testing.T) {
	b, err := startBroker("", []string{"types"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	client, err := b.client()
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var records []*kgo.Record
	for _, value := range []string{
		`{"id":1,"count":300,"price":"12.50","local":"2026-01-02T03:04:05","who":{"name":"a","tags":["x",null]},"rates":{"k":1.5,"l":null},"grid":[[1,2],null,[3]]}`,
		`{"id":2,"count":-1,"price":1e3,"who":null,"rates":{},"grid":[]}`,
		`{"id":3,"price":0.1,"who":{"name":"c"}}`,
		`{"id":9,"price":0}`,
		`{"id":300,"price":1}`,
		`{"id":4,"price":1.005}`,
		`{"id":4,"price":123456789.00}`,
		`{"id":4,"price":1,"who":{"tags":[]}}`,
		`{"id":4,"price":1,"rates":{"k":"x"}}`,
		`{"id":4,"price":1,"local":"2026-01-02T03:04:05Z"}`,
	} {
		records = append(records, &kgo.Record{Topic: "types", Value: []byte(value)})
	}
	if err := client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	lake := filepath.Join(t.TempDir(), "lake")
	def := definition(t, t.TempDir(), strings.NewReplacer("LAKE", lake, "BROKER", b.address).Replace(typesDefinition))
	run := func(args ...string) string {
		t.Helper()
		code, stdout, stderr := millrace(t.Context(), args...)
		if code != exitDone {
			t.Fatalf("%q ended with %d: %s", args, code, stderr)
		}
		return stdout
	}
	run("run", def, "--until-caught-up")
	table := filepath.Join(lake, "rows")
	run("table", "verify", table)
	run("table", "optimize", table)
	run("table", "verify", table)
	for _, c := range []struct{ where, want string }{
		{"true", `{"id":1,"count":300,"price":12.50,"local":"2026-01-02T03:04:05.000000","who":{"name":"a","tags":["x",null]},"rates":{"k":1.5,"l":null},"grid":[[1,2],null,[3]],"total":3750.00,"first":"a"}
{"id":2,"count":-1,"price":1000.00,"local":null,"who":null,"rates":{},"grid":[],"total":-1000.00,"first":null}
{"id":3,"count":null,"price":0.10,"local":null,"who":{"name":"c","tags":null},"rates":null,"grid":null,"total":null,"first":"c"}
`},
		{"price > 12.4 AND who.name IS NULL", `{"id":2,"count":-1,"price":1000.00,"local":null,"who":null,"rates":{},"grid":[],"total":-1000.00,"first":null}
`},
	} {
		if diff := cmp.Diff(c.want, run("table", "read", table, "--json", "--where", c.where)); diff != "" {
			t.Errorf("where %s (-want +got):\n%s", c.where, diff)
		}
	}
	refused := run("table", "read", filepath.Join(lake, "types_quarantine"), "--json", "--columns", "column,detail")
	want := `{"column":"id","detail":"byte 6: found the number \"300\", expected a whole number of 8 bits"}
{"column":"price","detail":"byte 16: found the number \"1.005\", expected a number of at most 8 digits before the point and 2 behind"}
{"column":"price","detail":"byte 16: found the number \"123456789.00\", expected a number of at most 8 digits before the point and 2 behind"}
{"column":"who.name","detail":"null or missing, expected a string"}
{"column":"rates","detail":"byte 31: found the string \"x\", expected a number of at most 4 digits before the point and 1 behind"}
{"column":"local","detail":"byte 26: found the string \"2026-01-02T03:04:05Z\", expected a timestamp without a zone \"yyyy-MM-ddTHH:mm:ss\""}
`
	if diff := cmp.Diff(want, refused); diff != "" {
		t.Errorf("quarantine (-want +got):\n%s", diff)
	}
}
