package tabletest

import (
	"sync"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/enginetest/optest"
)

// testOpen: the first process makes the table, all later ones find it.
func (t *trial) testOpen() {
	first := t.start(plain(), "L")
	if first.state.ID == "" || first.state.Version < 0 || first.state.Epoch != engine.NoEpoch || len(first.state.Others) > 0 {
		t.Errorf("the new table's state is %+v", first.state)
	}
	t.holds(plain().Schema)
	for _, line := range []string{"L", "M"} {
		if p := t.start(plain(), line); p.state.ID != first.state.ID || p.state.Version != first.state.Version {
			t.Errorf("opened again it is %+v, it was %+v", p.state, first.state)
		}
	}
	first.commit(first.prepared(engine.NoEpoch, 1, first.files(rows(0, 3)...)))
	if p := t.start(plain(), "L"); p.state.ID != first.state.ID || p.state.Epoch != 1 {
		t.Errorf("opened after epoch 1 it is %+v, it was %+v", p.state, first.state)
	}
	t.holds(plain().Schema, rows(0, 3))
}

// testOpenAtOnce: of processes that find no table, one makes it.
func (t *trial) testOpenAtOnce() {
	const processes = 8
	tables := make([]engine.Table, processes)
	for i := range tables {
		tables[i] = t.Table(t.Files, plain())
	}
	states := make([]engine.TableState, processes)
	errs := make([]error, processes)
	var all sync.WaitGroup
	for i, table := range tables {
		all.Go(func() { states[i], errs[i] = table.Open(t.Context(), "L") })
	}
	all.Wait()
	for i, s := range states {
		if errs[i] != nil || s.ID == "" || s.ID != states[0].ID || s.Version != states[0].Version {
			t.Errorf("process %d has %+v, %v; the first %+v", i, s, errs[i], states[0])
		}
	}
}

// testOpenRefuses: rows that the table can't take are refused before any is written.
func (t *trial) testOpenRefuses() {
	if t.Fake {
		t.Skip("the table does not look at schemas")
	}
	c := plain()
	c.Schema = optest.Schema("id: long!, city: string, day: date")
	c.PartitionBy = []string{"city"}
	p := t.start(c, "L")
	for why, other := range map[string]Config{
		"another type":             {Pipeline: "p", Schema: optest.Schema("id: long!, city: string, day: timestamp"), PartitionBy: c.PartitionBy},
		"a column too many":        {Pipeline: "p", Schema: optest.Schema("id: long!, city: string, day: date, n: int"), PartitionBy: c.PartitionBy},
		"null where none may be":   {Pipeline: "p", Schema: optest.Schema("id: long, city: string, day: date"), PartitionBy: c.PartitionBy},
		"a required column lacked": {Pipeline: "p", Schema: optest.Schema("city: string, day: date"), PartitionBy: c.PartitionBy},
		"another partitioning":     {Pipeline: "p", Schema: c.Schema, PartitionBy: []string{"day"}},
		"no partitioning":          {Pipeline: "p", Schema: c.Schema},
	} {
		if s, err := t.Table(t.Files, other).Open(t.Context(), "L"); err == nil {
			t.Errorf("%s: opened, %+v", why, s)
		}
	}
	p.is(engine.NoEpoch, p.state.Version)
}

// testIncarnations: each line of checkpoints has its own last epoch, and sees that there are others.
func (t *trial) testIncarnations() {
	a := t.start(plain(), "A")
	a.commit(a.prepared(engine.NoEpoch, 1, a.files(rows(0, 2)...)))
	v := a.commit(a.prepared(1, 4, a.files(rows(2, 4)...)))
	a.is(4, v)

	b := t.start(plain(), "B")
	b.is(engine.NoEpoch, v, "A")
	w := b.commit(b.prepared(engine.NoEpoch, 2, b.files(rows(4, 6)...)))
	b.is(2, w, "A")
	a.is(4, w, "B")

	s, err := b.Open(t.Context(), "C") // the same table, opened for another line
	t.must(err)
	if s.Epoch != engine.NoEpoch {
		t.Errorf("opened for a line without commits: %+v", s)
	}
	b.is(engine.NoEpoch, w, "A", "B")
	x := b.commit(b.prepared(engine.NoEpoch, 1, b.files(rows(6, 8)...)))
	b.is(1, x, "A", "B")
	a.is(4, x, "B", "C")
	a.commit(a.prepared(4, 5, a.files(rows(8, 10)...)))
	t.holds(plain().Schema, rows(0, 10))
}

// testPipelines: commits of another pipeline are no business of ours.
func (t *trial) testPipelines() {
	if t.Fake {
		t.Skip("the table takes all pipelines for one")
	}
	other := plain()
	other.Pipeline = "p2" // begins like ours
	a, b := t.start(plain(), "L"), t.start(other, "L")
	a.commit(a.prepared(engine.NoEpoch, 1, a.files(rows(0, 2)...)))
	b.is(engine.NoEpoch, a.state.Version+1)
	v := b.commit(b.prepared(engine.NoEpoch, 7, b.files(rows(2, 4)...)))
	a.is(1, v)
	b.is(7, v)
	a.commit(a.prepared(1, 2, a.files(rows(4, 6)...)))
	t.holds(plain().Schema, rows(0, 6))
}

// testState: the log is read again, whoever has written to it.
func (t *trial) testState() {
	a, b := t.start(plain(), "L"), t.start(plain(), "L")
	prev := engine.NoEpoch
	for epoch := engine.Epoch(0); epoch < 12; epoch += 3 {
		v := a.commit(a.prepared(prev, epoch, a.files(row(int(epoch)))))
		a.is(epoch, v)
		b.is(epoch, v)
		prev = epoch
	}
}
