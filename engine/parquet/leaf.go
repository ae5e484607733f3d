package parquet

import (
	"fmt"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace-io/millrace/engine/column"
)

// A leaf is what a file holds of a column: values of one physical type, with levels.
//
// Arrays are written in three levels (LogicalTypes.md, "Lists"), their elements always optional:
//
//	optional group tags (LIST) {
//	  repeated group list {
//	    optional binary element (STRING);
//	  }
//	}
//
// The definition level of an element is then 3, of a null one 2, of an array without elements 1 and of a
// null array 0; all one less where the array is required.
type leaf struct {
	field    column.Field
	values   column.Type // of the values: the elements' type for an array
	physical format.Type
	path     []string
	optional bool
	array    bool
	defined  byte // definition level of a value
}

// definitionWidth is the width in bits of an array's definition levels.
const definitionWidth = 2

// newLeaf describes the column of a field.
func newLeaf(f column.Field) (leaf, error) {
	l := leaf{field: f, values: f.Type, path: []string{f.Name}, optional: !f.Required}
	if l.optional {
		l.defined = 1
	}
	if f.Type.Kind == column.Array {
		l.values, l.array = column.Of(f.Type.Elem), true
		l.path = append(l.path, "list", "element")
		l.defined += 2
	}
	var ok bool
	if l.physical, ok = physicalType(l.values.Kind); !ok {
		return l, fmt.Errorf("column %s: no type %v in a file", f.Name, f.Type)
	}
	return l, nil
}

func physicalType(k column.Kind) (format.Type, bool) {
	switch k {
	case column.Bool:
		return format.Boolean, true
	case column.Int, column.Date:
		return format.Int32, true
	case column.Long, column.Timestamp:
		return format.Int64, true
	case column.Float:
		return format.Float, true
	case column.Double:
		return format.Double, true
	case column.String, column.Binary:
		return format.ByteArray, true
	}
	return 0, false
}

// appendElements appends the column's part of the file's schema, depth first.
func (l *leaf) appendElements(dst []format.SchemaElement) []format.SchemaElement {
	own := format.Required
	if l.optional {
		own = format.Optional
	}
	if !l.array {
		return append(dst, l.valueElement(l.field.Name, own))
	}
	group := format.SchemaElement{
		Name: l.field.Name, RepetitionType: thrift.New(own), NumChildren: thrift.New[int32](1),
		ConvertedType: thrift.New(deprecated.List), LogicalType: format.LogicalType{Value: &format.ListType{}},
	}
	list := format.SchemaElement{Name: "list", RepetitionType: thrift.New(format.Repeated), NumChildren: thrift.New[int32](1)}
	return append(dst, group, list, l.valueElement("element", format.Optional))
}

// valueElement is the part of the schema that has the values. Old readers know converted types only.
func (l *leaf) valueElement(name string, repetition format.FieldRepetitionType) format.SchemaElement {
	e := format.SchemaElement{Name: name, Type: thrift.New(l.physical), RepetitionType: thrift.New(repetition)}
	switch l.values.Kind {
	case column.String:
		e.ConvertedType = thrift.New(deprecated.UTF8)
		e.LogicalType.Value = &format.StringType{}
	case column.Date:
		e.ConvertedType = thrift.New(deprecated.Date)
		e.LogicalType.Value = &format.DateType{}
	case column.Timestamp:
		e.ConvertedType = thrift.New(deprecated.TimestampMicros)
		e.LogicalType.Value = &format.TimestampType{IsAdjustedToUTC: true, Unit: format.TimeUnit{Value: &format.MicroSeconds{}}}
	}
	return e
}
