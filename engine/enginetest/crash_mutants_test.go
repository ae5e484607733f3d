package enginetest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/millrace-io/millrace/engine"
	"github.com/millrace-io/millrace/engine/blob"
	"github.com/millrace-io/millrace/engine/delta"
	"github.com/millrace-io/millrace/engine/enginetest"
	"github.com/millrace-io/millrace/engine/maintenance"
)

// mutantRuns is how many runs a mutant may survive before the simulation is called too weak.
const mutantRuns = 2000

// caught fails t unless a simulation with a mutant in every process breaks its promise.
func caught(t *testing.T, s enginetest.Simulation) {
	t.Helper()
	t.Parallel()
	if s.Cases == nil {
		s.Cases = cases()
	}
	for seed := range uint64(mutantRuns) {
		if _, err := s.Play(t, seed, s.Script(seed)); err != nil {
			t.Logf("caught by seed %d: %.200s", seed, strings.SplitN(err.Error(), "\n", 2)[0])
			return
		}
	}
	t.Errorf("the mutant survived %d runs", mutantRuns)
}

// planted puts a mutant about every table.
func planted(wrap func(engine.Table, *enginetest.Rig, string) engine.Table) enginetest.Simulation {
	return enginetest.Simulation{Plant: func(r *enginetest.Rig) {
		for name, table := range r.Ports.Tables {
			r.Ports.Tables[name] = wrap(table, r, name)
		}
	}}
}

// Each of these breaks one promise from outside, at a seam that is there anyway.

// TestCatchesConflictTakenForDone: a 409 says that nothing was decided. Who reads it as "exists", and that as one's own,
// goes on without what was to be written.
func TestCatchesConflictTakenForDone(t *testing.T) {
	caught(t, enginetest.Simulation{Store: func(s blob.Store) blob.Store { return hopeful{s} }})
}

type hopeful struct{ blob.Store }

func (h hopeful) PutIfAbsent(ctx context.Context, name string, data []byte) error {
	if err := h.Store.PutIfAbsent(ctx, name, data); !errors.Is(err, enginetest.ErrConflict()) {
		return err
	}
	return nil
}

// TestCatchesOwnSuccessTakenForLoss: a 412 may be for one's own put. Who takes it for another's commits the same files
// again behind it, or stops because of a process that is not there.
func TestCatchesOwnSuccessTakenForLoss(t *testing.T) {
	t.Run("in a log", func(t *testing.T) {
		caught(t, enginetest.Simulation{Store: func(s blob.Store) blob.Store { return climbing{s, true} }})
	})
	t.Run("of a checkpoint", func(t *testing.T) {
		s := checkpoints(func(c engine.Checkpoints, blobs blob.Store) engine.Checkpoints { return defeated{c, blobs.(*told)} })
		s.Store = func(s blob.Store) blob.Store { return &told{Store: s} }
		caught(t, s)
	})
}

// TestCatchesStaleLogBelieved: a list of a log may miss its newest entries. Who finds one in the place of its own, and does
// not look whether it was its own epoch's, commits it again.
func TestCatchesStaleLogBelieved(t *testing.T) {
	caught(t, enginetest.Simulation{Store: func(s blob.Store) blob.Store { return climbing{s, false} }})
}

// climbing puts what finds another entry in its place behind it, whatever that is.
type climbing struct {
	blob.Store
	own bool // only if the other is its own
}

func (c climbing) PutIfAbsent(ctx context.Context, name string, data []byte) error {
	for {
		err := c.Store.PutIfAbsent(ctx, name, data)
		folder, entry, isLog := strings.Cut(name, "/_delta_log/")
		if !isLog || !errors.Is(err, blob.ErrExists) {
			return err
		}
		there, readErr := c.Get(ctx, name)
		if readErr != nil || bytes.Equal(there, data) != c.own {
			return err
		}
		var version int64
		if _, err := fmt.Sscanf(entry, "%d.json", &version); err != nil || version == 0 {
			return err
		}
		name = fmt.Sprintf("%s/_delta_log/%020d.json", folder, version+1)
	}
}

// told remembers that a checkpoint's put was answered with "already exists".
type told struct {
	blob.Store
	exists atomic.Bool
}

