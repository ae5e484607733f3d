package checkpoint

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
)

// An inventory is what lies in the task's folder. It is read once; then it follows what this process writes
// and deletes. What another process wrote meanwhile is not in it: that process cleans up after itself, or the
// next start does.
type inventory struct {
	mu          sync.Mutex
	read        bool
	checkpoints map[engine.Epoch][]string // the state objects that each names
	states      map[string]engine.Epoch   // that each was written for
}

// wrote notes a checkpoint.
func (v *inventory) wrote(c *engine.Checkpoint) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.read {
		v.checkpoints[c.Epoch] = namesOf(c)
	}
}

// stored notes a state object.
func (v *inventory) stored(name string, epoch engine.Epoch) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.read {
		v.states[name] = epoch
	}
}

func namesOf(c *engine.Checkpoint) []string {
	names := make([]string, 0, len(c.State))
	for _, ref := range c.State {
		names = append(names, ref.Name)
	}
	return names
}

// Collect deletes checkpoints older than keep, and state objects that no remaining checkpoint names and
// that were not written for a newer epoch than the newest checkpoint. But for the first time it is one
// request where the store deletes many objects in one.
func (s *Store) Collect(ctx context.Context, keep engine.Epoch) error {
	s.kept.mu.Lock()
	defer s.kept.mu.Unlock()
	if !s.kept.read {
		if err := s.takeInventory(ctx, keep); err != nil {
			return err
		}
	}
	old, forget := s.kept.expired(keep)
	if len(old) == 0 {
		return nil
	}
	if err := blob.DeleteAll(ctx, s.blobs, old); err != nil {
		return fmt.Errorf("delete old checkpoints: %w", err)
	}
	forget()
	return nil
}

// takeInventory lists the folder. Of the checkpoints that go anyway it does not matter what they name.
func (s *Store) takeInventory(ctx context.Context, keep engine.Epoch) error {
	checkpointed, stored := map[engine.Epoch][]string{}, map[string]engine.Epoch{}
	for info, err := range s.blobs.List(ctx, checkpoints, "") {
		if err != nil {
			return fmt.Errorf("list checkpoints: %w", err)
		}
		e, ok := epochOf(info.Name)
		if !ok {
			continue
		}
		checkpointed[e] = nil
		if e >= keep {
			c, err := s.Read(ctx, e)
			if err != nil {
				return err
			}
			checkpointed[e] = namesOf(c)
		}
	}
	for info, err := range s.blobs.List(ctx, state, "") {
		if err != nil {
			return fmt.Errorf("list state: %w", err)
		}
		digits, _, _ := strings.Cut(strings.TrimPrefix(info.Name, state), "-")
		if e, err := strconv.ParseInt(digits, 10, 64); err == nil && len(digits) == 20 {
			stored[info.Name] = engine.Epoch(e)
		}
	}
	s.kept.checkpoints, s.kept.states, s.kept.read = checkpointed, stored, true
	return nil
}

// expired is the names of what may go, and what takes them off the inventory.
func (v *inventory) expired(keep engine.Epoch) (names []string, forget func()) {
	var epochs []engine.Epoch
	var states []string
	named, newest := map[string]bool{}, engine.Epoch(-1)
	for e, refs := range v.checkpoints {
		newest = max(newest, e)
		if e < keep {
			epochs = append(epochs, e)
			continue
		}
		for _, name := range refs {
			named[name] = true
		}
	}
	for name, e := range v.states {
		if e <= newest && !named[name] {
			states = append(states, name)
		}
	}
	slices.Sort(epochs)
	slices.Sort(states)
	for _, e := range epochs {
		names = append(names, nameOf(e))
	}
	return append(names, states...), func() {
		for _, e := range epochs {
			delete(v.checkpoints, e)
		}
		for _, name := range states {
			delete(v.states, name)
		}
	}
}
