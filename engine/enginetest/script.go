package enginetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Script is what a run goes through: a life a mishap. Its text is a line each:
//
//	records 80
//	crash-after 12 upto=40 seed=3
//	rival-dies 7 350ms upto=100 seed=9
type Script struct {
	Records int // at most, of the input
	Lives   []Mishap
}

// String is the script's text.
func (s Script) String() string {
	lines := []string{fmt.Sprintf("records %d", s.Records)}
	for _, m := range s.Lives {
		lines = append(lines, m.String())
	}
	return strings.Join(lines, "\n")
}

// String is the line of a script.
func (m Mishap) String() string {
	words := []string{string(m.Kind)}
	if m.N > 0 {
		words = append(words, strconv.Itoa(m.N))
	}
	if m.T > 0 {
		words = append(words, m.T.String())
	}
	return strings.Join(append(words, fmt.Sprintf("upto=%d", m.Upto), fmt.Sprintf("seed=%d", m.Seed)), " ")
}

// ParseScript reads what String writes.
func ParseScript(text string) (Script, error) {
	s := Script{Records: most}
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
			continue
		case words[0] == "records" && len(words) == 2:
			var err error
			if s.Records, err = strconv.Atoi(words[1]); err != nil {
				return s, fmt.Errorf("%q: expected a number of records", line)
			}
			continue
		}
		m, err := parseMishap(words)
		if err != nil {
			return s, fmt.Errorf("%q: %w", strings.TrimSpace(line), err)
		}
		s.Lives = append(s.Lives, m)
	}
	return s, nil
}

func parseMishap(words []string) (Mishap, error) {
	m := Mishap{Kind: Kind(words[0]), Upto: 100}
	if !slices.ContainsFunc(kinds[:], func(k kind) bool { return k.Kind == m.Kind }) {
		return m, fmt.Errorf("there is no mishap %s", words[0])
	}
	for _, word := range words[1:] {
		var err error
		name, value, named := strings.Cut(word, "=")
		switch {
		case named && name == "upto":
			m.Upto, err = strconv.Atoi(value)
		case named && name == "seed":
			m.Seed, err = strconv.ParseUint(value, 10, 64)
		case named:
			err = fmt.Errorf("there is no %s", name)
		case strings.Trim(word, "0123456789") == "":
			m.N, err = strconv.Atoi(word)
		default:
			m.T, err = time.ParseDuration(word)
		}
		if err != nil {
			return m, fmt.Errorf("%s: expected a number, a duration, upto= or seed=: %w", word, err)
		}
	}
	return m, nil
}

const (
	most     = 160 // records that Generate makes, at most
	maxLives = 14
)

// Script is the mishaps of a seed.
func (s Simulation) Script(seed uint64) Script {
	rnd := rand.New(rand.NewPCG(seed, 2))
	c := s.caseOf(seed)
	script := Script{Records: most, Lives: make([]Mishap, 4+rnd.IntN(maxLives-3))}
	upto := make([]int, len(script.Lives))
	for i := range upto {
		upto[i] = rnd.IntN(101)
	}
	slices.Sort(upto)
	for i := range script.Lives {
		m := aMishap(rnd, c)
		m.Upto, m.Seed = upto[i], uint64(rnd.Uint32())
		script.Lives[i] = m
	}
	return script
}

// aMishap draws one. Not every case bears partitions that come later.
func aMishap(rnd *rand.Rand, c Case) Mishap {
	k := drawn(rnd)
	for k.grows && !c.Grows {
		k = drawn(rnd)
	}
	m := Mishap{Kind: k.Kind}
	if k.calls > 0 {
		m.N = 1 + rnd.IntN(k.calls)
	}
	if k.time > 0 {
		m.T = time.Millisecond * time.Duration(1+rnd.Int64N(k.time.Milliseconds()))
	}
	return m
}

// drawn is one of the kinds, each as often as its weight says.
func drawn(rnd *rand.Rand) kind {
	sum := 0
	for _, k := range kinds {
		sum += k.weight
	}
	at := rnd.IntN(sum)
	for _, k := range kinds {
		if at -= k.weight; at < 0 {
			return k
		}
	}
	panic("the weights do not add up")
}
