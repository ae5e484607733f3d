package parquet

import (
	"fmt"
	"strings"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"github.com/millrace-io/millrace/engine/column"
)

// A leaf is what a file holds of a column, or of a part of it that has values: values of one physical type,
// with levels (Dremel's; docs: parquet-format, "Nested Encoding").
//
// Arrays and maps are written in three levels (LogicalTypes.md, "Lists" and "Maps"), elements and values
// always optional:
//
//	optional group tags (LIST) {          optional group prices (MAP) {
//	  repeated group list {                 repeated group key_value {
//	    optional binary element (STRING);     required binary key (STRING);
//	  }                                       optional int32 value (DECIMAL(9,2));
//	}                                       }
//	                                      }
//
// The definition level of an element is then 3, of a null one 2, of an array without elements 1 and of a
// null array 0; all one less where the array is required. Structs are groups.
type leaf struct {
	column   int // of the file's columns
	path     []string
	steps    []step      // from the column to the values; none: the column has them
	values   column.Type // as rows have them
	stored   column.Type // as pages take them, see narrow
	physical format.Type
	optional bool // a value may be null where what it is in is not
	lists    byte // arrays and maps on the way: the greatest repetition level
	defined  byte // definition level of a value
	present  byte // definition level of the outermost array or map if it is not null; without one, of a value
	lead     bool // it is the first of what statistics take for one column: Stats has no parts of arrays
}

// A step leads from a column into a struct's field or the elements of an array.
type step struct {
	field    int  // of Structs
	optional bool // the column it leads from may be null
}

// nested says whether the column has parts, so that levels say more than null or not.
func (l *leaf) nested() bool { return len(l.steps) > 0 }

func (l *leaf) name() string { return strings.Join(l.path, ".") }

// A layout is the leaves of a file, in order, and its schema without the root, depth first.
type layout struct {
	leaves   []leaf
	elements []format.SchemaElement
}

// layOut describes the file of a schema.
func layOut(schema column.Schema) (layout, error) {
	var l layout
	for i, f := range schema {
		if err := l.add(leaf{column: i, lead: true}, f.Name, f.Type, !f.Required); err != nil {
			return l, fmt.Errorf("column %s: %w", f.Name, err)
		}
	}
	return l, nil
}

// add adds what is at the way to it: a value or a group of parts. name is that in the file.
func (l *layout) add(at leaf, name string, t column.Type, optional bool) error {
	at.path = append(at.path[:len(at.path):len(at.path)], name)
	switch t.Kind {
	case column.Struct:
		fields := t.Fields()
		l.group(name, repetition(optional), len(fields), 0, nil)
		for i, f := range fields {
			if err := l.add(at.into(i, optional), f.Name, f.Type, !f.Required); err != nil {
				return fmt.Errorf("%s: %w", f.Name, err)
			}
		}
		return nil
	case column.Array:
		l.group(name, repetition(optional), 1, deprecated.List, &format.ListType{})
		l.group("list", format.Repeated, 1, 0, nil)
		return l.add(at.intoList(optional, "list"), "element", t.Elem(), true)
	case column.Map:
		l.group(name, repetition(optional), 1, deprecated.Map, &format.MapType{})
		l.group("key_value", format.Repeated, 2, 0, nil)
		pair, entry := t.Fields(), at.intoList(optional, "key_value")
		if err := l.add(entry.into(0, false), "key", pair[0].Type, false); err != nil {
			return err
		}
		return l.add(entry.into(1, false), "value", pair[1].Type, true)
	}
	return l.addValues(at, name, t, optional)
}

// into leads on into a field of a struct.
func (l leaf) into(field int, optional bool) leaf {
	l.steps = append(l.steps[:len(l.steps):len(l.steps)], step{field, optional})
	l.lead = l.lead && (l.lists == 0 || field == 0)
	if optional {
		l.defined++
	}
	return l
}

// intoList leads on into the elements of an array or the pairs of a map.
func (l leaf) intoList(optional bool, group string) leaf {
	l = l.into(0, optional)
	l.path = append(l.path, group)
	if l.lists == 0 {
		l.present = l.defined
	}
	l.lists++
	l.defined++
	return l
}

// addValues adds a leaf.
func (l *layout) addValues(at leaf, name string, t column.Type, optional bool) error {
	at.values, at.stored, at.optional = t, narrow(t), optional
	if optional {
		at.defined++
	}
	if at.lists == 0 {
		at.present = at.defined
	}
	var ok bool
	if at.physical, ok = physicalType(at.stored.Kind); !ok {
		return fmt.Errorf("no type %v in a file", t)
	}
	l.leaves = append(l.leaves, at)
	l.elements = append(l.elements, at.element(name))
	return nil
}

func repetition(optional bool) format.FieldRepetitionType {
	if optional {
		return format.Optional
	}
	return format.Required
}

// group adds a group of children. Old readers know converted types only.
func (l *layout) group(name string, r format.FieldRepetitionType, children int, old deprecated.ConvertedType, is format.LogicalTypeValue) {
	e := format.SchemaElement{Name: name, RepetitionType: thrift.New(r), NumChildren: thrift.New(int32(children))}
	if is != nil {
		e.ConvertedType, e.LogicalType.Value = thrift.New(old), is
	}
	l.elements = append(l.elements, e)
}

func physicalType(k column.Kind) (format.Type, bool) {
	switch k {
	case column.Bool:
		return format.Boolean, true
	case column.Int, column.Date:
		return format.Int32, true
	case column.Long, column.Timestamp, column.TimestampNTZ:
		return format.Int64, true
	case column.Float:
		return format.Float, true
	case column.Double:
		return format.Double, true
	case column.String, column.Binary:
		return format.ByteArray, true
	case column.Decimal:
		return format.FixedLenByteArray, true
	}
	return 0, false
}

// element is the part of the schema that has the values.
func (l *leaf) element(name string) format.SchemaElement {
	e := format.SchemaElement{Name: name, Type: thrift.New(l.physical), RepetitionType: thrift.New(repetition(l.optional))}
	annotate := func(old deprecated.ConvertedType, is format.LogicalTypeValue) {
		e.ConvertedType, e.LogicalType.Value = thrift.New(old), is
	}
	switch t := l.values; t.Kind {
	case column.Byte:
		annotate(deprecated.Int8, &format.IntType{BitWidth: 8, IsSigned: true})
	case column.Short:
		annotate(deprecated.Int16, &format.IntType{BitWidth: 16, IsSigned: true})
	case column.String:
		annotate(deprecated.UTF8, &format.StringType{})
	case column.Date:
		annotate(deprecated.Date, &format.DateType{})
	case column.Timestamp:
		annotate(deprecated.TimestampMicros, &format.TimestampType{IsAdjustedToUTC: true, Unit: format.TimeUnit{Value: &format.MicroSeconds{}}})
	case column.TimestampNTZ: // the converted type means UTC
		e.LogicalType.Value = &format.TimestampType{Unit: format.TimeUnit{Value: &format.MicroSeconds{}}}
	case column.Decimal:
		scale, precision := int32(t.Scale()), int32(t.Precision())
		annotate(deprecated.Decimal, &format.DecimalType{Scale: scale, Precision: precision})
		e.Scale, e.Precision = thrift.New(scale), thrift.New(precision)
		if l.physical == format.FixedLenByteArray {
			e.TypeLength = thrift.New(int32(column.DecimalSize(t.Precision())))
		}
	}
	return e
}