func (s *told) PutIfAbsent(ctx context.Context, name string, data []byte) error {
	err := s.Store.PutIfAbsent(ctx, name, data)
	if strings.HasPrefix(name, enginetest.CheckpointHome) && errors.Is(err, blob.ErrExists) {
		s.exists.Store(true)
	}
	return err
}

// defeated takes what exists for another's without a look.
type defeated struct {
	engine.Checkpoints
	told *told
}

func (d defeated) Write(ctx context.Context, c *engine.Checkpoint) error {
	if err := d.Checkpoints.Write(ctx, c); err != nil || !d.told.exists.Load() {
		return err
	}
	return engine.ErrFenced
}

// TestCatchesPrevNotCompared: a table that commits whatever epoch it has.
func TestCatchesPrevNotCompared(t *testing.T) {
	caught(t, planted(func(table engine.Table, _ *enginetest.Rig, _ string) engine.Table { return blind{table} }))
}

// blind commits whatever epoch the table has.
type blind struct{ engine.Table }

func (b blind) Commit(ctx context.Context, p engine.Prepared, info engine.CommitInfo) (int64, error) {
	s, err := b.State(ctx)
	if err != nil {
		return 0, err
	}
	if p.Prev = s.Epoch; p.Epoch <= s.Epoch {
		p.Epoch = s.Epoch + 1
	}
	return b.Table.Commit(ctx, p, info)
}

// TestCatchesStaleListBelieved: a start that takes an older checkpoint for the newest.
func TestCatchesStaleListBelieved(t *testing.T) {
	caught(t, checkpoints(func(c engine.Checkpoints, _ blob.Store) engine.Checkpoints { return behind{c} }))
}

func checkpoints(wrap func(engine.Checkpoints, blob.Store) engine.Checkpoints) enginetest.Simulation {
	return enginetest.Simulation{Plant: func(r *enginetest.Rig) { r.Ports.Checkpoints = wrap(r.Ports.Checkpoints, r.Blobs) }}
}

type behind struct{ engine.Checkpoints }

func (b behind) Newest(ctx context.Context) (*engine.Checkpoint, error) {
	c, err := b.Checkpoints.Newest(ctx)
	if err == nil && c != nil && c.Epoch > 0 {
		if older, err := b.Read(ctx, c.Epoch-1); err == nil {
			return older, nil
		}
	}
	return c, err
}

// TestCatchesRepeatedCommit: a commit that was done before is done again, or refused, or done without the files that another
// process wrote.
func TestCatchesRepeatedCommit(t *testing.T) {
	for name, wrap := range map[string]func(engine.Table) engine.Table{
		"doubled":           func(table engine.Table) engine.Table { return doubling{table} },
		"refused":           func(table engine.Table) engine.Table { return refusing{table} },
		"without the files": func(table engine.Table) engine.Table { return &own{Table: table, files: map[string]bool{}} },
	} {
		t.Run(name, func(t *testing.T) {
			caught(t, planted(func(table engine.Table, _ *enginetest.Rig, _ string) engine.Table { return wrap(table) }))
		})
	}
}

type doubling struct{ engine.Table }

func (d doubling) Commit(ctx context.Context, p engine.Prepared, info engine.CommitInfo) (int64, error) {
	if s, err := d.State(ctx); err == nil && s.Epoch == p.Epoch {
		p.Prev, p.Epoch = p.Epoch, p.Epoch+1
	}
	return d.Table.Commit(ctx, p, info)
}

type refusing struct{ engine.Table }

func (r refusing) Commit(ctx context.Context, p engine.Prepared, info engine.CommitInfo) (int64, error) {
	if s, err := r.State(ctx); err == nil && s.Epoch == p.Epoch {
		return 0, engine.ErrForeign
	}
	return r.Table.Commit(ctx, p, info)
}

// own commits those files only that its process has written, as one does that keeps them in memory and not in the
// checkpoint.
type own struct {
	engine.Table
	mu    sync.Mutex
	files map[string]bool
}

func (o *own) Commit(ctx context.Context, p engine.Prepared, info engine.CommitInfo) (int64, error) {
	o.mu.Lock()
	p.Files = slices.DeleteFunc(slices.Clone(p.Files), func(f engine.File) bool { return !o.files[f.Path] })
	o.mu.Unlock()
	return o.Table.Commit(ctx, p, info)
}

func (o *own) Writer(lane int) engine.TableWriter { return ownWriter{o.Table.Writer(lane), o} }

