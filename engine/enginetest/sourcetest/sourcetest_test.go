package sourcetest

import (
	"testing"
	"testing/synctest"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/enginetest"
)

// TestMemory: the suite lets pass what does all that it asks for.
func TestMemory(t *testing.T) {
	run(t, func(t *testing.T, partitions int) Harness {
		return newService(partitions).harness(func(s engine.Source) engine.Source { return s })
	}, synctest.Test)
}

// TestCounted: and what numbers its records itself.
func TestCounted(t *testing.T) {
	run(t, func(t *testing.T, partitions int) Harness { return countedHarness(partitions, nil) }, synctest.Test)
}

// countedHarness is one of a counted; without what such a source can't tell.
func countedHarness(partitions int, change func(*countedMutant)) Harness {
	h := newService(partitions).harness(func(s engine.Source) engine.Source {
		c := newCounted(s.(*memory))
		if change == nil {
			return c
		}
		m := &countedMutant{counted: c}
		change(m)
		return m
	})
	h.Trim, h.Hide, h.Pend, h.Marked = nil, nil, nil, nil
	return h
}

// TestFake runs the suite on the source that the law is run with.
func TestFake(t *testing.T) {
	run(t, fake, synctest.Test)
}

func fake(t *testing.T, partitions int) Harness {
	in := make(enginetest.Input, partitions)
	index := map[string]int{"0": 0, "1": 1, "2": 2}
	return Harness{
		Partitions: []string{"0", "1", "2"}, Fixed: true, Repeats: true,
		Source: func() engine.Source { return enginetest.NewSource(in, 1, 20, 0) },
		Append: func(name string, records ...Record) {
			for _, r := range records {
				in[index[name]] = append(in[index[name]], r.Value)
			}
		},
		Kept: func(r Record) Record { return Record{Value: r.Value} },
	}
}
