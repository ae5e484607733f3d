// Package json decodes records that are JSON objects straight into columns.
//
// A [Decoder] knows the schema before it sees a byte, so it builds no tree: it walks a record once,
// appends each value that the schema asks for to its column, and steps over the others. Members mostly
// come in the same order from record to record, so for each it remembers the bytes that led to the next
// one (comma, space, key, colon, space) and compares with these before it parses anything (see [edge]).
//
// # What is a row
//
// The value must be one JSON object (RFC 8259) in UTF-8 and nothing after it but white space. The column
// "a.b" is the member b of the object a. Members that the schema does not name are checked and counted,
// not kept; they may nest 1,000 deep. Of a key that comes twice the last counts, though each of its
// values must fit the column. null is the same as a missing member.
//
//	string       a string, or a number, of which the text is kept as it stands
//	bool         true or false
//	byte to long a number in range that is whole: 7, 7.0, 7e3; or a string that is such a number
//	decimal      a number, or a string that is one, that fits without rounding
//	float,double a number in range, or a string that is one
//	date         "yyyy-MM-dd"
//	timestamp    "yyyy-MM-ddTHH:mm:ss" with a space or a T, then if it has them a fraction (cut to
//	             microseconds) and a zone, Z or ±hh:mm; without a zone it is UTC. A number is refused:
//	             it may be seconds, milliseconds or microseconds
//	timestamp_ntz  the same without a zone
//	binary       a string in base64 (RFC 4648, section 4)
//	array        an array of the elements' type and null
//	struct       an object, of which what holds for the row holds as well
//	map          an object; its keys are what strings with the same text would be, and none is bool
//
// Half of a surrogate pair (\ud83d alone), which UTF-8 cannot hold, becomes U+FFFD, as in encoding/json.
//
// A record that is not so gives no row but an [engine.Reject], and leaves nothing in the columns.
package json

import (
	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/codec"
	"github.com/millrace-io/millrace/engine/column"
)

// Options say where in a record the columns are. The zero Options take each from the member of its name.
type Options struct {
	// Root is the path of the object that holds the row, such as "payload.after"; "" is the record's value
	// itself. A record without it is rejected; members beside it are not counted as unknown.
	Root string

	// Paths gives for a column, by name, the path of its value under Root where it is not the name itself:
	// keys with dots between them. A key that has a dot in it can't be reached.
	Paths map[string]string

	// Encoding is how a record's value stands for the JSON.
	Encoding Encoding
}

// A Decoder is an engine.Decoder of JSON records. It appends to the columns of Rows without an allocation
// a row; only a record that it rejects costs some.
type Decoder struct {
	top      *node  // the record's value
	root     *node  // the object that holds the row; often top
	rootPath string // Options.Root
	encoding Encoding
	fields   []field
	record   codec.RecordColumns

	row     int    // index its row will have
	serial  uint64 // number of the record at hand, from 1; fields and nodes are marked with it
	found   int    // fields marked with serial
	unknown int64  // members of this record that the schema does not name
	fault   fault  // why the record is rejected; set where a function returns bad
	scratch []byte // a key or text without its escapes
	opened  []byte // what a record in base64 stands for
}

// A field is a column that is read from the value.
type field struct {
	column.Field
	target
	index int    // in the schema
	mark  uint64 // serial of the last record that gave it a value
}

// bad is what functions return in place of the next position when the record is to be rejected.
const bad = -1

// New makes a decoder for the schema, whose columns named record.* are read from the record and the others
// from its value. The error names every column or path that can't be.
func New(schema column.Schema, opts Options) (*Decoder, error) {
	record, err := codec.NewRecordColumns(schema)
	if err != nil {
		return nil, err
	}
	d := &Decoder{record: record, encoding: opts.Encoding}
	if err := d.lay(schema, opts); err != nil {
		return nil, err
	}
	return d, nil
}

// Decode appends a row, a Reject or a tombstone to rows for each record of f. It never returns an error.
func (d *Decoder) Decode(f engine.Frame, rows *engine.Rows) error {
	d.bind(rows.Columns)
	for r, rest, ok := f.Next(); ok; r, rest, ok = rest.Next() {
		if r.Value == nil {
			rows.Tombstones++
			continue
		}
		if reject := d.decode(&r, len(rows.Offset)); reject != nil {
			for _, c := range rows.Columns {
				c.Truncate(len(rows.Offset))
			}
			rows.Rejects = append(rows.Rejects, *reject)
			continue
		}
		rows.Offset = append(rows.Offset, r.Offset)
		rows.At = append(rows.At, r.At)
		rows.Unknown += d.unknown
	}
	return nil
}

// bind points the fields at the columns of this call.
func (d *Decoder) bind(columns []column.Column) {
	for i := range d.fields {
		f := &d.fields[i]
		f.bind(columns[f.index])
	}
	d.record.Bind(columns)
}
