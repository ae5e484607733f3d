package json

import (
	"encoding/base64"
	"fmt"

	"github.com/millrace-io/millrace/engine/column"
)

// take appends the value at p, which is not null, to t and gives the position behind it.
func (d *Decoder) take(b []byte, p int, t *target) int {
	if t.kind == column.String {
		return d.text(b, p, t.texts)
	}
	return d.takeTyped(b, p, t)
}

// takeTyped is take for what is no string: apart, so that take is inlined.
func (d *Decoder) takeTyped(b []byte, p int, t *target) int {
	switch t.kind {
	case column.Long:
		v, p := d.whole(b, p, column.Long)
		t.longs.Append(v)
		return p
	case column.Int:
		v, next := d.whole(b, p, column.Int)
		if next >= 0 && v != int64(int32(v)) {
			return d.misfit(b, p, expected(column.Int))
		}
		t.ints.Append(int32(v))
		return next
	case column.Byte:
		v, next := d.whole(b, p, column.Byte)
		if next >= 0 && v != int64(int8(v)) {
			return d.misfit(b, p, expected(column.Byte))
		}
		t.bytes.Append(int8(v))
		return next
	case column.Short:
		v, next := d.whole(b, p, column.Short)
		if next >= 0 && v != int64(int16(v)) {
			return d.misfit(b, p, expected(column.Short))
		}
		t.shorts.Append(int16(v))
		return next
	case column.Decimal:
		return d.decimal(b, p, t)
	case column.Bool:
		return d.bool(b, p, t.bools)
	case column.Float:
		v, p := d.real(b, p, 32)
		t.floats.Append(float32(v))
		return p
	case column.Double:
		v, p := d.real(b, p, 64)
		t.doubles.Append(v)
		return p
	case column.Date:
		return d.date(b, p, t.ints)
	case column.Timestamp:
		return d.timestamp(b, p, t.longs)
	case column.TimestampNTZ:
		return d.clock(b, p, t.longs)
	case column.Binary:
		return d.binary(b, p, t.texts)
	case column.Struct:
		return d.structure(b, p, t)
	case column.Map:
		return d.dictionary(b, p, t)
	default:
		return d.array(b, p, t)
	}
}

func (d *Decoder) bool(b []byte, p int, to *column.Bools) int {
	switch {
	case p < len(b) && b[p] == 't':
		to.Append(true)
		return d.literal(b, p, "true")
	case p < len(b) && b[p] == 'f':
		to.Append(false)
		return d.literal(b, p, "false")
	}
	return d.misfit(b, p, expected(column.Bool))
}

// whole reads an int or long: a number without fraction, or a string that is one. Most are a few digits.
func (d *Decoder) whole(b []byte, p int, kind column.Kind) (v int64, next int) {
	q := p
	if q < len(b) && b[q] == '-' {
		q++
	}
	first := q
	for q < len(b) && b[q]-'0' <= 9 {
		v = v*10 + int64(b[q]-'0')
		q++
	}
	if q == first || q-first > 18 || b[first] == '0' || q < len(b) && (b[q] == '.' || b[q]|0x20 == 'e') {
		return d.wholeSlow(b, p, kind)
	}
	if first != p {
		v = -v
	}
	return v, q
}

func (d *Decoder) wholeSlow(b []byte, p int, kind column.Kind) (v int64, next int) {
	n, _, next := d.number(b, p, kind)
	if next < 0 {
		return 0, bad
	}
	if v, ok := n.whole(); ok {
		return v, next
	}
	return 0, d.misfit(b, p, expected(kind))
}

// real reads a float or double.
func (d *Decoder) real(b []byte, p int, bits int) (v float64, next int) {
	kind := column.Double
	if bits == 32 {
		kind = column.Float
	}
	n, literal, next := d.number(b, p, kind)
	if next < 0 {
		return 0, bad
	}
	if v, ok := n.float(literal, bits); ok {
		return v, next
	}
	return 0, d.misfit(b, p, expected(kind))
}

// number reads a number, or a string that is one, and gives its text without the quotes.
func (d *Decoder) number(b []byte, p int, kind column.Kind) (n number, literal []byte, next int) {
	if p < len(b) && b[p] == '"' {
		literal, next = d.quoted(b, p)
		if next < 0 {
			return number{}, nil, bad
		}
		n, end := scanNumber(literal, 0)
		if end != len(literal) {
			return number{}, nil, d.misfit(b, p, expected(kind))
		}
		return n, literal, next
	}
	n, next = scanNumber(b, p)
	if next < 0 {
		return number{}, nil, d.misfit(b, p, expected(kind))
	}
	return n, b[p:next], next
}

