package engine

// A chain keeps account of which saved sections still count: for each operator and slot those from the
// last whole one on. A state object is named by checkpoints as long as one of its sections counts.
type chain struct {
	objects []chained
	live    map[stateKey][]int // indexes into objects, by the number they were added under
	added   int                // number of objects[0]
}

type chained struct {
	ref  StateRef
	live int // sections that count
}

type stateKey struct {
	operator string
	slot     int
}

func newChain() *chain { return &chain{live: map[stateKey][]int{}} }

// add takes an object that was saved after all others.
func (c *chain) add(ref StateRef, sections []Section) {
	number := c.added + len(c.objects)
	c.objects = append(c.objects, chained{ref: ref})
	for _, s := range sections {
		k := stateKey{s.Operator, s.Slot}
		if s.Whole {
			for _, n := range c.live[k] {
				c.objects[n-c.added].live--
			}
			c.live[k] = c.live[k][:0]
		}
		c.live[k] = append(c.live[k], number)
		c.objects[number-c.added].live++
	}
	for len(c.objects) > 0 && c.objects[0].live == 0 {
		c.objects = c.objects[1:]
		c.added++
	}
}

// refs is the objects that count, in the order saved.
func (c *chain) refs() []StateRef {
	refs := []StateRef{}
	for _, o := range c.objects {
		if o.live > 0 {
			refs = append(refs, o.ref)
		}
	}
	return refs
}

// counting gives of each object the numbers of the sections that no later whole one has replaced. The objects come in
// the order saved.
func counting(objects [][]Section) [][]int {
	type place struct{ object, number int }
	whole := map[stateKey]place{}
	for i, sections := range objects {
		for n, s := range sections {
			if s.Whole {
				whole[stateKey{s.Operator, s.Slot}] = place{i, n}
			}
		}
	}
	counts := make([][]int, len(objects))
	for i, sections := range objects {
		for n, s := range sections {
			if w := whole[stateKey{s.Operator, s.Slot}]; i > w.object || i == w.object && n >= w.number {
				counts[i] = append(counts[i], n)
			}
		}
	}
	return counts
}
