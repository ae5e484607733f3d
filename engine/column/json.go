package column

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// AppendRowJSON writes a row as a JSON object with the schema's names in order.
func AppendRowJSON(dst []byte, schema Schema, cols []Column, row int) []byte {
	dst = append(dst, '{')
	for i, f := range schema {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(dst, f.Name)
		dst = append(dst, ':')
		dst = AppendJSON(dst, cols[i], row)
	}
	return append(dst, '}')
}

// AppendJSON writes one value as JSON: dates and timestamps as ISO 8601 texts, binaries as base64, floats
// in their shortest form and as texts where JSON has none.
func AppendJSON(dst []byte, c Column, row int) []byte {
	if c.Nulls().Null(row) {
		return append(dst, "null"...)
	}
	switch c := c.(type) {
	case *Bools:
		return strconv.AppendBool(dst, c.Values[row])
	case *Ints:
		if c.typ.Kind == Date {
			return time.Unix(int64(c.Values[row])*86400, 0).UTC().AppendFormat(dst, `"2006-01-02"`)
		}
		return strconv.AppendInt(dst, int64(c.Values[row]), 10)
	case *Longs:
		if c.typ.Kind == Timestamp {
			return time.UnixMicro(c.Values[row]).UTC().AppendFormat(dst, `"2006-01-02T15:04:05.000000Z"`)
		}
		return strconv.AppendInt(dst, c.Values[row], 10)
	case *Floats:
		return appendFloat(dst, float64(c.Values[row]), 32)
	case *Doubles:
		return appendFloat(dst, c.Values[row], 64)
	case *Texts:
		if c.typ.Kind == Binary {
			dst = append(dst, '"')
			dst = base64.StdEncoding.AppendEncode(dst, c.At(row))
			return append(dst, '"')
		}
		return appendText(dst, string(c.At(row)))
	case *List:
		dst = append(dst, '[')
		for i := c.Offsets[row]; i < c.Offsets[row+1]; i++ {
			if i > c.Offsets[row] {
				dst = append(dst, ',')
			}
			dst = AppendJSON(dst, c.Elem, int(i))
		}
		return append(dst, ']')
	}
	panic("column: no such column")
}

func appendFloat(dst []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return appendText(dst, strconv.FormatFloat(f, 'g', -1, bits))
	}
	return strconv.AppendFloat(dst, f, 'g', -1, bits)
}

func appendText(dst []byte, s string) []byte {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(s) //nolint:errcheck // a string always encodes
	return append(dst, strings.TrimSuffix(b.String(), "\n")...)
}