// decimal reads a number, or a string that is one, that has no digit without a place.
func (d *Decoder) decimal(b []byte, p int, t *target) int {
	var literal []byte
	next := p
	if p < len(b) && b[p] == '"' {
		if literal, next = d.quoted(b, p); next < 0 {
			return bad
		}
		if _, end := scanNumber(literal, 0); end != len(literal) {
			return d.misfit(b, p, expectedOf(t.typ))
		}
	} else {
		if _, next = scanNumber(b, p); next < 0 {
			return d.misfit(b, p, expectedOf(t.typ))
		}
		literal = b[p:next]
	}
	v, err := column.ParseDecimal(literal, t.typ.Precision(), t.typ.Scale())
	if err != nil {
		return d.misfit(b, p, expectedOf(t.typ))
	}
	t.decimals.Append(v)
	return next
}

func (d *Decoder) date(b []byte, p int, to *column.Ints) int {
	s, next := d.quotedOnly(b, p, column.Date)
	if next < 0 {
		return bad
	}
	day, ok := parseDate(s)
	if !ok {
		return d.misfit(b, p, expected(column.Date))
	}
	to.Append(int32(day))
	return next
}

func (d *Decoder) timestamp(b []byte, p int, to *column.Longs) int {
	s, next := d.quotedOnly(b, p, column.Timestamp)
	if next < 0 {
		return bad
	}
	at, ok := parseTimestamp(s)
	if !ok {
		return d.misfit(b, p, expected(column.Timestamp))
	}
	to.Append(at)
	return next
}

func (d *Decoder) clock(b []byte, p int, to *column.Longs) int {
	s, next := d.quotedOnly(b, p, column.TimestampNTZ)
	if next < 0 {
		return bad
	}
	at, ok := parseClock(s)
	if !ok {
		return d.misfit(b, p, expected(column.TimestampNTZ))
	}
	to.Append(at)
	return next
}

func (d *Decoder) binary(b []byte, p int, to *column.Texts) int {
	s, next := d.quotedOnly(b, p, column.Binary)
	if next < 0 {
		return bad
	}
	data, err := base64.StdEncoding.AppendDecode(to.Data, s)
	if err != nil {
		return d.misfit(b, p, expected(column.Binary))
	}
	to.Data = data
	to.Close()
	return next
}

// quotedOnly reads a string where nothing else will do.
func (d *Decoder) quotedOnly(b []byte, p int, kind column.Kind) (s []byte, next int) {
	if p == len(b) || b[p] != '"' {
		return nil, d.misfit(b, p, expected(kind))
	}
	return d.quoted(b, p)
}

func (d *Decoder) array(b []byte, p int, t *target) int {
	if p == len(b) || b[p] != '[' {
		return d.misfit(b, p, "an array")
	}
	p = space(b, p+1)
	if p < len(b) && b[p] == ']' {
		t.list.Close()
		return p + 1
	}
	for {
		if p < len(b) && b[p] == 'n' {
			t.elem.null()
			p = d.literal(b, p, "null")
		} else {
			p = d.take(b, p, t.elem)
		}
		if p < 0 {
			return bad
		}
		p = space(b, p)
		switch {
		case p < len(b) && b[p] == ']':
			t.list.Close()
			return p + 1
		case p == len(b) || b[p] != ',':
			return d.fail(p, `"," or "]"`)
		}
		p = space(b, p+1)
	}
}

// expectedOf says for people what a column of the type takes.
func expectedOf(t column.Type) string {
	switch {
	case t.Kind != column.Decimal:
		return expected(t.Kind)
	case t.Scale() == 0:
		return fmt.Sprintf("a whole number of at most %d digits", t.Precision())
	}
	return fmt.Sprintf("a number of at most %d digits before the point and %d behind", t.Precision()-t.Scale(), t.Scale())
}

// expected is expectedOf for kinds of which there is one type.
func expected(kind column.Kind) string {
	switch kind {
	case column.String:
		return "a string"
	case column.Bool:
		return "true or false"
	case column.Byte:
		return "a whole number of 8 bits"
	case column.Short:
		return "a whole number of 16 bits"
	case column.Int:
		return "a whole number of 32 bits"
	case column.Long:
		return "a whole number of 64 bits"
	case column.Float:
		return "a number in the range of float"
	case column.Double:
		return "a number in the range of double"
	case column.Date:
		return `a date "yyyy-MM-dd"`
	case column.Timestamp:
		return `a timestamp "yyyy-MM-ddTHH:mm:ss"`
	case column.TimestampNTZ:
		return `a timestamp without a zone "yyyy-MM-ddTHH:mm:ss"`
	case column.Binary:
		return "a string in base64"
	case column.Struct, column.Map:
		return "an object"
	default:
		return "an array"
	}
}
