// Package pipelines holds the definitions that come with the binary, so that "millrace run pinterest" needs
// no file. They are definitions like any other: nothing in the engine knows of them.
package pipelines

import (
	_ "embed"
	"slices"
)

//go:embed pinterest/pinterest.yaml
var pinterest []byte

// A Definition is a definition as it was written.
type Definition struct {
	Name string // what the command line calls it
	File string // where it stands in the project, for messages
	YAML []byte // the caller's own copy
}

// Pinterest cleans and de-duplicates the events of Pinterest posts: topics pin, geo and user into a table
// each. Its variables are BROKERS, USER_ID, LAKE and COMMIT.
func Pinterest() Definition {
	return Definition{Name: "pinterest", File: "pipelines/pinterest/pinterest.yaml", YAML: slices.Clone(pinterest)}
}

// All is every definition, sorted by name.
func All() []Definition { return []Definition{Pinterest()} }

// Lookup finds a definition by its name.
func Lookup(name string) (d Definition, ok bool) {
	for _, d := range All() {
		if d.Name == name {
			return d, true
		}
	}
	return Definition{}, false
}
