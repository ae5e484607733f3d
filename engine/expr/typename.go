package expr

import (
	"fmt"
	"strings"

	"github.com/millrace-io/millrace/engine/column"
)

// mostTypes bounds how deep types nest.
const mostTypes = 32

// typeName reads a type: one of the house's names, or of SQL's. Structs have none here: nothing is cast to one.
func (p *parser) typeName() (column.Type, error) { return p.typeAt(mostTypes) }

func (p *parser) typeAt(depth int) (column.Type, error) {
	t := p.peek()
	if t.kind != wordToken || depth == 0 {
		return column.Type{}, p.unexpected("a type")
	}
	p.take()
	switch name := lower(t.text); name {
	case "decimal", "numeric":
		return p.decimalType(t)
	case "array", "map":
		if err := p.expectSign("<"); err != nil {
			return column.Type{}, err
		}
		inner, err := p.typeAt(depth - 1)
		if err != nil {
			return column.Type{}, err
		}
		if name == "array" {
			return column.ArrayOf(inner), p.expectSign(">")
		}
		if err := p.expectSign(","); err != nil {
			return column.Type{}, err
		}
		value, err := p.typeAt(depth - 1)
		if err != nil {
			return column.Type{}, err
		}
		return column.MapOf(inner, value), p.expectSign(">")
	default:
		return scalarType(t, name)
	}
}

// decimalType reads the (10,2) of a decimal, whose name stands at t.
func (p *parser) decimalType(t token) (column.Type, error) {
	if err := p.expectSign("("); err != nil {
		return column.Type{}, err
	}
	text := "decimal(" + p.take().text
	if p.sign(",") {
		text += "," + p.take().text
	}
	if err := p.expectSign(")"); err != nil {
		return column.Type{}, err
	}
	typ, err := column.ParseType(text + ")")
	if err != nil {
		return typ, &Error{Offset: t.at, Message: err.Error()}
	}
	return typ, nil
}

// scalarType is the type called name, which stands at t.
func scalarType(t token, name string) (column.Type, error) {
	switch name {
	case "tinyint":
		name = "byte"
	case "smallint":
		name = "short"
	case "integer":
		name = "int"
	case "bigint":
		name = "long"
	case "real":
		name = "float"
	case "varchar", "text":
		name = "string"
	case "blob", "varbinary":
		name = "binary"
	case "boolean":
		name = "bool"
	}
	if typ, err := column.ParseType(name); err == nil {
		return typ, nil
	}
	names := append(column.TypeNames(), "decimal", "array", "map")
	return column.Type{}, &Error{Offset: t.at, Message: fmt.Sprintf("no type %q; there are %s", t.text, strings.Join(names, ", ")), Nearest: column.Nearest(name, names)}
}
