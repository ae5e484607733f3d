// Package spec reads pipeline definitions: YAML in, a checked and bound plan out, every value with its
// place.
//
// [Load] is the way in. It does four things, and reports everything that is wrong at once, sorted by place:
//
//  1. parse: the YAML becomes a tree of [Node]s. ${VAR} and ${VAR:-default} are replaced here, and the
//     sections of files that it includes are put beside its own. Anchors, aliases, tags, duplicate keys and
//     a second document are errors.
//  2. decode: nodes fill plain structs by their `yaml:"name"` tags ([Node.Decode]). Keys that no field has
//     are errors, durations and sizes need a unit.
//  3. bind: streams are put in order, and every step is bound to the columns that reach it
//     (engine.Config.Bind). What Bind finds wrong, down to an offset in an expression, is mapped to its
//     place in the file.
//  4. check: what only shows between parts, such as two tables with one path.
//
// The package knows no operator, source or format by name: they are passed in as [Kinds]. A config is a
// struct like this one:
//
//	type Config struct {
//		By     []string      `yaml:"by,required" doc:"columns that make a row the same as another"`
//		Within time.Duration `yaml:"within,required" doc:"how far apart two rows of a key may be"`
//		Order  string        `yaml:"order" enum:"arrival"`
//	}
//
// From the same structs [JSONSchema] describes the format to editors.
//
// An error never shows a value that came from the environment or the command line: it shows the variable's
// name. Values under keys that hold secrets (password, token, …) are not shown wherever they came from.
package spec
