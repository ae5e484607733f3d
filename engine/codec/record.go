// Package codec is what the codecs share. A codec turns the values of records into rows; its package lies
// below this one, as json does.
//
// Some columns are not in the value but beside it: the source's timestamp, the offset, the key and the
// headers of the record. A schema asks for them by name, the same in every format, and RecordColumns
// fills them:
//
//	record.timestamp      timestamp
//	record.offset         long
//	record.key            string or binary, null where the record has no key
//	record.headers.NAME   string or binary, null where it has no header NAME or the header is null;
//	                      of several headers NAME the last counts
//
// And of records of Kinesis, null for all others:
//
//	record.partition_key      string or binary, the same as record.key
//	record.sequence_number    string or binary, such as 4959…, or 4959…/7 for the user record 7 of an aggregated record
//	record.explicit_hash_key  string or binary, null where the record has none or the stream does not tell
package codec

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

const (
	recordPrefix = "record."
	headerPrefix = "record.headers."
)

// kinesisHeaders are the columns that are headers by another name.
var kinesisHeaders = map[string]string{
	"record.sequence_number":   "kinesis.sequence_number",
	"record.explicit_hash_key": "kinesis.explicit_hash_key",
}

// IsRecordColumn says whether a column of this name is read from the record and not from its value.
func IsRecordColumn(name string) bool { return strings.HasPrefix(name, recordPrefix) }

// RecordColumns fills those columns of a schema that are read from the record itself. The zero
// RecordColumns fills none. One goroutine at a time uses it.
type RecordColumns struct {
	fields []recordField
}

type recordField struct {
	column.Field
	index  int // in the schema
	part   part
	header []byte        // the header's name, when part is header
	longs  *column.Longs // where timestamp and offset go
	texts  *column.Texts // where key and headers go
}

// A part is the place in a record that a column is read from.
type part uint8

const (
	timestamp part = iota
	offset
	key
	header
)

// NewRecordColumns picks the record columns of schema. The error names every column that no record has,
// or that has a type it can't fill.
func NewRecordColumns(schema column.Schema) (RecordColumns, error) {
	var c RecordColumns
	var wrong []string
	for i, f := range schema {
		if !IsRecordColumn(f.Name) {
			continue
		}
		r := recordField{Field: f, index: i}
		fits := false
		switch name, isHeader := strings.CutPrefix(f.Name, headerPrefix); {
		case isHeader && name != "":
			r.part, r.header, fits = header, []byte(name), isText(f.Type)
		case kinesisHeaders[f.Name] != "":
			r.part, r.header, fits = header, []byte(kinesisHeaders[f.Name]), isText(f.Type)
		case f.Name == "record.key" || f.Name == "record.partition_key":
			r.part, fits = key, isText(f.Type)
		case f.Name == "record.offset":
			r.part, fits = offset, f.Type == column.Of(column.Long)
		case f.Name == "record.timestamp":
			r.part, fits = timestamp, f.Type == column.Of(column.Timestamp)
		}
		if !fits {
			wrong = append(wrong, f.String())
		}
		c.fields = append(c.fields, r)
	}
	if wrong != nil {
		return RecordColumns{}, fmt.Errorf("no such column of a record: %s; a record has record.timestamp: timestamp, record.offset: long, "+
			"record.key and record.headers.NAME: string or binary, and of Kinesis record.partition_key, record.sequence_number and "+
			"record.explicit_hash_key: string or binary", strings.Join(wrong, ", "))
	}
	return c, nil
}

func isText(t column.Type) bool { return t.Kind == column.String || t.Kind == column.Binary }

// Bind takes the columns to fill from now on, one a field of the schema. They are held until the next Bind.
func (c *RecordColumns) Bind(columns []column.Column) {
	for i := range c.fields {
		f := &c.fields[i]
		switch col := columns[f.index].(type) {
		case *column.Longs:
			f.longs = col
		case *column.Texts:
			f.texts = col
		}
	}
}

// Append adds a row to each record column and returns nil. Where the record can give no row it returns why;
// some of the columns may then have a row too many, which the caller truncates.
func (c *RecordColumns) Append(r *engine.Record) *engine.Reject {
	for i := range c.fields {
		f := &c.fields[i]
		switch f.part {
		case timestamp:
			f.longs.Append(int64(r.At))
		case offset:
			f.longs.Append(int64(r.Offset))
		default:
			if reject := f.append(r); reject != nil {
				return reject
			}
		}
	}
	return nil
}

// append adds the key or a header.
func (f *recordField) append(r *engine.Record) *engine.Reject {
	v := r.Key
	if f.part == header {
		v = lastHeader(r.Headers, f.header)
	}
	switch {
	case v == nil && f.Required:
		return f.reject(r, engine.ReasonRequired, "the record has none")
	case v == nil:
		f.texts.AppendNull()
	case f.Type.Kind == column.String && !utf8.Valid(v):
		return f.reject(r, engine.ReasonType, "found "+Excerpt(v)+", expected UTF-8; a binary column takes any bytes")
	default:
		f.texts.Append(v)
	}
	return nil
}

func (f *recordField) reject(r *engine.Record, reason engine.Reason, detail string) *engine.Reject {
	return &engine.Reject{Record: *r, Reason: reason, Column: f.Name, Detail: detail}
}

func lastHeader(headers, name []byte) (last []byte) {
	engine.EachHeader(headers, func(n, v []byte) {
		if bytes.Equal(n, name) {
			last = v
		}
	})
	return last
}
