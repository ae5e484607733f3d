package parquet

import (
	"errors"
	"fmt"
	"math"

	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace-io/millrace/engine/column"
)

// values takes the values of a page, which has entries levels.
func (r *chunkReader) values(body []byte, entries int, e format.Encoding) error {
	n := entries
	if d := r.source.defined; d > 0 {
		n = 0
		for _, level := range r.definition {
			if int(level) == d {
				n++
			}
		}
	}
	if r.entries != nil {
		if err := r.entries.take(r.source, entries, r.repetition, r.definition); err != nil || r.dst == nil {
			return err
		}
		return r.decode(r.dst, body, n, e)
	}
	if n == entries { // no nulls
		return r.decode(r.dst, body, n, e)
	}
	page := column.New(r.dst.Type())
	if err := r.decode(page, body, n, e); err != nil {
		return err
	}
	at := 0
	for _, level := range r.definition {
		if int(level) < r.source.defined {
			r.dst.AppendNull()
			continue
		}
		r.dst.AppendRow(page, at)
		at++
	}
	return nil
}

// oldDictionary is what writers before Parquet 2.0 call RLEDictionary in data pages, and Plain in dictionary
// pages.
//
//lint:ignore SA1019 deprecated for writers; there are files that have it
const oldDictionary = format.PlainDictionary

// decode appends n values to dst.
func (r *chunkReader) decode(dst column.Column, body []byte, n int, e format.Encoding) error {
	if e != format.RLEDictionary && e != oldDictionary {
		return decodeValues(dst, r.source, body, n, e)
	}
	if r.dictionary == nil {
		return errors.New("it is corrupt: a page needs a dictionary and there is none")
	}
	if n == 0 {
		return nil
	}
	if len(body) == 0 {
		return errLevels
	}
	var err error
	if r.indexes, err = decodeHybrid(r.indexes[:0], body[1:], n, int(body[0]), int32(r.dictionary.Len()-1)); err != nil {
		return err
	}
	if err := fitsTexts(dst, r.dictionary, r.indexes); err != nil {
		return err
	}
	dst.AppendRows(r.dictionary, r.indexes, 0)
	return nil
}

// fitsTexts says whether the texts of src that sel selects fit into dst: its offsets have 31 bits.
func fitsTexts(dst, src column.Column, sel column.Selection) error {
	d, ok := dst.(*column.Texts)
	if !ok {
		return nil
	}
	s, size := src.(*column.Texts), len(d.Data)
	for _, i := range sel {
		size += int(s.Offsets[i+1] - s.Offsets[i])
	}
	if size > math.MaxInt32 {
		return errTooLarge
	}
	return nil
}

var errTooLarge = errors.New("a row group with more than 2 GiB of one column can't be read")

// decodeValues appends n values in body to dst, whose type they fit.
func decodeValues(dst column.Column, s *source, body []byte, n int, e format.Encoding) error {
	if n < 0 || n > largestEntries {
		return fmt.Errorf("it is corrupt: a page of %d values", n)
	}
	switch dst := dst.(type) {
	case *column.Bools:
		return decodeBools(dst, body, n, e)
	case *column.Texts:
		return decodeTexts(dst, s, body, n, e)
	case *column.Bytes:
		return decodeSmall(dst, body, n, e)
	case *column.Shorts:
		return decodeSmall(dst, body, n, e)
	case *column.Decimals:
		return decodeDecimals(dst, s, body, n, e)
	case *column.Ints:
		v, err := words32(body, n, e)
		return appendConverted(dst, v, err, func(v uint32) int32 { return int32(v) })
	case *column.Longs:
		return decodeLongs(dst, s, body, n, e)
	case *column.Floats:
		v, err := words32(body, n, e)
		return appendConverted(dst, v, err, math.Float32frombits)
	case *column.Doubles:
		return decodeDoubles(dst, s, body, n, e)
	}
	panic(fmt.Sprintf("parquet: no values of type %v", dst.Type()))
}

// appendConverted appends values as another type holds them.
func appendConverted[D column.Native, S any](dst *column.Fixed[D], values []S, err error, convert func(S) D) error {
	if err != nil {
		return err
	}
	for _, v := range values {
		dst.Values = append(dst.Values, convert(v))
	}
	dst.Valid.AppendN(len(values))
	return nil
}