type ownWriter struct {
	engine.TableWriter
	own *own
}

func (w ownWriter) Cut() engine.Sealing {
	if s := w.TableWriter.Cut(); s != nil {
		return ownSealing{s, w.own}
	}
	return nil
}

type ownSealing struct {
	engine.Sealing
	own *own
}

func (s ownSealing) Seal(ctx context.Context) ([]engine.File, error) {
	files, err := s.Sealing.Seal(ctx)
	s.own.mu.Lock()
	defer s.own.mu.Unlock()
	for _, f := range files {
		s.own.files[f.Path] = true
	}
	return files, err
}

// TestCatchesCommitBeforeCheckpoint: a table is committed before the checkpoint that says so.
func TestCatchesCommitBeforeCheckpoint(t *testing.T) {
	caught(t, enginetest.Simulation{Plant: func(r *enginetest.Rig) { r.Ports.Checkpoints = hasty{r.Ports.Checkpoints, r} }})
}

type hasty struct {
	engine.Checkpoints
	rig *enginetest.Rig
}

func (h hasty) Write(ctx context.Context, c *engine.Checkpoint) error {
	for _, p := range c.Tables {
		info := engine.CommitInfo{Pipeline: c.Pipeline, Epoch: c.Epoch}
		for _, t := range h.rig.Plan.Tables {
			if t.Name == p.Table {
				info.Ledger = c.Ledger[t.From]
			}
		}
		if _, err := h.rig.Ports.Tables[p.Table].Commit(ctx, p, info); err != nil {
			return err
		}
	}
	return h.Checkpoints.Write(ctx, c)
}

// TestCatchesPositionBeforeLanes: a checkpoint that holds what was read, and not what the lanes have.
func TestCatchesPositionBeforeLanes(t *testing.T) {
	caught(t, enginetest.Simulation{Plant: func(r *enginetest.Rig) {
		r.Ports.Checkpoints = enginetest.Rewriting{Checkpoints: r.Ports.Checkpoints, Change: func(c *engine.Checkpoint) {
			for i := range c.Partitions {
				if next, ok := r.Source.Handed(c.Partitions[i].Partition); ok {
					c.Partitions[i].Next = max(next, c.Partitions[i].Next)
				}
			}
		}}
	}})
}

// TestCatchesQuarantineLeftOutOfLedger: a ledger that does not add up.
func TestCatchesQuarantineLeftOutOfLedger(t *testing.T) {
	caught(t, checkpoints(func(c engine.Checkpoints, _ blob.Store) engine.Checkpoints {
		return enginetest.Rewriting{Checkpoints: c, Change: func(c *engine.Checkpoint) {
			for name, count := range c.Ledger {
				count.Quarantined = 0
				c.Ledger[name] = count
			}
		}}
	}))
}

// TestCatchesTwoOfOneCheckpoint: a process that goes on when another has written its checkpoint.
func TestCatchesTwoOfOneCheckpoint(t *testing.T) {
	caught(t, checkpoints(func(c engine.Checkpoints, _ blob.Store) engine.Checkpoints { return unfenced{c} }))
}

type unfenced struct{ engine.Checkpoints }

func (u unfenced) Write(ctx context.Context, c *engine.Checkpoint) error {
	if err := u.Checkpoints.Write(ctx, c); !errors.Is(err, engine.ErrFenced) {
		return err
	}
	return nil
}

// TestCatchesCheckpointOverwritten: one that writes over another's.
func TestCatchesCheckpointOverwritten(t *testing.T) {
	caught(t, checkpoints(func(c engine.Checkpoints, blobs blob.Store) engine.Checkpoints { return overwriting{c, blobs} }))
}

type overwriting struct {
	engine.Checkpoints
	blobs blob.Store
}

func (o overwriting) Write(ctx context.Context, c *engine.Checkpoint) error {
	name := fmt.Sprintf("%s/checkpoints/%020d.json", enginetest.CheckpointHome, c.Epoch)
	if err := o.blobs.Delete(ctx, name); err != nil {
		return err
	}
	return o.Checkpoints.Write(ctx, c)
}

// TestCatchesOrphanReferenced: a retry that takes the files of a crashed attempt for its own.
func TestCatchesOrphanReferenced(t *testing.T) {
	caught(t, planted(func(table engine.Table, r *enginetest.Rig, name string) engine.Table {
		return greedy{table, blob.Sub(r.Blobs, name)}
	}))
}

