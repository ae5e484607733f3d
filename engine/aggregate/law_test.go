package aggregate

import (
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/column"
)

// TestLaw: whatever the order of rows, how they are split into batches and states that are merged, and where states are
// saved and loaded, every aggregate gives for every group what naive code gives that has all rows at once.
func TestLaw(t *testing.T) {
	runs := uint64(40)
	if testing.Short() {
		runs = 4
	}
	for _, tw := range twins() {
		for seed := range runs {
			if !lawful(t, tw, seed) {
				break
			}
		}
	}
}

const lawGroups = 3

func lawful(t *testing.T, tw twin, seed uint64) bool {
	g := rand.New(rand.NewPCG(seed, 1))
	call, err := Parse(tw.text)
	if err != nil {
		t.Fatalf("%s: %v", tw.text, err)
	}
	agg, err := call.Bind(randomSchema())
	if err != nil {
		t.Fatalf("%s: %v", tw.text, err)
	}
	batches := randomRows(g, 1+g.IntN(12))
	rows := map[uint32][]naiveRow{}
	groups := make([][]uint32, len(batches)) // of each batch's rows
	for i, b := range batches {
		for _, r := range naiveRows(b) {
			group := uint32(g.IntN(lawGroups))
			groups[i] = append(groups[i], group)
			rows[group] = append(rows[group], r)
		}
	}
	tr := newTrial(g, agg)
	out, problems := tr.run(batches, groups)
	for _, s := range tr.states {
		if got, want := s.Bytes(), s.(interface{ measured() int64 }).measured(); got != want {
			t.Errorf("%s, seed %d: Bytes is %d, there are %d", tw.text, seed, got, want)
			return false
		}
	}
	for group := range uint32(lawGroups) {
		got, want := valueAt(out, int(group)), tw.want(rows[group])
		if reason, failed := want.(failure); failed && problems[int(group)] == string(reason) {
			continue
		}
		if shown(got) != shown(want) || problems[int(group)] != "" {
			t.Errorf("%s, seed %d, group %d: gives %s %s\nexpected %s\nof %v", tw.text, seed, group, shown(got), problems[int(group)], shown(want), rows[group])
			return false
		}
	}
	return true
}

// A trial is one way to feed rows to an aggregate: to three states that are saved, loaded and merged in between. In a state
// the groups' places differ, and there are others around them that other rows have been in.
type trial struct {
	*rand.Rand
	agg    *Aggregate
	states []State
	chains [][][]byte // of each state's groups: what was saved, one behind the other
}

const trialStates, trialPlaces = 3, 2 * lawGroups

func newTrial(g *rand.Rand, agg *Aggregate) *trial {
	tr := &trial{Rand: g, agg: agg}
	for range trialStates {
		s := agg.NewState()
		s.Grow(1)
		s.Grow(trialPlaces)
		tr.states, tr.chains = append(tr.states, s), append(tr.chains, make([][]byte, trialPlaces))
	}
	return tr
}

// place is where a state has a group.
func place(state int, group uint32) uint32 { return (group*2 + uint32(state)) % trialPlaces }

func (tr *trial) run(batches []*engine.Batch, groups [][]uint32) (column.Column, map[int]string) {
	type part struct {
		batch int
		rows  []int32
	}
	var parts []part
	for i, b := range batches {
		rows := tr.Perm(b.Rows)
		for len(rows) > 0 {
			n := 1 + tr.IntN(len(rows))
			p := part{batch: i}
			for _, row := range rows[:n] {
				p.rows = append(p.rows, int32(row))
			}
			parts, rows = append(parts, p), rows[n:]
		}
	}
	tr.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	for _, p := range parts {
		tr.add(tr.IntN(trialStates), batches[p.batch], p.rows, groups[p.batch])
		tr.disturb()
	}
	for tr.IntN(3) > 0 {
		tr.disturb()
	}
	for s := 1; s < trialStates; s++ {
		tr.merge(s, 0)
	}
	if tr.IntN(2) == 0 {
		tr.save(0)
		tr.restart(0)
	}
	var places []uint32
	for group := range uint32(lawGroups) {
		places = append(places, place(0, group))
	}
	out, problems := column.New(tr.agg.Type), map[int]string{}
	tr.states[0].Result(out, places, func(i int, detail string) { problems[i] = detail })
	return out, problems
}

// add gives rows to a state.
func (tr *trial) add(state int, b *engine.Batch, rows []int32, groups []uint32) {
	in, passed, _ := tr.agg.Eval(b)
	pass := map[int32]bool{}
	for row := range passed.All(b.Rows) {
		pass[int32(row)] = true
	}
	var taken []int32
	var places []uint32
	for _, row := range rows {
		if pass[row] {
			taken, places = append(taken, row), append(places, place(state, groups[row]))
		}
	}
	tr.states[state].Add(in, taken, places)
}

// disturb does something that changes no result.
func (tr *trial) disturb() {
	s := tr.IntN(trialStates)
	switch tr.IntN(7) {
	case 0:
		tr.save(s)
	case 1:
		tr.save(s)
		tr.restart(s)
	case 2:
		tr.merge(s, (s+1)%trialStates)
	case 3: // a result in between
		tr.states[s].Result(column.New(tr.agg.Type), []uint32{0, 1, 2, 3, 4, 5}, func(int, string) {})
	case 4: // in another place things come and go
		other := place(s, 0) ^ 1
		tr.states[s].Merge(tr.states[s], []uint32{place(s, 0)}, []uint32{other})
		tr.states[s].Clear(other)
	}
}

// merge moves all that one state has to another.
func (tr *trial) merge(from, to int) {
	var src, dst []uint32
	for group := range uint32(lawGroups) {
		src, dst = append(src, place(from, group)), append(dst, place(to, group))
	}
	tr.states[to].Merge(tr.states[from], src, dst)
	for _, at := range src {
		tr.states[from].Clear(at)
		tr.chains[from][at] = nil
	}
}

// save appends to what was saved of each group, or begins anew.
func (tr *trial) save(s int) {
	for group := range uint32(lawGroups) {
		at := place(s, group)
		if tr.IntN(4) == 0 {
			tr.chains[s][at] = tr.states[s].Append(nil, at, false)
		} else {
			tr.chains[s][at] = tr.states[s].Append(tr.chains[s][at], at, true)
		}
	}
}

// restart makes a state of what was saved.
func (tr *trial) restart(s int) {
	if tr.IntN(2) == 0 {
		tr.states[s] = tr.agg.NewState()
	} else {
		tr.states[s].Reset()
	}
	tr.states[s].Grow(trialPlaces)
	for at, rest := range tr.chains[s] {
		for len(rest) > 0 {
			var err error
			if rest, err = tr.states[s].Load(rest, uint32(at)); err != nil {
				panic(err)
			}
		}
	}
}

// measured is what Bytes should be.
func (t *table[S, P]) measured() int64 {
	n := int64(cap(t.cells)) * int64(unsafe.Sizeof(*new(S)))
	for i := range t.made {
		n += P(&t.cells[:t.made][i]).size()
	}
	return n
}
