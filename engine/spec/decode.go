package spec

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/millrace-io/millrace/engine/column"
)

// An Unmarshaler is a config, or a part of one, that reads its own node. Its errors may be those of Decode
// and Errorf, engine.Faults with paths from n, or plain ones, which get n's place.
type Unmarshaler interface {
	UnmarshalNode(n Node) error
}

// Decode fills what into points to. What the node does not mention stays as it is, so defaults are set
// before. It reports all that is wrong as Errors.
//
//   - A struct takes a map. A field is named by its tag `yaml:"name"`, must be there with
//     `yaml:"name,required"`, and is left alone without a tag; fields of an embedded struct count as the
//     outer one's. A key that no field has is an error. `enum:"a|b"` lists the texts a string may have.
//   - A slice takes a list, and with `yaml:"name,scalar"` a single value too.
//   - A Map takes a map and keeps its order.
//   - bool, integers, floats and strings take a scalar; quotes make no difference.
//   - time.Duration and Bytes take a number with a unit.
//   - column.Type takes a type's name, column.Schema a map of names to types, with "!" for required.
//   - A pointer is nil for nothing, else what it points to. A Node is taken as it is.
//   - An Unmarshaler reads the node itself.
//
// It panics where into holds another type.
func (n Node) Decode(into any) error {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		panic(fmt.Sprintf("spec: Decode into %T", into))
	}
	d := decoder{}
	d.value(n, v.Elem(), field{})
	return d.errs.orNil()
}

// A decoder gathers what is wrong.
type decoder struct{ errs Errors }

func (d *decoder) add(n Node, err error) { d.errs = d.errs.flatten(n, err) }

func (d *decoder) errorf(n Node, format string, args ...any) {
	if n.t != nil && n.t.broken {
		return
	}
	d.errs = append(d.errs, n.errorAt(0, fmt.Sprintf(format, args...), ""))
}

// entry decodes a value of a Map.
func (d *decoder) entry(n Node, into any, enum string) {
	v := reflect.ValueOf(into).Elem()
	if n.Kind() == Null && (v.Kind() == reflect.String || v.Kind() == reflect.Pointer) {
		return
	}
	d.value(n, v, field{enum: enum})
}

func (d *decoder) value(n Node, v reflect.Value, f field) {
	if m, ok := v.Addr().Interface().(interface{ decode(Node, string) error }); ok {
		d.add(n, m.decode(n, f.enum))
		return
	}
	if u, ok := v.Addr().Interface().(Unmarshaler); ok {
		d.add(n, u.UnmarshalNode(n))
		return
	}
	switch into := v.Addr().Interface().(type) {
	case *Node:
		*into = n
	case *time.Duration:
		scalar(d, n, into, "a duration such as 30s, 5m or 7d", ParseDuration)
	case *Bytes:
		scalar(d, n, into, "a size such as 64KiB, 128MiB or 1GB", ParseBytes)
	case *column.Type:
		scalar(d, n, into, "a type", parseType)
	case *column.Schema:
		d.schema(n, into)
	default:
		d.byKind(n, v, f)
	}
}

func (d *decoder) byKind(n Node, v reflect.Value, f field) {
	switch v.Kind() {
	case reflect.Pointer:
		if n.Kind() == Null {
			v.SetZero()
			return
		}
		p := reflect.New(v.Type().Elem())
		d.value(n, p.Elem(), f)
		v.Set(p)
	case reflect.Struct:
		d.structure(n, v, nil)
	case reflect.Slice:
		d.slice(n, v, f)
	case reflect.String:
		d.text(n, v, f)
	case reflect.Bool:
		b := false
		scalar(d, n, &b, "true or false", parseBool)
		v.SetBool(b)
	default:
		d.number(n, v)
	}
}

// scalar parses a scalar's text; into keeps its value where there is an error.
func scalar[T any](d *decoder, n Node, into *T, expected string, parse func(string) (T, error)) {
	if n.Kind() != Scalar {
		d.errorf(n, "expected %s, found %s", expected, n.describe())
		return
	}
	value, err := parse(n.Text())
	if err == nil {
		*into = value
		return
	}
	if n.t.broken {
		return
	}
	var p *parseError
	if !errors.As(err, &p) {
		p = &parseError{message: err.Error()}
	}
	if !n.t.outside() {
		p.message += p.hint
	}
	d.errs = append(d.errs, n.errorAt(0, p.message, p.nearest))
}

// A parseError is a parser's error that knows what may have been meant. The hint shows the value in ways
// that would give away one that came from outside.
type parseError struct{ message, hint, nearest string }

// Error is the message and the hint.
func (e *parseError) Error() string { return e.message + e.hint }

