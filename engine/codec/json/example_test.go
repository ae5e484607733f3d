package json_test

import (
	"fmt"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/codec/json"
	"github.com/millrace-io/millrace/engine/column"
)

func Example() {
	schema := column.Schema{
		{Name: "id", Type: column.Of(column.Long), Required: true},
		{Name: "geo.lat", Type: column.Of(column.Double)},
		{Name: "tags", Type: column.ArrayOf(column.String)},
		{Name: "record.offset", Type: column.Of(column.Long)},
	}
	decoder, err := json.New(schema, json.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}

	var frame engine.Frame
	for i, value := range []string{
		`{"id": 1, "geo": {"lat": -82.9272, "lon": 8.65953}, "tags": ["a", "b"]}`,
		`{"id": "many"}`,
		`{"id": 3}`,
	} {
		frame = frame.AppendRecord(engine.Record{Offset: engine.Offset(i), Value: []byte(value)})
	}

	arena := column.NewArena()
	defer arena.Release()
	var rows engine.Rows
	for _, f := range schema {
		rows.Columns = append(rows.Columns, arena.Column(f.Type))
	}
	if err := decoder.Decode(frame, &rows); err != nil {
		fmt.Println(err)
		return
	}
	for row := range rows.Offset {
		fmt.Printf("%s\n", column.AppendRowJSON(nil, schema, rows.Columns, row))
	}
	for _, r := range rows.Rejects {
		fmt.Printf("offset %d: %s of %s: %s\n", r.Record.Offset, r.Reason, r.Column, r.Detail)
	}
	fmt.Println(rows.Unknown, "unknown")
	// Output:
	// {"id":1,"geo.lat":-82.9272,"tags":["a","b"],"record.offset":0}
	// {"id":3,"geo.lat":null,"tags":null,"record.offset":2}
	// offset 1: type of id: byte 7: found the string "many", expected a whole number of 64 bits
	// 1 unknown
}
