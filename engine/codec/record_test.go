package codec_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/codec"
	"github.com/millrace-io/millrace/engine/column"
)

var (
	text      = column.Of(column.String)
	bytes     = column.Of(column.Binary)
	long      = column.Of(column.Long)
	timestamp = column.Of(column.Timestamp)
)

// fill makes one row of the record columns of schema, or gives why there is none.
func fill(t *testing.T, schema column.Schema, r engine.Record) (string, *engine.Reject) {
	t.Helper()
	c, err := codec.NewRecordColumns(schema)
	if err != nil {
		t.Fatal(err)
	}
	var columns []column.Column
	for _, f := range schema {
		columns = append(columns, column.New(f.Type))
	}
	c.Bind(columns)
	if reject := c.Append(&r); reject != nil {
		return "", reject
	}
	for i, f := range schema {
		if want := codec.IsRecordColumn(f.Name); want != (columns[i].Len() == 1) {
			t.Fatalf("column %s has %d rows", f.Name, columns[i].Len())
		}
		if columns[i].Len() == 0 {
			columns[i].AppendNull()
		}
	}
	return string(column.AppendRowJSON(nil, schema, columns, 0)), nil
}

func TestRecordColumns(t *testing.T) {
	headers := engine.AppendHeader(nil, []byte("trace"), []byte("first"))
	headers = engine.AppendHeader(headers, []byte("empty"), []byte{})
	headers = engine.AppendHeader(headers, []byte("null"), nil)
	headers = engine.AppendHeader(headers, []byte("trace"), []byte("last"))
	schema := column.Schema{
		{Name: "id", Type: long},
		{Name: "record.timestamp", Type: timestamp, Required: true},
		{Name: "record.offset", Type: long, Required: true},
		{Name: "record.key", Type: text},
		{Name: "record.headers.trace", Type: text},
		{Name: "record.headers.empty", Type: bytes},
		{Name: "record.headers.null", Type: text},
		{Name: "record.headers.none", Type: text},
	}
	got, reject := fill(t, schema, engine.Record{Offset: 7, At: 1e6, Key: []byte("k"), Headers: headers})
	want := `{"id":null,"record.timestamp":"1970-01-01T00:00:01.000000Z","record.offset":7,"record.key":"k",` +
		`"record.headers.trace":"last","record.headers.empty":"","record.headers.null":null,"record.headers.none":null}`
	if got != want || reject != nil {
		t.Errorf("got %s, %v\nwant %s", got, reject, want)
	}
}

// TestRecordColumnsOfKinesis: what only Kinesis has is null for records of others.
func TestRecordColumnsOfKinesis(t *testing.T) {
	schema := column.Schema{
		{Name: "record.partition_key", Type: text, Required: true},
		{Name: "record.sequence_number", Type: text},
		{Name: "record.explicit_hash_key", Type: text},
	}
	headers := engine.AppendHeader(nil, []byte("kinesis.sequence_number"), []byte("495/7"))
	headers = engine.AppendHeader(headers, []byte("kinesis.explicit_hash_key"), []byte("12"))
	for _, c := range []struct {
		headers []byte
		want    string
	}{
		{headers, `{"record.partition_key":"k","record.sequence_number":"495/7","record.explicit_hash_key":"12"}`},
		{nil, `{"record.partition_key":"k","record.sequence_number":null,"record.explicit_hash_key":null}`},
	} {
		if got, reject := fill(t, schema, engine.Record{Key: []byte("k"), Headers: c.headers}); got != c.want || reject != nil {
			t.Errorf("got %s, %v\nwant %s", got, reject, c.want)
		}
	}
}

func TestRecordColumnsReject(t *testing.T) {
	for _, c := range []struct {
		name   string
		field  column.Field
		record engine.Record
		want   engine.Reject
	}{
		{"no key", column.Field{Name: "record.key", Type: text, Required: true}, engine.Record{Offset: 1},
			engine.Reject{Reason: engine.ReasonRequired, Column: "record.key", Detail: "the record has none"}},
		{"no header", column.Field{Name: "record.headers.h", Type: bytes, Required: true}, engine.Record{Offset: 1},
			engine.Reject{Reason: engine.ReasonRequired, Column: "record.headers.h", Detail: "the record has none"}},
		{"a key that is no text", column.Field{Name: "record.key", Type: text}, engine.Record{Offset: 1, Key: []byte("k\xff")},
			engine.Reject{Reason: engine.ReasonType, Column: "record.key", Detail: `found "k\xff", expected UTF-8; a binary column takes any bytes`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.want.Record = c.record
			_, got := fill(t, column.Schema{c.field}, c.record)
			if diff := cmp.Diff(&c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got, reject := fill(t, column.Schema{{Name: "record.key", Type: bytes}}, engine.Record{Key: []byte("k\xff")}); reject != nil || got != `{"record.key":"a/8="}` {
		t.Errorf("a binary key: got %s, %v", got, reject)
	}
}

// TestRecordColumnsRefused: all that is wrong with a schema is named.
func TestRecordColumnsRefused(t *testing.T) {
	_, err := codec.NewRecordColumns(column.Schema{
		{Name: "record.key", Type: text},
		{Name: "record.topic", Type: text},
		{Name: "record.offset", Type: column.Of(column.Int)},
		{Name: "record.timestamp", Type: long},
		{Name: "record.key.x", Type: text},
		{Name: "record.headers.", Type: text},
		{Name: "record.headers.h", Type: long, Required: true},
	})
	want := "no such column of a record: record.topic: string, record.offset: int, record.timestamp: long, record.key.x: string, " +
		"record.headers.: string, record.headers.h: long!; "
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s…", err, want)
	}
}
