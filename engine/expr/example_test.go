package expr_test

import (
	"fmt"

	"github.com/millrace-io/millrace/engine/column"
	"github.com/millrace-io/millrace/engine/expr"
)

// pins is the schema of the examples, and three rows of it.
func pins() (column.Schema, []column.Column) {
	schema := column.Schema{
		{Name: "title", Type: column.Of(column.String)},
		{Name: "followers", Type: column.Of(column.Long), Required: true},
		{Name: "boards", Type: column.Of(column.Int)},
	}
	title, followers, boards := column.New(schema[0].Type).(*column.Texts), column.New(schema[1].Type).(*column.Longs), column.New(schema[2].Type).(*column.Ints)
	title.AppendString("Lemon cake")
	title.AppendNull()
	title.AppendString("Travel")
	followers.Values = []int64{1200, 30, 7}
	followers.Valid.AppendN(3)
	boards.Append(4)
	boards.Append(0)
	boards.AppendNull()
	return schema, []column.Column{title, followers, boards}
}

// A row without a value is told with its reason; a null is a value.
func ExampleProgram_Eval() {
	schema, columns := pins()
	program, err := expr.Compile("concat_ws(': ', title, CAST(followers // boards AS string))", schema)
	if err != nil {
		fmt.Println(err)
		return
	}
	out, bad := program.Eval(columns, nil, 3, column.NewArena())
	fmt.Println(program.Type(), program.Columns())
	fmt.Println(string(column.AppendJSON(nil, out, 0)), string(column.AppendJSON(nil, out, 2)))
	fmt.Println(bad)
	// Output:
	// string [title followers boards]
	// "Lemon cake: 300" "Travel"
	// [{1 //: division of 30 by zero}]
}

// As in a WHERE clause, null is not true.
func ExampleProgram_Filter() {
	schema, columns := pins()
	program, err := expr.Compile("title LIKE '%cake' OR followers < 10", schema)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(program.Filter(columns, nil, 3, column.NewArena()))
	// Output: [0 2] []
}

// All that is wrong is told at once, with its place.
func ExampleCompile_errors() {
	schema, _ := pins()
	_, err := expr.Compile("lower(titel) = 'cake' AND followers > '1000'", schema)
	for _, e := range err.(expr.Errors) {
		fmt.Println(e)
	}
	// Output:
	// at 6: no column "titel" (did you mean title?)
	// at 38: >: expected long as before, found string
}
