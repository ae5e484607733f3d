package delta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/millrace-io/millrace/engine/blob"
)

// A committer appends entries to a log.
type committer struct {
	store blob.Store // the table's root
	sleep func(ctx context.Context, d time.Duration) error
}

// A proposal is an entry that is to be the next of a log.
type proposal struct {
	// build makes the entry to follow a state. It is asked before each attempt: others' entries may have come
	// in between. What it returns as an error ends the commit.
	build func(*state) (draft, error)
}

// A draft is an entry but for what each attempt has of its own.
type draft struct {
	info  CommitInfo // without Millis, ReadVersion, TxnID
	lines []byte     // the actions, each with its line's end
}

// How often a put is tried that fails for another reason than that its version is taken, and how long the
// first pause is. A pause is twice the one before.
const (
	putTries   = 5
	firstPause = 50 * time.Millisecond
	racePause  = 5 * time.Millisecond
	maxPause   = time.Second
)

// commit makes p the entry behind s, or behind those of others that come first. It moves s on to the new
// version. There is no limit to the races it loses: each means that another writer has won.
//
// After an error p may still be in the log, if its answer was lost for good. Who repeats it asks the log
// first: build does, by the txn or by the files.
func (c *committer) commit(ctx context.Context, s *state, p proposal) error {
	for races := 0; ; races++ {
		d, err := p.build(s)
		if err != nil {
			return err
		}
		entry, id := d.entry(s.version)
		won, err := c.put(ctx, s.version+1, entry, id)
		if err != nil {
			return err
		}
		if won {
			return s.apply(entry)
		}
		if err := c.sleep(ctx, pause(racePause, races)); err != nil {
			return err
		}
		if err := s.advance(ctx, c.store, Latest); err != nil {
			return err
		}
	}
}

// entry is the log entry of an attempt, and the id that it is known by.
func (d *draft) entry(readVersion int64) (data []byte, id string) {
	id = uuid.NewString()
	info := d.info
	info.Millis, info.TxnID = time.Now().UnixMilli(), id
	if readVersion >= 0 {
		info.ReadVersion = &readVersion
	}
	raw, err := json.Marshal(info)
	if err != nil { // its raw parts are made here, from strings
		panic(fmt.Sprintf("delta: encode commitInfo: %v", err))
	}
	data = append(line(action{Info: raw}), '\n')
	return append(data, d.lines...), id
}

// put writes the entry of a version and says whether it is the one in the log now. An answer that leaves
// this open (a timeout, "already exists" after a retry below us) is settled by reading the entry back: the
// one with our id is ours.
func (c *committer) put(ctx context.Context, version int64, entry []byte, id string) (won bool, err error) {
	for try := 0; ; try++ {
		err := c.store.PutIfAbsent(ctx, entryName(version), entry)
		if err == nil {
			return true, nil
		}
		found, readErr := readEntry(ctx, c.store, version)
		if readErr == nil {
			i := info(found)
			return i != nil && i.TxnID == id, nil
		}
		if !errors.Is(readErr, blob.ErrNotFound) {
			err = errors.Join(err, readErr)
		}
		if try+1 == putTries {
			return false, fmt.Errorf("write version %d: %w", version, err)
		}
		if sleepErr := c.sleep(ctx, pause(firstPause, try)); sleepErr != nil {
			return false, fmt.Errorf("write version %d: %w", version, errors.Join(err, sleepErr))
		}
	}
}

// pause is first × 2^n, held at maxPause, and less by up to a half, so that writers that met part ways.
func pause(first time.Duration, n int) time.Duration {
	d := min(first<<min(n, 16), maxPause)
	return d - rand.N(d/2)
}

// sleep waits for d or until ctx is done.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
