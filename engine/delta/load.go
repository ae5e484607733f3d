package delta

import (
	"context"
	"errors"
	"fmt"

	"github.com/millrace-io/millrace/engine/blob"
)

// advance moves the state on to a version, Latest for the newest. A state that is before the first entry
// begins at the newest checkpoint of the log that is not behind the version, or at entry 0.
func (s *state) advance(ctx context.Context, store blob.Store, upto int64) error {
	l, err := s.list(ctx, store, upto)
	if err != nil {
		return err
	}
	last := l.newest()
	switch {
	case last < 0 && l.unknown != "":
		return errUnreadable(store, l.unknown)
	case last < 0:
		return errNoLog(store)
	case upto == Latest:
		upto = last
	case upto > last:
		return fmt.Errorf("read %s: there is no version %d, the newest is %d", store.URL(), upto, last)
	}
	if s.version < 0 {
		if err := s.begin(ctx, store, l, upto); err != nil {
			return err
		}
	}
	if err := s.read(ctx, store, upto, last); err != nil {
		return err
	}
	if e, ok := l.entry(s.version); ok {
		s.size = e.size
	}
	return nil
}

// list lists as much of the log as is needed to go on from the state to upto. A state that has a version
// begins with its own entry, which must be the one that was read.
func (s *state) list(ctx context.Context, store blob.Store, upto int64) (*logDir, error) {
	if s.version >= 0 {
		l, err := listLog(ctx, store, s.version)
		if err != nil {
			return nil, err
		}
		if e, ok := l.entry(s.version); !ok || s.size >= 0 && e.size != s.size {
			return nil, fmt.Errorf("read %s: version %d: %w", store.URL(), s.version, errMadeAnew)
		}
		return l, nil
	}
	hint, err := readHint(ctx, store)
	if err != nil {
		return nil, err
	}
	if hint > 0 && (upto == Latest || upto >= hint) {
		l, err := listLog(ctx, store, hint)
		if err != nil || len(l.entries) > 0 && len(l.checkpoints) > 0 && l.checkpoints[0].version == hint {
			return l, err
		}
	}
	return listLog(ctx, store, 0)
}

// begin moves the state from before the first entry to a checkpoint, the newest that is not behind upto and
// can be read. Where there is none it stays: entry 0 is the next.
func (s *state) begin(ctx context.Context, store blob.Store, l *logDir, upto int64) error {
	var broken error
	for i := len(l.checkpoints) - 1; i >= 0; i-- {
		c := l.checkpoints[i]
		if c.version > upto {
			continue
		}
		begun := newState(s.files != nil)
		err := begun.readCheckpoint(ctx, store, c)
		if err == nil {
			*s = *begun
			s.base = c.version
			return nil
		}
		if !errors.Is(err, errBroken) {
			return fmt.Errorf("read %s: %w", store.URL(), err)
		}
		broken = errors.Join(broken, err)
	}
	if broken != nil && (len(l.entries) == 0 || l.entries[0].version > 0) { // what is older was not listed, perhaps
		older, err := listLog(ctx, store, 0)
		if err != nil {
			return err
		}
		if len(older.checkpoints) > len(l.checkpoints) || len(older.entries) > len(l.entries) {
			return s.begin(ctx, store, older, upto)
		}
	}
	return s.beginAtEntry0(store, l, upto, broken)
}

// beginAtEntry0 says why the log can't be read from entry 0 on.
func (s *state) beginAtEntry0(store blob.Store, l *logDir, upto int64, broken error) error {
	switch {
	case len(l.entries) > 0 && l.entries[0].version == 0:
		return nil
	case broken != nil:
		return fmt.Errorf("read %s: version %d needs a checkpoint, older entries of the log are gone: %w", store.URL(), upto, broken)
	case l.unknown != "":
		return errUnreadable(store, l.unknown)
	case len(l.checkpoints) > 0:
		return fmt.Errorf("read %s: version %d is gone: the oldest that can be read is %d, that of the oldest checkpoint", store.URL(), upto, l.checkpoints[0].version)
	case len(l.entries) > 0:
		return fmt.Errorf("read %s: the log begins at version %d, and no checkpoint has what came before", store.URL(), l.entries[0].version)
	}
	return errNoLog(store)
}

// read applies the entries up to upto of a log that goes to last. It goes by numbers, not by what a list
// showed: a list of a folder may miss an entry that came while it ran and still show a later one.
func (s *state) read(ctx context.Context, store blob.Store, upto, last int64) error {
	for s.version < upto {
		next := s.version + 1
		data, err := readEntry(ctx, store, next)
		if errors.Is(err, blob.ErrNotFound) {
			return fmt.Errorf("read %s: version %d is missing from the log, which goes up to version %d", store.URL(), next, last)
		}
		if err != nil {
			return err
		}
		if err := s.apply(data); err != nil {
			return fmt.Errorf("read %s: %w", store.URL(), err)
		}
	}
	if err := s.complete(); err != nil {
		return fmt.Errorf("read %s: %w", store.URL(), err)
	}
	return nil
}

// follow is advance to the newest version, for a log that may have been made anew or cleaned up since: it
// is then read from its beginning. After an error s is as it was.
func (s *state) follow(ctx context.Context, store blob.Store) error {
	next := s.clone()
	err := next.advance(ctx, store, Latest)
	if errors.Is(err, errMadeAnew) {
		next = newState(s.files != nil)
		err = next.advance(ctx, store, Latest)
	}
	if err == nil {
		*s = *next
	}
	return err
}
