package engine

import "slices"

// A family is the partitions of one source and how they descend from one another: those that the task has, and those
// that the source lists. Most sources' partitions have no parents. Where they do (the shards of a Kinesis stream, which are split
// and merged) a child begins when its parents have ended.
type family struct {
	set   map[string]PartitionState // that the task has
	found map[string]Partition      // that the source lists
}

// families sorts partitions by source.
func families(before []PartitionState, found map[PartitionID]Partition) map[string]*family {
	all := map[string]*family{}
	of := func(source string) *family {
		f := all[source]
		if f == nil {
			f = &family{map[string]PartitionState{}, map[string]Partition{}}
			all[source] = f
		}
		return f
	}
	for _, p := range before {
		of(p.Source).set[p.Partition] = p
	}
	for id, p := range found {
		of(id.Source).found[id.Partition] = p
	}
	return all
}

// known says whether the task has read from the source before.
func (f *family) known() bool { return len(f.set) > 0 }

// ready lists the partitions that may join now. leaves says that only those are wanted that have no children.
func (f *family) ready(leaves bool) []Partition {
	var all []Partition
	for _, p := range f.found {
		if _, ok := f.set[p.Name]; ok || f.skipped(p.Name) || leaves && len(f.children(p.Name)) > 0 {
			continue
		}
		if leaves || !slices.ContainsFunc(p.Parents, f.comes) {
			all = append(all, p)
		}
	}
	return all
}

// comes says whether records of a parent may still come.
func (f *family) comes(parent string) bool {
	if s, ok := f.set[parent]; ok {
		return !s.Ended
	}
	_, there := f.found[parent]
	return there && !f.skipped(parent)
}

// skipped says whether a partition that the task does not have lies before one that it has: reading began behind it.
func (f *family) skipped(name string) bool {
	if _, ok := f.set[name]; ok {
		return false
	}
	return slices.ContainsFunc(f.children(name), func(child string) bool {
		_, ok := f.set[child]
		return ok || f.skipped(child)
	})
}

func (f *family) children(name string) []string {
	var all []string
	for _, p := range f.found {
		if slices.Contains(p.Parents, name) {
			all = append(all, p.Name)
		}
	}
	return all
}

// watermark is where the event time of a partition begins: at the last watermark of its parents, the smallest of several;
// without parents at the smallest of those that are read, or before all time where none is.
func (f *family) watermark(p Partition) Time {
	var from []Time
	for _, parent := range p.Parents {
		if s, ok := f.set[parent]; ok {
			from = append(from, s.Watermark)
		}
	}
	if len(from) == 0 {
		for _, s := range f.set {
			if !s.Ended {
				from = append(from, s.Watermark)
			}
		}
	}
	if len(from) == 0 {
		return MinTime
	}
	return slices.Min(from)
}

// succeeded says whether all children of a partition have joined.
func (f *family) succeeded(name string) bool {
	return !slices.ContainsFunc(f.children(name), func(child string) bool {
		_, ok := f.set[child]
		return !ok
	})
}

// A discovery is what a look at the sources found.
type discovery struct {
	found map[PartitionID]Partition
	ended []PartitionID // had ended when the look began: their children are in found, or there are none
}

// ending lists the partitions that have ended and hold their watermark for children that may still come.
func (t *Task) ending() []PartitionID {
	var all []PartitionID
	for _, e := range t.all() {
		if state, _ := e.look(); state.Ended && !e.released.Load() {
			all = append(all, e.id)
		}
	}
	return all
}

// release lets time pass without those partitions that had ended before found was looked up and whose children have all
// joined.
func (t *Task) release(d discovery) {
	var now []PartitionState
	for _, e := range t.all() {
		now = append(now, e.place())
	}
	all := families(now, d.found)
	for _, id := range d.ended {
		if e := t.entry(id); all[id.Source].succeeded(id.Partition) {
			e.release()
			t.log.Info("partition has ended", "source", id.Source, "partition", id.Partition)
		}
	}
}
