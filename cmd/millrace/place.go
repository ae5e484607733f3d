package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/blob/file"
	"github.com/millrace-io/millrace/engine/blob/s3"
)

// A place is where a lake or a table is, as people name it: a path, file:///path, or s3://bucket/prefix with
// options behind a question mark.
type place struct {
	folder string    // absolute; "": a bucket
	bucket s3.Config // where folder is ""
}

func parsePlace(text string) (place, error) {
	switch scheme, _, ok := strings.Cut(text, "://"); {
	case ok && scheme == "s3":
		c, err := s3.ParseURL(text)
		if err != nil {
			return place{}, usageError{err}
		}
		return place{bucket: c}, nil
	case ok && scheme != "file":
		return place{}, usagef("%s: expected a folder, file:///folder or s3://bucket/prefix", text)
	}
	path, err := filepath.Abs(strings.TrimPrefix(text, "file://"))
	if err != nil {
		return place{}, fmt.Errorf("%s: %w", text, err)
	}
	return place{folder: path}, nil
}

// id is the same for all names of one place.
func (p place) id() string {
	if p.folder != "" {
		return p.folder
	}
	return "s3://" + p.bucket.Bucket + "/" + p.bucket.Prefix + " " + p.bucket.Endpoint
}

// open opens the place. Nothing is made, and the network is not asked.
func (p place) open() (blob.Store, error) {
	if p.folder != "" {
		return file.New(p.folder)
	}
	s, err := s3.New(context.Background(), p.bucket)
	if err != nil {
		return nil, usageError{err}
	}
	return s, nil
}

// openLake opens the place of the tables.
func openLake(lake string) (blob.Store, error) {
	p, err := parsePlace(lake)
	if err != nil {
		return nil, fmt.Errorf("lake %w", err)
	}
	return p.open()
}

// openTable opens the place of a table. A folder must be there: looking at a table makes none.
func openTable(url string) (blob.Store, error) {
	p, err := parsePlace(url)
	if err != nil {
		return nil, err
	}
	if p.folder != "" {
		if info, err := os.Stat(p.folder); err != nil || !info.IsDir() {
			return nil, usagef("%s: there is no such folder", url)
		}
	}
	return p.open()
}

// requests counts what was asked of the bucket that a lake is in.
func requests(lake blob.Store) map[string]int64 {
	if s, ok := lake.(*s3.Store); ok {
		return s.Requests()
	}
	return nil
}

// probe finds out whether a lake can be written to as the engine needs it, before anything is claimed.
func probe(ctx context.Context, lake blob.Store) error {
	if s, ok := lake.(*s3.Store); ok {
		return s.Probe(ctx)
	}
	return nil // a folder says with its first write what is wrong
}
