package json

import (
	"encoding/base64"
	"errors"

	"github.com/millrace-io/millrace/engine"
)

// An Encoding says how a record's value stands for its JSON.
type Encoding uint8

// The encodings.
const (
	Plain Encoding = iota // the value is the JSON
	// Base64 (RFC 4648, section 4) is the JSON of records that were encoded once more on their way. It may stand in
	// quotes, as a JSON string, and white space about it does not count.
	Base64
)

// open gives the JSON of a record's value, lent until the next record. It says no where the value is no base64.
func (d *Decoder) open(value []byte) (text []byte, ok bool) {
	if d.encoding == Plain {
		return value, true
	}
	p, end := space(value, 0), len(value)
	var code []byte
	if p < end && value[p] == '"' {
		if code, end = d.quoted(value, p); end < 0 {
			return nil, false
		}
		p++ // where the code begins, for the fault
	} else {
		for end > p && value[end-1] <= ' ' {
			end--
		}
		code = value[p:end]
	}
	if rest := space(value, end); rest < len(value) {
		d.fail(rest, "the end of the record")
		return nil, false
	}
	var err error
	if d.opened, err = base64.StdEncoding.AppendDecode(d.opened[:0], code); err != nil {
		var at base64.CorruptInputError
		errors.As(err, &at)
		d.fail(min(p+int(at), len(value)), "JSON in base64")
		return nil, false
	}
	return d.opened, true
}

// reject makes the Reject of record r for the fault, which is of r's value or of the text that was made of it.
func (d *Decoder) reject(r *engine.Record, text []byte) *engine.Reject {
	if text == nil {
		return d.fault.reject(r, r.Value, "")
	}
	if d.encoding == Base64 {
		return d.fault.reject(r, text, " of the JSON in base64")
	}
	return d.fault.reject(r, text, "")
}
