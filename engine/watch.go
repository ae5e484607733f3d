package engine

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// A Watch is told of the rows that pass a source, a stream or a table.
type Watch interface {
	// Offer is called with each batch, from the goroutine that has it, several at once. The batch is lent. It
	// must return soon: what it has no room for it drops, for the pipeline does not wait.
	Offer(b *Batch)
}

// watchers is who watches one name. Nobody watching costs one load a batch.
type watchers struct {
	mu   sync.Mutex
	list atomic.Pointer[[]Watch]
}

func (w *watchers) offer(b *Batch) {
	if w == nil {
		return
	}
	if list := w.list.Load(); list != nil {
		for _, x := range *list {
			x.Offer(b)
		}
	}
}

func (w *watchers) change(f func([]Watch) []Watch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []Watch
	if old := w.list.Load(); old != nil {
		list = append(list, *old...)
	}
	if list = f(list); len(list) == 0 {
		w.list.Store(nil)
		return
	}
	w.list.Store(&list)
}

// Watch has x told of the rows of the source, stream or table called name, until done is called.
func (t *Task) Watch(name string, x Watch) (done func(), err error) {
	w := t.watches[name]
	if w == nil {
		return nil, fmt.Errorf("pipeline %s has no source, stream or table %q", t.plan.Pipeline, name)
	}
	w.change(func(l []Watch) []Watch { return append(l, x) })
	return func() {
		w.change(func(l []Watch) []Watch {
			for i := range l {
				if l[i] == x {
					return append(l[:i], l[i+1:]...)
				}
			}
			return l
		})
	}, nil
}

// Schema is the columns of the rows that pass the source, stream or table called name; ok is false if the
// plan has none of this name.
func (t *Task) Schema(name string) (schema Schema, ok bool) {
	if name == t.plan.Quarantine {
		return QuarantineSchema, true
	}
	for _, p := range t.plan.Tables {
		if p.Name == name {
			name = p.From
			break
		}
	}
	for _, s := range t.plan.Sources {
		if s.Name == name {
			return s.Schema, true
		}
	}
	for _, s := range t.plan.Streams {
		if s.Name == name {
			return s.Schema, true
		}
	}
	return nil, false
}

// Names lists what Watch takes.
func (t *Task) Names() []string { return slices.Sorted(maps.Keys(t.watches)) }
