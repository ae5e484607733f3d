package aggregate

import (
	"strings"

	"github.com/millrace-io/millrace/engine/column"
)

// A FunctionDoc is what people read about an aggregate.
type FunctionDoc struct {
	Name       string
	Aliases    []string // other names of the same
	Group      string   // number, order, position, set or logic
	Signatures []string // "sum(x number) number"
	Doc        string   // one line: what it gives
	Nulls      string   // what nulls do, and what a group without values gives
	State      string   // what it keeps for a group
	Example    string   // a call over the rows of Sample
	Result     string   // what the example gives, as JSON
}

// Functions describes every aggregate, by group and name as they are listed here.
func Functions() []FunctionDoc {
	var docs []FunctionDoc
	for _, f := range functions() {
		docs = append(docs, f.FunctionDoc)
	}
	return docs
}

// A function is a FunctionDoc with what it does.
type function struct {
	FunctionDoc
	least, most int // arguments
	bind        func(b *binder) (column.Type, func() State)
}

// doc is a FunctionDoc without aliases; signatures are separated by " | ".
func doc(group, signatures, text, nulls, state, example, result string, aliases ...string) FunctionDoc {
	name, _, _ := strings.Cut(signatures, "(")
	return FunctionDoc{name, aliases, group, strings.Split(signatures, " | "), text, nulls, state, example, result}
}

const ignored = "Left out; null where no row has a value."

// functions lists all aggregates. It is made for each call, so that there is no package variable; a definition has few.
func functions() []function {
	return []function{
		{doc("number", "count() long | count(x value) long", "The number of rows, or of rows where x is not null.", "count(x) leaves them out; never null.", "8 bytes", "count(x)", "3"), 0, 1, bindCount},
		{doc("number", "sum(x number) number", "The sum: of whole numbers a long.", ignored, "24 bytes", "sum(x)", "7"), 1, 1, bindSum},
		{doc("order", "min(x value) value", "The least value; NaN is the greatest.", ignored, "the value", "min(x)", "1"), 1, 1, bindExtreme(false)},
		{doc("order", "max(x value) value", "The greatest value; NaN is the greatest.", ignored, "the value", "max(x)", "3"), 1, 1, bindExtreme(true)},
	}
}

// Sample is the rows of the examples: x is 3, 1, null, 3 and name is "b", "a", "c", null, of a minute each from
// 2024-05-06 07:00 on.
func Sample() (column.Schema, []column.Column) {
	schema := column.Schema{{Name: "x", Type: column.Of(column.Int)}, {Name: "name", Type: column.Of(column.String)}}
	x, name := column.New(schema[0].Type).(*column.Ints), column.New(schema[1].Type).(*column.Texts)
	x.Append(3)
	x.Append(1)
	x.AppendNull()
	x.Append(3)
	name.AppendString("b")
	name.AppendString("a")
	name.AppendString("c")
	name.AppendNull()
	return schema, []column.Column{x, name}
}
