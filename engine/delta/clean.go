package delta

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/millrace-io/millrace/engine/blob"
)

// CleanLog deletes what the log need not keep any more (PROTOCOL.md, Metadata Cleanup): of all that is older
// than delta.logRetentionDuration, counted from the last midnight UTC, what lies before the newest checkpoint
// there. That checkpoint, its entry and what follows stay, so that every version from it on can be read. A
// table with delta.enableExpiredLogCleanup = false is left alone. It gives the number of objects deleted.
func (s *Snapshot) CleanLog(ctx context.Context) (deleted int, err error) {
	keep, err := s.state.properties()
	if err == nil {
		err = s.state.writable()
	}
	if err != nil {
		return 0, fmt.Errorf("clean the log of %s: %w", s.store.URL(), err)
	}
	if !keep.LogCleanup {
		return 0, nil
	}
	l, err := listLog(ctx, s.store, 0)
	if err != nil {
		return 0, err
	}
	first := l.firstKept(time.Now().UTC().Truncate(day).Add(-keep.LogRetention))
	if first <= 0 {
		return 0, nil
	}
	var expired []string
	for info, err := range s.store.List(ctx, logPrefix, "") {
		if err != nil {
			return 0, fmt.Errorf("list the log of %s: %w", s.store.URL(), err)
		}
		if lastVersion(info.Name) < first {
			expired = append(expired, info.Name)
		}
	}
	for _, name := range expired {
		if err := s.store.Delete(ctx, name); err != nil {
			return deleted, fmt.Errorf("clean the log of %s: %w", s.store.URL(), err)
		}
		deleted++
	}
	return deleted, nil
}

// firstKept is the version of the newest checkpoint whose entry is not younger than cutoff, or -1.
func (l *logDir) firstKept(cutoff time.Time) int64 {
	for i := len(l.checkpoints) - 1; i >= 0; i-- {
		c := l.checkpoints[i]
		if e, ok := l.entry(c.version); ok && e.millis <= cutoff.UnixMilli() {
			return c.version
		}
	}
	return -1
}

// forever is the version of what is not deleted by version.
const forever = 1<<63 - 1

// lastVersion is the last version that an object of the log is about: an entry, a checkpoint or a checksum
// begins with it, a compacted entry has it after the first. Of all other objects it is forever.
func lastVersion(name string) int64 {
	fields := strings.Split(strings.TrimPrefix(name, logPrefix), ".")
	last := fields[0]
	switch {
	case len(fields) == 4 && fields[2] == "compacted" && fields[3] == "json":
		last = fields[1]
	case len(fields) == 2 && (fields[1] == "json" || fields[1] == "crc"):
	case len(fields) > 2 && fields[1] == "checkpoint":
	default:
		return forever
	}
	v, err := strconv.ParseInt(last, 10, 64)
	if err != nil || len(last) != 20 || v < 0 {
		return forever
	}
	return v
}

// VersionAt is the newest version whose commit was at or before a time. A commit's time is what its
// commitInfo says, else when its entry was written. It is an error if the oldest version that can be read is
// younger. Where the clocks of writers differ by more than the time between commits, versions near the time
// are equally good answers, and any of them is given.
func VersionAt(ctx context.Context, store blob.Store, at time.Time) (int64, error) {
	l, err := listLog(ctx, store, 0)
	if err != nil {
		return 0, err
	}
	entries := l.readable()
	if len(entries) == 0 {
		return 0, errNoLog(store)
	}
	// Invariant: versions below low were at or before the time, those from high on after it.
	low, high := 0, len(entries)
	for low < high {
		mid := (low + high) / 2
		v, err := readVersion(ctx, store, entries[mid])
		if err != nil {
			return 0, err
		}
		if v.Millis <= at.UnixMilli() {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low == 0 {
		return 0, fmt.Errorf("%s has no version as old as %s: the oldest that can be read, version %d, is younger",
			store.URL(), at.UTC().Format(time.RFC3339), entries[0].version)
	}
	return entries[low-1].version, nil
}

// readable is the entries of the versions that can be read: those from entry 0 on, or from a checkpoint.
func (l *logDir) readable() []logEntry {
	for i, e := range l.entries {
		if e.version == 0 {
			return l.entries
		}
		for _, c := range l.checkpoints {
			if c.version == e.version {
				return l.entries[i:]
			}
		}
	}
	return nil
}
