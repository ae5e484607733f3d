// Package operators lists what a definition can do with rows, and lifts plain Go functions to operators.
//
// Each operator is a package in a folder of its own, with a Config whose Bind checks it against the columns
// that arrive; its Example is its manual:
//
//	clean    makes values of dirty texts
//	derive   computes columns by SQL expressions
//	filter   keeps the rows for which a SQL condition is true
//	dedupe   keeps the first of the rows that are the same
//	window   aggregates rows by spans of event time and by key
//	pick     picks, renames and orders columns; definitions call it select
//
// [Func] and [FuncMany] make an operator of a Go function on structs, for pipelines built in Go.
package operators

import (
	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/operators/clean"
	"github.com/millrace-io/millrace/operators/dedupe"
	"github.com/millrace-io/millrace/operators/derive"
	"github.com/millrace-io/millrace/operators/filter"
	"github.com/millrace-io/millrace/operators/pick"
	"github.com/millrace-io/millrace/operators/window"
)

// Kinds gives each operator's name in a definition with what makes a config that holds its defaults.
func Kinds() map[string]func() engine.Config {
	return map[string]func() engine.Config{
		"clean":  func() engine.Config { return &clean.Config{} },
		"dedupe": func() engine.Config { return dedupe.New() },
		"derive": func() engine.Config { return &derive.Config{} },
		"filter": func() engine.Config { return &filter.Config{} },
		"select": func() engine.Config { return &pick.Config{} },
		"window": func() engine.Config { return window.New() },
	}
}