type greedy struct {
	engine.Table
	store blob.Store
}

func (g greedy) Commit(ctx context.Context, p engine.Prepared, info engine.CommitInfo) (int64, error) {
	s, err := delta.Load(ctx, g.store, delta.Latest)
	if err != nil {
		return 0, err
	}
	known := map[string]bool{}
	for _, a := range s.Files() {
		known[a.Path] = true
	}
	for _, f := range p.Files {
		known[f.Path] = true
	}
	for info, err := range g.store.List(ctx, "part-", "") {
		if err != nil {
			return 0, err
		}
		if !known[info.Name] {
			p.Files = append(p.Files, engine.File{Path: info.Name, Size: info.Size, Add: delta.AddAction(info.Name, nil, info.Size, 1, "")})
		}
	}
	return g.Table.Commit(ctx, p, info)
}

// TestCatchesPreparedVacuumed: a vacuum that does not ask the checkpoints what is on its way.
func TestCatchesPreparedVacuumed(t *testing.T) {
	caught(t, enginetest.Simulation{Vacuum: func(v *maintenance.Vacuum) {
		v.Unsafe, v.Open = true, func(string) (blob.Store, error) { return nil, errors.New("nobody asked") }
	}})
}

// TestCatchesIncarnationIgnored: a line that began anew takes the commits of the one before for its own.
func TestCatchesIncarnationIgnored(t *testing.T) {
	caught(t, planted(func(table engine.Table, _ *enginetest.Rig, _ string) engine.Table { return oneLine{table} }))
}

type oneLine struct{ engine.Table }

func (o oneLine) Open(ctx context.Context, _ string) (engine.TableState, error) {
	s, err := o.Table.Open(ctx, "always the same")
	s.Epoch, s.Others = engine.NoEpoch, nil
	return s, err
}

// TestCatchesStateForgotten: operators that begin anew after a restart.
func TestCatchesStateForgotten(t *testing.T) {
	caught(t, checkpoints(func(c engine.Checkpoints, _ blob.Store) engine.Checkpoints { return forgetful{c} }))
}

type forgetful struct{ engine.Checkpoints }

func (forgetful) OpenState(context.Context, engine.StateRef) (engine.State, error) {
	return nothing{}, nil
}

type nothing struct{}

func (nothing) Sections() []engine.Section { return nil }

func (nothing) Read(context.Context, []int, func(int, io.Reader) error) error { return nil }

// TestCatchesPositionOffByOne: a checkpoint that says one record more, or less, than there is.
func TestCatchesPositionOffByOne(t *testing.T) {
	for name, by := range map[string]engine.Offset{"more": 1, "less": -1} {
		t.Run(name, func(t *testing.T) {
			caught(t, offBy(by))
		})
	}
}

func offBy(by engine.Offset) enginetest.Simulation {
	return checkpoints(func(c engine.Checkpoints, _ blob.Store) engine.Checkpoints {
		return enginetest.Rewriting{Checkpoints: c, Change: func(c *engine.Checkpoint) {
			for i := range c.Partitions {
				if p := &c.Partitions[i]; p.Next > 0 {
					p.Next += by
				}
			}
		}}
	})
}

// TestShrinks: what breaks a promise is shown with a script that is simpler, comes back from its text, and breaks it too.
func TestShrinks(t *testing.T) {
	s := offBy(-1)
	s.Cases = cases()
	seed := uint64(2)
	script := s.Script(seed)
	_, err := s.Play(t, seed, script)
	if err == nil {
		t.Fatal("a wrong position broke nothing")
	}
	simplest, err := s.Shrink(t, seed, script, err)
	if len(simplest.Lives) > 2 || simplest.Records > 20 {
		t.Errorf("the simplest script is\n%s", simplest)
	}
	again, parseErr := enginetest.ParseScript(simplest.String())
	if parseErr != nil {
		t.Fatal(parseErr)
	}
	if _, playErr := s.Play(t, seed, again); playErr == nil {
		t.Errorf("it breaks nothing when played again, and did: %v\n%s", err, simplest)
	}
	t.Logf("shrunken from %d lives to\n%s", len(script.Lives), simplest)
}
