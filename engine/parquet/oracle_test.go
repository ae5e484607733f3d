package parquet

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	pq "github.com/parquet-go/parquet-go"

	"github.com/millrace-io/millrace/engine/column"
)

// A shredded row is what it has of each leaf, as "name: repetition/definition value …", made in the plainest way.
type shredder map[string][]string

// shredRow shreds a row as the writer should.
func shredRow(schema column.Schema, cols []column.Column, row int) string {
	s, names := shredder{}, []string{}
	for i, f := range schema {
		names = leafNames(names, f.Name, f.Type)
		s.shred(f.Name, f.Type, cols[i], row, !f.Required, 0, 0, 0)
	}
	return s.line(names)
}

func (s shredder) line(names []string) string {
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintln(&b, name+":", strings.Join(s[name], " "))
	}
	return b.String()
}

func leafNames(names []string, name string, t column.Type) []string {
	switch t.Kind {
	case column.Struct:
		for _, f := range t.Fields() {
			names = leafNames(names, name+"."+f.Name, f.Type)
		}
		return names
	case column.Array:
		return leafNames(names, name+".list.element", t.Elem())
	case column.Map:
		return leafNames(names, name+".key_value", t.Elem())
	}
	return append(names, name)
}

// shred shreds a value; a nil column is something that is missing because what it is in is.
func (s shredder) shred(name string, t column.Type, c column.Column, row int, optional bool, rep, def, lists int) {
	missing := c == nil || c.Nulls().Null(row)
	if optional && !missing {
		def++
	}
	switch t.Kind {
	case column.Struct:
		for i, f := range t.Fields() {
			var part column.Column
			if !missing {
				part = c.(*column.Structs).Fields[i]
			}
			s.shred(name+"."+f.Name, f.Type, part, row, !f.Required, rep, def, lists)
		}
	case column.Array, column.Map:
		inner, null := name+".list.element", true
		if t.Kind == column.Map {
			inner, null = name+".key_value", false
		}
		if missing || c.(*column.List).Offsets[row] == c.(*column.List).Offsets[row+1] {
			s.shred(inner, t.Elem(), nil, 0, null, rep, def, lists)
			return
		}
		l := c.(*column.List)
		for i := l.Offsets[row]; i < l.Offsets[row+1]; i++ {
			s.shred(inner, t.Elem(), l.Elem, int(i), null, rep, def+1, lists+1)
			rep = lists + 1
		}
	default:
		value := "null"
		if !missing {
			value = string(column.AppendJSON(nil, c, row))
		}
		s[name] = append(s[name], fmt.Sprintf("%d/%d %s", rep, def, value))
	}
}

// readOracle gives the rows of a file shredded, as parquet-go reads them.
func readOracle(t fataler, file []byte, schema column.Schema) []string {
	t.Helper()
	f, err := pq.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatalf("%v", err)
	}
	var names []string
	for _, f := range schema {
		names = leafNames(names, f.Name, f.Type)
	}
	types := leafTypes(schema)
	var rows []string
	for _, g := range f.RowGroups() {
		r := g.Rows()
		buf := make([]pq.Row, 100)
		for {
			n, err := r.ReadRows(buf)
			for _, row := range buf[:n] {
				s := shredder{}
				for _, v := range row {
					i := v.Column()
					s[names[i]] = append(s[names[i]], fmt.Sprintf("%d/%d %s", v.RepetitionLevel(), v.DefinitionLevel(), oracleValue(types[i], v)))
				}
				rows = append(rows, s.line(names))
			}
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%v", err)
			}
		}
		r.Close()
	}
	return rows
}

func leafTypes(schema column.Schema) []column.Type {
	var types []column.Type
	for _, f := range schema {
		switch f.Type.Kind {
		case column.Struct:
			types = append(types, leafTypes(f.Type.Fields())...)
		case column.Array, column.Map:
			types = append(types, leafTypes(column.Schema{{Type: f.Type.Elem()}})...)
		default:
			types = append(types, f.Type)
		}
	}
	return types
}

// oracleValue is a value of parquet-go as JSON.
func oracleValue(t column.Type, v pq.Value) string {
	c := column.New(t)
	switch c := c.(type) {
	case *column.Bools:
		c.Append(v.Boolean())
	case *column.Bytes:
		c.Append(int8(v.Int32()))
	case *column.Shorts:
		c.Append(int16(v.Int32()))
	case *column.Ints:
		c.Append(v.Int32())
	case *column.Longs:
		c.Append(v.Int64())
	case *column.Floats:
		c.Append(v.Float())
	case *column.Doubles:
		c.Append(v.Double())
	case *column.Texts:
		c.Append(v.ByteArray())
	case *column.Decimals:
		d := column.Int128{}
		switch v.Kind() {
		case pq.Int32:
			d = column.Int128Of(int64(v.Int32()))
		case pq.Int64:
			d = column.Int128Of(v.Int64())
		case pq.FixedLenByteArray:
			d, _ = column.Int128FromBigEndian(v.ByteArray())
		}
		c.Append(d)
	}
	if v.IsNull() {
		return "null"
	}
	return string(column.AppendJSON(nil, c, 0))
}
