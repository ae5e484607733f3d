// Package pipelines holds the definitions that come with the binary, so that "millrace run pinterest" needs
// no file. They are definitions like any other: nothing in the engine knows of them.
package pipelines

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed pinterest/*.yaml
var files embed.FS

// folder is where files stand in the project.
const folder = "pipelines/"

// A Definition is a definition as it was written.
type Definition struct {
	Name string // what the command line calls it
	File string // where it stands in the project, for messages and for what it includes
	YAML []byte // the caller's own copy
}

// Pinterest cleans and de-duplicates the events of Pinterest posts: topics pin, geo and user into a table
// each. Its variables are BROKERS, USER_ID, LAKE and COMMIT.
func Pinterest() Definition { return definition("pinterest", "pinterest/pinterest.yaml") }

// PinterestStreaming does the same with the events of Kinesis. Its variables are USER_ID, REGION, ENDPOINT, LAKE and COMMIT.
func PinterestStreaming() Definition {
	return definition("pinterest-streaming", "pinterest/streaming.yaml")
}

// All is every definition that the command line knows by name, sorted by name.
func All() []Definition { return []Definition{Pinterest(), PinterestStreaming()} }

// Lookup finds a definition by its name.
func Lookup(name string) (d Definition, ok bool) {
	for _, d := range All() {
		if d.Name == name {
			return d, true
		}
	}
	return Definition{}, false
}

// Read reads a file that a definition includes, by where it stands in the project. No other files are there.
func Read(name string) ([]byte, error) {
	inside, ok := strings.CutPrefix(name, folder)
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return files.ReadFile(inside)
}

func definition(name, file string) Definition {
	yaml, err := Read(folder + file)
	if err != nil {
		panic(fmt.Sprintf("pipelines: %s is not embedded: %v", file, err))
	}
	return Definition{Name: name, File: folder + file, YAML: yaml}
}
