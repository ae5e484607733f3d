package aggregate

import (
	"math"
	"slices"
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
	distinct    distinctness
	bind        func(b *binder) (column.Type, func() State)
}

// A distinctness says what DISTINCT does to an aggregate.
type distinctness uint8

const (
	refused  distinctness = iota // it is an error
	idle                         // nothing: equal values count once anyway
	wrapped                      // the aggregate has the distinct values only
	bindsOwn                     // bind looks for it
)

// doc is a FunctionDoc without aliases; signatures are separated by " | ".
func doc(group, signatures, text, nulls, state, example, result string, aliases ...string) FunctionDoc {
	name, _, _ := strings.Cut(signatures, "(")
	return FunctionDoc{name, aliases, group, strings.Split(signatures, " | "), text, nulls, state, example, result}
}

const (
	ignored = "Left out; null where no row has a value."
	exactly = "about 70 bytes, more where their sizes differ much"
)

// functions lists all aggregates. It is made for each call, so that there is no package variable; a definition has few.
func functions() []function {
	return slices.Concat(numberFunctions(), quantileFunctions(), orderFunctions(), setFunctions(), logicFunctions())
}

func numberFunctions() []function {
	return []function{
		{doc("number", "count() long | count(x value) long", "The number of rows, or of those where x is not null; with distinct of different values of x, exactly.",
			"count(x) leaves them out; 0 where there is none.", "8 bytes; with distinct 60 and 16 to 40 a value", "count(x)", "3"), 0, 1, bindsOwn, bindCount},
		{doc("number", "sum(x number) number", "The sum: of whole numbers a long, of decimals one of 38 digits, of floats and doubles the double nearest to the exact sum. A long or decimal that does not hold it is an error of the group.",
			ignored, "24 bytes; of decimals 32, of floats and doubles "+exactly, "sum(x)", "7"), 1, 1, wrapped, bindSum},
		{doc("number", "avg(x number) double", "The mean.", ignored, "as sum", "avg(x)", "2.3333333333333335", "mean"), 1, 1, wrapped, bindAvg},
		{doc("number", "stddev(x number) double", "The standard deviation of a sample.", "Left out; null where fewer than two rows have a value.", "twice as sum of doubles", "stddev(x)", "1.1547005383792515", "stddev_samp"), 1, 1, wrapped, bindSpread(1, math.Sqrt)},
		{doc("number", "stddev_pop(x number) double", "The standard deviation of a whole population.", ignored, "as stddev", "stddev_pop(x)", "0.9428090415820634"), 1, 1, wrapped, bindSpread(0, math.Sqrt)},
		{doc("number", "variance(x number) double", "The variance of a sample.", "Left out; null where fewer than two rows have a value.", "as stddev", "variance(x)", "1.3333333333333333", "var_samp"), 1, 1, wrapped, bindSpread(1, itself)},
		{doc("number", "var_pop(x number) double", "The variance of a whole population.", ignored, "as stddev", "var_pop(x)", "0.8888888888888888"), 1, 1, wrapped, bindSpread(0, itself)},
	}
}

func quantileFunctions() []function {
	return []function{
		{doc("number", "median(x number) double", "The value in the middle, or the mean of the two that are: quantile(x, 0.5).", ignored, "all values", "median(x)", "3"), 1, 1, wrapped, bindMedian},
		{doc("number", "quantile(x number, p double) double", "SQL's percentile_cont: the value that the share p of the others does not exceed, interpolated between two. p is a constant from 0 to 1.", ignored, "all values", "quantile(x, 0.25)", "2", "quantile_cont"), 2, 2, wrapped, bindQuantile},
		{doc("number", "approx_quantile(x number, p double) double", "quantile_disc, at most 1 % off the value (DDSketch). The same rows give the same answer, in whatever order.", ignored, "0.5 KiB and 8 bytes a bucket in use: 16 KiB for values of six orders of size", "approx_quantile(x, 0.5)", "2.9742334234767003"), 2, 2, refused, bindSketch},
	}
}

func orderFunctions() []function {
	const earliest = "Of several rows at that time the first by source, partition and offset."
	return []function{
		{doc("order", "min(x value) value", "The least value; NaN is the greatest.", ignored, "the value", "min(x)", "1"), 1, 1, idle, bindExtreme(false)},
		{doc("order", "max(x value) value", "The greatest value; NaN is the greatest.", ignored, "the value", "max(x)", "3"), 1, 1, idle, bindExtreme(true)},
		{doc("order", "quantile_disc(x value, p double) value", "SQL's percentile_disc: the first value such that at least the share p of all does not exceed it. p is a constant from 0 to 1.", ignored, "all values", "quantile_disc(name, 0.5)", `"b"`), 2, 2, wrapped, bindDiscrete},
		{doc("order", "arg_min(x value, y value) value", "x where y is least; of several such rows that which is first by source, partition and offset.", "Rows are left out where x or y is null; null where no row is left.", "both values and 104 bytes", "arg_min(name, x)", `"a"`, "min_by"), 2, 2, refused, bindChampion(false)},
		{doc("order", "arg_max(x value, y value) value", "x where y is greatest; of several such rows that which is first by source, partition and offset.", "Rows are left out where x or y is null; null where no row is left.", "both values and 104 bytes", "arg_max(name, x)", `"b"`, "max_by"), 2, 2, refused, bindChampion(true)},
		{doc("position", "first(x value) value", "x of the row of the earliest event time. "+earliest, "Null where that row has a null, as in SQL, or there is no row.", "the value and 80 bytes", "first(name)", `"b"`), 1, 1, refused, bindEdge(false)},
		{doc("position", "last(x value) value", "x of the row of the latest event time. Of several rows at that time the last by source, partition and offset.", "Null where that row has a null, as in SQL, or there is no row.", "the value and 80 bytes", "last(name)", "null"), 1, 1, refused, bindEdge(true)},
		{doc("position", "array_agg(x value, n long) array", "x of the first n rows by event time, source, partition and offset; with distinct of the first row of each value. n is a constant from 1 to 10,000.", "They are elements; null where there is no row.", "n values and 80 bytes each", "array_agg(x, 3)", "[3,1,null]"), 2, 2, bindsOwn, bindList},
	}
}

func setFunctions() []function {
	return []function{
		{doc("set", "approx_count_distinct(x value) long", "The number of different values of x: exact up to 1,024, then by HyperLogLog with a standard error of 0.8 %. The same rows give the same answer, in whatever order.",
			"Left out; 0 where there is none.", "up to 32 KiB", "approx_count_distinct(x)", "2"), 1, 1, refused, bindRough},
	}
}

func logicFunctions() []function {
	return []function{
		{doc("logic", "bool_and(x bool) bool", "Whether x is true in all rows.", ignored, "1 byte", "bool_and(x > 0)", "true"), 1, 1, idle, bindLogic(false)},
		{doc("logic", "bool_or(x bool) bool", "Whether x is true in any row.", ignored, "1 byte", "bool_or(x > 2)", "true"), 1, 1, idle, bindLogic(true)},
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