func parseBool(s string) (bool, error) {
	switch s {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fmt.Errorf("expected true or false, found %q", s)
}

func parseType(s string) (column.Type, error) {
	t, err := column.ParseType(s)
	if err == nil {
		return t, nil
	}
	names := append(column.TypeNames(), "decimal", "array", "map", "struct")
	elem, array := strings.CutPrefix(s, "array<")
	elem = strings.TrimSuffix(elem, ">")
	near := cmp.Or(otherNames()[strings.ToLower(elem)], column.Nearest(elem, column.TypeNames()))
	if array && near != "" {
		near = "array<" + near + ">"
	}
	message := fmt.Sprintf("no type %q: types are %s, decimal(10,2), and array<…>, map<…, …> and struct<name: …> of these", s, strings.Join(column.TypeNames(), ", "))
	return t, &parseError{message: message, hint: typeHint(s, near, names, err), nearest: near}
}

// typeHint says what is wrong within a type that has parts.
func typeHint(s, near string, names []string, err error) string {
	word := strings.TrimSpace(s[:max(0, strings.IndexAny(s+"<", "<("))])
	switch {
	case near != "" || !slices.Contains(names, word):
		return ""
	case strings.Count(s, "<") > strings.Count(s, ">") || strings.Count(s, "(") > strings.Count(s, ")"):
		return ". In {…} and […] YAML cuts it at a comma: put it in quotes"
	}
	return ". Here " + cmp.Or(errors.Unwrap(err), err).Error()
}

// otherNames are what other systems call the types.
func otherNames() map[string]string {
	return map[string]string{
		"integer": "int", "int32": "int", "bigint": "long", "int64": "long", "real": "float", "float32": "float", "float64": "double", "number": "double",
		"tinyint": "byte", "int8": "byte", "smallint": "short", "int16": "short", "text": "string", "varchar": "string", "boolean": "bool", "bytes": "binary", "blob": "binary", "datetime": "timestamp",
	}
}

func (d *decoder) schema(n Node, into *column.Schema) {
	if n.Kind() != Mapping || len(n.Pairs()) == 0 {
		d.errorf(n, "expected a map of columns' names and types, such as {id: long!, title: string}, found %s", n.describe())
		return
	}
	before := len(d.errs)
	*into = (*into)[:0]
	for _, p := range n.Pairs() {
		f := column.Field{Name: p.Key.Text()}
		if f.Name == "" {
			d.errorf(p.Key, "a column needs a name")
		}
		scalar(d, p.Value, &f.Type, "a type", func(s string) (column.Type, error) {
			s, f.Required = strings.CutSuffix(s, "!")
			return parseType(s)
		})
		*into = append(*into, f)
	}
	if len(d.errs) > before || broken(n) {
		*into = nil // half a schema would lead to errors that are none
	}
}

func (d *decoder) slice(n Node, v reflect.Value, f field) {
	items := n.Items()
	switch {
	case n.Kind() == Scalar && f.scalar:
		items = []Node{n}
	case n.Kind() == Scalar:
		d.errorf(n, "expected a list, found %s: write [%s]", n.describe(), n.t.shown())
		return
	case n.Kind() != List:
		d.errorf(n, "expected a list, found %s", n.describe())
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	for i, item := range items {
		d.value(item, v.Index(i), f)
	}
}

func (d *decoder) text(n Node, v reflect.Value, f field) {
	switch n.Kind() {
	case Scalar:
	case Null:
		d.errorf(n, `expected a text, found nothing; an empty text is "", the word null is "null"`)
		return
	default:
		d.errorf(n, "expected a text, found %s", n.describe())
		return
	}
	if f.enum != "" {
		names := strings.Split(f.enum, "|")
		if !slices.Contains(names, n.Text()) && !n.t.broken {
			d.errs = append(d.errs, n.errorAt(0, fmt.Sprintf("expected %s, found %s", alternatives(names), n.describe()), column.Nearest(n.Text(), names)))
			return
		}
	}
	v.SetString(n.Text())
}

func (d *decoder) number(n Node, v reflect.Value) {
	switch {
	case v.CanInt():
		i := v.Int()
		scalar(d, n, &i, "a whole number", func(s string) (int64, error) { return parseInt(s, v.Type().Bits()) })
		v.SetInt(i)
	case v.CanUint():
		u := v.Uint()
		scalar(d, n, &u, "a whole number that is not negative", func(s string) (uint64, error) {
			u, err := strconv.ParseUint(s, 10, v.Type().Bits())
			if err != nil {
				return 0, fmt.Errorf("expected a whole number that is not negative%s, found %q", limit(err), s)
			}
			return u, nil
		})
		v.SetUint(u)
	case v.CanFloat():
		x := v.Float()
		scalar(d, n, &x, "a number", func(s string) (float64, error) {
			x, err := strconv.ParseFloat(s, v.Type().Bits())
			if err != nil || x-x != 0 { // infinities and NaN have no place in a definition
				return 0, fmt.Errorf("expected a number, found %q", s)
			}
			return x, nil
		})
		v.SetFloat(x)
	default:
		panic(fmt.Sprintf("spec: Decode can't fill a %s", v.Type()))
	}
}

func parseInt(s string, bits int) (int64, error) {
	i, err := strconv.ParseInt(s, 10, bits)
	if err != nil {
		return 0, fmt.Errorf("expected a whole number%s, found %q", limit(err), s)
	}
	return i, nil
}

func limit(err error) string {
	if errors.Is(err, strconv.ErrRange) {
		return " that is not so large"
	}
	return ""
}

func alternatives(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}
