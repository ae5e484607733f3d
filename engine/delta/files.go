package delta

import (
	"net/url"
	"slices"
	"strings"
)

// files is the data files that are part of a table.
type files struct {
	live map[fileKey]liveFile
	next int64
}

// A fileKey tells logical files apart: a path, and the deletion vector that takes rows out of it.
type fileKey struct {
	path string
	dv   string
}

type liveFile struct {
	*Add
	order int64 // in which it came
}

func (f *files) add(a *Add) {
	f.live[fileKey{canonical(a.Path), a.DeletionVector.id()}] = liveFile{a, f.next}
	f.next++
}

func (f *files) remove(r *Remove) {
	delete(f.live, fileKey{canonical(r.Path), r.DeletionVector.id()})
}

// sorted lists the files in the order in which they were added.
func (f *files) sorted() []*Add {
	live := make([]liveFile, 0, len(f.live))
	for _, l := range f.live {
		live = append(live, l)
	}
	slices.SortFunc(live, func(a, b liveFile) int { return int(a.order - b.order) })
	adds := make([]*Add, len(live))
	for i, l := range live {
		adds[i] = l.Add
	}
	return adds
}

// canonical makes one path of those that mean one file: old writers removed "file:///a%20b" that they had
// added as "/a%20b".
func canonical(path string) string {
	if rest, ok := strings.CutPrefix(path, "file:"); ok && strings.HasPrefix(rest, "/") {
		path = "/" + strings.TrimLeft(rest, "/")
	}
	if name, err := url.PathUnescape(path); err == nil {
		return name
	}
	return path
}

// id is the vector's unique name (PROTOCOL.md, derived fields of a deletion vector).
func (d *deletionVector) id() string {
	if d == nil {
		return ""
	}
	id := d.Storage + d.Path
	if d.Offset != nil {
		id += "@" + string(appendNumber(nil, *d.Offset))
	}
	return id
}
