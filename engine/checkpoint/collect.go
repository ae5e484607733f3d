package checkpoint

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
)

// An inventory is what lies in the task's folder. It follows what this process writes and deletes; what was there before
// is read once. What another process wrote meanwhile is not in it: that process cleans up after itself, or the
// next start does.
type inventory struct {
	collecting sync.Mutex // held by the one collection that runs, and for as long as its requests take
	read       bool       // guarded by collecting

	mu          sync.Mutex                // never held over a request: who writes a checkpoint does not wait for a collection
	checkpoints map[engine.Epoch][]string // the state objects that each names
	states      map[string]engine.Epoch   // that each was written for
}

// wrote notes a checkpoint.
func (v *inventory) wrote(c *engine.Checkpoint) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.checkpoints[c.Epoch] = namesOf(c)
}

// stored notes a state object.
func (v *inventory) stored(name string, epoch engine.Epoch) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.states[name] = epoch
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
// request where the store deletes many objects in one. While another collection runs it does nothing: the next
// one will see to it.
func (s *Store) Collect(ctx context.Context, keep engine.Epoch) error {
	if !s.kept.collecting.TryLock() {
		return nil
	}
	defer s.kept.collecting.Unlock()
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
	s.kept.found(checkpointed, stored)
	s.kept.read = true
	return nil
}

// found adds what a look at the folder showed. What this process wrote meanwhile is known better.
func (v *inventory) found(checkpointed map[engine.Epoch][]string, stored map[string]engine.Epoch) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for e, names := range checkpointed {
		if _, known := v.checkpoints[e]; !known {
			v.checkpoints[e] = names
		}
	}
	maps.Copy(v.states, stored)
}

// expired is the names of what may go, and what takes them off the inventory.
func (v *inventory) expired(keep engine.Epoch) (names []string, forget func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
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
		v.mu.Lock()
		defer v.mu.Unlock()
		for _, e := range epochs {
			delete(v.checkpoints, e)
		}
		for _, name := range states {
			delete(v.states, name)
		}
	}
}
