package delta

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/millrace-io/millrace/engine/blob"
)

// A logDir is what a list shows of a table's log, from some version on.
type logDir struct {
	entries     []logEntry      // by version
	checkpoints []logCheckpoint // by version; complete ones only
	unknown     string          // a checkpoint of a kind that is not read (v2), if there is one
}

type logEntry struct {
	version int64
	size    int64 // bytes
	millis  int64 // of the last write, since 1970 UTC
}

// A logCheckpoint holds all that the entries up to its version add up to, in one Parquet file or several.
type logCheckpoint struct {
	version int64
	parts   []string // names of objects
}

// listLog lists the log from version from on.
func listLog(ctx context.Context, store blob.Store, from int64) (*logDir, error) {
	l := &logDir{}
	parts := map[[2]int64][]string{} // by version and number of parts
	for info, err := range store.List(ctx, logPrefix, fmt.Sprintf("%s%020d", logPrefix, from)) {
		if err != nil {
			return nil, fmt.Errorf("list the log of %s: %w", store.URL(), err)
		}
		if v, ok := entryVersion(info.Name); ok {
			l.entries = append(l.entries, logEntry{v, info.Size, info.ModifiedMillis})
			continue
		}
		v, part, of, kind := parseCheckpointName(info.Name)
		switch kind {
		case classic:
			l.checkpoints = append(l.checkpoints, logCheckpoint{v, []string{info.Name}})
		case multipart:
			key := [2]int64{v, of}
			if parts[key] = append(parts[key], info.Name); int64(len(parts[key])) == of && part == of {
				l.checkpoints = append(l.checkpoints, logCheckpoint{v, parts[key]})
			}
		case unreadable:
			l.unknown = info.Name
		}
	}
	// A classic checkpoint sorts before one of parts of the same version: the last one of a version is used.
	slices.SortStableFunc(l.checkpoints, func(a, b logCheckpoint) int { return int(a.version - b.version) })
	return l, nil
}

// checkpointKind is what an object of the log is, by its name.
type checkpointKind uint8

const (
	noCheckpoint checkpointKind = iota
	classic                     // %020d.checkpoint.parquet
	multipart                   // %020d.checkpoint.%010d.%010d.parquet: part, number of parts
	unreadable                  // %020d.checkpoint.<uuid>.parquet or .json, of table feature v2Checkpoint
)

// parseCheckpointName takes the name of a checkpoint's object apart (PROTOCOL.md, Checkpoints). part and of
// are of a multipart one, from 1.
func parseCheckpointName(name string) (version, part, of int64, kind checkpointKind) {
	fields := strings.Split(strings.TrimPrefix(name, logPrefix), ".")
	if len(fields) < 3 || fields[1] != "checkpoint" || len(fields[0]) != 20 {
		return 0, 0, 0, noCheckpoint
	}
	version, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil || version < 0 {
		return 0, 0, 0, noCheckpoint
	}
	switch last := fields[len(fields)-1]; {
	case len(fields) == 3 && last == "parquet":
		return version, 1, 1, classic
	case len(fields) == 5 && last == "parquet" && len(fields[2]) == 10 && len(fields[3]) == 10:
		part, partErr := strconv.ParseInt(fields[2], 10, 64)
		of, ofErr := strconv.ParseInt(fields[3], 10, 64)
		if partErr != nil || ofErr != nil || part < 1 || part > of {
			return 0, 0, 0, noCheckpoint
		}
		return version, part, of, multipart
	case len(fields) == 4 && (last == "parquet" || last == "json"):
		return version, 0, 0, unreadable
	}
	return 0, 0, 0, noCheckpoint
}

// checkpointName is the object of a version's classic checkpoint.
func checkpointName(version int64) string {
	return fmt.Sprintf("%s%020d.checkpoint.parquet", logPrefix, version)
}

// newest is the log's newest version; -1: there is none. Entries say it: a checkpoint is made of them, and one
// that is ahead of all is of another log. Only where no entry is left a checkpoint stands for itself.
func (l *logDir) newest() int64 {
	if n := len(l.entries); n > 0 {
		return l.entries[n-1].version
	}
	if n := len(l.checkpoints); n > 0 {
		return l.checkpoints[n-1].version
	}
	return -1
}

// entry is the version's entry as the list shows it.
func (l *logDir) entry(version int64) (logEntry, bool) {
	i, ok := slices.BinarySearchFunc(l.entries, version, func(e logEntry, v int64) int { return int(e.version - v) })
	if !ok {
		return logEntry{}, false
	}
	return l.entries[i], true
}

// errNoLog is what a folder without a log gives.
func errNoLog(store blob.Store) error {
	return fmt.Errorf("%s: %w: it has no log entries in %s", store.URL(), ErrNotTable, logPrefix)
}

// errUnreadable says that a log can't be read because its checkpoints are of a kind that is not known.
func errUnreadable(store blob.Store, name string) error {
	return fmt.Errorf("read %s: the log's checkpoint %s is of table feature v2Checkpoint: %w", store.URL(), strings.TrimPrefix(name, logPrefix), ErrUnsupported)
}

// errMadeAnew: the entries that the state was made from are not there any more.
var errMadeAnew = errors.New("the log was replaced by another since it was read")
