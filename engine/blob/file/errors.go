package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/millrace-io/millrace/engine/blob"
)

// failed says what could not be done to which object and why, with advice where the cause is one that a
// person can remove.
func (s *Store) failed(op, name string, err error) error {
	err = bare(err)
	if advice := s.advice(err); advice != "" {
		return fmt.Errorf("%s %s: %s: %w", op, name, advice, err)
	}
	return fmt.Errorf("%s %s: %w", op, name, err)
}

// bare drops the paths of a failed system call: the object's name says the same and is said once.
func bare(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	if le, ok := errors.AsType[*os.LinkError](err); ok {
		return le.Err
	}
	return err
}

// absent makes ErrNotFound of an error that says so.
func absent(err error) error {
	if missing(err) {
		return blob.ErrNotFound
	}
	return err
}

// missing says whether err means that there is no such file: a part of the path that is a file, or the
// whole of it a folder, is no object of that name either.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.EISDIR)
}

func (s *Store) advice(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return "the disk that holds " + s.root + " is full, free some space and start again, nothing committed is lost"
	case errors.Is(err, syscall.EDQUOT):
		return "the disk quota for " + s.root + " is used up, raise it or free some space and start again, nothing committed is lost"
	case errors.Is(err, syscall.EROFS):
		return "the file system of " + s.root + " is mounted read-only, remount it for writing or choose another folder"
	case errors.Is(err, fs.ErrPermission):
		return "this process may not do that in " + s.root + ", change its owner or mode or choose another folder"
	case errors.Is(err, syscall.ENAMETOOLONG):
		return "the file system takes no name that long"
	}
	return ""
}
