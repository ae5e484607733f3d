package expr

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/millrace-io/millrace/engine/column"
)

// cast is CAST(x AS type) and TRY_CAST.
func (c *checker) cast(t *castTree) *node {
	x := c.check(t.x)
	switch {
	case x.failed:
		return x
	case x.untyped():
		return nullOf(t.to)
	case x.typ == t.to:
		return x
	}
	eval := castKernel(x, t.to, t.try)
	if eval == nil {
		return c.fail(t.at, "CAST: there is no cast from %s to %s%s", x.typ, t.to, castHint(x.typ, t.to))
	}
	n := c.strict(t.to, eval, x)
	n.nullable = n.nullable || t.try && n.lit == nil
	return n
}

// castHint names the function that does what a cast does not.
func castHint(from, to column.Type) string {
	switch {
	case from.Kind.Numeric() && to.Kind == column.Timestamp:
		return "; to_timestamp(x, 'epoch_s') says in which unit"
	case from.Kind == column.Timestamp && to.Kind.Numeric():
		return "; epoch_us, epoch_ms and epoch say in which unit"
	}
	return ""
}

// widen is the kernel for a conversion that common has found: it has a value for every row, a date beyond
// the year 292000 aside.
func widen(x *node, to column.Type) evalFunc { return castKernel(x, to, false) }

// castKernel gives nil where there is no cast. With try a value that does not fit is null.
func castKernel(x *node, to column.Type, try bool) evalFunc {
	switch x.kind() {
	case column.Bool:
		return castBool(x, to)
	case column.Byte:
		return castWhole[int8](x, to, try)
	case column.Short:
		return castWhole[int16](x, to, try)
	case column.Decimal:
		return castDecimal(x, to, try)
	case column.Int:
		return castWhole[int32](x, to, try)
	case column.Long:
		return castWhole[int64](x, to, try)
	case column.Float:
		return castFloat[float32](x, to, try, 32)
	case column.Double:
		return castFloat[float64](x, to, try, 64)
	case column.String:
		return castText(x, to, try)
	case column.Binary:
		if to.Kind == column.String {
			return retype(x, to, try)
		}
	case column.Date:
		return castDate(x, to, try)
	case column.Timestamp, column.TimestampNTZ:
		return castTimestamp(x, to)
	}
	return nil
}

func castBool(x *node, to column.Type) evalFunc {
	number := func(b bool) int32 { return int32(boolToInt(b)) }
	switch to.Kind {
	case column.Byte:
		return map1(x, to, func(b bool) int8 { return int8(number(b)) })
	case column.Short:
		return map1(x, to, func(b bool) int16 { return int16(number(b)) })
	case column.Int:
		return map1(x, to, number)
	case column.Long:
		return map1(x, to, func(b bool) int64 { return int64(number(b)) })
	case column.Float:
		return map1(x, to, func(b bool) float32 { return float32(number(b)) })
	case column.Double:
		return map1(x, to, func(b bool) float64 { return float64(number(b)) })
	case column.String:
		return format(x, strconv.AppendBool)
	}
	return nil
}

func castWhole[F whole](x *node, to column.Type, try bool) evalFunc {
	switch to.Kind {
	case column.Bool:
		return map1(x, to, func(v F) bool { return v != 0 })
	case column.Byte:
		return partial1(x, to, try, func(v F) (int8, bool) { return int8(v), int64(int8(v)) == int64(v) }, unfit[F](to))
	case column.Short:
		return partial1(x, to, try, func(v F) (int16, bool) { return int16(v), int64(int16(v)) == int64(v) }, unfit[F](to))
	case column.Int:
		return partial1(x, to, try, func(v F) (int32, bool) { return int32(v), int64(int32(v)) == int64(v) }, unfit[F](to))
	case column.Decimal:
		return wholeToDecimal[F](x, to, try)
	case column.Long:
		return convertAll[F, int64](x, to)
	case column.Float:
		return convertAll[F, float32](x, to)
	case column.Double:
		return convertAll[F, float64](x, to)
	case column.String:
		return format(x, func(dst []byte, v F) []byte { return strconv.AppendInt(dst, int64(v), 10) })
	}
	return nil
}

// castFloat rounds to whole numbers, halves to the even one, as DuckDB does.
func castFloat[F broken](x *node, to column.Type, try bool, bits int) evalFunc {
	switch to.Kind {
	case column.Bool:
		return map1(x, to, func(v F) bool { return v != 0 })
	case column.Decimal:
		return floatToDecimal[F](x, to, try)
	case column.Byte:
		return partial1(x, to, try, func(v F) (int8, bool) {
			f := math.RoundToEven(float64(v))
			return int8(f), f >= math.MinInt8 && f <= math.MaxInt8
		}, unfit[F](to))
	case column.Short:
		return partial1(x, to, try, func(v F) (int16, bool) {
			f := math.RoundToEven(float64(v))
			return int16(f), f >= math.MinInt16 && f <= math.MaxInt16
		}, unfit[F](to))
	case column.Int:
		return partial1(x, to, try, func(v F) (int32, bool) {
			f := math.RoundToEven(float64(v))
			return int32(f), f >= math.MinInt32 && f <= math.MaxInt32
		}, unfit[F](to))
	case column.Long:
		return partial1(x, to, try, func(v F) (int64, bool) {
			f := math.RoundToEven(float64(v))
			return int64(f), f >= math.MinInt64 && f < 1<<63
		}, unfit[F](to))
	case column.Float:
		return partial1(x, to, try, func(v F) (float32, bool) {
			f := float32(v)
			return f, !math.IsInf(float64(f), 0) || math.IsInf(float64(v), 0)
		}, unfit[F](to))
	case column.Double:
		return convertAll[F, float64](x, to)
	case column.String:
		return format(x, func(dst []byte, v F) []byte { return appendDouble(dst, float64(v), bits) })
	}
	return nil
}

