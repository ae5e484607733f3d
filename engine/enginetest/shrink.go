package enginetest

import (
	"slices"
	"testing"
)

// shrinkTries is how often a script is played before it counts as one that breaks nothing: the order in which
// goroutines run is not the seed's. shrinkPlays bounds the plays of all.
const (
	shrinkTries = 4
	shrinkPlays = 1500
)

// Shrink looks for a simpler script that breaks the promise as well, and gives what it breaks it with. It takes the
// first simpler one that does until there is none.
func (s Simulation) Shrink(t *testing.T, seed uint64, script Script, err error) (Script, error) {
	plays := 0
search:
	for {
		for simpler := range simplerThan(script) {
			for range shrinkTries {
				if plays++; plays > shrinkPlays {
					return script, err
				}
				if _, again := s.Play(t, seed, simpler); again != nil {
					script, err = simpler, again
					continue search
				}
			}
		}
		return script, err
	}
}

// simplerThan yields scripts that are simpler in one thing: without some lives, with fewer records, with a life in which
// nothing happens, with an earlier call or moment.
func simplerThan(s Script) func(yield func(Script) bool) {
	return func(yield func(Script) bool) {
		for n := len(s.Lives) / 2; n > 0; n /= 2 {
			for from := 0; from+n <= len(s.Lives); from += n {
				if !yield(Script{s.Records, slices.Delete(slices.Clone(s.Lives), from, from+n)}) {
					return
				}
			}
		}
		for _, records := range []int{s.Records / 2, s.Records * 3 / 4, s.Records - 1} {
			if records > 0 && !yield(Script{records, s.Lives}) {
				return
			}
		}
		for i, m := range s.Lives {
			for _, simpler := range m.simpler() {
				lives := slices.Clone(s.Lives)
				lives[i] = simpler
				if !yield(Script{s.Records, lives}) {
					return
				}
			}
		}
	}
}

// simpler is the mishap with one thing simpler.
func (m Mishap) simpler() []Mishap {
	var all []Mishap
	add := func(change func(*Mishap)) {
		one := m
		change(&one)
		if one != m {
			all = append(all, one)
		}
	}
	add(func(m *Mishap) { m.Kind, m.N, m.T = Calm, 0, 0 })
	add(func(m *Mishap) { m.N = (m.N + 1) / 2 })
	add(func(m *Mishap) { m.T = (m.T / 2).Truncate(1e6) })
	add(func(m *Mishap) { m.Upto = 100 })
	add(func(m *Mishap) { m.Seed = 0 })
	return all
}
