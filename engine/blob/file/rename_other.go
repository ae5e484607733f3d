//go:build !linux

package file

import "errors"

// renameNew would rename unless path is taken; only Linux has a call for that.
func renameNew(temp, path string) error {
	return errors.New("the file system has no hard links, which an atomic put-if-absent needs here: choose a folder on another one")
}