func castDate(x *node, to column.Type, try bool) evalFunc {
	switch to.Kind {
	case column.Timestamp, column.TimestampNTZ:
		const most = math.MaxInt64 / microsPerDay
		return partial1(x, to, try, func(days int32) (int64, bool) {
			return int64(days) * microsPerDay, days <= most && days >= -most
		}, func(days int32) string {
			return fmt.Sprintf("CAST: %s does not fit %s", appendDate(nil, int64(days)), to)
		})
	case column.String:
		return format(x, func(dst []byte, days int32) []byte { return appendDate(dst, int64(days)) })
	}
	return nil
}

func castTimestamp(x *node, to column.Type) evalFunc {
	switch to.Kind {
	case column.Date:
		return map1(x, to, func(micros int64) int32 { return int32(dayOf(micros)) })
	case column.Timestamp, column.TimestampNTZ: // a clock without a zone is read as one at UTC
		return map1(x, to, func(micros int64) int64 { return micros })
	case column.String:
		return format(x, appendTimestamp)
	}
	return nil
}

func castText(x *node, to column.Type, try bool) evalFunc {
	switch to.Kind {
	case column.Bool:
		return parseTexts(x, to, try, "CAST", parseBool)
	case column.Byte:
		return parseTexts(x, to, try, "CAST", func(text []byte) (int8, bool) {
			v, ok := parseLong(text)
			return int8(v), ok && int64(int8(v)) == v
		})
	case column.Short:
		return parseTexts(x, to, try, "CAST", func(text []byte) (int16, bool) {
			v, ok := parseLong(text)
			return int16(v), ok && int64(int16(v)) == v
		})
	case column.Decimal:
		return parseTexts(x, to, try, "CAST", parseDecimal(to))
	case column.TimestampNTZ:
		return parseTexts(x, to, try, "CAST", parseClock)
	case column.Int:
		return parseTexts(x, to, try, "CAST", func(text []byte) (int32, bool) {
			v, ok := parseLong(text)
			return int32(v), ok && int64(int32(v)) == v
		})
	case column.Long:
		return parseTexts(x, to, try, "CAST", parseLong)
	case column.Float:
		return parseTexts(x, to, try, "CAST", func(text []byte) (float32, bool) {
			f, ok := parseFloat(text, 32)
			return float32(f), ok
		})
	case column.Double:
		return parseTexts(x, to, try, "CAST", parseDouble)
	case column.Date:
		return parseTexts(x, to, try, "CAST", parseDate)
	case column.Timestamp:
		return parseTexts(x, to, try, "CAST", parseTimestamp)
	case column.Binary:
		return retype(x, to, try)
	}
	return nil
}

// unfit says that a value does not fit a type.
func unfit[F column.Native](to column.Type) func(F) string {
	return func(v F) string { return fmt.Sprintf("CAST: %v does not fit %s", v, to) }
}

// convertAll converts numbers to a type that has room for all of them.
func convertAll[F, T whole | broken](x *node, to column.Type) evalFunc {
	return func(r *run, sel column.Selection) column.Column {
		v := vecOf[F](r, x, sel)
		out := fixed[T](r, to)
		r.strict(&out.Valid, v.nulls())
		for _, i := range r.rows(sel) {
			out.Values[i] = T(v.at(i))
		}
		return out
	}
}

// format makes texts of values.
func format[F column.Native](x *node, f func(dst []byte, v F) []byte) evalFunc {
	return func(r *run, sel column.Selection) column.Column {
		v := vecOf[F](r, x, sel)
		w := r.writer(column.Of(column.String), v.nulls())
		for _, i := range r.rows(sel) {
			if w.begin(i) {
				w.out.Data = f(w.out.Data, v.at(i))
			}
			w.end()
		}
		return w.done()
	}
}

// parseTexts makes values of texts. With try those that can't be read are null, else bad.
func parseTexts[T column.Native](x *node, to column.Type, try bool, what string, f func(text []byte) (T, bool)) evalFunc {
	return func(r *run, sel column.Selection) column.Column {
		v := wordsOf(r, x, sel)
		out := fixed[T](r, to)
		r.strict(&out.Valid, v.nulls())
		for _, i := range r.rows(sel) {
			if out.Valid.Null(int(i)) {
				continue
			}
			y, ok := f(v.at(i))
			out.Values[i] = y
			if !ok {
				out.Valid.SetNull(int(i))
				if !try {
					r.fail(i, fmt.Sprintf("%s: %s is no %s", what, shown(v.at(i)), to))
				}
			}
		}
		return out
	}
}

// retype makes strings of binaries, which must be UTF-8, and binaries of strings.
func retype(x *node, to column.Type, try bool) evalFunc {
	return func(r *run, sel column.Selection) column.Column {
		v := wordsOf(r, x, sel)
		w := r.writer(to, v.nulls())
		for _, i := range r.rows(sel) {
			if w.begin(i) {
				text := v.at(i)
				switch {
				case to.Kind == column.Binary || utf8.Valid(text):
					w.out.Data = append(w.out.Data, text...)
				case try:
					w.valid.SetNull(int(i))
				default:
					w.fail(fmt.Sprintf("CAST: %s is not UTF-8", shown(bytes.ToValidUTF8(text, []byte("\ufffd")))))
				}
			}
			w.end()
		}
		return w.done()
	}
}
