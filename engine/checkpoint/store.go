// Package checkpoint keeps the checkpoints and state objects of a task in a blob.Store.
//
//	checkpoints/00000000000000000041.json    one a epoch, written once, the newest counts
//	state/00000000000000000041-<uuid>.state  what operators saved; counts only where a checkpoint names it
//
// Who may write is settled by the checkpoints themselves: a checkpoint is put only where there is none of
// its epoch, so of two processes that go on from epoch 40 one writes 41 and the other is fenced.
package checkpoint

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
)

const (
	checkpoints = "checkpoints/"
	state       = "state/"
)

// Store implements engine.Checkpoints.
type Store struct {
	blobs blob.Store
	kept  inventory
}

// New keeps a task's checkpoints in blobs, which is the task's own folder.
func New(blobs blob.Store) *Store {
	return &Store{blobs: blobs, kept: inventory{checkpoints: map[engine.Epoch][]string{}, states: map[string]engine.Epoch{}}}
}

func nameOf(epoch engine.Epoch) string { return fmt.Sprintf("%s%020d.json", checkpoints, epoch) }

func epochOf(name string) (engine.Epoch, bool) {
	digits, ok := strings.CutSuffix(strings.TrimPrefix(name, checkpoints), ".json")
	n, err := strconv.ParseInt(digits, 10, 64)
	return engine.Epoch(n), ok && err == nil && len(digits) == 20
}

// newestTries bounds how often Newest lists: each time the one that was the newest is gone, its owner has written many.
const newestTries = 5

// Newest reads the checkpoint with the highest epoch; nil if there is none. One that is gone when it is read was
// collected by an owner that has gone on: the newest is another by then.
func (s *Store) Newest(ctx context.Context) (*engine.Checkpoint, error) {
	for try := 1; ; try++ {
		newest, found, err := s.newest(ctx)
		if err != nil || !found {
			return nil, err
		}
		c, err := s.Read(ctx, newest)
		if !errors.Is(err, blob.ErrNotFound) || try == newestTries {
			return c, err
		}
	}
}

// newest is the highest epoch that a list shows.
func (s *Store) newest(ctx context.Context) (newest engine.Epoch, found bool, err error) {
	for info, err := range s.blobs.List(ctx, checkpoints, "") {
		if err != nil {
			return 0, false, fmt.Errorf("list checkpoints: %w", err)
		}
		if e, ok := epochOf(info.Name); ok {
			newest, found = e, true
		}
	}
	return newest, found, nil
}

// Read reads the checkpoint of one epoch.
func (s *Store) Read(ctx context.Context, epoch engine.Epoch) (*engine.Checkpoint, error) {
	data, err := s.blobs.Get(ctx, nameOf(epoch))
	if err != nil {
		return nil, fmt.Errorf("read checkpoint %d: %w", epoch, err)
	}
	c, err := Decode(data)
	if err == nil && c.Epoch != epoch {
		err = fmt.Errorf("checkpoint: it is that of epoch %d", c.Epoch)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", nameOf(epoch), err)
	}
	return c, nil
}

// Decode reads a checkpoint's bytes. One written by a newer format, or damaged, is an error.
func Decode(data []byte) (*engine.Checkpoint, error) {
	var head struct{ Format int }
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	if head.Format < 1 || head.Format > engine.CheckpointFormat {
		return nil, fmt.Errorf("checkpoint: format %d, this program reads 1 to %d", head.Format, engine.CheckpointFormat)
	}
	var c engine.Checkpoint
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return &c, validate(&c)
}

// validate finds what would make the engine act on nonsense.
func validate(c *engine.Checkpoint) error {
	var errs []error
	if c.Epoch < 0 || c.Pipeline == "" || c.Incarnation == "" || c.Attempt == "" {
		errs = append(errs, errors.New("checkpoint: epoch, pipeline, incarnation or attempt is missing"))
	}
	seen := map[engine.PartitionID]bool{}
	for _, p := range c.Partitions {
		id := engine.PartitionID{Source: p.Source, Partition: p.Partition}
		if seen[id] || p.Next < 0 {
			errs = append(errs, fmt.Errorf("checkpoint: partition %s stands twice or has a negative offset", id))
		}
		seen[id] = true
	}
	for _, t := range c.Tables {
		if t.Epoch != c.Epoch || t.Prev >= t.Epoch {
			errs = append(errs, fmt.Errorf("checkpoint: table %s commits epoch %d after %d in checkpoint %d", t.Table, t.Epoch, t.Prev, c.Epoch))
		}
	}
	return errors.Join(errs...)
}

const (
	writeAttempts = 6
	writePause    = 100 * time.Millisecond // doubled each time
)

// Write writes c if there is no checkpoint of its epoch and none that is newer; else engine.ErrFenced.
// Where the store's answer leaves open whether the write landed, it reads back: our attempt id means that
// it did, another's that somebody else was first.
func (s *Store) Write(ctx context.Context, c *engine.Checkpoint) error {
	data, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		return fmt.Errorf("write checkpoint %d: %w", c.Epoch, err)
	}
	for attempt, pause := 1, writePause; ; attempt, pause = attempt+1, 2*pause {
		done, err := s.tryWrite(ctx, c, data)
		if done && err == nil {
			s.kept.wrote(c)
		}
		if done {
			return err
		}
		if attempt == writeAttempts {
			return fmt.Errorf("write checkpoint %d: %w", c.Epoch, err)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// tryWrite writes c once. done says that the outcome is settled.
func (s *Store) tryWrite(ctx context.Context, c *engine.Checkpoint, data []byte) (done bool, err error) {
	put := s.blobs.PutIfAbsent(ctx, nameOf(c.Epoch), data)
	if put != nil {
		there, err := s.Read(ctx, c.Epoch)
		switch {
		case errors.Is(err, blob.ErrNotFound):
			return false, put
		case err != nil:
			return false, errors.Join(put, err)
		case there.Attempt != c.Attempt:
			return true, fmt.Errorf("checkpoint %d was written by %s: %w", c.Epoch, there.Owner, engine.ErrFenced)
		}
	}
	for info, err := range s.blobs.List(ctx, checkpoints, nameOf(c.Epoch)) {
		if err != nil {
			return false, fmt.Errorf("list checkpoints: %w", err)
		}
		if e, ok := epochOf(info.Name); ok && e > c.Epoch {
			return true, fmt.Errorf("checkpoint %d is there already: %w", e, engine.ErrFenced)
		}
	}
	return true, nil
}

// WriteState writes a state object under a name nobody else uses. It does not copy the sections of a large one.
func (s *Store) WriteState(ctx context.Context, epoch engine.Epoch, sections []engine.Section) (engine.StateRef, error) {
	parts, err := encodeState(sections)
	if err != nil {
		return engine.StateRef{}, err
	}
	ref := engine.StateRef{Name: fmt.Sprintf("%s%020d-%s.state", state, epoch, uuid.NewString())}
	for _, p := range parts {
		ref.Size += int64(len(p))
	}
	if err := blob.WriteObject(ctx, s.blobs, ref.Name, parts); err != nil {
		return engine.StateRef{}, err
	}
	s.kept.stored(ref.Name, epoch)
	return ref, nil
}
