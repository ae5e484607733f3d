package delta

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// files is the data files that are part of a table, and those that were.
type files struct {
	live map[fileKey]liveFile
	gone map[fileKey]*Remove // tombstones: what was removed and not added again
	next int64
}

func newFiles() *files {
	return &files{live: map[fileKey]liveFile{}, gone: map[fileKey]*Remove{}}
}

func (f *files) clone() *files {
	return &files{live: maps.Clone(f.live), gone: maps.Clone(f.gone), next: f.next}
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
	key := fileKey{canonical(a.Path), a.DeletionVector.id()}
	f.live[key] = liveFile{a, f.next}
	f.next++
	delete(f.gone, key)
}

func (f *files) remove(r *Remove) {
	key := fileKey{canonical(r.Path), r.DeletionVector.id()}
	delete(f.live, key)
	f.gone[key] = r
}

// has says whether a file is part of the table.
func (f *files) has(a *Add) bool {
	_, ok := f.live[fileKey{canonical(a.Path), a.DeletionVector.id()}]
	return ok
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
	if !strings.ContainsAny(path, "%:") {
		return path
	}
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
