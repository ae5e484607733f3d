package parquet

import (
	"fmt"
	"strings"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace-io/millrace/engine/column"
)

// describe settles the type of a leaf's values.
func (s *source) describe(e *format.SchemaElement) {
	s.physical, s.length = e.Type.V, int(e.TypeLength.V)
	s.said = strings.ToLower(e.Type.V.String())
	if e.LogicalType.Value != nil {
		s.said += " (" + e.LogicalType.Value.String() + ")"
	} else if e.ConvertedType.Valid {
		s.said += fmt.Sprintf(" (converted type %d)", e.ConvertedType.V)
	}
	if !e.Type.Valid {
		return
	}
	a := annotation(e)
	if d, is := a.(*format.DecimalType); is {
		s.typ = s.decimal(d)
	} else if k := s.kind(a); k != column.Invalid {
		s.typ = column.Of(k)
	}
	if i, is := a.(*format.IntType); is && s.physical == format.Int64 && !i.IsSigned {
		s.unsigned, s.typ = true, column.DecimalOf(20, 0)
	}
}

// decimal is the type of decimals, which four physical types can have.
func (s *source) decimal(d *format.DecimalType) column.Type {
	switch s.physical {
	case format.Int32, format.Int64, format.ByteArray, format.FixedLenByteArray:
		if 0 < d.Precision && d.Precision <= column.MostDigits && 0 <= d.Scale && d.Scale <= d.Precision {
			return column.DecimalOf(int(d.Precision), int(d.Scale))
		}
	}
	return column.Type{}
}

func (s *source) kind(a format.LogicalTypeValue) column.Kind {
	switch s.physical {
	case format.Boolean:
		return column.Bool
	case format.Int32:
		return s.kind32(a)
	case format.Int64:
		return s.kind64(a)
	case format.Int96:
		return column.Timestamp
	case format.Float:
		return column.Float
	case format.Double:
		return column.Double
	case format.ByteArray:
		return kindOfBytes(a)
	case format.FixedLenByteArray:
		if _, is := a.(*format.UUIDType); s.length > 0 && (is || a == nil) {
			return column.Binary
		}
	}
	return column.Invalid
}

func (s *source) kind32(a format.LogicalTypeValue) column.Kind {
	switch a := a.(type) {
	case nil:
		return column.Int
	case *format.DateType:
		return column.Date
	case *format.IntType:
		return s.kindOfInts(a)
	}
	return column.Invalid
}

// kindOfInts is that which holds all numbers of so many bits.
func (s *source) kindOfInts(a *format.IntType) column.Kind {
	s.unsigned = !a.IsSigned
	switch a.BitWidth {
	case 8:
		if s.unsigned {
			return column.Short
		}
		return column.Byte
	case 16:
		if s.unsigned {
			return column.Int
		}
		return column.Short
	}
	if s.unsigned {
		return column.Long
	}
	return column.Int
}

func (s *source) kind64(a format.LogicalTypeValue) column.Kind {
	switch a := a.(type) {
	case nil:
		return column.Long
	case *format.IntType:
		return column.Long
	case *format.TimestampType:
		switch a.Unit.Value.(type) {
		case *format.MilliSeconds:
			s.unit = -1000
		case *format.MicroSeconds:
			s.unit = 1
		case *format.NanoSeconds:
			s.unit = 1000
		default:
			return column.Invalid
		}
		if !a.IsAdjustedToUTC {
			return column.TimestampNTZ
		}
		return column.Timestamp
	}
	return column.Invalid
}

func kindOfBytes(a format.LogicalTypeValue) column.Kind {
	switch a.(type) {
	case nil, *format.BsonType:
		return column.Binary
	case *format.StringType, *format.EnumType, *format.JsonType:
		return column.String
	}
	return column.Invalid
}

// annotation is the logical type of an element, also of one that has only the older converted type.
func annotation(e *format.SchemaElement) format.LogicalTypeValue {
	if e.LogicalType.Value != nil || !e.ConvertedType.Valid {
		return e.LogicalType.Value
	}
	micros := format.TimeUnit{Value: &format.MicroSeconds{}}
	millis := format.TimeUnit{Value: &format.MilliSeconds{}}
	switch c := e.ConvertedType.V; c {
	case deprecated.UTF8, deprecated.Enum, deprecated.Json:
		return &format.StringType{}
	case deprecated.Bson:
		return nil
	case deprecated.Date:
		return &format.DateType{}
	case deprecated.Decimal:
		return &format.DecimalType{Scale: e.Scale.V, Precision: e.Precision.V}
	case deprecated.TimestampMillis:
		return &format.TimestampType{IsAdjustedToUTC: true, Unit: millis}
	case deprecated.TimestampMicros:
		return &format.TimestampType{IsAdjustedToUTC: true, Unit: micros}
	case deprecated.Int8, deprecated.Int16, deprecated.Int32, deprecated.Int64:
		return &format.IntType{BitWidth: 8 << (c - deprecated.Int8), IsSigned: true}
	case deprecated.Uint8, deprecated.Uint16, deprecated.Uint32, deprecated.Uint64:
		return &format.IntType{BitWidth: 8 << (c - deprecated.Uint8)}
	}
	return &format.NullType{} // times and intervals: nothing that the engine has
}