// decodeSmall takes what can be read as byte or short.
func decodeSmall[T int8 | int16](dst *column.Fixed[T], body []byte, n int, e format.Encoding) error {
	words, err := words32(body, n, e)
	for _, v := range words {
		if int32(T(v)) != int32(v) {
			return fmt.Errorf("the value %d is no %v", int32(v), dst.Type())
		}
	}
	return appendConverted(dst, words, err, func(v uint32) T { return T(v) })
}

// decodeDecimals takes what can be read as decimal: numbers of 32 and 64 bits, or bytes, the highest first.
func decodeDecimals(dst *column.Decimals, s *source, body []byte, n int, e format.Encoding) error {
	var err error
	from := dst.Len()
	switch s.physical {
	case format.Int32:
		var v []uint32
		v, err = words32(body, n, e)
		err = appendConverted(dst, v, err, func(v uint32) column.Int128 { return column.Int128Of(int64(int32(v))) })
	case format.Int64:
		var v []uint64
		v, err = words64(body, n, e)
		err = appendConverted(dst, v, err, func(v uint64) column.Int128 {
			if s.unsigned {
				return column.Int128{Lo: v}
			}
			return column.Int128Of(int64(v))
		})
	default:
		texts := column.New(column.Of(column.Binary)).(*column.Texts)
		if err = decodeTexts(texts, s, body, n, e); err != nil {
			return err
		}
		for i := range n {
			v, ok := column.Int128FromBigEndian(texts.At(i))
			if !ok {
				return fmt.Errorf("the value 0x%x is no %v", texts.At(i), dst.Type())
			}
			dst.Append(v)
		}
	}
	for _, v := range dst.Values[from:] {
		if !v.Digits(dst.Type().Precision()) {
			return fmt.Errorf("the value %s is no %v", v.AppendDecimal(nil, dst.Type().Scale()), dst.Type())
		}
	}
	return err
}

func decodeBools(dst *column.Bools, body []byte, n int, e format.Encoding) error {
	var set []int32
	var err error
	switch e {
	case format.Plain:
		if len(body)*8 < n {
			return errShort
		}
		set = unpack(nil, body, n, 1)
	case format.RLE:
		set, _, err = sizedLevels(nil, body, n, 1, format.RLE)
	default:
		err = errEncoding(e)
	}
	return appendConverted(dst, set, err, func(v int32) bool { return v != 0 })
}

var errShort = errors.New("it is corrupt: a page has fewer values than it says")

func errEncoding(e format.Encoding) error { return fmt.Errorf("values encoded as %v can't be read", e) }

// decodeLongs takes what can be read as long or timestamp.
func decodeLongs(dst *column.Longs, s *source, body []byte, n int, e format.Encoding) error {
	switch s.physical {
	case format.Int96:
		v, err := words96(body, n, e)
		return appendConverted(dst, v, err, func(t [12]byte) int64 { return int96Micros(t) })
	case format.Int32:
		v, err := words32(body, n, e)
		if s.unsigned {
			return appendConverted(dst, v, err, func(v uint32) int64 { return int64(v) })
		}
		return appendConverted(dst, v, err, func(v uint32) int64 { return int64(int32(v)) })
	}
	v, err := words64(body, n, e)
	switch {
	case s.unit > 1:
		return appendConverted(dst, v, err, func(v uint64) int64 { return floorDiv(int64(v), s.unit) })
	case s.unit < -1:
		return appendConverted(dst, v, err, func(v uint64) int64 { return int64(v) * -s.unit })
	}
	return appendConverted(dst, v, err, func(v uint64) int64 { return int64(v) })
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// decodeDoubles takes what can be read as double.
func decodeDoubles(dst *column.Doubles, s *source, body []byte, n int, e format.Encoding) error {
	switch s.physical {
	case format.Int32:
		v, err := words32(body, n, e)
		return appendConverted(dst, v, err, func(v uint32) float64 { return float64(int32(v)) })
	case format.Float:
		v, err := words32(body, n, e)
		return appendConverted(dst, v, err, func(v uint32) float64 { return float64(math.Float32frombits(v)) })
	}
	v, err := words64(body, n, e)
	return appendConverted(dst, v, err, math.Float64frombits)
}
