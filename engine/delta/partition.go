package delta

import (
	"fmt"
	"strconv"
	"time"

	"github.com/millrace-io/millrace/engine/column"
)

// PartitionText is a row's value as partitionValues in the log holds it; nil is null. The empty string is
// null as well: Delta cannot tell the two apart in a partition column. c is of a type that CheckPartition
// allows.
func PartitionText(c column.Column, row int) *string {
	if c.Nulls().Null(row) {
		return nil
	}
	text := partitionText(c, row)
	if text == "" {
		return nil
	}
	return &text
}

func partitionText(c column.Column, row int) string {
	switch c := c.(type) {
	case *column.Bools:
		return strconv.FormatBool(c.Values[row])
	case *column.Bytes:
		return strconv.Itoa(int(c.Values[row]))
	case *column.Shorts:
		return strconv.Itoa(int(c.Values[row]))
	case *column.Decimals:
		return string(c.Values[row].AppendDecimal(nil, c.Type().Scale()))
	case *column.Ints:
		if c.Type().Kind == column.Date {
			return formatDay(c.Values[row])
		}
		return strconv.Itoa(int(c.Values[row]))
	case *column.Longs:
		switch c.Type().Kind {
		case column.Timestamp:
			return formatMicros(c.Values[row], "T15:04:05.000000Z")
		case column.TimestampNTZ: // without a zone the protocol has this form alone
			return formatMicros(c.Values[row], " 15:04:05.000000")
		}
		return strconv.FormatInt(c.Values[row], 10)
	case *column.Floats:
		return formatFloat(float64(c.Values[row]), 32)
	case *column.Doubles:
		return formatFloat(c.Values[row], 64)
	case *column.Texts:
		return string(c.At(row))
	}
	panic(fmt.Sprintf("delta: no partition value of type %v", c.Type()))
}

func formatDay(day int32) string {
	return formatTime(time.Unix(int64(day)*24*60*60, 0).UTC(), "-01-02")
}

func formatMicros(us int64, clock string) string {
	return formatTime(time.UnixMicro(us).UTC(), "-01-02"+clock)
}

// formatTime writes the year with its sign and as many digits as it has, which the time package can't read
// back.
func formatTime(t time.Time, rest string) string {
	year := t.Year()
	if year < 0 {
		return fmt.Sprintf("-%04d", -year) + t.Format(rest)
	}
	return fmt.Sprintf("%04d", year) + t.Format(rest)
}

// formatFloat writes what is no number as Java does.
func formatFloat(v float64, bits int) string {
	switch text := strconv.FormatFloat(v, 'g', -1, bits); text {
	case "+Inf":
		return "Infinity"
	case "-Inf":
		return "-Infinity"
	default:
		return text
	}
}

// CheckPartition says whether a table can be partitioned by columns of type t.
func CheckPartition(t column.Type) error {
	if t.Kind >= column.Array || t.Kind == column.Binary {
		return fmt.Errorf("a table can't be partitioned by a column of type %v", t)
	}
	return nil
}

// AppendPartition appends to c what text, a value of partitionValues, says; nil and "" are null. Timestamps
// are read in the forms "1970-01-01T00:00:00.123456Z" and, as old writers have it, "1970-01-01 00:00:00",
// which is taken as UTC; those without a zone in the second form, and with a T between day and time.
func AppendPartition(c column.Column, text *string) error {
	if text == nil || *text == "" {
		c.AppendNull()
		return nil
	}
	if err := appendPartition(c, *text); err != nil {
		return fmt.Errorf("partition value %q is no %v", *text, c.Type())
	}
	return nil
}

func appendPartition(c column.Column, text string) error {
	switch c := c.(type) {
	case *column.Bools:
		return appendParsed(c, text, strconv.ParseBool)
	case *column.Bytes:
		return appendParsed(c, text, parseWhole[int8](8))
	case *column.Shorts:
		return appendParsed(c, text, parseWhole[int16](16))
	case *column.Decimals:
		return appendParsed(c, text, func(s string) (column.Int128, error) {
			return column.ParseDecimal([]byte(s), c.Type().Precision(), c.Type().Scale())
		})
	case *column.Ints:
		if c.Type().Kind == column.Date {
			return appendParsed(c, text, parseDay)
		}
		return appendParsed(c, text, parseWhole[int32](32))
	case *column.Longs:
		switch c.Type().Kind {
		case column.Timestamp:
			return appendParsed(c, text, parseMicros)
		case column.TimestampNTZ:
			return appendParsed(c, text, parseClock)
		}
		return appendParsed(c, text, func(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) })
	case *column.Floats:
		return appendParsed(c, text, func(s string) (float32, error) {
			v, err := strconv.ParseFloat(s, 32)
			return float32(v), err
		})
	case *column.Doubles:
		return appendParsed(c, text, func(s string) (float64, error) { return strconv.ParseFloat(s, 64) })
	case *column.Texts:
		c.AppendString(text)
		return nil
	}
	return fmt.Errorf("no partition values of type %v", c.Type())
}

func parseWhole[T integer](bits int) func(string) (T, error) {
	return func(s string) (T, error) {
		v, err := strconv.ParseInt(s, 10, bits)
		return T(v), err
	}
}

func appendParsed[T column.Native](c *column.Fixed[T], text string, parse func(string) (T, error)) error {
	v, err := parse(text)
	if err == nil {
		c.Append(v)
	}
	return err
}
