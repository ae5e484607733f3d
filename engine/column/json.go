package column

import (
	"encoding/base64"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// AppendRowJSON writes row as a JSON object (RFC 8259) with the schema's columns in order, null where it has no
// value. cols are one a field.
func AppendRowJSON(dst []byte, schema Schema, cols []Column, row int) []byte {
	dst = append(dst, '{')
	for i, f := range schema {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendQuoted(dst, []byte(f.Name)), ':')
		dst = AppendJSON(dst, cols[i], row)
	}
	return append(dst, '}')
}

// AppendJSON writes one value as JSON:
//
//	null              null
//	bool              true or false
//	byte to long      a number
//	decimal           a number with all digits of its scale
//	float, double     the shortest number that reads back the same; "NaN", "+Inf" and "-Inf" as strings
//	string            a string; each byte that is not UTF-8 becomes U+FFFD
//	binary            a string in base64 (RFC 4648, section 4)
//	date              "2006-01-02"
//	timestamp         "2006-01-02T15:04:05.000000Z"
//	timestamp_ntz     "2006-01-02T15:04:05.000000"
//	array             an array of these
//	struct            an object of these
//	map               an object if the keys are strings, else an array of arrays of a key and its value
func AppendJSON(dst []byte, c Column, row int) []byte {
	if c.Nulls().Null(row) {
		return append(dst, "null"...)
	}
	switch c := c.(type) {
	case *Bools:
		return strconv.AppendBool(dst, c.Values[row])
	case *Bytes:
		return strconv.AppendInt(dst, int64(c.Values[row]), 10)
	case *Shorts:
		return strconv.AppendInt(dst, int64(c.Values[row]), 10)
	case *Ints:
		if c.typ.Kind == Date {
			return time.Unix(int64(c.Values[row])*86400, 0).UTC().AppendFormat(dst, `"2006-01-02"`)
		}
		return strconv.AppendInt(dst, int64(c.Values[row]), 10)
	case *Longs:
		switch c.typ.Kind {
		case Timestamp:
			return time.UnixMicro(c.Values[row]).UTC().AppendFormat(dst, `"2006-01-02T15:04:05.000000Z"`)
		case TimestampNTZ:
			return time.UnixMicro(c.Values[row]).UTC().AppendFormat(dst, `"2006-01-02T15:04:05.000000"`)
		}
		return strconv.AppendInt(dst, c.Values[row], 10)
	case *Floats:
		return appendFloat(dst, float64(c.Values[row]), 32)
	case *Doubles:
		return appendFloat(dst, c.Values[row], 64)
	case *Texts:
		if c.typ.Kind == Binary {
			dst = base64.StdEncoding.AppendEncode(append(dst, '"'), c.At(row))
			return append(dst, '"')
		}
		return appendQuoted(dst, c.At(row))
	case *Decimals:
		return c.Values[row].AppendDecimal(dst, c.typ.Scale())
	case *Structs:
		return AppendRowJSON(dst, c.schema, c.Fields, row)
	case *List:
		if c.typ.Kind == Map {
			return appendMap(dst, c, row)
		}
		return appendList(dst, c, row)
	}
	panic("column: no such column")
}

func appendMap(dst []byte, c *List, row int) []byte {
	keys, values := c.Pairs()
	marks := "[],"
	names, named := keys.(*Texts)
	if named = named && names.typ.Kind == String; named {
		marks = "{}:"
	}
	dst = append(dst, marks[0])
	for i := int(c.Offsets[row]); i < int(c.Offsets[row+1]); i++ {
		if i > int(c.Offsets[row]) {
			dst = append(dst, ',')
		}
		if !named {
			dst = append(dst, '[')
		}
		dst = append(AppendJSON(dst, keys, i), marks[2])
		dst = AppendJSON(dst, values, i)
		if !named {
			dst = append(dst, ']')
		}
	}
	return append(dst, marks[1])
}

func appendList(dst []byte, c *List, row int) []byte {
	dst = append(dst, '[')
	for i := c.Offsets[row]; i < c.Offsets[row+1]; i++ {
		if i > c.Offsets[row] {
			dst = append(dst, ',')
		}
		dst = AppendJSON(dst, c.Elem, int(i))
	}
	return append(dst, ']')
}

// appendFloat writes f without exponent where that is short, as encoding/json does.
func appendFloat(dst []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		dst = strconv.AppendFloat(append(dst, '"'), f, 'g', -1, bits)
		return append(dst, '"')
	}
	form := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		form = 'e'
	}
	return strconv.AppendFloat(dst, f, form, -1, bits)
}

// appendQuoted writes a text as a JSON string. It escapes what RFC 8259, section 7 says must be, and
// nothing more.
func appendQuoted(dst, text []byte) []byte {
	dst = append(dst, '"')
	start := 0 // of what is to be copied as it stands
	for i := 0; i < len(text); {
		c := text[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRune(text[i:]); r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		dst = appendEscape(append(dst, text[start:i]...), c)
		i += size
		start = i
	}
	return append(append(dst, text[start:]...), '"')
}

// appendEscape writes a byte that can't stand in a JSON string.
func appendEscape(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch {
	case c == '"' || c == '\\':
		return append(dst, '\\', c)
	case c == '\n':
		return append(dst, `\n`...)
	case c == '\r':
		return append(dst, `\r`...)
	case c == '\t':
		return append(dst, `\t`...)
	case c < ' ':
		return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
	}
	return utf8.AppendRune(dst, utf8.RuneError)
}
