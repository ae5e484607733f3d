package enginetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob/mem"
)

// replaced is a life that finds something gone or replaced by an older copy. It may go on where it can, rightly, or
// stop with an error that says what does not belong together, and has then changed nothing; everything is put back.
func (l *lives) replaced(ctx context.Context, m Mishap) error {
	before := l.store.Clone()
	if changed, err := l.replace(ctx, m); err != nil || !changed {
		return errors.Join(err, l.start(ctx, nil))
	}
	found := l.store.Clone()
	err := l.start(ctx, nil)
	if err == nil {
		l.toll.Borne[m.Kind]++
		return nil
	}
	if text := err.Error(); !errors.Is(err, engine.ErrForeign) && !strings.Contains(text, "--new-line") && !strings.Contains(text, "--redo-epoch") {
		return fmt.Errorf("an error that does not say what to do: %w", err)
	}
	if err := sameLogs(found, l.store); err != nil {
		return err
	}
	l.toll.Refused[m.Kind]++
	restore(l.store, before, "")
	return nil
}

// sameLogs says whether the logs of the tables that were there are what they were.
func sameLogs(before, after *mem.Store) error {
	was, is := before.Snapshot(), after.Snapshot()
	for name, data := range is {
		table, _, _ := strings.Cut(name, "/")
		if _, there := was[table+"/_delta_log/00000000000000000000.json"]; isLog(name) && there && !bytes.Equal(data, was[name]) {
			return fmt.Errorf("a start that was refused wrote %s", name)
		}
	}
	return nil
}

// replace does to the store what the mishap says, and says whether that changed anything.
func (l *lives) replace(ctx context.Context, m Mishap) (bool, error) {
	older := l.backups[l.rnd.IntN(len(l.backups))]
	tables := l.tables()
	one := tables[m.N%len(tables)]
	switch m.Kind {
	case NewestLost:
		all := names(l.store, home+"/checkpoints/")
		return remove(l.store, all[max(0, len(all)-1):]), nil
	case AllLost:
		return remove(l.store, names(l.store, home+"/")), nil
	case BackupBack:
		restore(l.store, older, home+"/")
	case TableDropped:
		return remove(l.store, names(l.store, one.name+"/")), nil
	case TableAnew:
		changed := remove(l.store, names(l.store, one.name+"/"))
		table, err := one.open(l.store, false)
		if err == nil {
			_, err = table.Open(ctx, "another")
		}
		return changed, err
	case TablesBack:
		for _, t := range tables {
			restore(l.store, older, t.name+"/")
		}
	}
	return true, nil
}

func remove(s *mem.Store, names []string) bool {
	for _, name := range names {
		_ = s.Delete(context.Background(), name) // memory does not fail
	}
	return len(names) > 0
}

// restore makes what is below prefix what it is in another store.
func restore(s, from *mem.Store, prefix string) {
	remove(s, names(s, prefix))
	for name, data := range from.Snapshot() {
		if strings.HasPrefix(name, prefix) {
			_ = s.Put(context.Background(), name, data) // memory does not fail
		}
	}
}
